#include "stackae/tensor.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>
#include <new>
#include <utility>

#include "stackae/error.hpp"

namespace stackae {
namespace {

constexpr std::align_val_t alignment{64};

std::int64_t product(const std::vector<std::int64_t>& shape) {
    constexpr std::int64_t most =
        std::numeric_limits<std::int64_t>::max() / static_cast<std::int64_t>(sizeof(float));
    std::int64_t size = 1;  // without the zeros, so that no product of some extents overflows either
    bool empty = shape.empty();
    for (const std::int64_t extent : shape) {
        if (extent < 0 || (extent > 0 && size > most / extent)) {
            throw InvalidArgument(
                fmt::format("tensor: shape {} is negative or too large", fmt::join(shape, "×")));
        }
        empty = empty || extent == 0;
        size *= extent > 0 ? extent : 1;
    }
    return empty ? 0 : size;
}

float* allocate(std::int64_t size) {
    if (size == 0) {
        return nullptr;
    }
    return static_cast<float*>(::operator new(static_cast<std::size_t>(size) * sizeof(float), alignment));
}

}  // namespace

void Tensor::AlignedDelete::operator()(float* values) const noexcept {
    if (!borrowed) {
        ::operator delete(values, alignment);
    }
}

Tensor::Tensor(std::vector<std::int64_t> shape)
    : shape_(std::move(shape)), size_(product(shape_)), data_(allocate(size_)) {
    std::fill_n(data(), size_, 0.0F);
}

Tensor Tensor::view(std::vector<std::int64_t> shape, float* values) {
    Tensor tensor;
    tensor.size_ = product(shape);
    tensor.shape_ = std::move(shape);
    tensor.data_ = {values, AlignedDelete{true}};
    return tensor;
}

Tensor::Tensor(const Tensor& other) : shape_(other.shape_), size_(other.size_), data_(allocate(size_)) {
    std::copy_n(other.data(), size_, data());
}

Tensor& Tensor::operator=(const Tensor& other) {
    if (this != &other) {
        *this = Tensor(other);
    }
    return *this;
}

Tensor::Tensor(Tensor&& other) noexcept
    : shape_(std::exchange(other.shape_, {})),
      size_(std::exchange(other.size_, 0)),
      data_(std::move(other.data_)) {}

Tensor& Tensor::operator=(Tensor&& other) noexcept {
    shape_ = std::exchange(other.shape_, {});
    size_ = std::exchange(other.size_, 0);
    data_ = std::move(other.data_);
    return *this;
}

std::int64_t Tensor::columns() const {
    std::int64_t product = shape_.empty() ? 0 : 1;
    for (std::size_t i = 1; i < shape_.size(); ++i) {
        product *= shape_[i];
    }
    return product;
}

}  // namespace stackae
