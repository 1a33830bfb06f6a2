#include "search/inverted_file.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "base/vectorized.hpp"
#include "linalg/gemm.hpp"
#include "linalg/spherical_kmeans.hpp"

namespace stackae::search {
namespace {

using base::at;

constexpr double lists_a_root = 2.0;      ///< lists, over √n
constexpr std::int64_t list_share = 48;   ///< one in so many is looked at
constexpr std::int64_t least_probes = 8;  ///< lists that are looked at
constexpr std::int64_t learnt_from = 40;  ///< vectors a centroid
constexpr int passes = 5;
constexpr std::int64_t query_block = 64;
constexpr std::int64_t row_block = 256;
constexpr std::int64_t lane = 32;  ///< of a block's cosines that are looked at together

STACKAE_VECTORIZED
bool has_more_than(const float* values, float bar) {
    int above = 0;
    for (std::int64_t i = 0; i < lane; ++i) {
        above += values[i] > bar ? 1 : 0;
    }
    return above > 0;
}

/// Products of rows that begin at multiples of this, filled up with zeros, are faster.
std::int64_t padded(std::int64_t dimension) {
    constexpr std::int64_t values = 16;
    return (dimension + values - 1) / values * values;
}

NeighbourIndex learn_centroids(const Tensor& vectors, int threads) {
    const auto count =
        std::min(vectors.rows(),
                 static_cast<std::int64_t>(lists_a_root * std::sqrt(static_cast<double>(vectors.rows()))));
    const base::ThreadScope scope(threads);
    const Tensor sample = base::gather_rows(vectors, base::spread_rows(vectors.rows(), learnt_from * count));
    return {linalg::spherical_kmeans(sample.data(), sample.rows(), sample.columns(),
                                     {.k = count, .iterations = passes}),
            Metric::cosine, threads};
}

/// A vector that was found, and how far it is.
using Found = std::pair<float, std::int64_t>;

/// Looks through a list for some of the queries.
class ListScanner {
public:
    explicit ListScanner(std::int64_t padded)
        : product_(query_block, row_block, padded, {.trans_b = true}),
          queries_({query_block, padded}),
          cosines_({query_block, row_block}) {}

    /// asked: of queries, those that look at the list. vectors: `count` of it, padded, and up to the end of a
    /// block what stands there. rows: what they are called. found: of each the k nearest that are nearer than
    /// farthest.
    void scan(const Tensor& queries, const std::vector<std::int64_t>& asked, const float* vectors,
              const std::int64_t* rows, std::int64_t count, std::int64_t k, float farthest,
              std::vector<Found>& found) {
        const std::int64_t d = queries.columns();
        found.assign(asked.size() * at(k), {farthest, -1});
        for (std::int64_t first = 0; first < std::ssize(asked); first += query_block) {
            const std::int64_t held = std::min(query_block, std::ssize(asked) - first);
            for (std::int64_t i = 0; i < held; ++i) {
                std::copy_n(queries.row(asked[at(first + i)]).data(), d, queries_.row(i).data());
            }
            for (std::int64_t row = 0; row < count; row += row_block) {
                product_.product.run(queries_.data(), vectors + row * queries_.columns(), cosines_.data());
                for (std::int64_t i = 0; i < held; ++i) {
                    keep(cosines_.row(i).data(), rows + row, std::min(row_block, count - row),
                         found.data() + (first + i) * k, k);
                }
            }
        }
    }

private:
    /// best: k, the nearest first.
    static void keep(const float* cosines, const std::int64_t* rows, std::int64_t count, Found* best,
                     std::int64_t k) {
        for (std::int64_t first = 0; first < count; first += lane) {
            if (!has_more_than(cosines + first, 1.0F - best[k - 1].first)) {
                continue;
            }
            for (std::int64_t j = first; j < std::min(first + lane, count); ++j) {
                const Found here(1.0F - cosines[j], rows[j]);
                if (here < best[k - 1]) {
                    std::int64_t to = k - 1;
                    for (; to > 0 && here < best[to - 1]; --to) {
                        best[to] = best[to - 1];
                    }
                    best[to] = here;
                }
            }
        }
    }

    linalg::OwnGemm product_;
    Tensor queries_;
    Tensor cosines_;
};

}  // namespace

InvertedFile::InvertedFile(const Tensor& vectors, int threads)
    : threads_(threads), centroids_(learn_centroids(vectors, threads)) {
    const std::vector<std::int64_t> list = centroids_.search(vectors, 1).rows;
    first_.assign(at(centroids_.size() + 1), 0);
    for (const std::int64_t l : list) {
        ++first_[at(l + 1)];
    }
    for (std::size_t l = 1; l < first_.size(); ++l) {
        first_[l] += first_[l - 1];
    }
    rows_.resize(list.size());
    vectors_ = Tensor({vectors.rows() + row_block, padded(vectors.columns())});
    std::vector<std::int64_t> next = first_;
    for (std::int64_t i = 0; i < vectors.rows(); ++i) {
        const std::int64_t to = next[at(list[at(i)])]++;
        rows_[at(to)] = i;
        std::copy_n(vectors.row(i).data(), vectors.columns(), vectors_.row(to).data());
    }
}

Neighbours InvertedFile::search(const Tensor& queries, std::int64_t k, double least_cosine) {
    const auto farthest = static_cast<float>(1.0 - least_cosine);
    const std::int64_t probes = std::min(lists(), std::max(least_probes, lists() / list_share));
    const Neighbours nearest = centroids_.search(queries, probes);
    std::vector<std::vector<std::int64_t>> asked(at(lists()));
    std::vector<std::int64_t> place(nearest.rows.size());  // among those that look at the list
    for (std::size_t i = 0; i < nearest.rows.size(); ++i) {
        auto& queries_of = asked[at(nearest.rows[i])];
        place[i] = std::ssize(queries_of);
        queries_of.push_back(static_cast<std::int64_t>(i) / probes);
    }
    std::vector<std::vector<Found>> found(asked.size());
    base::parallel_for(lists(), threads_, [&] {
        return [&, scanner = std::make_unique<ListScanner>(padded(queries.columns()))](std::int64_t l) {
            const std::int64_t first = first_[at(l)];
            scanner->scan(queries, asked[at(l)], vectors_.row(first).data(), rows_.data() + first,
                          first_[at(l + 1)] - first, k, farthest, found[at(l)]);
        };
    });
    Neighbours all{queries.rows(), k, {}, {}, Metric::cosine};
    std::vector<Found> of_query;
    for (std::int64_t query = 0; query < queries.rows(); ++query) {
        of_query.clear();
        for (std::int64_t i = query * probes; i < (query + 1) * probes; ++i) {
            const auto from = found[at(nearest.rows[at(i)])].begin() + place[at(i)] * k;
            of_query.insert(of_query.end(), from, from + k);
        }
        std::partial_sort(of_query.begin(), of_query.begin() + k, of_query.end());
        for (std::int64_t i = 0; i < k; ++i) {
            all.distances.push_back(of_query[at(i)].second < 0 ? std::numeric_limits<float>::infinity()
                                                               : of_query[at(i)].first);
            all.rows.push_back(of_query[at(i)].second);
        }
    }
    return all;
}

}  // namespace stackae::search
