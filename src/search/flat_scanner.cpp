#include "search/flat_scanner.hpp"

#include <algorithm>
#include <cmath>

#include "base/rows.hpp"
#include "base/vectorized.hpp"

namespace stackae::search {
namespace {

using base::at;

constexpr double double_roundoff = 0x1p-52;

/// The first of `size` scores, from one on, whose chunk has one below the bound; `size` when none has.
STACKAE_VECTORIZED std::size_t next_chunk(const float* scores, std::size_t from, std::size_t size,
                                          float bound) {
    constexpr std::size_t chunk = FlatVectors::chunk;
    for (; from < size; from += chunk) {
        int below = 0;
#pragma omp simd reduction(| : below)
        for (std::size_t c = from; c < from + chunk; ++c) {
            below |= static_cast<int>(scores[c] < bound);
        }
        if (below != 0) {
            break;
        }
    }
    return from;
}

/// Offers the rows from `first` on, by chunks: most chunks hold nothing near, and one comparison tells.
template <class Admit>
void offer(std::span<const float> scores, std::int64_t first, TopK& nearest, Admit admit) {
    constexpr std::size_t chunk = FlatVectors::chunk;
    for (std::size_t j = 0;; j += chunk) {
        j = next_chunk(scores.data(), j, scores.size(), nearest.worst());
        if (j == scores.size()) {
            return;
        }
        for (std::size_t c = j; c < j + chunk; ++c) {
            const std::int64_t row = first + static_cast<std::int64_t>(c);
            if (scores[c] < nearest.worst() && admit(row)) {
                nearest.push(scores[c], row);
            }
        }
    }
}

}  // namespace

FlatScanner::FlatScanner(const FlatVectors& table, const Bf16Vectors* coarse, const SearchRequest& request,
                         std::int64_t capacity)
    : table_(table),
      coarse_(coarse),
      request_(request),
      context_(1),
      product_(
          context_, capacity, table.block_rows(), table.dimension(),
          coarse == nullptr ? linalg::GemmOptions{.trans_b = true, .bias = true} : Bf16Vectors::gemm_options,
          coarse == nullptr ? linalg::PackedLayout() : coarse->layout()),
      vectors_({capacity, table.dimension()}),
      factors_({capacity, table.dimension()}),
      rounded_(coarse == nullptr ? 0 : at(factors_.size())),
      scores_({capacity, table.block_rows()}),
      norms_(at(capacity)),
      rounding_(at(capacity)),
      nearest_(at(capacity)) {}

void FlatScanner::run(std::span<const std::int64_t> queries, std::int64_t kept, Neighbours& found,
                      std::vector<char>& certain) {
    load(queries);
    scan(queries, kept);
    for (std::size_t i = 0; i < queries.size(); ++i) {
        certain[at(queries[i])] = static_cast<char>(rank(i, queries[i], found));
    }
}

void FlatScanner::load(std::span<const std::int64_t> queries) {
    for (std::size_t i = 0; i < queries.size(); ++i) {
        const auto to = vectors_.row(static_cast<std::int64_t>(i));
        const bool own = request_.queries == nullptr;
        if (own) {
            // As it is: scaling a row to length 1 again would take it off itself by a rounding.
            const auto row = table_.row(request_.own_row(queries[i]));
            std::copy(row.begin(), row.end(), to.begin());
            norms_[i] = table_.cosine() ? 1.0 : base::squared_norm(row);
        } else {
            norms_[i] = table_.prepare(request_.queries->row(queries[i]), to);
        }
        const auto factors = factors_.row(static_cast<std::int64_t>(i));
        std::transform(to.begin(), to.end(), factors.begin(), [](float value) { return -2.0F * value; });
        rounding_[i] = table_.rounding(norms_[i]);
        if (coarse_ != nullptr) {
            const auto rounded = std::span(rounded_).subspan(i * factors.size(), factors.size());
            rounding_[i] += coarse_->rounding(norms_[i], 0.5 * round_to_bfloat16(factors, rounded));
        }
    }
}

void FlatScanner::scan(std::span<const std::int64_t> queries, std::int64_t kept) {
    for (std::size_t i = 0; i < queries.size(); ++i) {
        nearest_[i].reset(kept);
    }
    for (std::int64_t first = 0; first < table_.padded_size(); first += table_.block_rows()) {
        const bool plain = coarse_ == nullptr;
        product_.run(plain ? static_cast<const void*>(factors_.data()) : rounded_.data(),
                     plain ? table_.row(first).data() : coarse_->block(first), scores_.data(),
                     table_.offsets(first).data());
        for (std::size_t i = 0; i < queries.size(); ++i) {
            offer(scores_.row(static_cast<std::int64_t>(i)), first, nearest_[i],
                  [&](std::int64_t row) { return request_.admits(queries[i], row); });
        }
    }
}

bool FlatScanner::rank(std::size_t i, std::int64_t query, Neighbours& found) {
    const TopK& nearest = nearest_[i];
    ranked_.clear();
    for (const auto& candidate : nearest.rows()) {
        const auto vector = vectors_.row(static_cast<std::int64_t>(i));
        ranked_.push_back({table_.squared_distance(vector, candidate.row), candidate.row});
    }
    std::sort(ranked_.begin(), ranked_.end());

    const auto k = std::min(at(found.k), ranked_.size());
    for (std::size_t j = 0; j < k; ++j) {
        const std::size_t place = at(query * found.k) + j;
        found.rows[place] = ranked_[j].row;
        found.distances[place] = static_cast<float>(table_.distance(ranked_[j].score));
    }
    if (ranked_.size() == at(table_.size()) || !std::isfinite(nearest.worst())) {
        return true;  // no row was dropped
    }
    // Every row that was dropped has a score of at least worst() − rounding.
    const auto d = static_cast<double>(table_.dimension());
    const double lengths = std::sqrt(norms_[i]) + table_.largest_norm();
    const double rounding = rounding_[i] + double_roundoff * (d + 4.0) * lengths * lengths;
    const double last = ranked_[k - 1].score - table_.query_term(norms_[i]);
    return last < double{nearest.worst()} - rounding;
}

}  // namespace stackae::search
