#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/patch_memory.hpp"

#include "search/anomaly_distances.hpp"
#include "search/anomaly_rule.hpp"
#include "search/patch_encoder.hpp"
#include "search/roc.hpp"
#include "support/catch.hpp"

using namespace stackae;

TEST_CASE("The area under the ROC counts pairs, ties by half", "[search]") {
    const std::vector<double> good{1.0, 2.0, 3.0};
    CHECK(search::auroc(good, std::vector<double>{4.0, 5.0}) == 1.0);
    CHECK(search::auroc(good, std::vector<double>{0.0}) == 0.0);
    CHECK(search::auroc(good, std::vector<double>{2.0}) == 0.5);
    CHECK(search::auroc(good, std::vector<double>{2.5, 1.0}) == Approx((2.0 / 3.0 + 0.5 / 3.0) / 2.0));
    CHECK(search::auroc({}, good) == 0.5);
}

TEST_CASE("A threshold promises what Clopper and Pearson's bound says", "[search]") {
    PatchMemory memory;
    memory.good_scores.resize(200);
    std::iota(memory.good_scores.begin(), memory.good_scores.end(), 1.0);
    // 1 − 0.01^(1/200) where none is above.
    const AnomalyThreshold none = anomaly_threshold(memory, 0.01);
    CHECK(none.threshold == 200.0);
    CHECK(std::abs(none.promised - (1.0 - std::pow(0.01, 1.0 / 200.0))) < 1e-6);
    CHECK(none.pictures == 200);

    memory.good_scores.resize(1000);
    std::iota(memory.good_scores.begin(), memory.good_scores.end(), 1.0);
    // Of 1,000 pictures two above: at most 0.838 %; three: 1.001 %.
    const AnomalyThreshold two = anomaly_threshold(memory, 0.01);
    CHECK(two.threshold == 998.0);
    CHECK(std::abs(two.promised - 0.00838) < 1e-5);
    CHECK(anomaly_threshold(memory, 0.5).promised <= 0.5);
    CHECK_THROWS_AS(anomaly_threshold(memory, 0.0), InvalidArgument);
    CHECK_THROWS_AS(anomaly_threshold(PatchMemory{}, 0.01), InvalidArgument);
}

TEST_CASE("The mean over a share of the largest values", "[search]") {
    std::vector<float> values{1.0F, 5.0F, 3.0F, 4.0F, 2.0F};
    CHECK(search::mean_of_largest(values, 0.0) == 5.0);
    CHECK(search::mean_of_largest(values, 0.4) == 4.5);
    CHECK(search::mean_of_largest(values, 1.0) == 3.0);
}

TEST_CASE("A picture is as odd as the oddest of its tiles", "[search]") {
    PatchMemory memory;
    memory.height = 5;
    memory.width = 4;
    memory.region = Tensor({20});
    std::fill(memory.region.values().begin(), memory.region.values().end(), 1.0F);
    memory.rule.share = 1.0;
    Tensor map({5, 4});
    for (std::int64_t y = 3; y < 5; ++y) {
        map.row(y)[0] = 8.0F;
        map.row(y)[1] = 6.0F;
    }
    CHECK(search::anomaly_score(map, memory) == Approx(28.0 / 20.0));
    // Three tiles down, which begin at rows 0, 1 and 3, and two across.
    memory.rule.tile = 2;
    CHECK(search::anomaly_score(map, memory) == Approx(7.0));
    CHECK(to_text(memory.rule).ends_with("the mean of all positions of a tile of 2 x 2 positions"));
    // What lies outside of the region does not count, not even as a position of its tile.
    memory.region.data()[3 * 4] = 0.0F;
    memory.region.data()[4 * 4] = 0.0F;
    CHECK(search::anomaly_score(map, memory) == Approx(6.0));
    // Nor does a tile that has next to nothing of it: one position of five by four, beside all others.
    PatchMemory wide = memory;
    wide.height = 2;
    wide.width = 10;
    wide.rule.tile = 5;
    std::fill(wide.region.values().begin(), wide.region.values().end(), 1.0F);
    Tensor line({2, 10});
    line.row(0)[9] = 9.0F;
    CHECK(search::anomaly_score(line, wide) == Approx(0.9));
    for (std::int64_t x = 5; x < 9; ++x) {
        wide.region.data()[x] = 0.0F;
        wide.region.data()[10 + x] = 0.0F;
    }
    wide.region.data()[19] = 0.0F;
    CHECK(search::anomaly_score(line, wide) == 0.0);
    // Tiles as large as the picture are the picture.
    memory.rule.tile = 100;
    const double tiled = search::anomaly_score(map, memory);
    memory.rule.tile = 0;
    CHECK(tiled == search::anomaly_score(map, memory));
}

TEST_CASE("A row is resampled by weights that sum to 1", "[search]") {
    const std::vector<float> ones(16, 1.0F);
    for (const std::int64_t to : {1, 3, 8, 16, 40}) {
        std::vector<float> out(static_cast<std::size_t>(to));
        search::Resampling(16, to, 16.0 / static_cast<double>(to), 1.5).run(ones.data(), 1, out.data());
        for (const float value : out) {
            CHECK(std::abs(value - 1.0F) < 1e-5F);
        }
    }
    const std::vector<float> ramp{0.0F, 1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F, 7.0F};
    std::vector<float> half(4);
    search::Resampling(8, 4, 2.0, 1.0).run(ramp.data(), 1, half.data());
    CHECK(std::abs(half[1] - 2.5F) < 1e-5F);
    CHECK(std::abs(half[2] - 4.5F) < 1e-5F);
}

TEST_CASE("A map is enlarged to a picture's size", "[search]") {
    Tensor map({2, 2});
    map.data()[3] = 4.0F;
    const Tensor large = enlarge_map(map, 8, 8);
    CHECK(large.data()[63] == 4.0F);
    CHECK(large.data()[0] == 0.0F);
    CHECK(large.data()[36] > 0.5F);
    CHECK_THROWS_AS(enlarge_map(map, 0, 8), InvalidArgument);
}
