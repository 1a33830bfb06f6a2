#include "linalg/tiled_product.hpp"

#include <algorithm>
#include <vector>

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;
using linalg::TiledProduct;

namespace {

struct Shape {
    std::int64_t m, n, k;
};

Tensor normal(std::int64_t rows, std::int64_t columns, std::uint32_t stream) {
    Tensor values({rows, columns});
    const base::Random random(5, base::RandomStream::plan, stream);
    for (std::int64_t i = 0; i < values.size(); ++i) {
        const auto bits = random.block(static_cast<std::uint32_t>(i));
        values.data()[i] = base::Random::normal(bits[0], bits[1])[0];
    }
    return values;
}

/// Value i of row l, of an m × k matrix that may be stored transposed.
float at(const Tensor& matrix, bool transposed, std::int64_t i, std::int64_t l) {
    return transposed ? matrix.data()[l * matrix.columns() + i] : matrix.data()[i * matrix.columns() + l];
}

/// Runs body with 1, 2, 3, 4 and 8 threads and compares what it makes.
template <class Body>
void check_same_bytes(const Body& body) {
    std::vector<float> first;
    for (const int threads : {1, 2, 3, 4, 8}) {
        CAPTURE(threads);
        const base::ThreadScope scope(threads);
        const Tensor made = body();
        if (first.empty()) {
            first.assign(made.values().begin(), made.values().end());
        }
        REQUIRE(std::equal(first.begin(), first.end(), made.values().begin()));
    }
}

}  // namespace

TEST_CASE("Tiled products of whole numbers are exact in every form and shape, with a bias and added up") {
    const base::ThreadScope threads(2);
    const bool trans_a = GENERATE(false, true);
    const bool trans_b = GENERATE(false, true);
    const auto [m, n, k] = GENERATE(Shape{1, 1, 1}, Shape{1, 217, 5}, Shape{16, 33, 64}, Shape{267, 1, 30},
                                    Shape{130, 98, 70}, Shape{300, 700, 9}, Shape{5, 3, 1});
    CAPTURE(trans_a, trans_b, m, n, k);
    const Tensor a = reference::whole_numbers({trans_a ? k : m, trans_a ? m : k}, 3, 1);
    const Tensor b = reference::whole_numbers({trans_b ? n : k, trans_b ? k : n}, 3, 2);
    const Tensor bias = reference::whole_numbers({n}, 3, 3);
    const TiledProduct product{.m = m, .n = n, .k = k, .trans_a = trans_a, .trans_b = trans_b};
    Tensor plain({m, n});
    std::fill_n(plain.data(), plain.size(), 1e9F);  // which must not be added to
    Tensor with_bias = plain;
    Tensor twice({m, n});
    product.run(a.data(), b.data(), plain.data());
    product.run(a.data(), b.data(), with_bias.data(), bias.data());
    product.add(a.data(), b.data(), twice.data());
    product.add(a.data(), b.data(), twice.data());
    for (std::int64_t i = 0; i < m; ++i) {
        for (std::int64_t j = 0; j < n; ++j) {
            float expected = 0.0F;
            for (std::int64_t l = 0; l < k; ++l) {
                expected += at(a, trans_a, i, l) * at(b, !trans_b, j, l);
            }
            CAPTURE(i, j);
            REQUIRE(plain.data()[i * n + j] == expected);
            REQUIRE(with_bias.data()[i * n + j] == expected + bias.data()[j]);
            REQUIRE(twice.data()[i * n + j] == 2.0F * expected);
        }
    }
}

TEST_CASE("Products of rows with themselves are exact on whole numbers, mirrored, and added up") {
    const base::ThreadScope threads(2);
    const auto d = GENERATE(std::int64_t{1}, std::int64_t{25}, std::int64_t{100}, std::int64_t{301});
    const std::int64_t n = 50;
    const Tensor rows = reference::whole_numbers({n, d}, 3, 1);
    Tensor sum({d, d});
    linalg::add_gram(rows.data(), n, d, sum.data());
    linalg::add_gram(rows.data(), n - 20, d, sum.data());
    linalg::mirror_upper(sum, base::current_threads());
    for (std::int64_t i = 0; i < d; ++i) {
        for (std::int64_t j = 0; j < d; ++j) {
            float expected = 0.0F;
            for (std::int64_t l = 0; l < n; ++l) {
                expected += (l < n - 20 ? 2.0F : 1.0F) * at(rows, true, i, l) * at(rows, true, j, l);
            }
            CAPTURE(d, i, j);
            REQUIRE(sum.data()[i * d + j] == expected);
        }
    }
}

TEST_CASE("A product has the same bytes at any number of threads, however long its sums") {
    const bool trans_a = GENERATE(false, true);
    const bool trans_b = GENERATE(false, true);
    const auto [m, n, k] = GENERATE(Shape{25, 25, 2048}, Shape{10, 300, 4096}, Shape{256, 500, 784},
                                    Shape{256, 3, 1000}, Shape{1, 1000, 784}, Shape{1024, 10, 1024});
    CAPTURE(trans_a, trans_b, m, n, k);
    const Tensor a = normal(m, k, 1);
    const Tensor b = normal(n, k, 2);
    const TiledProduct product{.m = m, .n = n, .k = k, .trans_a = trans_a, .trans_b = trans_b};
    check_same_bytes([&, &rows = product.m, &columns = product.n] {
        Tensor c({rows, columns});
        product.run(a.data(), b.data(), c.data());
        return c;
    });
}

TEST_CASE("A covariance has the same bytes at any number of threads") {
    const auto d = GENERATE(std::int64_t{24}, std::int64_t{108}, std::int64_t{500});
    const Tensor rows = normal(2048, d, 1);
    check_same_bytes([&] {
        Tensor sum({d, d});
        linalg::add_gram(rows.data(), rows.rows(), d, sum.data());
        linalg::mirror_upper(sum, base::current_threads());
        return sum;
    });
}
