#pragma once

#include <cstdint>

#include "stackae/tensor.hpp"

namespace stackae::linalg {

/// A symmetric matrix, cut into panels of rows of the same height; zeros fill it up to whole panels. Each
/// panel of a product is one thread's work, so that results are the same at any number of threads.
class SymmetricMatrix {
public:
    SymmetricMatrix() = default;
    /// Zeros; extent ≥ 1.
    SymmetricMatrix(std::int64_t extent, std::int64_t max_panel, int threads);

    /// A multiple of panel(), at least `extent`.
    [[nodiscard]] std::int64_t size() const { return values_.rows(); }
    [[nodiscard]] std::int64_t panel() const { return panel_; }
    [[nodiscard]] std::int64_t panels() const { return values_.rows() / panel_; }
    [[nodiscard]] double trace() const;
    [[nodiscard]] float* row(std::int64_t i) { return values_.row(i).data(); }
    [[nodiscard]] const float* row(std::int64_t i) const { return values_.row(i).data(); }

    /// Copies the upper triangle to the lower one.
    void mirror();
    /// Sets to = A · columns, both size() × p.
    void multiply(const Tensor& columns, Tensor& to) const;

    /// Bytes of a matrix of that extent.
    [[nodiscard]] static std::int64_t bytes(std::int64_t extent, std::int64_t max_panel);

private:
    Tensor values_;
    std::int64_t panel_ = 1;
    int threads_ = 1;
};

}  // namespace stackae::linalg
