#include "linalg/gemm.hpp"

#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/tensor.hpp"

#include "base/parallel.hpp"
#include "linalg/bfloat16.hpp"
#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;
using linalg::Gemm;

namespace {

struct Shape {
    std::int64_t m, n, k;
};

/// Small whole numbers, so that every sum is exact in float and in bfloat16.
Tensor whole_numbers(std::int64_t rows, std::int64_t columns, std::uint32_t seed) {
    return reference::whole_numbers({rows, columns}, 3, seed);
}

Tensor transpose(const Tensor& matrix) {
    Tensor result({matrix.columns(), matrix.rows()});
    for (std::int64_t i = 0; i < matrix.rows(); ++i) {
        for (std::int64_t j = 0; j < matrix.columns(); ++j) {
            result.data()[j * matrix.rows() + i] = matrix.data()[i * matrix.columns() + j];
        }
    }
    return result;
}

/// What was there before must not be added to.
Tensor filled(std::int64_t rows, std::int64_t columns) {
    Tensor tensor({rows, columns});
    std::fill_n(tensor.data(), tensor.size(), 1e9F);
    return tensor;
}

/// c is f(A · Bᵀ + bias), exactly.
void check_product(const Tensor& c, const Tensor& a, const Tensor& b, const Tensor& bias,
                   Activation f = Activation::linear) {
    const auto expected = reference::dense(f, a, b.data(), bias.data(), b.rows());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        REQUIRE(static_cast<double>(c.values()[i]) == expected[i]);
    }
}

std::vector<std::uint16_t> rounded(const Tensor& values) {
    std::vector<std::uint16_t> stored;
    for (const float value : values.values()) {
        stored.push_back(linalg::to_bfloat16(value));
    }
    return stored;
}

}  // namespace

TEST_CASE("Matrix products of whole numbers are exact in every form and shape") {
    const base::ThreadScope threads(2);
    linalg::Context context(2);
    const bool trans_a = GENERATE(false, true);
    const bool trans_b = GENERATE(false, true);
    const auto shape = GENERATE(Shape{1, 1, 1}, Shape{1, 17, 5}, Shape{16, 33, 64}, Shape{67, 1, 30},
                                Shape{64, 128, 784}, Shape{5, 3, 1});
    CAPTURE(trans_a, trans_b, shape.m, shape.n, shape.k);
    const Tensor a = whole_numbers(shape.m, shape.k, 3);
    const Tensor b = whole_numbers(shape.n, shape.k, 11);
    Gemm product(context, shape.m, shape.n, shape.k, {.trans_a = trans_a, .trans_b = trans_b});
    Tensor c = filled(shape.m, shape.n);
    product.run((trans_a ? transpose(a) : a).data(), (trans_b ? b : transpose(b)).data(), c.data());
    check_product(c, a, b, Tensor({shape.n}));
}

TEST_CASE("A matrix product can be run again on other matrices, also after it was moved") {
    linalg::Context context(1);
    Gemm first(context, 2, 2, 3, {.trans_b = true});
    Gemm product = std::move(first);
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

TEST_CASE("A matrix product without extent is refused") {
    linalg::Context context(1);
    CHECK_THROWS_AS(Gemm(context, 0, 2, 2), InvalidArgument);
}

TEST_CASE("A product with weights that stay is exact on whole numbers, with and without bias and relu") {
    const auto shape = GENERATE(Shape{1, 1, 1}, Shape{16, 33, 7}, Shape{5, 1, 20}, Shape{64, 100, 25});
    const bool with_bias = GENERATE(false, true);
    const bool relu = GENERATE(false, true);
    CAPTURE(shape.m, shape.n, shape.k, with_bias, relu);
    linalg::Context context(1);
    Tensor b = whole_numbers(shape.n, shape.k, 1);
    const Tensor kept = b;
    Tensor bias = reference::whole_numbers({shape.n}, 5, 2);
    const Tensor kept_bias = with_bias ? bias : Tensor({shape.n});
    std::optional<Gemm> made(std::in_place, context, shape.m, shape.n, shape.k, b.data(),
                             with_bias ? bias.data() : nullptr, linalg::GemmOptions{.relu = relu});
    Gemm product = std::move(*made);
    made.reset();
    std::fill_n(b.data(), b.size(), 1e6F);  // neither may be looked at again
    std::fill_n(bias.data(), bias.size(), 1e6F);
    b = Tensor();
    bias = Tensor();
    for (const std::uint32_t run : {3U, 4U}) {
        const Tensor a = whole_numbers(shape.m, shape.k, run);
        Tensor c = filled(shape.m, shape.n);
        product.run(a.data(), c.data());
        check_product(c, a, kept, kept_bias, relu ? Activation::relu : Activation::linear);
    }
}

TEST_CASE("Weights that stay are multiplied as bfloat16 where asked to, and so is what they are given") {
    linalg::Context context(1);
    Tensor b = reference::uniform({33, 70}, -1, 1, 1);
    const Tensor bias = reference::uniform({33}, -1, 1, 2);
    Gemm product(context, 5, 33, 70, b.data(), bias.data(), {.bf16 = true});
    Tensor a = reference::uniform({5, 70}, -1, 1, 3);
    Tensor c = filled(5, 33);
    product.run(a.data(), c.data());
    for (Tensor* factor : {&a, &b}) {
        for (float& value : factor->values()) {
            value = linalg::from_bfloat16(linalg::to_bfloat16(value));
        }
    }
    const auto expected = reference::dense(Activation::linear, a, b.data(), bias.data(), 33);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        REQUIRE(static_cast<double>(c.values()[i]) == Approx(expected[i]).margin(1e-5));
    }
}

TEST_CASE("A sum of products over pieces is the whole product, exactly on whole numbers") {
    const bool relu = GENERATE(false, true);
    linalg::Context context(1);
    const Tensor b = whole_numbers(33, 12, 1);
    const Tensor bias = reference::whole_numbers({33}, 5, 2);
    Gemm whole(context, 5, 33, 12, b.data(), bias.data(), {.relu = relu});
    const Tensor a = whole_numbers(5, 12, 3);
    Tensor expected({5, 33});
    whole.run(a.data(), expected.data());
    Tensor found = filled(5, 33);
    for (std::int64_t first = 0; first < 12; first += 4) {
        const auto piece_of = [first](const Tensor& matrix) {
            Tensor piece({matrix.rows(), 4});
            for (std::int64_t i = 0; i < matrix.rows(); ++i) {
                std::copy_n(matrix.row(i).data() + first, 4, piece.row(i).data());
            }
            return piece;
        };
        const bool last = first == 8;
        Gemm product(context, 5, 33, 4, piece_of(b).data(), last ? bias.data() : nullptr,
                     {.relu = last && relu, .accumulate = first > 0});
        product.run(piece_of(a).data(), found.data());
    }
    CHECK(std::equal(found.values().begin(), found.values().end(), expected.values().begin()));
}

TEST_CASE("Products with a bias at each run are exact on whole numbers in float and in bfloat16") {
    const auto shape = GENERATE(Shape{1, 1, 1}, Shape{16, 33, 7}, Shape{5, 1, 20}, Shape{256, 100, 25});
    const bool bf16 = GENERATE(false, true);
    CAPTURE(shape.m, shape.n, shape.k, bf16);
    if (bf16 && !linalg::has_bfloat16()) {
        return;  // oneDNN may not have it either
    }
    linalg::Context context(1);
    Gemm product(context, shape.m, shape.n, shape.k,
                 {.trans_b = true, .packed_b = bf16, .bf16 = bf16, .bias = true});
    const Tensor b = whole_numbers(shape.n, shape.k, 1);
    std::vector<float> packed(product.layout().get_size() / sizeof(float) + 1);
    if (bf16) {
        product.pack(rounded(b).data(), packed.data());
    }
    for (const std::uint32_t run : {3U, 4U}) {
        const Tensor a = whole_numbers(shape.m, shape.k, run);
        const Tensor bias = reference::whole_numbers({shape.n}, 5, run);
        const std::vector<std::uint16_t> stored = rounded(a);
        Tensor c = filled(shape.m, shape.n);
        if (bf16) {
            product.run(stored.data(), packed.data(), c.data(), bias.data());
        } else {
            product.run(a.data(), b.data(), c.data(), bias.data());
        }
        check_product(c, a, b, bias);
    }
}

TEST_CASE("A bfloat16 is the nearest to a float, the even one of two") {
    const auto round_trip = [](float value) { return linalg::from_bfloat16(linalg::to_bfloat16(value)); };
    CHECK(round_trip(0.0F) == 0.0F);
    CHECK(round_trip(-1.5F) == -1.5F);
    CHECK(round_trip(1.0F + 0x1p-8F) == 1.0F);                // between 1 and 1 + 2⁻⁷: the even one
    CHECK(round_trip(1.0F + 3 * 0x1p-8F) == 1.0F + 0x1p-6F);  // between 1 + 2⁻⁷ and 1 + 2⁻⁶
    CHECK(round_trip(1.0F + 0x1.01p-8F) == 1.0F + 0x1p-7F);
    for (float value = 1e-20F; value < 1e20F; value *= 1.37F) {
        CHECK(std::abs(round_trip(value) - value) <= 0x1p-8F * value);
        CHECK(round_trip(-value) == -round_trip(value));
    }
}
