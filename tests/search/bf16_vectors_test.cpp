#include "search/bf16_vectors.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>

#include "linalg/bfloat16.hpp"
#include "linalg/gemm.hpp"
#include "search/flat_scanner.hpp"
#include "support/catch.hpp"

namespace stackae::search {
namespace {

enum class Kind { normal, far, aligned };

/// aligned: all values are rounded the same way, and by nearly as much as can be.
Tensor vectors_of(Kind kind, std::int64_t n, std::int64_t d, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(kind == Kind::far ? 30.0F : 0.0F, 1.0F);
    Tensor vectors({n, d});
    for (float& value : vectors.values()) {
        value = kind == Kind::aligned ? 1.0F + 0x1.03p-8F : normal(generator);
    }
    return vectors;
}

}  // namespace

TEST_CASE("A coarse score is off by no more than its bound, and the bound is not far from what can be") {
    if (!linalg::has_bfloat16()) {
        return;
    }
    const auto kind = GENERATE(Kind::normal, Kind::far, Kind::aligned);
    const std::int64_t d = GENERATE(1, 7, 64, 300);
    CAPTURE(static_cast<int>(kind), d);
    constexpr std::int64_t queries = 40;
    const FlatVectors table(vectors_of(kind, 1000, d, 1), Metric::l2);
    const Bf16Vectors coarse(table, 2);
    const Tensor query = vectors_of(kind, queries, d, 2);
    Tensor factors({queries, d});
    std::transform(query.values().begin(), query.values().end(), factors.values().begin(),
                   [](float value) { return -2.0F * value; });
    std::vector<std::uint16_t> rounded(static_cast<std::size_t>(factors.size()));
    linalg::Context context(1);
    linalg::Gemm product(context, queries, table.block_rows(), d, Bf16Vectors::gemm_options, coarse.layout());
    double closest = 0.0;  // of error to bound
    std::vector<double> bounds;
    for (std::int64_t i = 0; i < queries; ++i) {
        const auto to =
            std::span(rounded).subspan(static_cast<std::size_t>(i * d), static_cast<std::size_t>(d));
        const double error = 0.5 * round_to_bfloat16(factors.row(i), to);
        const double norm =
            std::transform_reduce(query.row(i).begin(), query.row(i).end(), 0.0, std::plus<>{},
                                  [](float value) { return double{value} * double{value}; });
        bounds.push_back(table.rounding(norm) + coarse.rounding(norm, error));
    }
    Tensor scores({queries, table.block_rows()});
    product.run(rounded.data(), coarse.block(0), scores.data(), table.offsets(0).data());
    for (std::int64_t i = 0; i < queries; ++i) {
        for (std::int64_t row = 0; row < table.size(); ++row) {
            double exact = 0.0;
            for (std::size_t j = 0; j < static_cast<std::size_t>(d); ++j) {
                const double x = table.row(row)[j];
                exact += x * x - 2.0 * double{query.row(i)[j]} * x;
            }
            const double error = std::abs(double{scores.row(i)[static_cast<std::size_t>(row)]} - exact);
            REQUIRE(error <= bounds[static_cast<std::size_t>(i)]);
            closest = std::max(closest, error / bounds[static_cast<std::size_t>(i)]);
        }
    }
    CHECK(closest > (kind == Kind::aligned ? 0.9 : 0.02));
}

TEST_CASE("A coarse scan is certain of neighbours that are clearly apart, and of none that are not") {
    if (!linalg::has_bfloat16()) {
        return;
    }
    const bool clear = GENERATE(true, false);
    const Tensor vectors = vectors_of(clear ? Kind::normal : Kind::aligned, 2000, 16, 3);
    const FlatVectors table(vectors, Metric::l2);
    const Bf16Vectors coarse(table, 2);
    const Tensor queries = vectors_of(clear ? Kind::normal : Kind::aligned, 64, 16, 4);
    SearchRequest request;
    request.count = 64;
    request.k = 5;
    request.queries = &queries;
    FlatScanner scan(table, &coarse, request, 64);
    Neighbours found{64, 5, std::vector<std::int64_t>(320, -1), std::vector<float>(320)};
    std::vector<char> certain(64, 0);
    std::vector<std::int64_t> all(64);
    std::iota(all.begin(), all.end(), std::int64_t{0});
    scan.run(all, 29, found, certain);
    CHECK(std::count(certain.begin(), certain.end(), 1) == (clear ? 64 : 0));
}

}  // namespace stackae::search
