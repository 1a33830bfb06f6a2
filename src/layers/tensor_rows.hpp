#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "stackae/tensor.hpp"

#include "base/row_source.hpp"

namespace stackae::layers {

/// The rows of a tensor, which must outlive it.
class TensorRows : public base::RowSource {
public:
    explicit TensorRows(const Tensor& tensor) : tensor_(tensor) {}
    [[nodiscard]] std::int64_t columns() const override { return tensor_.columns(); }
    void gather(std::span<const std::int64_t> indices, float* dst) const override {
        for (const std::int64_t index : indices) {
            dst = std::copy_n(tensor_.row(index).data(), columns(), dst);
        }
    }

private:
    const Tensor& tensor_;
};

}  // namespace stackae::layers
