#include "linalg/inverse_sqrt.hpp"

#include <cmath>

#include "stackae/error.hpp"

#include "base/random.hpp"
#include "linalg/tiled_product.hpp"
#include "support/catch.hpp"

using namespace stackae;

namespace {

/// exp(−‖x − x'‖² / width) of random points in three dimensions, and a ridge: close to singular where the
/// width is large.
Tensor kernel(std::int64_t n, float width) {
    Tensor points({n, 3});
    const base::Random random(5, base::RandomStream::plan);
    for (std::int64_t i = 0; i < points.size(); ++i) {
        points.data()[i] = base::Random::uniform(random.block(static_cast<std::uint32_t>(i))[0]);
    }
    Tensor matrix({n, n});
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
            float squares = i == j ? -width * std::log1p(0.01F) : 0.0F;
            for (std::size_t k = 0; k < 3; ++k) {
                squares += std::pow(points.row(i)[k] - points.row(j)[k], 2.0F);
            }
            matrix.row(i)[static_cast<std::size_t>(j)] = std::exp(-squares / width);
        }
    }
    return matrix;
}

}  // namespace

TEST_CASE("The inverse square root of a kernel matrix, twice beside the matrix, gives the identity") {
    const auto n = GENERATE(std::int64_t{1}, std::int64_t{7}, std::int64_t{150});
    const float width = GENERATE(0.01F, 0.3F, 3.0F);
    CAPTURE(n, width);
    const Tensor matrix = kernel(n, width);
    const Tensor root = linalg::inverse_sqrt(matrix, 0.009);
    Tensor half({n, n});
    Tensor whole({n, n});
    const linalg::TiledProduct product{.m = n, .n = n, .k = n};
    product.run(root.data(), matrix.data(), half.data());
    product.run(half.data(), root.data(), whole.data());
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
            CHECK(std::abs(whole.row(i)[static_cast<std::size_t>(j)] - (i == j ? 1.0F : 0.0F)) < 5e-3F);
            CHECK(std::abs(root.row(i)[static_cast<std::size_t>(j)] -
                           root.row(j)[static_cast<std::size_t>(i)]) < 1e-2F);
        }
    }
}

TEST_CASE("A matrix that has no inverse square root is refused") {
    Tensor matrix({2, 2});
    matrix.row(0)[1] = 1.0F;  // its values are 1 and −1
    matrix.row(1)[0] = 1.0F;
    CHECK_THROWS_AS(linalg::inverse_sqrt(matrix, 0.009), Error);
}
