#include "linalg/row_product.hpp"

#include <cmath>
#include <limits>
#include <vector>

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

struct Sizes {
    std::int64_t m, n, k;
};

std::vector<std::uint16_t> rounded(const Tensor& values) {
    std::vector<std::uint16_t> stored;
    for (const float value : values.values()) {
        stored.push_back(linalg::to_bfloat16(value));
    }
    return stored;
}

}  // namespace

TEST_CASE("row products of whole numbers are exact in every shape and in either precision") {
    const auto sizes = GENERATE(Sizes{1, 1, 1}, Sizes{16, 33, 7}, Sizes{5, 1, 20}, Sizes{256, 100, 25});
    const auto precision = GENERATE(linalg::Precision::float32, linalg::Precision::bfloat16);
    CAPTURE(sizes.m, sizes.n, sizes.k, static_cast<int>(precision));
    if (precision == linalg::Precision::bfloat16 && !linalg::has_bfloat16()) {
        return;  // oneDNN may not have it either
    }
    linalg::Context context(1);
    linalg::RowProduct product(context, precision, sizes.m, sizes.n, sizes.k);
    const Tensor b = reference::whole_numbers({sizes.n, sizes.k}, 3, 1);
    const Tensor bias = reference::whole_numbers({sizes.n}, 5, 2);
    std::vector<float> packed(product.layout().get_size() / sizeof(float) + 1);
    if (precision == linalg::Precision::bfloat16) {
        product.pack(rounded(b), packed.data());
    }
    for (const std::uint32_t run : {3U, 4U}) {
        const Tensor a = reference::whole_numbers({sizes.m, sizes.k}, 3, run);
        const std::vector<std::uint16_t> stored = rounded(a);
        Tensor s({sizes.m, sizes.n});
        std::fill_n(s.data(), s.size(), 1e9F);  // what was there before must not be added to
        if (precision == linalg::Precision::bfloat16) {
            product.run(stored.data(), packed.data(), bias.data(), s.data());
        } else {
            product.run(a.data(), b.data(), bias.data(), s.data());
        }
        const auto expected = reference::dense(Activation::linear, a, b.data(), bias.data(), sizes.n);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CAPTURE(i);
            REQUIRE(static_cast<double>(s.values()[i]) == expected[i]);
        }
    }
}

TEST_CASE("a bfloat16 is the nearest to a float, the even one of two") {
    const auto round_trip = [](float value) { return linalg::of_bfloat16(linalg::to_bfloat16(value)); };
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
