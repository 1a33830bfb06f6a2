#include "stackae/gallery.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "stackae/error.hpp"

#include "base/safetensors.hpp"
#include "support/catch.hpp"

namespace {

using stackae::Gallery;
using stackae::Metric;
using stackae::Recognizer;
using stackae::Tensor;
using stackae::test::contains;

constexpr double infinity = std::numeric_limits<double>::infinity();

Tensor table(std::int64_t n, std::int64_t d, const std::vector<float>& values) {
    Tensor tensor({n, d});
    std::copy(values.begin(), values.end(), tensor.data());
    return tensor;
}

/// Entries on a line.
Gallery line(const std::vector<std::string>& names, const std::vector<float>& places) {
    Gallery gallery;
    gallery.model_identity = "0123456789abcdef";
    gallery.model_path = "models/line.stackae";
    gallery.layer = 2;
    gallery.codes = table(static_cast<std::int64_t>(places.size()), 1, places);
    gallery.names = names;
    for (std::size_t i = 0; i < names.size(); ++i) {
        gallery.paths.push_back(names[i] + "/" + std::to_string(i) + ".png");
    }
    return gallery;
}

/// A file that is gone with the test.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::string& name)
        : path_((std::filesystem::temp_directory_path() /
                 ("stackae_" + std::to_string(std::random_device()()) + name))
                    .string()) {}
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() { std::remove(path_.c_str()); }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    std::string path_;
};

/// Codes around random centres, one centre a person.
class Crowd {
public:
    explicit Crowd(unsigned seed) : generator_(seed) {}

    Gallery people(std::int64_t count, std::int64_t pictures, const std::string& prefix) {
        constexpr std::int64_t d = 12;
        Gallery gallery;
        gallery.layer = 1;
        gallery.codes = Tensor({count * pictures, d});
        std::int64_t row = 0;
        for (std::int64_t person = 0; person < count; ++person) {
            std::vector<float> centre(d);
            std::generate(centre.begin(), centre.end(), [this] { return normal_(generator_); });
            for (std::int64_t picture = 0; picture < pictures; ++picture, ++row) {
                for (std::size_t j = 0; j < centre.size(); ++j) {
                    gallery.codes.row(row)[j] = centre[j] + 0.2F * normal_(generator_);
                }
                gallery.names.push_back(prefix + std::to_string(person));
                gallery.paths.push_back(prefix + std::to_string(row));
            }
        }
        return gallery;
    }

private:
    std::mt19937 generator_;
    std::normal_distribution<float> normal_;
};

/// Changes one metadata entry of a gallery's file; the checksum is made anew.
void rewrite(const std::string& path, const std::string& from, const std::string& to) {
    stackae::base::Safetensors file = stackae::base::read_safetensors(path);
    std::string& text = file.metadata.at("gallery");
    const auto place = text.find(from);
    REQUIRE(place != std::string::npos);
    text.replace(place, from.size(), to);
    stackae::base::write_safetensors(file, path);
}

}  // namespace

TEST_CASE("a gallery comes back from its file as it was") {
    Gallery gallery = line({"Zoë", "a \"b\"\n", "Zoë"}, {1.5F, -2.0F, 1e-20F});
    gallery.metric = Metric::cosine;
    gallery.l2_normalize = true;
    gallery.threshold = 0.1 + 0.2;
    gallery.false_accept = 0.05;
    const TemporaryFile file("a.gallery");
    stackae::save(gallery, file.path());
    const Gallery loaded = stackae::load_gallery(file.path());
    CHECK(loaded.model_identity == gallery.model_identity);
    CHECK(loaded.model_path == gallery.model_path);
    CHECK(loaded.layer == 2);
    CHECK(loaded.l2_normalize);
    CHECK(loaded.metric == Metric::cosine);
    CHECK(loaded.names == gallery.names);
    CHECK(loaded.paths == gallery.paths);
    CHECK(loaded.threshold == gallery.threshold);
    CHECK(loaded.false_accept == 0.05);
    CHECK(loaded.codes.shape() == gallery.codes.shape());
    CHECK(std::equal(loaded.codes.values().begin(), loaded.codes.values().end(),
                     gallery.codes.values().begin()));
    gallery.threshold.reset();
    stackae::save(gallery, file.path());
    CHECK(!stackae::load_gallery(file.path()).threshold);
}

TEST_CASE("a gallery's file that cannot be believed is refused with its reason") {
    const TemporaryFile file("b.gallery");
    Gallery gallery = line({"a", "b"}, {1, 2});
    gallery.threshold = 0.5;
    stackae::save(gallery, file.path());
    struct Damage {
        std::string from, to, message;
    };
    const auto damage = GENERATE(
        Damage{R"("metric":"l2")", R"("metric":"l3")", "l2 or cosine expected"},
        Damage{R"("pictures":2)", R"("pictures":3)", "tensor \"names\": 2 texts found, 3 expected"},
        Damage{R"("pictures":2)", R"("pictures":-2)", "pictures: -2 found"},
        Damage{R"("pictures":2)", R"("picture":2)", "pictures: missing"},
        Damage{R"("threshold":0.5)", R"("threshold":-2)", "threshold: -2 found"},
        Damage{R"("false_accept":0.01)", R"("false_accept":1)", "false_accept: 1 found"},
        Damage{R"("layer":2)", R"("layer":0)", "layer: 0 found"}, Damage{"{", "[", "not valid JSON"});
    CAPTURE(damage.to);
    rewrite(file.path(), damage.from, damage.to);
    CHECK_THROWS_AS(stackae::load_gallery(file.path()), stackae::CorruptFile);
    CHECK_THROWS_WITH(stackae::load_gallery(file.path()), contains(damage.message) && contains(file.path()));
}

TEST_CASE("names and paths of a gallery's file are believed only whole") {
    const TemporaryFile file("t.gallery");
    stackae::save(line({"a", "b"}, {1, 2}), file.path());
    stackae::base::Safetensors content = stackae::base::read_safetensors(file.path());
    REQUIRE(content.blocks.size() == 2);
    const auto message = [&](const std::string& names, const std::string& paths) {
        content.blocks = {{"names", names}, {"paths", paths}};
        stackae::base::write_safetensors(content, file.path());
        try {
            (void)stackae::load_gallery(file.path());
        } catch (const stackae::CorruptFile& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const std::string two("x\0y\0", 4);
    CHECK(message(two, two).empty());
    CHECK_THAT(message(two, two + 'z'), contains("tensor \"paths\": 2 texts found"));
    CHECK_THAT(message(std::string("x\0\xff\0", 4), two), contains("tensor \"names\": text 1 is not UTF-8"));
    CHECK_THAT(message(two, std::string("\0y\0", 3)),
               contains("path 0: nothing found, the path of a picture expected") && contains(file.path()));
}

TEST_CASE("an entry without a path is refused, not taken for one of another program's faults") {
    Gallery gallery = line({"a", "b"}, {1, 2});
    Gallery more = gallery;
    more.paths[1].clear();
    CHECK_THROWS_AS(stackae::append(gallery, more), stackae::InvalidArgument);
    CHECK_THROWS_AS(stackae::append(more, gallery), stackae::InvalidArgument);
    more.paths[1] = std::string("a\0b", 3);
    CHECK_THROWS_WITH(stackae::append(gallery, more), contains("path 1: a zero byte found"));
}

TEST_CASE("a gallery of version 1, whose names are in its description, is read") {
    const TemporaryFile file("v1.gallery");
    stackae::base::Safetensors content;
    content.set_kind("gallery", 1);
    content.metadata["gallery"] =
        R"({"model_identity":"0123456789abcdef","model_path":"m.stackae","layer":2,"l2_normalize":false,)"
        R"("metric":"cosine","names":["Zoë","b"],"paths":["p/1.png","p/2.png"],"threshold":0.5,)"
        R"("false_accept":0.01})";
    content.tensors.emplace_back("codes", table(2, 1, {1, 2}));
    stackae::base::write_safetensors(content, file.path());
    const Gallery gallery = stackae::load_gallery(file.path());
    CHECK(gallery.names == std::vector<std::string>{"Zoë", "b"});
    CHECK(gallery.paths == std::vector<std::string>{"p/1.png", "p/2.png"});
    CHECK(gallery.metric == Metric::cosine);
}

TEST_CASE("names and paths may be longer together than a file's header may be") {
    const TemporaryFile file("long.gallery");
    Gallery gallery;
    gallery.layer = 1;
    const std::size_t n = 40'000;
    gallery.codes = Tensor({static_cast<std::int64_t>(n), 1});
    for (std::size_t i = 0; i < n; ++i) {
        gallery.names.push_back(std::to_string(i) + std::string(200, 'n'));
        gallery.paths.push_back(std::to_string(i) + std::string(300, 'p'));
    }
    stackae::save(gallery, file.path());
    CHECK(std::filesystem::file_size(file.path()) > stackae::base::max_safetensors_header);
    const Gallery loaded = stackae::load_gallery(file.path());
    CHECK(loaded.names == gallery.names);
    CHECK(loaded.paths == gallery.paths);
}

TEST_CASE("codes that do not fit the names, or are no numbers, are refused") {
    const TemporaryFile file("c.gallery");
    stackae::save(line({"a", "b"}, {1, 2}), file.path());
    stackae::base::Safetensors content = stackae::base::read_safetensors(file.path());
    SECTION("too many") {
        content.tensors.at(0).second = table(3, 1, {1, 2, 3});
        stackae::base::write_safetensors(content, file.path());
        CHECK_THROWS_WITH(stackae::load_gallery(file.path()),
                          contains("3 codes of 1 values found for 2 names"));
    }
    SECTION("NaN") {
        content.tensors.at(0).second.data()[1] = std::numeric_limits<float>::quiet_NaN();
        stackae::base::write_safetensors(content, file.path());
        CHECK_THROWS_WITH(stackae::load_gallery(file.path()), contains("code 1"));
    }
    SECTION("none at all") {
        content.tensors.clear();
        stackae::base::write_safetensors(content, file.path());
        CHECK_THROWS_AS(stackae::load_gallery(file.path()), stackae::CorruptFile);
    }
}

TEST_CASE("a model given as a gallery is called by its name") {
    const TemporaryFile file("d.stackae");
    stackae::base::Safetensors content;
    content.set_kind("model", 1);
    content.tensors.emplace_back("layers.1.bias", table(1, 1, {0}));
    stackae::base::write_safetensors(content, file.path());
    CHECK_THROWS_WITH(stackae::load_gallery(file.path()), contains("model") && contains("gallery"));
    CHECK_THROWS_AS(stackae::load_gallery("/nowhere/x.gallery"), stackae::IoError);
}

TEST_CASE("a gallery whose parts do not agree is not written") {
    const TemporaryFile file("e.gallery");
    Gallery gallery = line({"a", "b"}, {1, 2});
    gallery.paths.pop_back();
    CHECK_THROWS_AS(stackae::save(gallery, file.path()), stackae::InvalidArgument);
    CHECK(!std::filesystem::exists(file.path()));
}

TEST_CASE("a gallery made with another model is refused, naming both") {
    stackae::Model model;
    model.recipe.height = 1;
    model.recipe.width = 2;
    stackae::DenseLayer layer;
    layer.weights = Tensor({1, 2});
    layer.bias = Tensor({1});
    layer.decoder_bias = Tensor({2});
    model.layers.push_back(layer);
    Gallery gallery = line({"a"}, {1});
    gallery.layer = 1;
    CHECK_THROWS_WITH(stackae::check_model(gallery, model),
                      contains("0123456789abcdef") && contains(model.identity()));
    gallery.model_identity = model.identity();
    CHECK_NOTHROW(stackae::check_model(gallery, model));
    model.layers[0].bias.data()[0] = 1.0F;
    CHECK_THROWS_AS(stackae::check_model(gallery, model), stackae::InvalidArgument);
}

TEST_CASE("entries are added, replaced by their path, and removed by their name") {
    Gallery gallery = line({"a", "b", "c"}, {1, 2, 3});
    Gallery more = line({"d", "x", "e"}, {10, 20, 30});
    more.paths = {"new.png", "b/1.png", "new.png"};
    stackae::append(gallery, more);
    CHECK(gallery.names == std::vector<std::string>{"a", "x", "c", "e"});
    CHECK(gallery.paths == std::vector<std::string>{"a/0.png", "b/1.png", "c/2.png", "new.png"});
    CHECK(std::vector<float>(gallery.codes.data(), gallery.codes.data() + 4) ==
          std::vector<float>{1, 20, 3, 30});

    gallery.names[3] = "a";
    CHECK(stackae::remove(gallery, "a") == 2);
    CHECK(gallery.names == std::vector<std::string>{"x", "c"});
    CHECK(gallery.paths == std::vector<std::string>{"b/1.png", "c/2.png"});
    CHECK(gallery.codes.shape() == std::vector<std::int64_t>{2, 1});
    CHECK(gallery.codes.data()[0] == 20);
    CHECK(stackae::remove(gallery, "a") == 0);
    CHECK(stackae::remove(gallery, "x") + stackae::remove(gallery, "c") == 2);
    CHECK(gallery.size() == 0);
    stackae::append(gallery, more);
    CHECK(gallery.size() == 2);
}

TEST_CASE("galleries that were made differently are not mixed") {
    Gallery gallery = line({"a"}, {1});
    Gallery more = line({"b"}, {2});
    SECTION("model") {
        more.model_identity = "ffff";
        CHECK_THROWS_WITH(stackae::append(gallery, more), contains("ffff"));
    }
    SECTION("layer") {
        more.layer = 1;
        CHECK_THROWS_WITH(stackae::append(gallery, more), contains("layer: 1 found, 2 expected"));
    }
    SECTION("normalisation") {
        more.l2_normalize = true;
        CHECK_THROWS_WITH(stackae::append(gallery, more), contains("normalisation: yes found, no expected"));
    }
    SECTION("metric") {
        more.metric = Metric::cosine;
        CHECK_THROWS_WITH(stackae::append(gallery, more), contains("metric: cosine found, l2 expected"));
    }
    SECTION("width") {
        more.codes = table(1, 2, {1, 2});
        CHECK_THROWS_WITH(stackae::append(gallery, more), contains("2 found, 1 expected"));
    }
    CHECK(gallery.size() == 1);
}

TEST_CASE("the threshold is the quantile of the distances to the nearest stranger") {
    // Nearest of another name: a 0 → 3; b 3 → 2 (to c 5); c 5 → 2; c 9 → 6 (to b); d 20 → 11.
    Gallery gallery = line({"a", "b", "c", "c", "d"}, {0, 3, 5, 9, 20});
    const auto [rate, threshold] =
        GENERATE(std::pair<double, double>{0.4, 2.0}, std::pair<double, double>{0.6, 3.0},
                 std::pair<double, double>{0.79, 3.0}, std::pair<double, double>{0.8, 6.0},
                 std::pair<double, double>{0.9999999999999999, 6.0});
    CAPTURE(rate);
    stackae::calibrate(gallery, rate);
    REQUIRE(gallery.threshold);
    CHECK(*gallery.threshold == threshold);
    CHECK(gallery.false_accept == rate);
}

TEST_CASE("a threshold that not one stranger may pass lies just under the nearest of them") {
    Gallery gallery = line({"a", "b", "c", "c", "d"}, {0, 3, 5, 9, 20});
    const auto rate = GENERATE(0.01, 0.2, 0.39);  // two strangers are at 2: one alone cannot be let in
    stackae::calibrate(gallery, rate);
    REQUIRE(gallery.threshold);
    CHECK(*gallery.threshold < 2.0);
    CHECK(*gallery.threshold > 1.999);
    Gallery twins = line({"a", "b"}, {1, 1});
    stackae::calibrate(twins, 0.01);
    CHECK(twins.threshold == Gallery::nobody);
    CHECK(!Recognizer(twins).recognize(table(1, 1, {1}))[0].known);
}

TEST_CASE("no rate is claimed where all strangers are equally far") {
    Gallery twins = line({"a", "a", "b"}, {1, 1, 1});
    stackae::calibrate(twins, 0.01);
    CHECK(twins.threshold == Gallery::nobody);
    CHECK(!twins.rate_known);
    Gallery two = line({"a", "b"}, {1, 4});
    stackae::calibrate(two, 0.5);
    CHECK(*two.threshold == Approx(3.0));
    CHECK(!two.rate_known);
    const TemporaryFile file("rate.gallery");
    stackae::save(two, file.path());
    CHECK(!stackae::load_gallery(file.path()).rate_known);
    Gallery three = line({"a", "b", "c"}, {1, 4, 8});
    three.rate_known = false;
    stackae::calibrate(three, 0.5);
    CHECK(three.rate_known);
    stackae::save(three, file.path());
    CHECK(stackae::load_gallery(file.path()).rate_known);
}

TEST_CASE("a picture of the gallery whose code is of zeros is found by cosine") {
    Gallery gallery = line({"black", "gray", "light"}, {});
    gallery.codes = table(3, 2, {0, 0, 1, 0, 1, 1});
    gallery.metric = Metric::cosine;
    stackae::calibrate(gallery, 0.5);
    const auto found = Recognizer(gallery).recognize(gallery.codes);
    CHECK(found[0].name == "black");
    CHECK(found[0].distance == 0.0);
    CHECK(found[1].name == "gray");
}

TEST_CASE("without two names there is no threshold") {
    Gallery gallery = line({"a", "a"}, {1, 2});
    gallery.threshold = 7.0;
    stackae::calibrate(gallery, 0.01);
    CHECK(!gallery.threshold);
    CHECK_THROWS_AS(stackae::calibrate(gallery, 0.0), stackae::InvalidArgument);
    CHECK_THROWS_AS(stackae::calibrate(gallery, 1.0), stackae::InvalidArgument);
    CHECK_THROWS_AS(stackae::calibrate(gallery, std::nan("")), stackae::InvalidArgument);
}

TEST_CASE("as many strangers are named as the false-accept rate says, and people are known") {
    Crowd crowd(1);
    const auto metric = GENERATE(Metric::l2, Metric::cosine);
    const auto rate = GENERATE(0.02, 0.1);
    CAPTURE(rate);
    Gallery gallery = crowd.people(300, 6, "known");
    gallery.metric = metric;
    stackae::calibrate(gallery, rate);
    Recognizer recognizer(gallery);
    const auto named = recognizer.recognize(crowd.people(3000, 1, "stranger").codes);
    const auto accepted = std::count_if(named.begin(), named.end(), [](const auto& r) { return r.known; });
    CHECK(static_cast<double>(accepted) / 3000.0 == Approx(rate).margin(0.5 * rate));
    const auto own = recognizer.recognize(gallery.codes);
    CHECK(std::all_of(own.begin(), own.end(), [](const auto& r) { return r.known && r.distance == 0.0; }));
}

TEST_CASE("a picture gets the name of the nearest, and beyond the threshold none") {
    Gallery gallery = line({"a", "b"}, {0, 10});
    gallery.threshold = 2.0;
    Recognizer recognizer(gallery);
    const auto found = recognizer.recognize(table(4, 1, {1, 8, 4, 100}));
    REQUIRE(found.size() == 4);
    CHECK(found[0].name == "a");
    CHECK(found[0].distance == 1.0);
    CHECK(found[0].known);
    CHECK(found[1].name == "b");
    CHECK(found[1].distance == 2.0);  // at the threshold it is known still
    CHECK(found[1].top.at(0).path == "b/1.png");
    CHECK(found[2].name == "unknown");
    CHECK(!found[2].known);
    CHECK(found[2].distance == 4.0);
    REQUIRE(found[2].top.size() == 1);
    CHECK(found[2].top[0].name == "a");
    CHECK(recognizer.recognize(Tensor({0, 1})).empty());
}

TEST_CASE("the threshold can be overridden, and without one everything has a name") {
    Gallery gallery = line({"a", "b"}, {0, 10});
    CHECK(Recognizer(gallery).recognize(table(1, 1, {500}))[0].name == "b");
    gallery.threshold = 2.0;
    Recognizer wide(gallery, {.threshold = 5.0});
    CHECK(wide.recognize(table(1, 1, {15}))[0].name == "b");
    CHECK(wide.recognize(table(1, 1, {16}))[0].name == "unknown");
    CHECK(Recognizer(gallery, {.threshold = infinity}).recognize(table(1, 1, {500}))[0].known);
    CHECK(Recognizer(gallery).threshold() == 2.0);
}

TEST_CASE("k neighbours vote, and the distance is that to the winner's nearest entry") {
    const Gallery gallery = line({"a", "b", "b", "c"}, {0, 2, 3, 50});
    Recognizer one(gallery, {.k = 1});
    Recognizer three(gallery, {.k = 3, .top = 2});
    Recognizer many(gallery, {.k = 100});
    CHECK(one.recognize(table(1, 1, {0.5F}))[0].name == "a");
    const auto found = three.recognize(table(1, 1, {0.5F}))[0];
    CHECK(found.name == "b");
    CHECK(found.distance == 1.5);
    REQUIRE(found.top.size() == 2);
    CHECK(found.top[0].name == "a");
    CHECK(found.top[1].name == "b");
    CHECK(many.recognize(table(1, 1, {40}))[0].name == "b");
}

TEST_CASE("the best names are different ones, even behind many entries of one name") {
    std::vector<std::string> names(300, "crowd");
    std::vector<float> places;
    for (int i = 0; i < 300; ++i) {
        places.push_back(static_cast<float>(i) / 300.0F);
    }
    names.insert(names.end(), {"x", "y", "y", "z"});
    places.insert(places.end(), {5, 8, 7, 100});
    Recognizer recognizer(line(names, places), {.k = 1, .top = 3});
    const auto found = recognizer.recognize(table(2, 1, {0, 100}));
    REQUIRE(found[0].top.size() == 3);
    CHECK(found[0].top[0].name == "crowd");
    CHECK(found[0].top[1].name == "x");
    CHECK(found[0].top[2].name == "y");
    CHECK(found[0].top[2].distance == 7.0);
    CHECK(found[0].top[2].path == "y/302.png");
    CHECK(found[1].top[0].name == "z");
    CHECK(found[1].top[1].name == "y");
    CHECK(found[1].top[2].name == "x");
    Recognizer all(line(names, places), {.top = 50});
    CHECK(all.recognize(table(1, 1, {0}))[0].top.size() == 4);
}

TEST_CASE("another metric than the gallery's gets a threshold of its own") {
    Gallery gallery;
    gallery.layer = 1;
    gallery.codes = table(4, 2, {1, 0, 3, 0, 0, 1, 0, 5});
    gallery.names = {"right", "right", "up", "up"};
    gallery.paths = {"1", "2", "3", "4"};
    stackae::calibrate(gallery, 0.5);
    CHECK(*gallery.threshold == Approx(std::sqrt(2.0)));
    Recognizer recognizer(gallery, {.metric = Metric::cosine});
    REQUIRE(recognizer.threshold());
    CHECK(*recognizer.threshold() == Approx(1.0).margin(1e-6));
    const auto found = recognizer.recognize(table(1, 2, {0, 300}))[0];
    CHECK(found.name == "up");
    CHECK(found.distance == 0.0);
    CHECK(Recognizer(gallery, {.metric = Metric::cosine, .threshold = 0.25}).threshold() == 0.25);
}

TEST_CASE("recognition that makes no sense is refused") {
    const Gallery gallery = line({"a"}, {0});
    CHECK_THROWS_WITH(Recognizer(line({}, {})), contains("empty"));
    CHECK_THROWS_AS(Recognizer(gallery, {.k = 0}), stackae::InvalidArgument);
    CHECK_THROWS_AS(Recognizer(gallery, {.top = 0}), stackae::InvalidArgument);
    CHECK_THROWS_AS(Recognizer(gallery, {.threshold = -1.0}), stackae::InvalidArgument);
    CHECK_THROWS_AS(Recognizer(gallery, {.threshold = std::nan("")}), stackae::InvalidArgument);
    Recognizer recognizer(gallery);
    CHECK_THROWS_AS(recognizer.recognize(table(1, 2, {0, 0})), stackae::InvalidArgument);
}
