#include "stackae/tensor.hpp"

#include <cstdint>
#include <limits>
#include <vector>

#include "stackae/error.hpp"

#include "support/catch.hpp"

namespace stackae {

TEST_CASE("A new tensor is zero, aligned, and knows its shape") {
    const Tensor tensor({3, 4, 5});
    CHECK(tensor.size() == 60);
    CHECK(tensor.rows() == 3);
    CHECK(tensor.columns() == 20);
    CHECK(reinterpret_cast<std::uintptr_t>(tensor.data()) % 64 == 0);
    for (const float value : tensor.values()) {
        REQUIRE(value == 0.0F);
    }
}

TEST_CASE("Tensors without values are no special case") {
    const Tensor none;
    CHECK(none.empty());
    CHECK(none.rows() == 0);
    CHECK(none.columns() == 0);
    const Tensor no_rows({0, 7});
    CHECK(no_rows.empty());
    CHECK(no_rows.columns() == 7);
    CHECK(no_rows.values().empty());
    const Tensor copy = no_rows;
    CHECK(copy.shape() == no_rows.shape());
}

TEST_CASE("Copies of a tensor are deep, and what was moved from is empty") {
    Tensor first({2, 2});
    first.row(1)[0] = 5.0F;
    Tensor copy = first;
    copy.row(1)[0] = 6.0F;
    CHECK(first.row(1)[0] == 5.0F);
    Tensor moved = std::move(first);
    CHECK(moved.row(1)[0] == 5.0F);
    CHECK(first.empty());
    CHECK(first.shape().empty());
    moved = copy;
    CHECK(moved.data()[2] == 6.0F);
    Tensor& same = moved;
    moved = same;
    CHECK(moved.data()[2] == 6.0F);
    moved = std::move(same);
    CHECK(moved.data()[2] == 6.0F);
}

TEST_CASE("A view is of memory that lies elsewhere, and what is copied of it is not") {
    std::vector<float> values{1.0F, 2.0F, 3.0F, 4.0F, 5.0F, 6.0F};
    Tensor copy;
    {
        Tensor view = Tensor::view({2, 3}, values.data());
        CHECK(view.data() == values.data());
        view.row(1)[0] = 7.0F;
        copy = view;
        Tensor moved = std::move(view);
        CHECK(moved.data() == values.data());
        moved = Tensor({1});  // which is its own again
    }
    CHECK(values[3] == 7.0F);
    values[3] = 0.0F;
    CHECK(copy.row(1)[0] == 7.0F);
    CHECK_THROWS_AS(Tensor::view({-1}, values.data()), InvalidArgument);
}

TEST_CASE("Shapes that cannot be are refused, not wrapped around") {
    constexpr std::int64_t huge = std::int64_t{1} << 40U;
    CHECK_THROWS_AS(Tensor({-1}), InvalidArgument);
    CHECK_THROWS_AS(Tensor({huge, huge}), InvalidArgument);
    CHECK_THROWS_AS(Tensor({0, huge, huge}), InvalidArgument);
    CHECK_THROWS_AS(Tensor({std::numeric_limits<std::int64_t>::max()}), InvalidArgument);
    CHECK_THROWS_WITH(Tensor({3, -2}), "tensor: shape 3×-2 is negative or too large");
}

}  // namespace stackae
