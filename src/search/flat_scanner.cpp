#include "search/flat_scanner.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <limits>

#include "base/rows.hpp"
#include "base/vectorized.hpp"

namespace stackae::search {
namespace {

using base::at;

constexpr double double_roundoff = 0x1p-52;

/// Of how many roundings scores may differ for their rows to change places: of both, and of this sum in
/// float.
constexpr double slack_roundings = 2.25;

constexpr auto chunk = static_cast<std::int64_t>(FlatVectors::chunk);
constexpr std::int64_t chunks = 32;  ///< that are looked at together, a bit each
constexpr std::int64_t strands = 64;

/// minima[j]: the least of scores j, j + strands, …
STACKAE_VECTORIZED void find_minima(const float* scores, std::int64_t size, float* minima) {
    for (std::int64_t i = 0; i + strands <= size; i += strands) {
#pragma omp simd
        for (std::int64_t j = 0; j < strands; ++j) {
            minima[j] = scores[i + j] < minima[j] ? scores[i + j] : minima[j];
        }
    }
}

/// A score that at least k of these don't exceed: the k-th of the least ones of as many strands of them.
float bound_of_k(std::span<const float> scores, std::int64_t k) {
    std::array<float, at(strands)> minima;
    minima.fill(std::numeric_limits<float>::infinity());
    if (k > strands) {
        return minima.front();
    }
    find_minima(scores.data(), std::ssize(scores), minima.data());
    const auto kth = minima.begin() + k - 1;
    std::nth_element(minima.begin(), kth, minima.end());
    return *kth;
}

/// A bit for each chunk, of `count` up to `chunks`, that holds a score below the bound.
STACKAE_VECTORIZED std::uint32_t chunks_below(const float* scores, std::int64_t count, float bound) {
    std::array<std::uint32_t, FlatVectors::chunk> lanes{};
    for (std::int64_t i = 0; i < count; ++i) {
        const std::uint32_t bit = 1U << static_cast<std::uint32_t>(i);
#pragma omp simd
        for (std::int64_t j = 0; j < chunk; ++j) {
            lanes[at(j)] |= bit & (scores[i * chunk + j] < bound ? ~0U : 0U);
        }
    }
    std::uint32_t bits = 0;
    for (const std::uint32_t lane : lanes) {
        bits |= lane;
    }
    return bits;
}

/// A bit for each score of a chunk that is below the bound.
std::uint32_t rows_below(const float* scores, float bound) {
    std::uint32_t bits = 0;
#pragma omp simd reduction(| : bits)
    for (std::uint32_t j = 0; j < FlatVectors::chunk; ++j) {
        bits |= (1U << j) & (scores[j] < bound ? ~0U : 0U);
    }
    return bits;
}

/// Offers the rows from `first` on, by chunks: most hold nothing near, and few comparisons tell.
template <class Admit>
void offer(std::span<const float> scores, std::int64_t first, TopK& nearest, Admit admit) {
    for (std::int64_t from = 0; from < std::ssize(scores); from += chunks * chunk) {
        const std::int64_t count = std::min(chunks, (std::ssize(scores) - from) / chunk);
        for (std::uint32_t near = chunks_below(scores.data() + from, count, nearest.worst()); near != 0;
             near &= near - 1) {
            const std::int64_t begin = from + std::countr_zero(near) * chunk;
            for (std::uint32_t rows = rows_below(scores.data() + begin, nearest.worst()); rows != 0;
                 rows &= rows - 1) {
                const std::int64_t place = begin + std::countr_zero(rows);
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
        const auto d = static_cast<double>(table_.dimension());
        const double lengths = std::sqrt(norms_[i]) + table_.largest_norm();
        rounding_[i] += double_roundoff * (d + 4.0) * lengths * lengths;
    }
}

void FlatScanner::scan(std::span<const std::int64_t> queries, std::int64_t kept) {
    for (std::int64_t first = 0; first < table_.padded_size(); first += table_.block_rows()) {
        const bool plain = coarse_ == nullptr;
        product_.run(plain ? static_cast<const void*>(factors_.data()) : rounded_.data(),
                     plain ? table_.row(first).data() : coarse_->block(first), scores_.data(),
                     table_.offsets(first).data());
        for (std::size_t i = 0; i < queries.size(); ++i) {
            const auto scores = scores_.row(static_cast<std::int64_t>(i));
            TopK& nearest = nearest_[i];
            const auto offer_all = [&] {
                offer(scores, first, nearest,
                      [&](std::int64_t row) { return request_.admits(queries[i], row); });
            };
            if (first == 0) {
                // Most of what the first rows would push aside one another is spared by a bound.
                const auto slack = static_cast<float>(slack_roundings * rounding_[i]);
                nearest.reset(kept, request_.k, slack, bound_of_k(scores, request_.k));
                offer_all();
                if (nearest.keeps_to_bound()) {
                    continue;
                }
                nearest.reset(kept, request_.k, slack);  // rows that are not admitted made that bound
            }
            offer_all();
        }
    }
}

bool FlatScanner::rank(std::size_t i, std::int64_t query, Neighbours& found) {
    TopK& nearest = nearest_[i];
    const auto vector = vectors_.row(static_cast<std::int64_t>(i));
    for (const auto& candidate : nearest.settle()) {
        table_.prefetch(candidate.row);
    }
    ranked_.clear();
    for (const auto& candidate : nearest.settle()) {
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
    const double last = ranked_[k - 1].score - table_.query_term(norms_[i]);
    return last < double{nearest.worst()} - rounding_[i];
}

}  // namespace stackae::search
