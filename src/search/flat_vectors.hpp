#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "stackae/neighbours.hpp"
#include "stackae/tensor.hpp"

namespace stackae::search {

/// Vectors laid out for a scan by matrix products.
///
/// With l2, ‖q − x‖² = ‖q‖² + score and score = ‖x‖² − 2 q·x. With cosine all vectors have length 1 and
/// the distance is ½ ‖q − x‖² = ½ (1 + score), score = 1 − 2 q·x. A vector of zeros has no direction: where
/// the table has such, every vector gets one more value, 1 for zeros and 0 for all others, so that they are
/// at a distance of 0 from one another and of 1 from all else.
class FlatVectors {
public:
    /// Rows whose scores are compared at once; blocks of rows are multiples of it.
    static constexpr std::size_t chunk = 16;

    /// vectors: n × d. Throws InvalidArgument when it is empty or a value is not finite.
    FlatVectors(const Tensor& vectors, Metric metric);

    [[nodiscard]] std::int64_t size() const { return size_; }
    /// Values of a vector as it is given.
    [[nodiscard]] std::int64_t width() const { return width_; }
    /// Values of a row as it is laid out.
    [[nodiscard]] std::int64_t dimension() const { return rows_.columns(); }
    [[nodiscard]] bool cosine() const { return metric_ == Metric::cosine; }
    [[nodiscard]] std::int64_t block_rows() const { return block_rows_; }
    /// n rounded up to whole blocks.
    [[nodiscard]] std::int64_t padded_size() const { return rows_.rows(); }

    /// Of length 1 with cosine.
    [[nodiscard]] std::span<const float> row(std::int64_t i) const { return rows_.row(i); }
    /// Asks for a row that is soon to be looked at: rows far apart come at the same time then.
    void prefetch(std::int64_t i) const;
    /// score = offset − 2 q·x for a block of rows; infinite for those that fill the last block.
    [[nodiscard]] std::span<const float> offsets(std::int64_t first) const;

    /// Lays a query of width() values out as the rows are, and returns its ‖q‖² then: with cosine 1, or 0 for
    /// zeros where no row is of zeros.
    double prepare(std::span<const float> query, std::span<float> prepared) const;
    /// ‖q‖² + score without the scan's rounding, for a prepared query.
    [[nodiscard]] double squared_distance(std::span<const float> query, std::int64_t row) const;
    /// The metric's distance of it.
    [[nodiscard]] double distance(double squared) const;
    /// ‖q‖² in the formula above: with cosine 1, also for a query of zeros.
    [[nodiscard]] double query_term(double squared_norm) const { return cosine() ? 1.0 : squared_norm; }
    [[nodiscard]] double largest_norm() const { return largest_norm_; }  ///< max ‖x‖
    /// Upper bound of the error of a score in the scan.
    [[nodiscard]] double rounding(double squared_norm) const;

private:
    [[nodiscard]] bool marks_zeros() const { return dimension() > width_; }
    /// Of a vector as it is laid out.
    [[nodiscard]] bool zeros(std::span<const float> laid_out) const;

    Metric metric_;
    std::int64_t size_;
    std::int64_t width_;
    std::int64_t block_rows_;
    Tensor rows_;
    std::vector<float> offsets_;
    double largest_norm_ = 0.0;
};

/// ‖x‖². Throws InvalidArgument, naming the row, when a value is not finite or too large to score.
double checked_squared_norm(std::span<const float> x, const char* what, std::int64_t row);

}  // namespace stackae::search
