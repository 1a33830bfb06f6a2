#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

#include "linalg/feature_rows.hpp"
#include "linalg/standard_scaler.hpp"

namespace stackae::linalg {

/// Products of standardised features Z with a few vectors, where neither Z nor Zᵀ Z is held: rows are
/// standardised block by block, on the way to the product and again on the way back. Sums are of fixed parts
/// of the rows: the same at any number of threads.
class FeatureProducts {
public:
    /// rows and scale must outlive it.
    FeatureProducts(const FeatureRows& rows, const StandardScaler& scale, int threads);

    /// d + 1: the last value of z is 1.
    [[nodiscard]] std::int64_t width() const { return scale_.width(); }

    /// to = Zᵀ Z w of the rows in those places, at least one; w and to: width × k, k vectors at once.
    void multiply(std::span<const std::int64_t> places, const Tensor& w, Tensor& to) const;
    /// A value of a row (of all, not of places) and of a vector.
    using Scores = std::function<float(std::int64_t row, std::int64_t vector)>;
    /// to = Zᵀ s, width × vectors, of scores s.
    void back(std::span<const std::int64_t> places, std::int64_t vectors, const Scores& scores,
              Tensor& to) const;

    /// Bytes that it holds while it runs.
    [[nodiscard]] static std::int64_t memory_bytes(std::int64_t width, std::int64_t vectors, int threads);

private:
    class Worker;
    /// Where scores come from: w, or what they are.
    struct Forward {
        const Tensor* w;
        Scores scores;
    };
    void run(std::span<const std::int64_t> places, std::int64_t vectors, const Forward& forward,
             Tensor& to) const;
    [[nodiscard]] std::int64_t padded() const;  ///< columns, filled up to whole tiles

    FeatureRows rows_;
    const StandardScaler& scale_;
    int threads_;
    std::vector<float> mean_;
    std::vector<float> inverse_;  // 1 / deviation
};

}  // namespace stackae::linalg
