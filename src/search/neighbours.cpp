#include "stackae/neighbours.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <optional>
#include <span>

#include "stackae/error.hpp"

#include "nn/matrix_product.hpp"
#include "search/nearest.hpp"

namespace stackae {
namespace {

using search::Nearest;
using search::Scored;

// A block of dot products (256 × 1024 floats, 1 MiB) stays in the second-level cache between the product
// and the scan. A few queries have a product of their own, so that one picture does not pay for 256.
constexpr std::int64_t many_queries = 256;
constexpr std::int64_t few_queries = 16;
constexpr std::int64_t most_block_rows = 1024;
constexpr std::size_t chunk = 16;  ///< rows that are compared at once

// The scan's scores are rounded, so it keeps more rows than asked for; they are measured again in double. A
// query for which the rounding might still have lost a neighbour is scanned once more with the second margin.
constexpr std::array<std::int64_t, 2> margins = {8, 512};

constexpr double unit_roundoff = 0x1p-24;
constexpr double largest_squared_norm = 1e37;  ///< beyond it float scores would overflow
constexpr float infinity = std::numeric_limits<float>::infinity();

std::int64_t round_up(std::int64_t value, std::int64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

std::size_t index(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

double squared_norm(std::span<const float> x) {
    return std::transform_reduce(x.begin(), x.end(), 0.0, std::plus<>{},
                                 [](float value) { return double{value} * double{value}; });
}

double squared_distance(std::span<const float> a, std::span<const float> b) {
    return std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>{}, [](float x, float y) {
        const double difference = double{x} - double{y};
        return difference * difference;
    });
}

double checked_norm(std::span<const float> x, const char* what, std::int64_t row) {
    const double norm = squared_norm(x);
    if (!(norm < largest_squared_norm)) {
        throw InvalidArgument(
            fmt::format("neighbours: {} {} has a value that is not finite, or too large", what, row));
    }
    return norm;
}

/// x ← x / ‖x‖, zeros stay.
void normalise(std::span<float> x, double squared) {
    const double scale = squared > 0.0 ? 1.0 / std::sqrt(squared) : 0.0;
    for (float& value : x) {
        value = static_cast<float>(double{value} * scale);
    }
}

void check_k(std::int64_t k) {
    if (k < 1) {
        throw InvalidArgument(fmt::format("neighbours: k of at least 1 expected, {} found", k));
    }
}

/// Whose neighbours are looked for: the rows of `queries`, or the index's own.
struct Request {
    const Tensor* queries = nullptr;
    std::int64_t count = 0;
    std::int64_t k = 0;
    bool self = false;
    const std::vector<std::int64_t>* groups = nullptr;

    [[nodiscard]] bool admits(std::int64_t query, std::int64_t row) const {
        if (!self) {
            return true;
        }
        return row != query && (groups == nullptr || (*groups)[index(row)] != (*groups)[index(query)]);
    }
};

/// Offers the rows from `first` on, by chunks: most chunks hold nothing near, and one comparison tells.
template <class Admit>
void scan_dots(std::span<const float> dots, std::span<const float> offsets, std::int64_t first,
               Nearest& nearest, Admit admit) {
    for (std::size_t j = 0; j < dots.size(); j += chunk) {
        std::array<float, chunk> scores;
        const float worst = nearest.worst();
        int closer = 0;
        for (std::size_t c = 0; c < chunk; ++c) {
            scores[c] = offsets[j + c] - 2.0F * dots[j + c];
            closer |= static_cast<int>(scores[c] < worst);
        }
        for (std::size_t c = 0; closer != 0 && c < chunk; ++c) {
            const std::int64_t row = first + static_cast<std::int64_t>(j + c);
            if (scores[c] < nearest.worst() && admit(row)) {
                nearest.push(scores[c], row);
            }
        }
    }
}

/// Up to `capacity` queries on their way through the index.
struct QueryBlock {
    QueryBlock(nn::Context& context, std::int64_t queries, std::int64_t rows, std::int64_t d)
        : capacity(queries),
          product(context, nn::ProductForm::transposed_b, queries, rows, d),
          vectors({queries, d}),
          dots({queries, rows}),
          norms(index(queries)),
          nearest(index(queries)),
          certain(index(queries)) {}

    std::int64_t capacity;
    nn::MatrixProduct product;
    Tensor vectors;             ///< capacity × d; rows beyond the last query are ignored
    Tensor dots;                ///< capacity × block rows
    std::vector<double> norms;  ///< ‖q‖²; with cosine 1
    std::vector<Nearest> nearest;
    std::vector<char> certain;  ///< whether no neighbour can have been lost to rounding
};

}  // namespace

/// With l2, ‖q − x‖² = ‖q‖² + score and score = ‖x‖² − 2 q·x. With cosine all vectors have length 1 and
/// the distance is ½ ‖q − x‖² = ½ (1 + score), score = 1 − 2 q·x, which is 1 for a vector of zeros, too.
struct NeighbourIndex::State {
    State(const Tensor& vectors, Metric metric_in, int threads);

    [[nodiscard]] std::span<const float> row(std::int64_t i) const { return rows.row(i); }
    /// Squared Euclidean distance, or twice the cosine distance.
    [[nodiscard]] double exact(std::span<const float> query, bool zero_query, std::int64_t row) const;
    /// Bound of the error of a score.
    [[nodiscard]] double rounding(double squared_query_norm) const;

    Neighbours run(const Request& request);
    QueryBlock& block_for(std::int64_t queries);
    void load(QueryBlock& block, const Request& request, std::span<const std::int64_t> queries) const;
    void scan(QueryBlock& block, const Request& request, std::span<const std::int64_t> queries,
              std::int64_t kept) const;
    void rank(QueryBlock& block, std::int64_t i, std::int64_t query, Neighbours& found) const;

    Metric metric;
    nn::Context context;
    std::int64_t size;
    std::int64_t dimension;
    std::int64_t block_rows;
    Tensor rows;                 ///< n rounded up to whole blocks × d; of length 1 with cosine
    std::vector<float> offsets;  ///< ‖x‖², with cosine 1; infinite for the rows that fill the last block
    std::vector<char> zero;      ///< cosine: rows of zeros
    double largest_norm = 0.0;   ///< max ‖x‖
    std::optional<QueryBlock> few;
    std::optional<QueryBlock> many;
};

NeighbourIndex::State::State(const Tensor& vectors, Metric metric_in, int threads)
    : metric(metric_in), context(threads), size(vectors.rows()), dimension(vectors.columns()) {
    if (vectors.empty()) {
        throw InvalidArgument("neighbours: an index of at least one vector expected, none found");
    }
    block_rows = std::min(most_block_rows, round_up(size, std::int64_t{chunk}));
    const std::int64_t padded = round_up(size, block_rows);
    rows = Tensor({padded, dimension});
    offsets.assign(index(padded), infinity);
    zero.assign(index(size), 0);
    std::copy_n(vectors.data(), vectors.size(), rows.data());
    for (std::int64_t i = 0; i < size; ++i) {
        const double norm = checked_norm(rows.row(i), "vector", i);
        if (metric == Metric::cosine) {
            normalise(rows.row(i), norm);
            zero[index(i)] = norm == 0.0 ? 1 : 0;
        }
        offsets[index(i)] = metric == Metric::cosine ? 1.0F : static_cast<float>(norm);
        largest_norm = std::max(largest_norm, metric == Metric::cosine ? 1.0 : std::sqrt(norm));
    }
}

double NeighbourIndex::State::exact(std::span<const float> query, bool zero_query, std::int64_t i) const {
    if (metric == Metric::cosine && (zero_query || zero[index(i)] != 0)) {
        return 2.0;
    }
    return squared_distance(query, row(i));
}

double NeighbourIndex::State::rounding(double squared_query_norm) const {
    // A float sum of d products is off by at most d · u · Σ|q||x| ≤ d · u · ‖q‖ ‖x‖ (Higham 2002, 3.1).
    const auto d = static_cast<double>(dimension);
    return unit_roundoff * (4.0 * largest_norm * largest_norm +
                            2.0 * (d + 8.0) * std::sqrt(squared_query_norm) * largest_norm);
}

QueryBlock& NeighbourIndex::State::block_for(std::int64_t queries) {
    const bool small = queries <= few_queries;
    std::optional<QueryBlock>& block = small ? few : many;
    if (!block) {
        block.emplace(context, small ? few_queries : many_queries, block_rows, dimension);
    }
    return *block;
}

void NeighbourIndex::State::load(QueryBlock& block, const Request& request,
                                 std::span<const std::int64_t> queries) const {
    for (std::size_t i = 0; i < queries.size(); ++i) {
        const auto to = block.vectors.row(static_cast<std::int64_t>(i));
        const auto from = request.self ? row(queries[i]) : request.queries->row(queries[i]);
        std::copy(from.begin(), from.end(), to.begin());
        block.norms[i] = checked_norm(to, "query", queries[i]);
        if (metric == Metric::cosine) {
            if (!request.self) {
                normalise(to, block.norms[i]);
            }
            block.norms[i] = block.norms[i] > 0.0 ? 1.0 : 0.0;
        }
    }
}

void NeighbourIndex::State::scan(QueryBlock& block, const Request& request,
                                 std::span<const std::int64_t> queries, std::int64_t kept) const {
    for (std::size_t i = 0; i < queries.size(); ++i) {
        block.nearest[i].reset(kept);
    }
    for (std::int64_t first = 0; first < rows.rows(); first += block_rows) {
        block.product.run(block.vectors.data(), rows.data() + first * dimension, block.dots.data());
        const auto offset = std::span(offsets).subspan(index(first), index(block_rows));
#pragma omp parallel for schedule(static) num_threads(context.threads())
        for (std::size_t i = 0; i < queries.size(); ++i) {
            scan_dots(block.dots.row(static_cast<std::int64_t>(i)), offset, first, block.nearest[i],
                      [&](std::int64_t row) { return request.admits(queries[i], row); });
        }
    }
}

void NeighbourIndex::State::rank(QueryBlock& block, std::int64_t i, std::int64_t query,
                                 Neighbours& found) const {
    const Nearest& nearest = block.nearest[index(i)];
    const double norm = block.norms[index(i)];
    std::vector<Scored<double>> ranked;
    ranked.reserve(nearest.rows().size());
    for (const auto& candidate : nearest.rows()) {
        ranked.push_back({exact(block.vectors.row(i), norm == 0.0, candidate.row), candidate.row});
    }
    std::sort(ranked.begin(), ranked.end());

    const auto k = std::min(index(found.k), ranked.size());
    for (std::size_t j = 0; j < k; ++j) {
        const double squared = ranked[j].score;
        const double distance = metric == Metric::cosine ? 0.5 * squared : std::sqrt(squared);
        found.rows[index(query * found.k) + j] = ranked[j].row;
        found.distances[index(query * found.k) + j] = static_cast<float>(distance);
    }
    // Every row that was dropped has a score of at least worst() − rounding().
    const double query_term = metric == Metric::cosine ? 1.0 : norm;
    const bool all = ranked.size() == index(size) || !std::isfinite(nearest.worst());
    block.certain[index(i)] =
        static_cast<char>(all || ranked[k - 1].score - query_term < double{nearest.worst()} - rounding(norm));
}

Neighbours NeighbourIndex::State::run(const Request& request) {
    Neighbours found{request.count, request.k, {}, {}};
    found.rows.assign(index(request.count * request.k), -1);
    found.distances.assign(index(request.count * request.k), infinity);
    if (request.k == 0) {
        return found;
    }
    std::vector<std::int64_t> pending(index(request.count));
    std::iota(pending.begin(), pending.end(), 0);
    for (const std::int64_t margin : margins) {
        std::vector<std::int64_t> uncertain;
        const std::int64_t kept = std::min(size, request.k + margin);
        for (std::size_t first = 0; first < pending.size();) {
            QueryBlock& block = block_for(static_cast<std::int64_t>(pending.size() - first));
            const auto count = std::min(pending.size() - first, index(block.capacity));
            const auto queries = std::span(pending).subspan(first, count);
            load(block, request, queries);
            scan(block, request, queries, kept);
#pragma omp parallel for schedule(static) num_threads(context.threads())
            for (std::size_t i = 0; i < count; ++i) {
                rank(block, static_cast<std::int64_t>(i), queries[i], found);
            }
            for (std::size_t i = 0; i < count; ++i) {
                if (block.certain[i] == 0) {
                    uncertain.push_back(queries[i]);
                }
            }
            first += count;
        }
        pending = std::move(uncertain);
    }
    return found;
}

NeighbourIndex::NeighbourIndex(const Tensor& vectors, Metric metric, int threads)
    : state_(std::make_unique<State>(vectors, metric, threads)) {}
NeighbourIndex::NeighbourIndex(NeighbourIndex&&) noexcept = default;
NeighbourIndex& NeighbourIndex::operator=(NeighbourIndex&&) noexcept = default;
NeighbourIndex::~NeighbourIndex() = default;

std::int64_t NeighbourIndex::size() const {
    return state_->size;
}

Neighbours NeighbourIndex::search(const Tensor& queries, std::int64_t k) {
    check_k(k);
    if (!queries.empty() && queries.columns() != state_->dimension) {
        throw InvalidArgument(
            fmt::format("neighbours: queries of {} values found, {} expected as in the index",
                        queries.columns(), state_->dimension));
    }
    return state_->run({&queries, queries.rows(), std::min(k, size()), false, nullptr});
}

Neighbours NeighbourIndex::search_self(std::int64_t k, const std::vector<std::int64_t>& groups) {
    check_k(k);
    if (!groups.empty() && groups.size() != index(size())) {
        throw InvalidArgument(
            fmt::format("neighbours: {} groups found for {} vectors", groups.size(), size()));
    }
    return state_->run({nullptr, size(), std::min(k, size() - 1), true, groups.empty() ? nullptr : &groups});
}

}  // namespace stackae
