#include "linalg/sparse_gram.hpp"

#include <algorithm>
#include <vector>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/interactions.hpp"
#include "support/reference.hpp"

namespace {

using stackae::Interactions;
using stackae::Tensor;

/// Weights of the rows, whole numbers.
std::vector<float> row_weights(std::int64_t rows) {
    std::vector<float> weights;
    for (std::int64_t row = 0; row < rows; ++row) {
        weights.push_back(static_cast<float>(row % 5));
    }
    return weights;
}

Tensor sparse_gram(const Interactions& table, const std::vector<float>& weights, int threads) {
    const std::int64_t n = table.item_count();
    Tensor gram({n, n});
    stackae::linalg::add_sparse_gram(table.offsets, table.columns, table.values, weights, n, gram, threads);
    return gram;
}

/// By the definition, entry by entry.
Tensor reference_gram(const Interactions& table, const std::vector<float>& weights) {
    const std::int64_t n = table.item_count();
    Tensor gram({n, n});
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        const auto items = table.items_of(user);
        const auto values = table.values_of(user);
        const float weight = weights.empty() ? 1.0F : weights[static_cast<std::size_t>(user)];
        for (std::size_t i = 0; i < items.size(); ++i) {
            for (std::size_t j = 0; j < items.size(); ++j) {
                gram.row(items[i])[static_cast<std::size_t>(items[j])] += weight * values[i] * values[j];
            }
        }
    }
    return gram;
}

bool same(const Tensor& a, const Tensor& b) {
    return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

}  // namespace

TEST_CASE("The Gram matrix of a sparse table is the sum over its rows, with weights and without") {
    const Interactions table = stackae::test::random_table(90, GENERATE(1, 7, 61), 30, 1, 9);
    const std::vector<float> weights = GENERATE(false, true) ? row_weights(90) : std::vector<float>();
    CHECK(same(sparse_gram(table, weights, 1), reference_gram(table, weights)));
}

TEST_CASE("The Gram matrix of a sparse table is the same to the last bit at any number of threads") {
    Interactions table = stackae::test::random_table(300, 143, 60, 2);
    const Tensor odd = reference::uniform({static_cast<std::int64_t>(table.values.size())}, 0.1F, 3.0F, 3);
    std::copy(odd.values().begin(), odd.values().end(), table.values.begin());
    const Tensor one = sparse_gram(table, {}, 1);
    for (const int threads : {2, 3, 8}) {
        CHECK(same(sparse_gram(table, {}, threads), one));
    }
}

TEST_CASE("A Gram matrix is added to what is there, and some rows of a table alone may be taken") {
    const Interactions table = stackae::test::random_table(40, 20, 12, 4, 3);
    Tensor gram({20, 20});
    for (const auto& [first, offsets] : {std::pair{0U, 16U}, std::pair{15U, 26U}}) {
        stackae::linalg::add_sparse_gram(std::span(table.offsets).subspan(first, offsets), table.columns,
                                         table.values, {}, 20, gram, 2);
    }
    CHECK(same(gram, reference_gram(table, {})));
}

TEST_CASE("A row of a sparse Gram matrix is there without the others") {
    const Interactions table = stackae::test::random_table(50, 23, 14, 5, 4);
    const Tensor expected = reference_gram(table, {});
    const stackae::linalg::SparseGram gram(table.offsets, table.columns, table.values, {}, 23);
    for (std::int64_t i = 0; i < 23; ++i) {
        std::vector<double> sum(23, 1.0);
        gram.add_row(i, sum);
        std::vector<double> upper(23);
        gram.add_upper_row(i, upper);
        for (std::size_t j = 0; j < 23; ++j) {
            CAPTURE(i, j);
            CHECK(sum[j] == 1.0 + double{expected.row(i)[j]});
            CHECK(upper[j] == (j < static_cast<std::size_t>(i) ? 0.0 : double{expected.row(i)[j]}));
        }
    }
}

TEST_CASE("Empty tables have Gram matrices of zeros, and shapes that do not fit are told") {
    const Interactions none;
    CHECK(sparse_gram(none, {}, 2).empty());
    const Interactions bare = stackae::test::table({{}, {}}, 3);
    const Tensor zeros = sparse_gram(bare, {}, 2);
    CHECK(std::all_of(zeros.values().begin(), zeros.values().end(), [](float x) { return x == 0.0F; }));
    CHECK_THROWS_WITH(sparse_gram(bare, {1.0F}, 1), stackae::test::contains("1 weights found, 2 expected"));
    Tensor wrong({2, 3});
    CHECK_THROWS_AS(
        stackae::linalg::add_sparse_gram(bare.offsets, bare.columns, bare.values, {}, 3, wrong, 1),
        stackae::InvalidArgument);
}
