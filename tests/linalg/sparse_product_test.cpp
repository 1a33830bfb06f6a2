#include "linalg/sparse_product.hpp"

#include <algorithm>
#include <span>
#include <vector>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "support/catch.hpp"
#include "support/interactions.hpp"
#include "support/reference.hpp"

namespace {

using stackae::Interactions;
using stackae::Tensor;

Tensor reference_product(const Interactions& table, std::int64_t first, std::int64_t count,
                         const Tensor& dense) {
    Tensor product({count, dense.columns()});
    for (std::int64_t i = 0; i < count; ++i) {
        const auto items = table.items_of(first + i);
        for (std::size_t e = 0; e < items.size(); ++e) {
            for (std::size_t j = 0; j < product.row(i).size(); ++j) {
                product.row(i)[j] += table.values_of(first + i)[e] * dense.row(items[e])[j];
            }
        }
    }
    return product;
}

}  // namespace

TEST_CASE("A sparse table times a dense matrix is the sum of its rows, for any part and number of threads") {
    const Interactions table = stackae::test::random_table(40, 30, 20, 6, 5);
    const Tensor dense = reference::whole_numbers({30, GENERATE(1, 63, 200, 4096, 4101)}, 9, 7);
    const int threads = GENERATE(1, 2, 5);
    const stackae::base::ThreadScope scope(threads);
    for (const auto& [first, count] : {std::pair{0, 40}, std::pair{3, 8}, std::pair{40, 0}}) {
        CAPTURE(dense.columns(), threads, first, count);
        const Tensor product = stackae::linalg::sparse_times_dense(
            std::span(table.offsets)
                .subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count + 1)),
            table.columns, table.values, dense);
        const Tensor expected = reference_product(table, first, count, dense);
        REQUIRE(product.shape() == expected.shape());
        CHECK(std::equal(product.values().begin(), product.values().end(), expected.values().begin()));
    }
}

TEST_CASE("What is added to is the sum of both, and one row's product is that of the row among others") {
    const Interactions table = stackae::test::random_table(30, 150, 140, 2, 5);
    const Tensor dense = reference::whole_numbers({150, 33}, 9, 7);
    const Tensor product = reference_product(table, 0, 30, dense);
    Tensor sum = reference::whole_numbers({30, 33}, 5, 8);
    const Tensor before = sum;
    stackae::linalg::add_sparse_times_dense(table.offsets, table.columns, table.values, dense, sum);
    for (std::int64_t i = 0; i < sum.size(); ++i) {
        REQUIRE(sum.data()[i] == before.data()[i] + product.data()[i]);
    }
    Tensor other({30, 32});
    CHECK_THROWS_AS(
        stackae::linalg::add_sparse_times_dense(table.offsets, table.columns, table.values, dense, other),
        stackae::InvalidArgument);
    for (std::int64_t user = 0; user < 30; ++user) {
        std::vector<float> x(150);
        for (std::size_t e = 0; e < table.items_of(user).size(); ++e) {
            x[static_cast<std::size_t>(table.items_of(user)[e])] = table.values_of(user)[e];
        }
        std::vector<float> one(33);
        stackae::linalg::add_row_times_dense(x, dense, one.data());
        REQUIRE(std::equal(one.begin(), one.end(), product.row(user).begin()));
    }
}

TEST_CASE("Without columns or entries there is nothing to multiply") {
    const Interactions bare = stackae::test::table({{}, {}}, 3);
    const Tensor product =
        stackae::linalg::sparse_times_dense(bare.offsets, bare.columns, bare.values, Tensor({3, 70}));
    CHECK(product.shape() == std::vector<std::int64_t>{2, 70});
    CHECK(std::all_of(product.values().begin(), product.values().end(), [](float x) { return x == 0.0F; }));
    CHECK(
        stackae::linalg::sparse_times_dense(bare.offsets, bare.columns, bare.values, Tensor({3, 0})).empty());
}
