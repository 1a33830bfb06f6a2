#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace stackae {
class Tensor;
}

namespace stackae::base {

/// Rows without their zeros (CSR): row i has the entries from offsets[i] up to offsets[i + 1], in rising
/// columns.
struct SparseRows {
    std::vector<std::int64_t> offsets{0};
    std::vector<std::int32_t> columns;
    std::vector<float> values;

    [[nodiscard]] std::int64_t rows() const { return std::ssize(offsets) - 1; }
    [[nodiscard]] std::int64_t entries() const { return std::ssize(columns); }
    /// The rows of a dense matrix, behind those that are there.
    void append(const Tensor& dense);
};

/// Rows of columns() floats to learn from, wherever they are kept.
class RowSource {
public:
    RowSource() = default;
    RowSource(const RowSource&) = default;
    RowSource& operator=(const RowSource&) = default;
    virtual ~RowSource() = default;

    [[nodiscard]] virtual std::int64_t columns() const = 0;
    /// Whether most values are 0 and rows are made of those that are not.
    [[nodiscard]] virtual bool is_sparse() const { return false; }
    /// Copies the rows named into dst, size indices.size() × columns().
    virtual void gather(std::span<const std::int64_t> indices, float* dst) const = 0;
    /// The same rows without their zeros, behind those that are in `rows`.
    virtual void gather_sparse(std::span<const std::int64_t> indices, SparseRows& rows) const;
    /// The mean of the rows named; size columns(). Zeros for no rows.
    [[nodiscard]] std::vector<double> mean(std::span<const std::int64_t> indices) const;
    /// The share of the rows named in which a column is not 0.
    [[nodiscard]] std::vector<double> share_of_nonzero(std::span<const std::int64_t> indices) const;
};

}  // namespace stackae::base
