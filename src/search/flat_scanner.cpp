#include "search/flat_scanner.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/rows.hpp"
#include "base/vectorized.hpp"

namespace stackae::search {
namespace {

using base::at;

constexpr double double_roundoff = 0x1p-52;

constexpr auto chunk = static_cast<std::int64_t>(FlatVectors::chunk);
constexpr std::int64_t chunks = 8;  ///< that are looked at together
constexpr std::int64_t stride = chunks * chunk;

/// The first of `size` scores, by strides from one on, whose stride has one below the bound, or is not whole.
STACKAE_VECTORIZED std::int64_t next_stride(const float* scores, std::int64_t from, std::int64_t size,
                                            float bound) {
    for (; from + stride <= size; from += stride) {
        int below = 0;
#pragma omp simd reduction(| : below)
        for (std::int64_t i = from; i < from + stride; ++i) {
            below |= static_cast<int>(scores[i] < bound);
        }
        if (below != 0) {
            break;
        }
    }
    return from;
}

/// A bit for each score below the bound, a chunk in each of `count` values.
STACKAE_VECTORIZED void find_below(const float* scores, std::int64_t count, float bound,
                                   std::uint32_t* found) {
    for (std::int64_t i = 0; i < count; ++i) {
        std::uint32_t bits = 0;
#pragma omp simd reduction(| : bits)
        for (std::int64_t j = 0; j < chunk; ++j) {
            bits |= static_cast<std::uint32_t>(scores[i * chunk + j] < bound)
                    << static_cast<std::uint32_t>(j);
        }
        found[i] = bits;
    }
}

/// Offers the rows from `first` on, by strides: most strides hold nothing near, and few comparisons tell.
template <class Admit>
void offer(std::span<const float> scores, std::int64_t first, TopK& nearest, Admit admit) {
    const std::int64_t size = std::ssize(scores);
    std::array<std::uint32_t, chunks> found{};
    for (std::int64_t from = 0;; from += stride) {
        from = next_stride(scores.data(), from, size, nearest.worst());
        if (from >= size) {
            return;
        }
        const std::int64_t count = std::min(chunks, (size - from) / chunk);
        find_below(scores.data() + from, count, nearest.worst(), found.data());
        for (std::int64_t i = 0; i < count; ++i) {
            for (std::uint32_t bits = found[at(i)]; bits != 0; bits &= bits - 1) {
                const std::int64_t place = from + i * chunk + std::countr_zero(bits);
                if (scores[at(place)] < nearest.worst() && admit(first + place)) {
                    nearest.push(scores[at(place)], first + place);
                }
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
    TopK& nearest = nearest_[i];
    ranked_.clear();
    for (const auto& candidate : nearest.settle()) {
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
