#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/gallery.hpp"

#include "search/gallery_sample.hpp"
#include "support/catch.hpp"

namespace stackae {
namespace {

using test::contains;
using test::line;
using test::table;

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Codes around random centres, one centre a person.
class Crowd {
public:
    explicit Crowd(unsigned seed) : generator_(seed) {}

    Gallery people(std::int64_t count, std::int64_t pictures, const std::string& prefix) {
        constexpr std::int64_t d = 12;
        Gallery gallery;
        gallery.depth = 1;
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

}  // namespace

TEST_CASE("A picture of the gallery whose code is of zeros is found by cosine") {
    Gallery gallery = line({"black", "gray", "light"}, {});
    gallery.codes = table(3, 2, {0, 0, 1, 0, 1, 1});
    gallery.metric = Metric::cosine;
    calibrate(gallery, 0.5);
    const auto found = Recognizer(gallery).recognize(gallery.codes);
    CHECK(found[0].name == "black");
    CHECK(found[0].distance == 0.0);
    CHECK(found[1].name == "gray");
}

TEST_CASE("As many strangers are named as the false-accept rate says, and people are known") {
    Crowd crowd(1);
    const auto metric = GENERATE(Metric::l2, Metric::cosine);
    const auto rate = GENERATE(0.02, 0.1);
    CAPTURE(rate);
    Gallery gallery = crowd.people(300, 6, "known");
    gallery.metric = metric;
    calibrate(gallery, rate);
    Recognizer recognizer(gallery);
    const auto named = recognizer.recognize(crowd.people(3000, 1, "stranger").codes);
    const auto accepted = std::count_if(named.begin(), named.end(), [](const auto& r) { return r.known; });
    CHECK(static_cast<double>(accepted) / 3000.0 == Approx(rate).margin(0.5 * rate));
    const auto own = recognizer.recognize(gallery.codes);
    CHECK(std::all_of(own.begin(), own.end(), [](const auto& r) { return r.known && r.distance == 0.0; }));
}

TEST_CASE("A picture gets the name of the nearest, and beyond the threshold none") {
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

TEST_CASE("The threshold can be overridden, and without one everything has a name") {
    Gallery gallery = line({"a", "b"}, {0, 10});
    CHECK(Recognizer(gallery).recognize(table(1, 1, {500}))[0].name == "b");
    gallery.threshold = 2.0;
    Recognizer wide(gallery, {.threshold = 5.0});
    CHECK(wide.recognize(table(1, 1, {15}))[0].name == "b");
    CHECK(wide.recognize(table(1, 1, {16}))[0].name == "unknown");
    CHECK(Recognizer(gallery, {.threshold = infinity}).recognize(table(1, 1, {500}))[0].known);
    CHECK(Recognizer(gallery).threshold() == 2.0);
}

TEST_CASE("K neighbours vote, and the distance is that to the winner's nearest entry") {
    const Gallery gallery = line({"a", "b", "b", "c"}, {0, 2, 3, 50});
    Recognizer one(gallery, {.k = 1});
    Recognizer three(gallery, {.vote = stackae::Vote::majority, .k = 3, .top = 2});
    Recognizer many(gallery, {.vote = stackae::Vote::majority, .k = 100});
    CHECK(one.recognize(table(1, 1, {0.5F}))[0].name == "a");
    const auto found = three.recognize(table(1, 1, {0.5F}))[0];
    CHECK(found.name == "b");
    CHECK(found.distance == 1.5);
    REQUIRE(found.top.size() == 2);
    CHECK(found.top[0].name == "b");
    CHECK(found.top[1].name == "a");
    CHECK(many.recognize(table(1, 1, {40}))[0].name == "b");
}

TEST_CASE("By default many neighbours vote, and near ones count for more") {
    // Of 8 the majority is b, but all of them are far from a picture that lies beside a.
    std::vector<std::string> names(5, "b");
    names.insert(names.end(), {"a", "a", "a"});
    Recognizer recognizer(line(names, {10, 11, 12, 13, 14, 0, 1, 2}));
    Recognizer majority(line(names, {10, 11, 12, 13, 14, 0, 1, 2}),
                        {.vote = stackae::Vote::majority, .k = 8});
    const auto found = recognizer.recognize(table(2, 1, {0.4F, 12.4F}));
    CHECK(found[0].name == "a");
    CHECK(found[1].name == "b");
    CHECK(majority.recognize(table(1, 1, {0.4F}))[0].name == "b");
}

TEST_CASE("A picture gets the same name alone and among others") {
    std::vector<std::string> names;
    std::vector<float> places;
    for (int i = 0; i < 120; ++i) {
        names.push_back(std::string(1, static_cast<char>('a' + i * 7 % 3)));
        places.push_back(static_cast<float>(i * 37 % 120) + 0.3F * static_cast<float>(i % 5));
    }
    std::vector<float> queries;
    for (int i = 0; i < 60; ++i) {
        queries.push_back(2.0F * static_cast<float>(i) + 0.1F);
    }
    const auto among = Recognizer(line(names, places), {}).recognize(table(60, 1, queries));
    for (std::size_t i = 0; i < queries.size(); i += 7) {
        const auto alone = Recognizer(line(names, places), {}).recognize(table(1, 1, {queries[i]}));
        CHECK(alone[0].name == among[i].name);
        CHECK(alone[0].distance == among[i].distance);
    }
}

TEST_CASE("Entries beyond the threshold have no say, and the name that is given lies within it") {
    std::vector<std::string> names(20, "b");
    std::vector<float> places(20);
    for (std::size_t i = 0; i < 20; ++i) {
        places[i] = 1.2F + 0.01F * static_cast<float>(i);
    }
    names.emplace_back("a");
    places.push_back(-0.99F);
    for (const Vote vote : {Vote::weighted, Vote::majority}) {
        const RecognizeOptions within{.vote = vote, .top = 2, .threshold = 1.0};
        const auto near = Recognizer(line(names, places), within).recognize(table(2, 1, {0.0F, 9.0F}));
        CHECK(near[0].known);
        CHECK(near[0].name == "a");
        CHECK(near[0].top[0].name == "a");
        CHECK(near[1].name == "unknown");
        CHECK(near[1].top[0].name == "b");  // the nearest, though it is far
    }
    const RecognizeOptions any{.vote = Vote::majority, .threshold = infinity};
    CHECK(Recognizer(line(names, places), any).recognize(table(1, 1, {0.0F}))[0].name == "b");
}

TEST_CASE("The best names are different ones, even behind many entries of one name") {
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

TEST_CASE("Another metric than the gallery's gets a threshold of its own") {
    Gallery gallery;
    gallery.depth = 1;
    gallery.codes = table(4, 2, {1, 0, 3, 0, 0, 1, 0, 5});
    gallery.names = {"right", "right", "up", "up"};
    gallery.paths = {"1", "2", "3", "4"};
    calibrate(gallery, 0.5);
    CHECK(*gallery.threshold == Approx(std::sqrt(2.0)));
    Recognizer recognizer(gallery, {.metric = Metric::cosine});
    REQUIRE(recognizer.threshold());
    CHECK(*recognizer.threshold() == Approx(1.0).margin(1e-6));
    const auto found = recognizer.recognize(table(1, 2, {0, 300}))[0];
    CHECK(found.name == "up");
    CHECK(found.distance == 0.0);
    CHECK(Recognizer(gallery, {.metric = Metric::cosine, .threshold = 0.25}).threshold() == 0.25);
}

TEST_CASE("Recognition that makes no sense is refused") {
    const Gallery gallery = line({"a"}, {0});
    CHECK_THROWS_WITH(Recognizer(line({}, {})), contains("empty"));
    CHECK_THROWS_AS(Recognizer(gallery, {.k = 0}), InvalidArgument);
    CHECK_THROWS_AS(Recognizer(gallery, {.top = 0}), InvalidArgument);
    CHECK_THROWS_AS(Recognizer(gallery, {.threshold = -1.0}), InvalidArgument);
    CHECK_THROWS_AS(Recognizer(gallery, {.threshold = std::nan("")}), InvalidArgument);
    Recognizer recognizer(gallery);
    CHECK_THROWS_AS(recognizer.recognize(table(1, 2, {0, 0})), InvalidArgument);
}

}  // namespace stackae
