#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

namespace stackae::linalg {

/// Rows of XᵀDX one by one, without the others, of a sparse X in rows (CSR): row u has the entries from
/// offsets[u] up to offsets[u + 1], in columns that rise from 0 to n − 1. D is the diagonal matrix of
/// `weights`, one a row; empty: all are 1. Takes 8 bytes an entry beside X, which must outlive this; reading
/// is safe from several threads.
class SparseGram {
public:
    /// Throws InvalidArgument where there are neither no weights nor one a row.
    SparseGram(std::span<const std::int64_t> offsets, std::span<const std::int32_t> columns,
               std::span<const float> values, std::span<const float> weights, std::int64_t n);

    /// Adds Σ_u x_ui d_u x_uj to sum[j], for every j; in double, in the order of the rows u. sum: n values.
    void add_row(std::int64_t i, std::span<double> sum) const { add(i, sum, false); }
    /// The same for j ≥ i alone.
    void add_upper_row(std::int64_t i, std::span<double> sum) const { add(i, sum, true); }
    /// Entries of column i.
    [[nodiscard]] std::int64_t count(std::int64_t i) const;

private:
    struct Entry {
        std::int32_t row;
        std::int32_t place;  // in the row, from 0
    };

    void add(std::int64_t i, std::span<double> sum, bool upper) const;

    std::span<const std::int64_t> offsets_;
    std::span<const std::int32_t> columns_;
    std::span<const float> values_;
    std::span<const float> weights_;
    std::vector<std::int64_t> starts_;  // of each column's entries, and the last one's end
    std::vector<Entry> entries_;
};

/// Adds XᵀDX, see SparseGram, to a dense symmetric matrix, n × n. Each sum is taken in double in the order of
/// X's rows by one thread, so that the result is the same at any number of threads. Throws InvalidArgument
/// where `gram` is not n × n.
void add_sparse_gram(std::span<const std::int64_t> offsets, std::span<const std::int32_t> columns,
                     std::span<const float> values, std::span<const float> weights, std::int64_t n,
                     Tensor& gram, int threads);

}  // namespace stackae::linalg
