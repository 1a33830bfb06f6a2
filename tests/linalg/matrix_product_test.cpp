#include "linalg/matrix_product.hpp"

#include <vector>

#include "stackae/error.hpp"
#include "stackae/tensor.hpp"

#include "base/parallel.hpp"
#include "support/catch.hpp"

namespace {

using stackae::Tensor;
using stackae::linalg::ProductForm;

struct Shape {
    std::int64_t m;
    std::int64_t n;
    std::int64_t k;
};

/// Small whole numbers, so that every sum is exact in float.
Tensor whole_numbers(std::int64_t rows, std::int64_t columns, std::int64_t step) {
    Tensor tensor({rows, columns});
    std::int64_t state = step;
    for (float& value : tensor.values()) {
        state = (state * 31 + 7) % 1009;
        value = static_cast<float>(state % 7 - 3);
    }
    return tensor;
}

float at(const Tensor& tensor, std::int64_t row, std::int64_t column) {
    return tensor.data()[row * tensor.columns() + column];
}

Tensor naive(const Tensor& a, const Tensor& b, ProductForm form, Shape shape) {
    Tensor c({shape.m, shape.n});
    for (std::int64_t i = 0; i < shape.m; ++i) {
        for (std::int64_t j = 0; j < shape.n; ++j) {
            float sum = 0.0F;
            for (std::int64_t l = 0; l < shape.k; ++l) {
                const float left = form == ProductForm::transposed_a ? at(a, l, i) : at(a, i, l);
                const float right = form == ProductForm::transposed_b ? at(b, j, l) : at(b, l, j);
                sum += left * right;
            }
            c.data()[i * shape.n + j] = sum;
        }
    }
    return c;
}

}  // namespace

TEST_CASE("matrix products of whole numbers are exact in every form and shape") {
    const stackae::base::ThreadScope threads(2);
    stackae::linalg::Context context(2);
    const auto form = GENERATE(ProductForm::plain, ProductForm::transposed_b, ProductForm::transposed_a);
    const auto shape = GENERATE(Shape{1, 1, 1}, Shape{1, 17, 5}, Shape{16, 33, 64}, Shape{67, 1, 30},
                                Shape{64, 128, 784}, Shape{5, 3, 1});
    CAPTURE(static_cast<int>(form), shape.m, shape.n, shape.k);
    const bool at_front = form == ProductForm::transposed_a;
    const bool b_rows = form == ProductForm::transposed_b;
    const Tensor a = at_front ? whole_numbers(shape.k, shape.m, 3) : whole_numbers(shape.m, shape.k, 3);
    const Tensor b = b_rows ? whole_numbers(shape.n, shape.k, 11) : whole_numbers(shape.k, shape.n, 11);
    const Tensor expected = naive(a, b, form, shape);

    stackae::linalg::MatrixProduct product(context, form, shape.m, shape.n, shape.k);
    Tensor c({shape.m, shape.n});
    for (float& value : c.values()) {
        value = 1e9F;  // what was there before must not be added to
    }
    product.run(a.data(), b.data(), c.data());
    for (std::int64_t i = 0; i < c.size(); ++i) {
        CAPTURE(i);
        REQUIRE(c.data()[i] == expected.data()[i]);
    }
}

TEST_CASE("a matrix product can be run again on other matrices, also after it was moved") {
    stackae::linalg::Context context(1);
    stackae::linalg::MatrixProduct first(context, ProductForm::transposed_b, 2, 2, 3);
    stackae::linalg::MatrixProduct product = std::move(first);
    const std::vector<float> a = {1, 2, 3, 4, 5, 6};
    const std::vector<float> b = {1, 0, 1, 0, 1, 0};
    std::vector<float> c(4);
    product.run(a.data(), b.data(), c.data());
    CHECK(c == std::vector<float>{4, 2, 10, 5});
    std::vector<float> d(4);
    product.run(b.data(), a.data(), d.data());
    CHECK(d == std::vector<float>{4, 10, 2, 5});
    CHECK(c == std::vector<float>{4, 2, 10, 5});
}

TEST_CASE("a matrix product without extent is refused") {
    stackae::linalg::Context context(1);
    CHECK_THROWS_AS(stackae::linalg::MatrixProduct(context, ProductForm::plain, 0, 2, 2),
                    stackae::InvalidArgument);
}
