#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace stackae::base {

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
    /// The mean of the rows named; size columns(). Zeros for no rows.
    [[nodiscard]] std::vector<double> mean(std::span<const std::int64_t> indices) const;
    /// The share of the rows named in which a column is not 0.
    [[nodiscard]] std::vector<double> share_of_nonzero(std::span<const std::int64_t> indices) const;
};

}  // namespace stackae::base
