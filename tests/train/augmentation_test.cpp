#include "train/augmentation.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/parallel.hpp"
#include "support/catch.hpp"

using namespace stackae;
using training::augment;

namespace {

constexpr std::int64_t rows = 40;
constexpr training::Augmentation every_kind{0.1, 15.0, 0.1, 0.1, 0.02};

Preprocessing preprocessing_of(int height, int width, int channels = 1) {
    Preprocessing preprocessing;
    preprocessing.height = height;
    preprocessing.width = width;
    preprocessing.channels = channels;
    return preprocessing;
}

/// A smooth blob in the middle of every picture, which none of the moves above takes to the border; channel c
/// is 1 / (c + 1) as bright as the first.
std::vector<float> blobs(const Preprocessing& preprocessing) {
    std::vector<float> values;
    for (std::int64_t i = 0; i < rows; ++i) {
        for (int y = 0; y < preprocessing.height; ++y) {
            for (int x = 0; x < preprocessing.width; ++x) {
                const double down = (y - 0.5 * (preprocessing.height - 1)) / (0.12 * preprocessing.height);
                const double right = (x - 0.5 * (preprocessing.width - 1)) / (0.12 * preprocessing.width);
                for (int c = 0; c < preprocessing.channels; ++c) {
                    values.push_back(static_cast<float>(std::exp(-down * down - right * right) / (c + 1)));
                }
            }
        }
    }
    return values;
}

std::vector<float> moved(const training::Augmentation& augmentation, const Preprocessing& preprocessing,
                         const training::AugmentationPlace& place) {
    std::vector<std::int64_t> indices(rows);
    std::iota(indices.begin(), indices.end(), 40);
    std::vector<float> values = blobs(preprocessing);
    augment(augmentation, preprocessing, place, indices, values.data());
    return values;
}

double mass(const std::vector<float>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0);
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
    double most = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        most = std::max(most, std::abs(static_cast<double>(a[i]) - static_cast<double>(b[i])));
    }
    return most;
}

}  // namespace

TEST_CASE("Pictures that are not to be moved stay as they are") {
    const Preprocessing preprocessing = preprocessing_of(12, 20, 3);
    CHECK(moved({}, preprocessing, {1, 1, 1}) == blobs(preprocessing));
}

TEST_CASE("Every kind of move changes the pictures, each in its own way") {
    const Preprocessing preprocessing = preprocessing_of(24, 32);
    const training::Augmentation kinds[] = {{0.1, 0.0, 0.0, 0.0, 0.0},
                                            {0.0, 15.0, 0.0, 0.0, 0.0},
                                            {0.0, 0.0, 0.1, 0.0, 0.0},
                                            {0.0, 0.0, 0.0, 0.1, 0.0},
                                            {0.0, 0.0, 0.0, 0.0, 0.02}};
    for (const training::Augmentation& kind : kinds) {
        const auto values = moved(kind, preprocessing, {1, 1, 1});
        CHECK(distance(values, blobs(preprocessing)) > 0.01);
        CHECK_FALSE(std::equal(values.begin(), values.begin() + preprocessing.size(),
                               values.begin() + preprocessing.size()));
    }
}

TEST_CASE("A shift moves a picture by the share of the side that was asked for, at most") {
    const Preprocessing preprocessing = preprocessing_of(28, 56);
    const auto values = moved({0.1, 0.0, 0.0, 0.0}, preprocessing, {1, 1, 1});
    double farthest_down = 0.0;
    double farthest_right = 0.0;
    for (std::int64_t i = 0; i < rows; ++i) {
        double sum = 0.0;
        double down = 0.0;
        double right = 0.0;
        for (std::int64_t j = 0; j < preprocessing.size(); ++j) {
            const auto value =
                static_cast<double>(values[static_cast<std::size_t>(i * preprocessing.size() + j)]);
            sum += value;
            down += value * static_cast<double>(j / preprocessing.width);
            right += value * static_cast<double>(j % preprocessing.width);
        }
        farthest_down = std::max(farthest_down, std::abs(down / sum - 13.5));
        farthest_right = std::max(farthest_right, std::abs(right / sum - 27.5));
    }
    CHECK(farthest_down < 2.85);
    CHECK(farthest_down > 2.0);
    CHECK(farthest_right < 5.65);
    CHECK(farthest_right > 4.0);
}

TEST_CASE("A picture is bent by displacements of the deviation that was asked for, each on its own") {
    const Preprocessing preprocessing = preprocessing_of(21, 35);
    // Brightness grows by one a pixel to the right, so that a change of it is how far a pixel came sideways.
    std::vector<float> values;
    for (std::int64_t i = 0; i < rows * preprocessing.size(); ++i) {
        values.push_back(static_cast<float>(i % preprocessing.width));
    }
    std::vector<std::int64_t> indices(rows);
    std::iota(indices.begin(), indices.end(), 0);
    const training::Augmentation bent{0.0, 0.0, 0.0, 0.0, 0.02};
    augment(bent, preprocessing, {1, 0, 1}, indices, values.data());
    double squares = 0.0;
    double products = 0.0;  // of points and their right neighbours
    int points = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
        for (std::int64_t y = 1; y < 21; y += 3) {
            for (std::int64_t x = 7; x < 25; x += 5) {
                const float* line = values.data() + (i * 21 + y) * 35;
                const double here = double{line[x]} - static_cast<double>(x);
                const double beside = double{line[x + 5]} - static_cast<double>(x + 5);
                squares += here * here;
                products += here * beside;
                ++points;
            }
        }
    }
    CHECK(std::sqrt(squares / points) == Approx(0.02 * 35).epsilon(0.08));
    CHECK(std::abs(products / squares) < 0.1);
}

TEST_CASE("What is inside stays inside: a moved picture keeps its range and, but for scaling, its mass") {
    const Preprocessing preprocessing = preprocessing_of(28, 28);
    const auto values = moved({0.1, 15.0, 0.0, 0.1}, preprocessing, {1, 1, 1});
    CHECK(mass(values) == Approx(mass(blobs(preprocessing))).epsilon(0.01));
    CHECK(*std::min_element(values.begin(), values.end()) >= 0.0F);
    CHECK(*std::max_element(values.begin(), values.end()) <= 1.0F);
}

TEST_CASE("An even picture stays even up to its border") {
    const Preprocessing preprocessing = preprocessing_of(9, 7, 3);
    std::vector<float> values(static_cast<std::size_t>(preprocessing.size()), 0.25F);
    const std::vector<std::int64_t> index = {3};
    augment({0.5, 180.0, 0.5, 1.0}, preprocessing, {1, 0, 1}, index, values.data());
    CHECK(distance(values, std::vector<float>(values.size(), 0.25F)) < 1e-6);
}

TEST_CASE("The channels of a picture move together") {
    const Preprocessing preprocessing = preprocessing_of(21, 21, 3);
    const auto values = moved(every_kind, preprocessing, {1, 1, 1});
    for (std::size_t i = 0; i < values.size(); i += 3) {
        REQUIRE(values[i + 1] == Approx(values[i] / 2.0F).margin(1e-6));
        REQUIRE(values[i + 2] == Approx(values[i] / 3.0F).margin(1e-6));
    }
}

TEST_CASE("A standardised picture moves as its pixels do") {
    const Preprocessing plain = preprocessing_of(16, 16);
    Preprocessing standardized = plain;
    standardized.mean.resize(256);
    standardized.deviation.resize(256);
    for (std::size_t j = 0; j < 256; ++j) {
        standardized.mean[j] = 0.001F * static_cast<float>(j);
        standardized.deviation[j] = 0.5F + 0.01F * static_cast<float>(j % 16);
    }
    const std::vector<std::int64_t> index = {7};
    auto expected = blobs(plain);
    augment(every_kind, plain, {1, 0, 1}, index, expected.data());
    auto values = blobs(plain);
    for (std::size_t j = 0; j < 256; ++j) {
        values[j] = (values[j] - standardized.mean[j]) / standardized.deviation[j];
        expected[j] = (expected[j] - standardized.mean[j]) / standardized.deviation[j];
    }
    augment(every_kind, standardized, {1, 0, 1}, index, values.data());
    values.resize(256);
    expected.resize(256);
    CHECK(distance(values, expected) < 1e-5);
}

TEST_CASE("A picture one pixel wide is moved along itself") {
    const Preprocessing preprocessing = preprocessing_of(40, 1);
    const auto values = moved(every_kind, preprocessing, {1, 1, 1});
    CHECK(distance(values, blobs(preprocessing)) > 0.01);
    CHECK(*std::min_element(values.begin(), values.end()) >= 0.0F);
    CHECK(*std::max_element(values.begin(), values.end()) <= 1.0F);
}

TEST_CASE("A move depends on seed, layer, epoch and picture, and not on batch or threads") {
    const Preprocessing preprocessing = preprocessing_of(14, 10, 3);
    const auto values = moved(every_kind, preprocessing, {1, 2, 3});
    CHECK(moved(every_kind, preprocessing, {1, 2, 3}) == values);
    CHECK(moved(every_kind, preprocessing, {2, 2, 3}) != values);
    CHECK(moved(every_kind, preprocessing, {1, 3, 3}) != values);
    CHECK(moved(every_kind, preprocessing, {1, 2, 4}) != values);
    const base::ThreadScope one(1);
    CHECK(moved(every_kind, preprocessing, {1, 2, 3}) == values);
    // Picture 47, alone.
    const std::vector<std::int64_t> index = {47};
    auto alone = blobs(preprocessing);
    alone.resize(static_cast<std::size_t>(preprocessing.size()));
    augment(every_kind, preprocessing, {1, 2, 3}, index, alone.data());
    CHECK(std::equal(alone.begin(), alone.end(), values.begin() + 7 * preprocessing.size()));
    CHECK_FALSE(std::equal(alone.begin(), alone.end(), values.begin()));
}
