#include "linalg/packed_product.hpp"

#include <optional>

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

struct Sizes {
    std::int64_t m, n, k;
};

}  // namespace

TEST_CASE("A product with a matrix that stays is exact on whole numbers, with and without bias and relu") {
    const auto sizes = GENERATE(Sizes{1, 1, 1}, Sizes{16, 33, 7}, Sizes{5, 1, 20}, Sizes{64, 100, 25});
    const bool with_bias = GENERATE(false, true);
    const bool relu = GENERATE(false, true);
    CAPTURE(sizes.m, sizes.n, sizes.k, with_bias, relu);
    linalg::Context context(1);
    Tensor b = reference::whole_numbers({sizes.n, sizes.k}, 3, 1);
    const Tensor kept = b;
    Tensor bias = reference::whole_numbers({sizes.n}, 5, 2);
    const Tensor kept_bias = with_bias ? bias : Tensor({sizes.n});
    std::optional<linalg::PackedProduct> made(std::in_place, context, sizes.m, sizes.n, sizes.k, b.data(),
                                              with_bias ? bias.data() : nullptr, relu);
    linalg::PackedProduct product = std::move(*made);
    made.reset();
    std::fill_n(b.data(), b.size(), 1e6F);  // neither may be looked at again
    std::fill_n(bias.data(), bias.size(), 1e6F);
    b = Tensor();
    bias = Tensor();
    for (const std::uint32_t run : {3U, 4U}) {
        const Tensor a = reference::whole_numbers({sizes.m, sizes.k}, 3, run);
        Tensor c({sizes.m, sizes.n});
        std::fill_n(c.data(), c.size(), 1e9F);  // what was there before must not be added to
        product.run(a.data(), c.data());
        const auto expected = reference::dense(relu ? Activation::relu : Activation::linear, a, kept.data(),
                                               kept_bias.data(), sizes.n);
        for (std::size_t i = 0; i < expected.size(); ++i) {
            CAPTURE(i);
            REQUIRE(static_cast<double>(c.values()[i]) == expected[i]);
        }
    }
}
