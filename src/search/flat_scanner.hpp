#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stackae/neighbours.hpp"
#include "stackae/tensor.hpp"

#include "linalg/gemm.hpp"
#include "search/bf16_vectors.hpp"
#include "search/flat_vectors.hpp"
#include "search/top_k.hpp"

namespace stackae::search {

/// Whose neighbours are looked for: the rows of `queries`, or, without, the table's own.
struct SearchRequest {
    std::int64_t count = 0;
    std::int64_t k = 0;
    const Tensor* queries = nullptr;
    std::span<const std::int64_t> groups;  ///< of the table's rows; may be empty
    std::span<const std::int64_t> rows;    ///< of the table, that are the queries; empty: all

    /// The table's row that a query is, where it is one.
    [[nodiscard]] std::int64_t own_row(std::int64_t query) const {
        return rows.empty() ? query : rows[static_cast<std::size_t>(query)];
    }
    /// False for a row of the table that is to be left out: the query itself, and its group.
    [[nodiscard]] bool admits(std::int64_t query, std::int64_t row) const {
        if (queries != nullptr) {
            return true;
        }
        const std::int64_t own = own_row(query);
        return row != own && (groups.empty() ||
                              groups[static_cast<std::size_t>(row)] != groups[static_cast<std::size_t>(own)]);
    }
};

/// One thread's way through a table with up to `capacity` queries at a time. Made and used on that
/// thread, as oneDNN's scratch memory asks.
class FlatScanner {
public:
    /// coarse: of the table, to scan that instead; may be null.
    FlatScanner(const FlatVectors& table, const Bf16Vectors* coarse, const SearchRequest& request,
                std::int64_t capacity);

    /// Fills in `found` for some queries, at most `capacity`, keeping at most the `kept` best rows by float
    /// scores. certain[query] becomes 1 where no neighbour can have been lost to rounding.
    void run(std::span<const std::int64_t> queries, std::int64_t kept, Neighbours& found,
             std::vector<char>& certain);

private:
    void load(std::span<const std::int64_t> queries);
    void scan(std::span<const std::int64_t> queries, std::int64_t kept);
    bool rank(std::size_t i, std::int64_t query, Neighbours& found);

    const FlatVectors& table_;
    const Bf16Vectors* coarse_;
    const SearchRequest& request_;
    linalg::Context context_;
    linalg::Gemm product_;
    Tensor vectors_;                      ///< capacity × d; rows beyond the last query are ignored
    Tensor factors_;                      ///< −2 q
    std::vector<std::uint16_t> rounded_;  ///< −2 q, rounded, for a coarse table
    Tensor scores_;                       ///< capacity × block rows
    std::vector<double> norms_;           ///< ‖q‖²
    std::vector<double> rounding_;  ///< upper bounds of the errors of scores, and of distances in double
    std::vector<TopK> nearest_;
    std::vector<Scored<double>> ranked_;
};

}  // namespace stackae::search
