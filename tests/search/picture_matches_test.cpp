#include "search/picture_matches.hpp"

#include <cmath>
#include <numbers>

#include "base/rows.hpp"
#include "search/match_threshold.hpp"
#include "support/catch.hpp"
#include "support/scenes.hpp"

namespace stackae::search {
namespace {

using namespace test;

constexpr std::int64_t side = Thumbnails::side;

/// What a picture's place shows of a scene.
auto through(const Affine& map) {
    return [map](double x, double y) {
        const Point there = map({x, y});
        return std::pair(there.x, there.y);
    };
}

Affine turned(double degrees, double by, Point to = {0.5, 0.5}) {
    const double angle = degrees * std::numbers::pi / 180.0;
    return {by * std::cos(angle), -by * std::sin(angle), by * std::sin(angle), by * std::cos(angle), to};
}

double cosine(const Tensor& a, const Tensor& b) {
    return std::inner_product(a.values().begin(), a.values().end(), b.values().begin(), 0.0);
}

double largest_difference(const Affine& a, const Affine& b) {
    return a.after(b.inverse()).displacement();
}

MatchOptions options() {
    MatchOptions all;
    all.views = picture_views(true, true);
    all.threads = 2;
    return all;
}

}  // namespace

TEST_CASE("Affine maps are put one after another and undone") {
    const Affine map{0.8, 0.1, -0.3, 1.2, {0.4, 0.7}};
    const Affine other = turned(30, 0.9, {0.6, 0.5});
    const Point from{0.2, 0.9};
    const Point both = map.after(other)(from);
    CHECK(both.x == Approx(map(other(from)).x));
    CHECK(both.y == Approx(map(other(from)).y));
    const Point back = map.inverse()(map(from));
    CHECK(back.x == Approx(from.x));
    CHECK(back.y == Approx(from.y));
    CHECK(Affine{}.displacement() == 0.0);
    CHECK(Affine{-1.0, 0.0, 0.0, 1.0, {0.5, 0.5}}.displacement() == Approx(1.0));
}

TEST_CASE("A view's descriptor is that of a picture that shows the same") {
    const Scene scene(11);
    Thumbnails whole;
    whole.append(scene.draw(side, side));
    for (const View& view : picture_views(true, true)) {
        Thumbnails shown;
        shown.append(scene.draw(side, side, through(view.map)));
        CHECK(cosine(describe(whole, 0, 1, view.map), describe(shown, 0, 1, {})) > 0.98);
    }
    Thumbnails other;
    other.append(Scene(4).draw(side, side));
    CHECK(cosine(describe(whole, 0, 1, {}), describe(other, 0, 1, {})) < 0.6);
}

TEST_CASE("A picture of one colour has no descriptor") {
    Tensor gray({1, side, side, 1});
    for (float& value : gray.values()) {
        value = 0.4F;
    }
    Thumbnails pictures;
    pictures.append(gray);
    pictures.append(Scene(1).draw(side, side));
    const Tensor described = describe(pictures, 0, 2, {});
    CHECK(base::squared_norm(described.row(0)) == 0.0);
    CHECK(base::squared_norm(described.row(1)) == Approx(1.0));
}

TEST_CASE("Pictures are laid onto each other from a start that is near") {
    const Scene scene(7);
    Thumbnails pictures;
    pictures.append(scene.draw(side, side));
    const Affine truth = GENERATE(Affine{0.93, 0.03, -0.02, 1.05, {0.52, 0.47}}, turned(6, 0.95),
                                  turned(22, 0.8, {0.5, 0.53}));
    Tensor onto = scene.draw(side, side, through(truth));
    for (float& value : onto.values()) {
        value = 0.1F + 0.7F * value;  // another light
    }
    pictures.append(onto);
    Aligner aligner;
    Affine start = truth;
    start.to.x += 0.03;
    start.xx *= 1.05;
    start.xy -= 0.04;
    const Alignment found = aligner.align(pictures.row(0), pictures.row(1), start);
    CHECK(found.similarity > 0.95);
    CHECK(largest_difference(found.map, truth) < 0.02);
    pictures.append(Scene(8).draw(side, side));
    CHECK(aligner.align(pictures.row(2), pictures.row(1), start).similarity < 0.6);
}

TEST_CASE("Copies are found among other pictures, whatever was done to them") {
    constexpr std::int64_t others = 60;
    Thumbnails pictures;
    for (std::int64_t i = 0; i < others; ++i) {
        pictures.append(Scene(static_cast<std::uint64_t>(i)).draw(side, side));
    }
    const Scene scene(5);
    const std::vector<std::pair<Affine, bool>> copies{
        {{1.0, 0.0, 0.0, 1.0, {0.51, 0.5}}, true},    // moved by two thirds of a pixel
        {{0.8, 0.0, 0.0, 0.8, {0.58, 0.45}}, false},  // cropped
        {{1.2, 0.0, 0.0, 1.2, {0.5, 0.5}}, false},    // more around it
        {turned(25, 1.0), false},
        {turned(-12, 1.0), false},
        {turned(90, 1.0), false},
        {{-1.0, 0.0, 0.0, 1.0, {0.5, 0.5}}, false},  // mirrored
        {Affine{1.0, 0.0, 0.0, -1.0, {0.5, 0.5}}.after(turned(90, 1.0)), false},
    };
    for (const auto& [map, in_place] : copies) {
        pictures.append(scene.draw(side, side, through(map)));
    }
    const std::vector<PictureMatch> matches = match_within(pictures, options());
    std::vector<PictureMatch> own(copies.size());
    for (const PictureMatch& match : matches) {
        if (match.one == 5 && match.other >= others) {
            own[base::at(match.other - others)] = match;
        } else if (match.other < others) {
            CHECK(std::max(match.near, match.transformed) < 0.7);
        }
    }
    for (std::size_t i = 0; i < own.size(); ++i) {
        CAPTURE(i);
        CHECK((copies[i].second ? own[i].near : own[i].transformed) > 0.9);
        CHECK((copies[i].second || own[i].near < 0.7));
    }
}

TEST_CASE("Mirror images and turns by right angles are copies only where they are asked for") {
    const Scene scene(5);
    Thumbnails pictures;
    pictures.append(scene.draw(side, side));
    pictures.append(scene.draw(side, side, through({-1.0, 0.0, 0.0, 1.0, {0.5, 0.5}})));
    pictures.append(scene.draw(side, side, through(turned(180, 1.0))));
    const auto [mirror, rotate90] =
        GENERATE(std::pair(true, false), std::pair(false, true), std::pair(false, false));
    MatchOptions some = options();
    some.views = picture_views(mirror, rotate90);
    bool mirrored = false;
    bool turned_round = false;
    for (const PictureMatch& match : match_within(pictures, some)) {
        mirrored |= match.one == 0 && match.other == 1 && match.transformed > 0.9;
        turned_round |= match.one == 0 && match.other == 2 && match.transformed > 0.9;
    }
    CHECK(mirrored == mirror);
    CHECK(turned_round == rotate90);
}

TEST_CASE("Matches are the same at any number of threads, and between sets as within one") {
    Thumbnails ones;
    Thumbnails others;
    for (std::uint64_t i = 0; i < 12; ++i) {
        ones.append(Scene(i).draw(side, side));
        others.append(Scene(i).draw(side, side, through(turned(20, 1.0))));
    }
    MatchOptions some = options();
    const std::vector<PictureMatch> two = match_between(ones, others, some);
    some.threads = 1;
    const std::vector<PictureMatch> one = match_between(ones, others, some);
    REQUIRE(one.size() == two.size());
    std::int64_t found = 0;
    for (std::size_t i = 0; i < one.size(); ++i) {
        CHECK(one[i].near == two[i].near);
        CHECK(one[i].transformed == two[i].transformed);
        found += one[i].one == one[i].other && one[i].transformed > 0.9 ? 1 : 0;
    }
    CHECK(found == 12);
    some.most = 1;
    CHECK(match_between(ones, others, some).size() <= 24);
}

TEST_CASE("How similar different pictures come out is told from the lower half of them") {
    // Gumbel variables at the places that cut their distribution into equal parts.
    constexpr int count = 400;
    constexpr std::int64_t others = 1000;
    constexpr double location = 0.5;
    constexpr double scale = 0.08;
    std::vector<double> best;
    for (int i = 0; i < count; ++i) {
        best.push_back(std::tanh(location - scale * std::log(-std::log((i + 0.5) / count))));
    }
    const auto matches = FalseMatches::fit(best, others);
    REQUIRE(matches);
    // Far out 1 - exp(-exp(-t)) is exp(-t); of a picture's pairs one in a thousand is a share of 1e-3.
    CHECK(matches->similarity_at(1e-6) ==
          Approx(std::tanh(location + scale * std::log(1000.0))).margin(0.002));
    CHECK(matches->share_from(matches->similarity_at(1e-6)) == Approx(1e-6));
    // Two pictures of five that have copies already change nothing much.
    for (int i = count * 3 / 5; i < count; ++i) {
        best[static_cast<std::size_t>(i)] = 0.995;
    }
    CHECK(FalseMatches::fit(best, others)->similarity_at(1e-6) ==
          Approx(matches->similarity_at(1e-6)).margin(1e-9));
    CHECK_FALSE(FalseMatches::fit({0.1, 0.2}, others));
    CHECK_FALSE(FalseMatches::fit(best, 0));
    CHECK(FalseMatches::fit(std::vector<double>(50, 1.0), others)->similarity_at(1e-6) < 1.0);
}

}  // namespace stackae::search
