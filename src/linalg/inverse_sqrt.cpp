#include "linalg/inverse_sqrt.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <utility>

#include "stackae/error.hpp"

#include "linalg/tiled_product.hpp"

namespace stackae::linalg {
namespace {

constexpr int max_steps = 60;
constexpr double converged = 1e-4;  // deviation of T's values from those of 1, times √n

}  // namespace

Tensor inverse_sqrt(const Tensor& matrix, double least) {
    const std::int64_t n = matrix.rows();
    float bound = 0.0F;
    for (std::int64_t i = 0; i < n; ++i) {
        const auto row = matrix.row(i);
        bound = std::max(bound, std::accumulate(row.begin(), row.end(), 0.0F));
    }
    Tensor y({n, n});
    Tensor z({n, n});
    Tensor t({n, n});
    Tensor next({n, n});
    std::transform(matrix.data(), matrix.data() + matrix.size(), y.data(),
                   [bound](float value) { return value / bound; });
    for (std::int64_t i = 0; i < n; ++i) {
        z.row(i)[static_cast<std::size_t>(i)] = 1.0F;
    }
    const TiledProduct product{.m = n, .n = n, .k = n};
    double left = 1.0;
    double low = std::sqrt(least / double{bound});  // l
    for (int step = 0; step < max_steps && !(left < converged); ++step) {
        product.run(z.data(), y.data(), t.data());
        const double alpha = std::sqrt(3.0 / (1.0 + low + low * low));
        const auto own = static_cast<float>(1.5 * alpha);
        const auto other = static_cast<float>(0.5 * alpha * alpha * alpha);
        low *= 0.5 * alpha * (3.0 - alpha * alpha * low * low);
        double squares = 0.0;
        for (std::int64_t i = 0; i < n; ++i) {
            const auto row = t.row(i);
            for (std::size_t j = 0; j < row.size(); ++j) {
                const float one = static_cast<std::size_t>(i) == j ? 1.0F : 0.0F;
                row[j] = own * one - other * row[j];
                squares += double{row[j] - one} * double{row[j] - one};
            }
        }
        left = std::sqrt(squares / static_cast<double>(n));
        product.run(y.data(), t.data(), next.data());
        std::swap(y, next);
        product.run(t.data(), z.data(), next.data());
        std::swap(z, next);
    }
    if (!(left < converged)) {
        throw Error(fmt::format("inverse square root of a matrix of {} rows: no convergence in {} steps", n,
                                max_steps));
    }
    const float scale = 1.0F / std::sqrt(bound);
    std::for_each(z.data(), z.data() + z.size(), [scale](float& value) { value *= scale; });
    return z;
}

double inverse_sqrt_multiply_adds(std::int64_t n) {
    constexpr double products = 3.0 * 10.0;
    const auto side = static_cast<double>(n);
    return products * side * side * side;
}

}  // namespace stackae::linalg
