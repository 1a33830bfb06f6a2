#include "linalg/feature_products.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "support/catch.hpp"

using namespace stackae;
using linalg::FeatureProducts;
using linalg::StandardScaler;

namespace {

/// Small whole numbers, so that all sums are exact.
Tensor whole_numbers(std::int64_t rows, std::int64_t columns, std::int64_t factor) {
    Tensor tensor({rows, columns});
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
        tensor.data()[i] = static_cast<float>(i * factor % 7 - 3);
    }
    return tensor;
}

/// Of mean 1 and deviation ½ of each column.
StandardScaler scaler_of(std::int64_t columns) {
    return {std::vector<double>(static_cast<std::size_t>(columns), 1.0),
            std::vector<double>(static_cast<std::size_t>(columns), 0.5)};
}

float z(const Tensor& rows, std::int64_t row, std::int64_t column) {
    return column < rows.columns() ? (rows.row(row)[static_cast<std::size_t>(column)] - 1.0F) * 2.0F : 1.0F;
}

/// Zᵀ of scores that are a function of row and vector.
template <class Scores>
Tensor expected_back(const Tensor& rows, const std::vector<std::int64_t>& places, std::int64_t vectors,
                     const Scores& scores) {
    Tensor sum({rows.columns() + 1, vectors});
    for (const std::int64_t place : places) {
        for (std::int64_t k = 0; k < vectors; ++k) {
            const float score = scores(place, k);
            for (std::int64_t j = 0; j < sum.rows(); ++j) {
                sum.row(j)[static_cast<std::size_t>(k)] += score * z(rows, place, j);
            }
        }
    }
    return sum;
}

bool same(const Tensor& a, const Tensor& b) {
    return a.shape() == b.shape() && std::equal(a.data(), a.data() + a.size(), b.data());
}

}  // namespace

TEST_CASE("Products with features are those of the standardised rows, there and back") {
    // Fewer and more than what is taken at a time: of rows, columns and vectors.
    const std::int64_t n = GENERATE(1, 7, 100, 331);
    const std::int64_t d = GENERATE(1, 5, 481);
    const std::int64_t k = GENERATE(1, 10, 66);
    CAPTURE(n, d, k);
    const Tensor rows = whole_numbers(n, d, 5);
    const StandardScaler scale = scaler_of(d);
    const Tensor w = whole_numbers(d + 1, k, 3);
    std::vector<std::int64_t> places;
    for (std::int64_t i = n - 1; i >= 0; i -= 2) {
        places.push_back(i);
    }
    const auto ways = [](std::int64_t row, std::int64_t vector) {
        return static_cast<float>((row + 2 * vector) % 3);
    };
    const auto products_of = [&](std::int64_t row, std::int64_t vector) {
        float sum = 0.0F;
        for (std::int64_t j = 0; j < d + 1; ++j) {
            sum += z(rows, row, j) * w.row(j)[static_cast<std::size_t>(vector)];
        }
        return sum;
    };
    for (const int threads : {1, 2}) {
        const FeatureProducts products(rows, scale, threads);
        CHECK(products.width() == d + 1);
        Tensor found({d + 1, k});
        products.back(places, k, ways, found);
        CHECK(same(found, expected_back(rows, places, k, ways)));
        products.multiply(places, w, found);
        CHECK(same(found, expected_back(rows, places, k, products_of)));
    }
}

TEST_CASE("Sums over many rows do not depend on the number of threads") {
    Tensor rows({4000, 30});
    for (std::int64_t i = 0; i < rows.size(); ++i) {
        rows.data()[i] = 1.0F / static_cast<float>(1 + i * 7919 % 1009);
    }
    const StandardScaler scale = StandardScaler::fit(rows);
    std::vector<std::int64_t> places(4000);
    std::iota(places.begin(), places.end(), 0);
    const Tensor w = whole_numbers(31, 3, 3);
    Tensor one({31, 3});
    Tensor two({31, 3});
    FeatureProducts(rows, scale, 1).multiply(places, w, one);
    FeatureProducts(rows, scale, 2).multiply(places, w, two);
    CHECK(same(one, two));
    const StandardScaler again = StandardScaler::fit(rows, 2);
    CHECK(again.mean == scale.mean);
    CHECK(again.deviation == scale.deviation);
}
