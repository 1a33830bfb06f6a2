#include "stackae/memorize.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/patch_memory.hpp"

#include "base/random.hpp"
#include "data/image/planted_defect.hpp"
#include "pipeline/good_pictures.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace stackae;

namespace {

constexpr std::int64_t side = 64;

/// Woven stripes with noise; an odd one has a bright spot.
Tensor stripes(std::int64_t count, std::uint32_t first, bool odd) {
    Tensor pictures({count, side, side});
    for (std::int64_t i = 0; i < count; ++i) {
        const base::Random random(7, base::RandomStream::patches, first + static_cast<std::uint32_t>(i));
        const float phase = base::Random::uniform(random.block(0)[1]);
        const float phase2 = base::Random::uniform(random.block(0)[2]);
        float* p = pictures.data() + i * side * side;
        for (std::int64_t y = 0; y < side; ++y) {
            for (std::int64_t x = 0; x < side; ++x) {
                const float noise =
                    base::Random::uniform(random.block(static_cast<std::uint32_t>(1 + y * side + x))[0]);
                *p++ = 0.5F + 0.2F * std::sin(0.7F * static_cast<float>(x) + 6.0F * phase) +
                       0.15F * std::sin(0.5F * static_cast<float>(y) + 6.0F * phase2) +
                       0.06F * (noise - 0.5F);
            }
        }
        if (odd) {
            const auto y0 = static_cast<std::int64_t>(random.below(90'000, side - 10));
            const auto x0 = static_cast<std::int64_t>(random.below(90'001, side - 10));
            for (std::int64_t y = y0; y < y0 + 7; ++y) {
                for (std::int64_t x = x0; x < x0 + 7; ++x) {
                    pictures.data()[(i * side + y) * side + x] = 0.95F;
                }
            }
        }
    }
    return pictures;
}

PatchMemory memory_of(Tensor pictures, const MemorizeOptions& options = {}) {
    InputObserver nobody;
    Manifest manifest(nobody);
    return memorize(Inputs(ImageDataset::from_tensor(std::move(pictures))), options, manifest);
}

Tensor flat(const Tensor& pictures) {
    Tensor rows({pictures.rows(), side * side});
    std::copy_n(pictures.data(), pictures.size(), rows.data());
    return rows;
}

std::vector<double> scores(const PatchMemory& memory, const Tensor& pictures) {
    std::vector<double> out;
    for (const AnomalyScore& score : AnomalyScorer(memory).score(flat(pictures))) {
        out.push_back(score.score);
    }
    return out;
}

}  // namespace

TEST_CASE("A patch memory tells odd pictures, and where", "[pipeline]") {
    const PatchMemory memory = memory_of(stripes(60, 0, false));
    CHECK(memory.pictures == 60);
    CHECK(memory.positions() == 256);
    CHECK(memory.planted.size() == static_cast<std::size_t>(data::defects));
    CHECK(memory.oddest_good.size() == 3);
    CHECK(memory.oddest_good.front().score == memory.good_scores.back());
    CHECK(memory.oddest_good.front().score >= memory.oddest_good.back().score);
    const AnomalyThreshold threshold = anomaly_threshold(memory, 0.01);
    CHECK(std::abs(threshold.promised - (1.0 - std::pow(0.01, 1.0 / 60.0))) < 1e-6);
    const std::vector<double> good = scores(memory, stripes(20, 1000, false));
    const Tensor odd_pictures = stripes(20, 2000, true);
    const std::vector<double> odd = scores(memory, odd_pictures);
    // Every odd one is above every good one.
    CHECK(*std::min_element(odd.begin(), odd.end()) > *std::max_element(good.begin(), good.end()));
    // The oddest position lies in the spot.
    const AnomalyScore score = AnomalyScorer(memory).score(flat(odd_pictures)).front();
    const auto at =
        std::max_element(score.map.values().begin(), score.map.values().end()) - score.map.values().begin();
    const Tensor large = enlarge_map(score.map, side, side);
    CHECK(large.rows() == side);
    float brightest = 0.0F;
    const std::int64_t top = at / memory.width * 4;
    const std::int64_t left = at % memory.width * 4;
    for (std::int64_t y = std::max<std::int64_t>(0, top - 4); y < std::min(side, top + 8); ++y) {
        for (std::int64_t x = std::max<std::int64_t>(0, left - 4); x < std::min(side, left + 8); ++x) {
            brightest = std::max(brightest, odd_pictures.data()[y * side + x]);
        }
    }
    CHECK(brightest == 0.95F);
}

TEST_CASE("A patch memory is the same every time, and from its file", "[pipeline]") {
    const PatchMemory memory = memory_of(stripes(12, 0, false), {.max_codes = 500, .threads = 1});
    const PatchMemory again = memory_of(stripes(12, 0, false), {.max_codes = 500, .threads = 2});
    CHECK(memory.codes.rows() == 500);
    CHECK(memory.good_scores == again.good_scores);
    CHECK(to_text(memory.rule) == to_text(again.rule));
    const test::TemporaryFolder folder;
    const std::string path = folder / "m.memory";
    save(memory, path);
    const PatchMemory loaded = load_patch_memory(path);
    CHECK(loaded.good_scores == memory.good_scores);
    CHECK(loaded.model.identity() == memory.model.identity());
    const Tensor pictures = stripes(3, 50, true);
    CHECK(scores(loaded, pictures) == scores(memory, pictures));
    CHECK(to_json(loaded).text() == to_json(memory).text());
}

TEST_CASE("A picture's score does not depend on those beside it", "[pipeline]") {
    const PatchMemory memory = memory_of(stripes(12, 0, false));
    const Tensor pictures = stripes(5, 80, true);
    const std::vector<double> together = scores(memory, pictures);
    for (std::int64_t i = 0; i < 5; ++i) {
        Tensor one({1, side, side});
        std::copy_n(pictures.data() + i * side * side, side * side, one.data());
        CHECK(scores(memory, one).front() == together[static_cast<std::size_t>(i)]);
    }
}

TEST_CASE("What nothing can be learnt of is refused", "[pipeline]") {
    CHECK_THROWS_AS(memory_of(stripes(2, 0, false)), InvalidArgument);
    Tensor same({5, side, side});
    std::fill(same.values().begin(), same.values().end(), 0.5F);
    CHECK_THROWS_AS(memory_of(same), InvalidArgument);
    CHECK_THROWS_AS(memory_of(stripes(5, 0, false), {.image_size = 8}), InvalidArgument);
    CHECK_THROWS_AS(memory_of(stripes(5, 0, false), {.tile = 63}), InvalidArgument);
    CHECK_THROWS_AS(memory_of(stripes(5, 0, false), {.tile = 64, .stride = 20}), InvalidArgument);
    CHECK_THROWS_AS(memory_of(stripes(5, 0, false), {.region = "no/such/file.png"}), IoError);
}

TEST_CASE("In tiles a picture is looked at in its own size, and is as odd as its oddest tile", "[pipeline]") {
    // 2 x 2 of the others each.
    const auto quilts = [](std::int64_t count, std::uint32_t first, bool odd) {
        const Tensor parts = stripes(4 * count, first, false);
        const Tensor odd_parts = stripes(count, first + 5000, odd);
        Tensor pictures({count, 2 * side, 2 * side});
        for (std::int64_t i = 0; i < count; ++i) {
            for (std::int64_t y = 0; y < 2 * side; ++y) {
                for (std::int64_t half = 0; half < 2; ++half) {
                    const std::int64_t part = y / side * 2 + half;
                    const float* from = part == 3 ? odd_parts.data() + i * side * side
                                                  : parts.data() + (4 * i + part) * side * side;
                    std::copy_n(from + y % side * side, side,
                                pictures.data() + (i * 2 * side + y) * 2 * side + half * side);
                }
            }
        }
        return pictures;
    };
    const auto one = [](const Tensor& pictures) {
        Tensor row({1, 4 * side * side});
        std::copy_n(pictures.data(), row.size(), row.data());
        return row;
    };
    GoodPictureSizes told;
    const PatchMemory memory =
        memory_of(quilts(12, 0, false),
                  {.tile = side, .on_sizes = [&](const GoodPictureSizes& sizes) { told = sizes; }});
    CHECK(told.least_height == 2 * side);
    CHECK(told.greatest_width == 2 * side);
    CHECK(told.width == 2 * side);
    CHECK(told.some_gray);
    CHECK_FALSE(told.some_coloured);
    CHECK(memory.rule.tile == side / memory.stride);
    const Tensor odd = one(quilts(1, 2000, true));
    const AnomalyScore score = AnomalyScorer(memory).score(odd).front();
    PatchMemory untiled = memory;
    untiled.rule.tile = 0;
    // The same positions, of which the whole picture has more that are not odd.
    const AnomalyScore of_all = AnomalyScorer(untiled).score(odd).front();
    CHECK(score.map.values()[0] == of_all.map.values()[0]);
    CHECK(score.score >= of_all.score);
    CHECK(score.score > AnomalyScorer(memory).score(one(quilts(1, 90, false))).front().score);
    const test::TemporaryFolder folder;
    save(memory, folder / "m.memory");
    CHECK(load_patch_memory(folder / "m.memory").rule.tile == memory.rule.tile);
    // A tile as large as the picture is the picture.
    CHECK(memory_of(stripes(6, 0, false), {.tile = side}).rule.tile == 0);
}

TEST_CASE("Of very large pictures fewer defects are planted", "[pipeline]") {
    CHECK(pipeline::planted_of_a_kind({28, 28, 1}) == 40);
    CHECK(pipeline::planted_of_a_kind({1024, 1024, 3}) == 40);
    CHECK(pipeline::planted_of_a_kind({1024, 2048, 1}) == 20);
    CHECK(pipeline::planted_of_a_kind({3000, 4000, 1}) == 8);
}

TEST_CASE("Only positions in the region count", "[pipeline]") {
    const test::TemporaryFolder folder;
    Tensor region({side, side, 1});
    std::fill_n(region.data(), side * side / 2, 1.0F);
    write_png((folder / "region.png"), region);
    const PatchMemory memory = memory_of(stripes(20, 0, false), {.region = (folder / "region.png")});
    Tensor good = stripes(1, 90, false);
    Tensor below = good;
    for (std::int64_t y = 50; y < 58; ++y) {
        std::fill_n(below.data() + y * side + 20, 8, 0.95F);
    }
    Tensor above = good;
    for (std::int64_t y = 8; y < 16; ++y) {
        std::fill_n(above.data() + y * side + 20, 8, 0.95F);
    }
    CHECK(scores(memory, above).front() > scores(memory, good).front() + 1.0);
    CHECK(scores(memory, below).front() < scores(memory, above).front());
}

TEST_CASE("A thin region has the positions that it touches, and a dark one none", "[pipeline]") {
    const test::TemporaryFolder folder;
    Tensor line({2 * side, 2 * side, 1});
    std::fill_n(line.data() + 2 * 20 * 2 * side, 2 * 2 * side, 1.0F);
    write_png((folder / "line.png"), line);
    const PatchMemory memory =
        memory_of(stripes(6, 0, false), {.max_codes = 50, .region = (folder / "line.png")});
    for (std::int64_t p = 0; p < memory.positions(); ++p) {
        CHECK(memory.region.data()[p] == (p / memory.width == 20 / 4 ? 1.0F : 0.0F));
    }
    for (float& value : line.values()) {
        value /= 255.0F;
    }
    write_png((folder / "dark.png"), line);
    CHECK_THROWS_WITH(memory_of(stripes(6, 0, false), {.region = (folder / "dark.png")}),
                      test::contains("brightest pixel has 1 of 255 found"));
}

TEST_CASE("Planted defects change a picture where their mask is", "[pipeline]") {
    const Tensor pictures = stripes(2, 0, false);
    const Shape shape{side, side, 1};
    const std::span<const float> one = pictures.values().first(side * side);
    const std::span<const float> other = pictures.values().last(side * side);
    for (int kind = 0; kind < data::defects; ++kind) {
        std::int64_t seen = 0;
        for (std::uint32_t i = 0; i < 20; ++i) {
            const base::Random random(3, base::RandomStream::planted, i);
            const auto defect = static_cast<data::Defect>(kind);
            const data::PlantedDefect planted = data::plant_defect(one, other, shape, defect, random);
            const data::PlantedDefect again = data::plant_defect(one, other, shape, defect, random);
            CHECK(planted.picture == again.picture);
            std::int64_t marked = 0;
            for (std::size_t p = 0; p < planted.mask.size(); ++p) {
                marked += planted.mask[p] > 0.0F ? 1 : 0;
                CHECK_FALSE((planted.mask[p] > 0.0F && planted.picture[p] == one[p]));
            }
            CHECK(marked < side * side / 2);
            seen += marked > 0 ? 1 : 0;
        }
        CHECK(seen >= 15);
    }
}

TEST_CASE("What is promised of good pictures holds where few are learnt from", "[pipeline]") {
    std::int64_t alarms = 0;
    constexpr std::uint32_t splits = 2;
    constexpr std::int64_t tried = 25;
    double promised = 0.0;
    for (std::uint32_t split = 0; split < splits; ++split) {
        const PatchMemory memory = memory_of(stripes(18, 10'000 * (split + 1), false));
        const AnomalyThreshold threshold = anomaly_threshold(memory, 0.01);
        promised = threshold.promised;
        for (const double score : scores(memory, stripes(tried, 10'000 * (split + 1) + 5000, false))) {
            alarms += score > threshold.threshold ? 1 : 0;
        }
    }
    CHECK(std::abs(promised - (1.0 - std::pow(0.01, 1.0 / 18.0))) < 1e-6);
    CHECK(static_cast<double>(alarms) <= promised * static_cast<double>(splits * tried));
}

TEST_CASE("Groups of good pictures are kept together", "[pipeline]") {
    InputObserver nobody;
    Manifest manifest(nobody);
    ImageDataset pictures = ImageDataset::from_tensor(stripes(12, 0, false));
    std::vector<PictureLabel> labels(12);
    for (std::size_t i = 0; i < labels.size(); ++i) {
        labels[i].group = i < 6 ? "a" : "b";
    }
    CHECK_THROWS_WITH(memorize(Inputs(pictures.with_labels(labels)), {}, manifest),
                      test::contains("2 groups found, of 3 or more expected"));
    labels[0].group = "c";
    Manifest another(nobody);
    CHECK(memorize(Inputs(pictures.with_labels(labels)), {}, another).good_scores.size() == 12);
}

TEST_CASE("A memory whose grid does not fit its model is refused", "[pipeline]") {
    PatchMemory memory = memory_of(stripes(6, 0, false), {.max_codes = 50});
    memory.preprocessing.width = 32;
    CHECK_THROWS_AS(AnomalyScorer(memory), InvalidArgument);
    memory.preprocessing.width = 64;
    memory.levels = 1;
    CHECK_THROWS_AS(AnomalyScorer(memory), InvalidArgument);
    memory.levels = 2;
    memory.stride = 8;
    CHECK_THROWS_AS(AnomalyScorer(memory), InvalidArgument);
    memory.stride = 4;
    const auto refused = [&](auto change) {
        PatchMemory changed = memory;
        change(changed);
        const test::TemporaryFolder folder;
        CHECK_THROWS_AS(save(changed, folder / "m.memory"), InvalidArgument);
    };
    refused([](PatchMemory& m) { m.stride = -1; });
    refused([](PatchMemory& m) { m.rule.methods.assign(2, AnomalyMethod::memory); });
    refused([](PatchMemory& m) { m.region.data()[0] = 0.5F; });
    refused([](PatchMemory& m) { m.codes.data()[0] = std::nanf(""); });
    refused([](PatchMemory& m) { m.planted.front().auroc = 2.0; });
    AnomalyScorer scorer(memory);
    CHECK(scorer.score(Tensor({0, side * side})).empty());
    CHECK_THROWS_AS(scorer.score(Tensor({1, 10})), InvalidArgument);
}
