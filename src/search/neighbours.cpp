#include "stackae/neighbours.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <numeric>
#include <optional>
#include <span>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "base/threads.hpp"
#include "search/bf16_vectors.hpp"
#include "search/flat_scanner.hpp"
#include "search/flat_vectors.hpp"
#include "search/local_scale.hpp"

namespace stackae {
namespace {

using search::SearchRequest;

// Each thread takes blocks of queries through the whole table by itself, so that threads never wait for each
// other. A block of dot products (128 × 1024 floats, 512 KiB) stays in a core's second-level cache.
constexpr std::int64_t max_queries = 128;
constexpr std::int64_t few_queries = 16;

// The scan's scores are rounded, so it keeps more rows than asked for; they are measured again in double. A
// query for which the rounding might still have lost a neighbour is scanned once more with the second margin;
// after that, rows that float scores cannot tell apart are taken as they come.
constexpr std::array<std::int64_t, 2> margins = {8, 512};

// Where the processor multiplies bfloat16, a scan with that comes first, and leaves few queries to the
// others: their neighbours then differ by more than its roundings. Where most of the first queries are left,
// it ends.
constexpr std::int64_t coarse_margin = 16;
constexpr std::int64_t tried_queries = 1024;

/// Vectors whose scales are found at a time.
constexpr std::size_t scale_block = 1024;

void check_k(std::int64_t k) {
    if (k < 1) {
        throw InvalidArgument(fmt::format("neighbours: k of at least 1 expected, {} found", k));
    }
}

void check_row(std::int64_t row, std::int64_t size, std::int64_t least) {
    if (row < least || row >= size) {
        throw InvalidArgument(fmt::format("neighbours: row {} asked for, 0 to {} there", row, size - 1));
    }
}

}  // namespace

struct NeighbourIndex::State {
    [[nodiscard]] Neighbours run(const SearchRequest& request);
    /// Ranks `pending`, keeping `kept` rows in the scan of the table or of a coarse one; returns those of
    /// which it is not certain.
    std::vector<std::int64_t> pass(const search::Bf16Vectors* scanned, const SearchRequest& request,
                                   std::span<const std::int64_t> pending, std::int64_t kept,
                                   Neighbours& found) const;
    std::vector<std::int64_t> coarse_pass(const SearchRequest& request, std::span<const std::int64_t> pending,
                                          Neighbours& found);
    /// See NeighbourIndex::local_scales().
    std::vector<float> local_scales(std::span<const std::int64_t> rows);
    /// σ of some rows, a block at a time.
    std::vector<double> find_scales(std::span<const std::int64_t> rows);
    /// Some rows as vectors.
    [[nodiscard]] Tensor gather(std::span<const std::int64_t> rows) const;

    search::FlatVectors table;
    int threads;
    std::optional<search::Bf16Vectors> coarse{};  ///< made by the first search that it pays for
    bool coarse_fails = false;                    ///< for these rows: not tried again
    std::vector<float> scales{};                  ///< of each row; NaN where not yet asked for
    std::vector<std::int64_t> sample{};  ///< rows among which scales are found, ascending; empty: all
    std::unique_ptr<State> others{};     ///< of those rows
};

std::vector<std::int64_t> NeighbourIndex::State::pass(const search::Bf16Vectors* scanned,
                                                      const SearchRequest& request,
                                                      std::span<const std::int64_t> pending,
                                                      std::int64_t kept, Neighbours& found) const {
    if (pending.empty()) {
        return {};
    }
    const auto count = static_cast<std::int64_t>(pending.size());
    const std::int64_t share = (count + threads - 1) / threads;
    const std::int64_t capacity = std::clamp(share, few_queries, max_queries);
    const std::int64_t blocks = (count + capacity - 1) / capacity;
    std::vector<char> certain(static_cast<std::size_t>(request.count), 0);
    base::parallel_for(blocks, threads, [&] {
        return
            [&, scan = search::FlatScanner(table, scanned, request, capacity)](std::int64_t block) mutable {
                const auto first = static_cast<std::size_t>(block * capacity);
                const auto length = std::min(static_cast<std::size_t>(capacity), pending.size() - first);
                scan.run(pending.subspan(first, length), kept, found, certain);
            };
    });
    std::vector<std::int64_t> uncertain;
    std::copy_if(pending.begin(), pending.end(), std::back_inserter(uncertain),
                 [&](std::int64_t query) { return certain[static_cast<std::size_t>(query)] == 0; });
    return uncertain;
}

std::vector<std::int64_t> NeighbourIndex::State::coarse_pass(const SearchRequest& request,
                                                             std::span<const std::int64_t> pending,
                                                             Neighbours& found) {
    if (!coarse) {
        coarse.emplace(table, threads);
    }
    const std::int64_t kept = std::min(table.size(), request.k + coarse_margin);
    const auto first = std::min(pending.size(), static_cast<std::size_t>(tried_queries));
    std::vector<std::int64_t> uncertain = pass(&*coarse, request, pending.first(first), kept, found);
    std::vector<std::int64_t> left(pending.begin() + static_cast<std::ptrdiff_t>(first), pending.end());
    if (2 * uncertain.size() < first) {
        left = pass(&*coarse, request, left, kept, found);
    } else {
        coarse_fails = true;
        coarse.reset();
    }
    uncertain.insert(uncertain.end(), left.begin(), left.end());
    return uncertain;
}

Neighbours NeighbourIndex::State::run(const SearchRequest& request) {
    const auto places = static_cast<std::size_t>(request.count * request.k);
    Neighbours found{request.count, request.k, std::vector<std::int64_t>(places, -1),
                     std::vector<float>(places, std::numeric_limits<float>::infinity()),
                     table.cosine() ? Metric::cosine : Metric::l2};
    if (places == 0) {
        return found;
    }
    std::vector<std::int64_t> pending(static_cast<std::size_t>(request.count));
    std::iota(pending.begin(), pending.end(), 0);
    if (!coarse_fails && search::Bf16Vectors::is_profitable(table, request.count)) {
        pending = coarse_pass(request, pending, found);
    }
    for (const std::int64_t margin : margins) {
        if (!pending.empty()) {
            pending = pass(nullptr, request, pending, std::min(table.size(), request.k + margin), found);
        }
    }
    return found;
}

Tensor NeighbourIndex::State::gather(std::span<const std::int64_t> rows) const {
    Tensor vectors({std::ssize(rows), table.width()});
    for (std::int64_t i = 0; i < vectors.rows(); ++i) {
        std::copy_n(table.row(rows[base::at(i)]).begin(), table.width(), vectors.row(i).begin());
    }
    return vectors;
}

std::vector<double> NeighbourIndex::State::find_scales(std::span<const std::int64_t> rows) {
    std::vector<double> found_scales;
    for (std::size_t first = 0; first < rows.size(); first += scale_block) {
        const auto some = rows.subspan(first, std::min(scale_block, rows.size() - first));
        const auto count = std::ssize(some);
        if (!others) {
            const Neighbours found = run({.count = count,
                                          .k = std::min(search::scale_neighbours, table.size() - 1),
                                          .queries = nullptr,
                                          .groups = {},
                                          .rows = some});
            for (std::int64_t i = 0; i < count; ++i) {
                found_scales.push_back(search::local_scale(found, i));
            }
            continue;
        }
        const Tensor queries = gather(some);
        const Neighbours found = others->run({.count = count,
                                              .k = search::scale_neighbours + 1,
                                              .queries = &queries,
                                              .groups = {},
                                              .rows = {}});
        for (std::int64_t i = 0; i < count; ++i) {
            const auto own = std::lower_bound(sample.begin(), sample.end(), some[base::at(i)]);
            const bool there = own != sample.end() && *own == some[base::at(i)];
            found_scales.push_back(search::local_scale(found, i, there ? own - sample.begin() : -1));
        }
    }
    return found_scales;
}

std::vector<float> NeighbourIndex::State::local_scales(std::span<const std::int64_t> rows) {
    if (scales.empty()) {
        if (table.size() > NeighbourIndex::scale_rows) {
            sample = base::spread_rows(table.size(), NeighbourIndex::scale_rows);
            others.reset(new State{
                search::FlatVectors(gather(sample), table.cosine() ? Metric::cosine : Metric::l2), threads});
        }
        scales.assign(base::at(table.size()), std::numeric_limits<float>::quiet_NaN());
    }
    std::vector<std::int64_t> wanted;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(wanted),
                 [&](std::int64_t row) { return row >= 0 && std::isnan(scales[base::at(row)]); });
    std::sort(wanted.begin(), wanted.end());
    wanted.erase(std::unique(wanted.begin(), wanted.end()), wanted.end());
    const std::vector<double> found = find_scales(wanted);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        scales[base::at(wanted[i])] = static_cast<float>(found[i]);
    }
    std::vector<float> result;
    result.reserve(rows.size());
    for (const std::int64_t row : rows) {
        result.push_back(row < 0 ? 0.0F : scales[base::at(row)]);
    }
    return result;
}

Neighbours Neighbours::first(std::int64_t count) const {
    Neighbours nearest{queries, std::min(k, count), {}, {}, metric};
    for (std::int64_t query = 0; query < queries; ++query) {
        const auto from = rows.begin() + query * k;
        nearest.rows.insert(nearest.rows.end(), from, from + nearest.k);
        const auto at = distances.begin() + query * k;
        nearest.distances.insert(nearest.distances.end(), at, at + nearest.k);
    }
    return nearest;
}

NeighbourIndex::NeighbourIndex(const Tensor& vectors, Metric metric, int threads)
    : state_(new State{search::FlatVectors(vectors, metric), base::resolve_threads(threads)}) {}
NeighbourIndex::NeighbourIndex(NeighbourIndex&&) noexcept = default;
NeighbourIndex& NeighbourIndex::operator=(NeighbourIndex&&) noexcept = default;
NeighbourIndex::~NeighbourIndex() = default;

std::int64_t NeighbourIndex::size() const {
    return state_->table.size();
}

Neighbours NeighbourIndex::search(const Tensor& queries, std::int64_t k) {
    check_k(k);
    if (queries.rows() > 0 && queries.columns() != state_->table.width()) {
        throw InvalidArgument(
            fmt::format("neighbours: queries of {} values found, {} expected as in the index",
                        queries.columns(), state_->table.width()));
    }
    for (std::int64_t i = 0; i < queries.rows(); ++i) {
        search::checked_squared_norm(queries.row(i), "query", i);
    }
    return state_->run(
        {.count = queries.rows(), .k = std::min(k, size()), .queries = &queries, .groups = {}, .rows = {}});
}

Neighbours NeighbourIndex::search_self(std::int64_t k, const std::vector<std::int64_t>& groups,
                                       const std::vector<std::int64_t>& rows) {
    check_k(k);
    if (!groups.empty() && static_cast<std::int64_t>(groups.size()) != size()) {
        throw InvalidArgument(
            fmt::format("neighbours: {} groups found for {} vectors", groups.size(), size()));
    }
    for (const std::int64_t row : rows) {
        check_row(row, size(), 0);
    }
    const std::int64_t count = rows.empty() ? size() : static_cast<std::int64_t>(rows.size());
    return state_->run(
        {.count = count, .k = std::min(k, size() - 1), .queries = nullptr, .groups = groups, .rows = rows});
}

std::vector<float> NeighbourIndex::local_scales(const std::vector<std::int64_t>& rows) {
    for (const std::int64_t row : rows) {
        check_row(row, size(), -1);
    }
    return state_->local_scales(rows);
}

std::vector<std::int64_t> NeighbourIndex::vote(const Neighbours& neighbours,
                                               const std::vector<std::int64_t>& labels, Vote how) {
    return how == Vote::weighted ? stackae::vote(neighbours, labels, local_scales(neighbours.rows))
                                 : stackae::vote(neighbours, labels);
}

}  // namespace stackae
