#include "stackae/gallery.hpp"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "stackae/error.hpp"

#include "model/sample_model.hpp"
#include "search/gallery_sample.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae {

using test::contains;
using test::line;
using test::table;

TEST_CASE("An entry without a path is refused, not taken for one of another program's faults") {
    Gallery gallery = line({"a", "b"}, {1, 2});
    Gallery more = gallery;
    more.paths[1].clear();
    CHECK_THROWS_AS(append(gallery, more), InvalidArgument);
    CHECK_THROWS_AS(append(more, gallery), InvalidArgument);
    more.paths[1] = std::string("a\0b", 3);
    CHECK_THROWS_WITH(append(gallery, more), contains("path 1: a zero byte found"));
}

TEST_CASE("A gallery made with another model is refused, naming both") {
    Model model = test::sample_model("dense:1", {1, 2, 1});
    Gallery gallery = line({"a"}, {1});
    gallery.depth = 1;
    CHECK_THROWS_WITH(check_model(gallery, model),
                      contains("0123456789abcdef") && contains(model.identity()));
    gallery.model_identity = model.identity();
    CHECK_NOTHROW(check_model(gallery, model));
    gallery.codes = table(1, 2, {1, 2});
    CHECK_THROWS_WITH(check_model(gallery, model),
                      contains("have 2 values, those of 1 layers of its model 1"));
    gallery.codes = table(1, 1, {1});
    model = test::sample_model("dense:1", {1, 2, 1}, {}, 2);
    CHECK_THROWS_AS(check_model(gallery, model), InvalidArgument);
}

TEST_CASE("Entries are added, replaced by their path, and removed by their name") {
    Gallery gallery = line({"a", "b", "c"}, {1, 2, 3});
    Gallery more = line({"d", "x", "e"}, {10, 20, 30});
    more.paths = {"new.png", "b/1.png", "new.png"};
    append(gallery, more);
    CHECK(gallery.names == std::vector<std::string>{"a", "x", "c", "e"});
    CHECK(gallery.paths == std::vector<std::string>{"a/0.png", "b/1.png", "c/2.png", "new.png"});
    CHECK(std::vector<float>(gallery.codes.data(), gallery.codes.data() + 4) ==
          std::vector<float>{1, 20, 3, 30});

    gallery.names[3] = "a";
    CHECK(remove(gallery, "a") == 2);
    CHECK(gallery.names == std::vector<std::string>{"x", "c"});
    CHECK(gallery.paths == std::vector<std::string>{"b/1.png", "c/2.png"});
    CHECK(gallery.codes.shape() == std::vector<std::int64_t>{2, 1});
    CHECK(gallery.codes.data()[0] == 20);
    CHECK(remove(gallery, "a") == 0);
    CHECK(remove(gallery, "x") + remove(gallery, "c") == 2);
    CHECK(gallery.size() == 0);
    append(gallery, more);
    CHECK(gallery.size() == 2);
}

TEST_CASE("Entries without a path are numbered above all that are there") {
    stackae::Gallery gallery;
    CHECK(row_paths(gallery, 2) == std::vector<std::string>{"row 0", "row 1"});
    gallery.paths = {"row 7", "a.png", "row 12.png", "row 9223372036854775806", "row -3", "row 3"};
    CHECK(row_paths(gallery, 2) == std::vector<std::string>{"row 8", "row 9"});
    CHECK(row_paths(gallery, 0).empty());
}

TEST_CASE("Galleries that were made differently are not mixed") {
    Gallery gallery = line({"a"}, {1});
    Gallery more = line({"b"}, {2});
    SECTION("model") {
        more.model_identity = "ffff";
        CHECK_THROWS_WITH(append(gallery, more), contains("ffff"));
    }
    SECTION("depth") {
        more.depth = 1;
        CHECK_THROWS_WITH(append(gallery, more), contains("depth: 1 found, 2 expected"));
    }
    SECTION("normalisation") {
        more.l2_normalize = true;
        CHECK_THROWS_WITH(append(gallery, more), contains("normalisation: yes found, no expected"));
    }
    SECTION("metric") {
        more.metric = Metric::cosine;
        CHECK_THROWS_WITH(append(gallery, more), contains("metric: cosine found, l2 expected"));
    }
    SECTION("width") {
        more.codes = table(1, 2, {1, 2});
        CHECK_THROWS_WITH(append(gallery, more), contains("2 found, 1 expected"));
    }
    CHECK(gallery.size() == 1);
}

TEST_CASE("The threshold is the quantile of the distances to the nearest stranger") {
    // Nearest of another name: a 0 → 3; b 3 → 2 (to c 5); c 5 → 2; c 9 → 6 (to b); d 20 → 11.
    Gallery gallery = line({"a", "b", "c", "c", "d"}, {0, 3, 5, 9, 20});
    const auto [rate, threshold] =
        GENERATE(std::pair<double, double>{0.4, 2.0}, std::pair<double, double>{0.6, 3.0},
                 std::pair<double, double>{0.79, 3.0}, std::pair<double, double>{0.8, 6.0},
                 std::pair<double, double>{0.9999999999999999, 6.0});
    CAPTURE(rate);
    calibrate(gallery, rate);
    REQUIRE(gallery.threshold);
    CHECK(*gallery.threshold == threshold);
    CHECK(gallery.false_accept_rate == rate);
}

TEST_CASE("A threshold that not one stranger may pass lies just under the nearest of them") {
    Gallery gallery = line({"a", "b", "c", "c", "d"}, {0, 3, 5, 9, 20});
    const auto rate = GENERATE(0.01, 0.2, 0.39);  // two strangers are at 2: one alone cannot be let in
    calibrate(gallery, rate);
    REQUIRE(gallery.threshold);
    CHECK(*gallery.threshold < 2.0);
    CHECK(*gallery.threshold > 1.999);
    Gallery twins = line({"a", "b"}, {1, 1});
    calibrate(twins, 0.01);
    CHECK(twins.threshold == Gallery::reject_all);
    CHECK(!Recognizer(twins).recognize(table(1, 1, {1}))[0].known);
}

TEST_CASE("No rate is claimed where all strangers are equally far") {
    Gallery twins = line({"a", "a", "b"}, {1, 1, 1});
    calibrate(twins, 0.01);
    CHECK(twins.threshold == Gallery::reject_all);
    CHECK(!twins.rate_known);
    Gallery two = line({"a", "b"}, {1, 4});
    calibrate(two, 0.5);
    CHECK(*two.threshold == Approx(3.0));
    CHECK(!two.rate_known);
    const test::TemporaryFolder folder;
    const std::string file = folder / "rate.gallery";
    save(two, file);
    CHECK(!load_gallery(file).rate_known);
    Gallery three = line({"a", "b", "c"}, {1, 4, 8});
    three.rate_known = false;
    calibrate(three, 0.5);
    CHECK(three.rate_known);
    save(three, file);
    CHECK(load_gallery(file).rate_known);
}

TEST_CASE("Without two names there is no threshold") {
    Gallery gallery = line({"a", "a"}, {1, 2});
    gallery.threshold = 7.0;
    calibrate(gallery, 0.01);
    CHECK(!gallery.threshold);
    CHECK_THROWS_AS(calibrate(gallery, 0.0), InvalidArgument);
    CHECK_THROWS_AS(calibrate(gallery, 1.0), InvalidArgument);
    CHECK_THROWS_AS(calibrate(gallery, std::nan("")), InvalidArgument);
}

}  // namespace stackae
