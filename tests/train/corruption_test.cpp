#include "train/corruption.hpp"

#include <cmath>
#include <numeric>
#include <vector>

#include "base/parallel.hpp"
#include "support/catch.hpp"

using namespace stackae;
using training::corrupt;

namespace {

constexpr std::int64_t rows = 100;
constexpr std::int64_t columns = 1001;  // no multiple of a random block

std::vector<float> corrupted(Corruption kind, double level, const training::CorruptionPlace& place,
                             float value = 0.5F) {
    std::vector<std::int64_t> indices(rows);
    std::iota(indices.begin(), indices.end(), 40);
    std::vector<float> values(rows * columns, value);
    corrupt(kind, level, place, indices, columns, values.data());
    return values;
}

double share(const std::vector<float>& values, float value) {
    return static_cast<double>(std::count(values.begin(), values.end(), value)) /
           static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("Masking sets the asked share of values to zero and leaves the others") {
    const auto values = corrupted(Corruption::masking, 0.25, {1, 1, 1});
    REQUIRE(share(values, 0.0F) == Approx(0.25).margin(0.005));
    REQUIRE(share(values, 0.5F) == Approx(1.0 - share(values, 0.0F)));
}

TEST_CASE("Dropout makes up for what it sets to zero") {
    const auto values = corrupted(Corruption::dropout, 0.75, {1, 1, 1});
    REQUIRE(share(values, 0.0F) == Approx(0.75).margin(0.005));
    REQUIRE(share(values, 2.0F) == Approx(1.0 - share(values, 0.0F)));
}

TEST_CASE("Salt and pepper come in equal parts") {
    const auto values = corrupted(Corruption::salt_and_pepper, 0.3, {1, 1, 1});
    REQUIRE(share(values, 0.0F) == Approx(0.15).margin(0.005));
    REQUIRE(share(values, 1.0F) == Approx(0.15).margin(0.005));
    REQUIRE(share(values, 0.5F) == Approx(0.7).margin(0.006));
}

TEST_CASE("Gaussian noise has mean zero and the asked deviation") {
    const auto values = corrupted(Corruption::gaussian, 0.2, {1, 1, 1});
    double sum = 0.0;
    double squares = 0.0;
    for (const float value : values) {
        sum += static_cast<double>(value) - 0.5;
        squares += std::pow(static_cast<double>(value) - 0.5, 2.0);
    }
    const auto n = static_cast<double>(values.size());
    REQUIRE(sum / n == Approx(0.0).margin(0.003));
    REQUIRE(std::sqrt(squares / n) == Approx(0.2).epsilon(0.02));
}

TEST_CASE("Noise depends on seed, layer, epoch and picture, and not on batch or threads") {
    const Corruption kind = GENERATE(Corruption::masking, Corruption::gaussian);
    const auto values = corrupted(kind, 0.4, {1, 2, 3});
    REQUIRE(corrupted(kind, 0.4, {1, 2, 3}) == values);
    REQUIRE(corrupted(kind, 0.4, {2, 2, 3}) != values);
    REQUIRE(corrupted(kind, 0.4, {1, 3, 3}) != values);
    REQUIRE(corrupted(kind, 0.4, {1, 2, 4}) != values);
    const base::ThreadScope one(1);
    REQUIRE(corrupted(kind, 0.4, {1, 2, 3}) == values);
    // Picture 47, alone.
    const std::vector<std::int64_t> index = {47};
    std::vector<float> alone(columns, 0.5F);
    corrupt(kind, 0.4, {1, 2, 3}, index, columns, alone.data());
    REQUIRE(alone == std::vector<float>(values.begin() + 7 * columns, values.begin() + 8 * columns));
    REQUIRE(alone != std::vector<float>(values.begin(), values.begin() + columns));
}

TEST_CASE("No corruption changes nothing") {
    REQUIRE(share(corrupted(Corruption::none, 0.5, {}), 0.5F) == 1.0);
    REQUIRE(share(corrupted(Corruption::masking, 0.0, {}), 0.5F) == 1.0);
    REQUIRE(share(corrupted(Corruption::masking, 1.0, {}), 0.0F) == 1.0);
}
