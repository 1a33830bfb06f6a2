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
    /// Copies the rows named into dst, size indices.size() × columns().
    virtual void gather(std::span<const std::int64_t> indices, float* dst) const = 0;
    /// The mean of the rows named; size columns(). Zeros for no rows.
    [[nodiscard]] std::vector<double> mean(std::span<const std::int64_t> indices) const;
};

}  // namespace stackae::base
