#pragma once

#include <cstdint>
#include <functional>

#include "stackae/tensor.hpp"

namespace stackae::search {

/// Matrix products of a few vectors with many rows, by blocks of rows: a block is read once for the products
/// that go in and for those that come out. Blocks and the order of sums depend on n alone, and each block is
/// one thread's work, so that results are the same at any number of threads.
class RowProducts {
public:
    /// rows: block_count(n) · block_rows(n) × width, zeros after the first n; must outlive this.
    RowProducts(const Tensor& rows, std::int64_t n, int threads);

    /// Fills in rows `first` to `last` of the coefficients, (last − first) × f from 0s; by blocks, from any
    /// thread.
    using Weigh = std::function<void(std::int64_t first, std::int64_t last, float* coefficients)>;
    /// dots = rows · factorsᵀ, then sums = coefficientsᵀ · rows. factors, sums: f × width; dots: as many rows
    /// as `rows` × f. `weigh` finds the dots of its block in place. Without factors the dots are left alone.
    void run(const Tensor* factors, Tensor* dots, const Weigh& weigh, Tensor& sums) const;

    [[nodiscard]] std::int64_t size() const { return n_; }
    [[nodiscard]] std::int64_t padded_rows() const { return rows_->rows(); }
    [[nodiscard]] std::int64_t width() const { return rows_->columns(); }
    /// Threads for a loop over so many values: one where it is done before another would have started.
    [[nodiscard]] int threads_for(std::int64_t values) const;

    [[nodiscard]] static std::int64_t block_count(std::int64_t n);
    [[nodiscard]] static std::int64_t block_rows(std::int64_t n);
    /// Sums that run() adds up beside each other, and the most threads it uses.
    static constexpr std::int64_t most_strips = 16;

private:
    const Tensor* rows_;
    std::int64_t n_;
    int threads_;
};

}  // namespace stackae::search
