#include <fmt/format.h>
#include <fstream>

#include "stackae/neighbours.hpp"

#include "base/random.hpp"
#include "bench.hpp"
#include "linalg/bfloat16.hpp"
#include "linalg/gemm.hpp"
#include "linalg/pca.hpp"

namespace stackae::bench {
namespace {

constexpr std::int64_t rows = 60'000;
constexpr std::int64_t queries = 10'000;
constexpr std::int64_t k = 10;

/// Normal values, the same for everyone: written as they are for the peers.
Tensor vectors(std::int64_t n, std::int64_t d, std::uint32_t part, const std::string& path) {
    Tensor values({n, d});
    const base::Random random(0, base::RandomStream::plan, part);
    for (std::int64_t i = 0; i + 1 < values.size(); i += 2) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 2));
        const auto normal = base::Random::normal(bits[0], bits[1]);
        values.data()[i] = normal[0];
        values.data()[i + 1] = normal[1];
    }
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * static_cast<std::int64_t>(sizeof(float))));
    return values;
}

/// The limit: the scores of all queries and rows by oneDNN and nothing else, in blocks that stay in cache, in
/// the precision that the search takes.
class Scores {
public:
    Scores(linalg::Context& context, std::int64_t d)
        : product_(context, some_queries, some_rows, d,
                   {.trans_b = true,
                    .packed_b = linalg::has_bfloat16(),
                    .bf16 = linalg::has_bfloat16(),
                    .bias = true}),
          queries_({some_queries, d}),
          rows_({rows / some_rows,
                 static_cast<std::int64_t>(product_.layout().get_size() / sizeof(float)) + 1}),
          bias_({some_rows}),
          scores_({some_queries, some_rows}) {}

    void run() {
        for (std::int64_t i = 0; i < queries / some_queries; ++i) {
            for (std::int64_t j = 0; j < rows / some_rows; ++j) {
                product_.run(queries_.data(), rows_.row(j).data(), scores_.data(), bias_.data());
            }
        }
    }

private:
    static constexpr std::int64_t some_queries = 2000;
    static constexpr std::int64_t some_rows = 1000;

    linalg::Gemm product_;
    Tensor queries_;  ///< of floats, half as many bytes would do for bfloat16
    Tensor rows_;
    Tensor bias_;
    Tensor scores_;
};

std::vector<Row> neighbours(const Setup& setup, std::int64_t d) {
    const std::string base = setup.folder + "/base.f32";
    const std::string asked = setup.folder + "/asked.f32";
    NeighbourIndex index(vectors(rows, d, 1, base), Metric::l2, setup.threads);
    const Tensor query = vectors(queries, d, 2, asked);
    const base::ThreadScope scope(setup.threads);
    linalg::Context context(setup.threads);
    Scores limit(context, d);
    std::vector<std::function<double()>> things = {
        [&] { return seconds_of([&] { static_cast<void>(index.search(query, k)); }); },
        [&] { return seconds_of([&] { limit.run(); }); }};
    const std::string request = fmt::format("knn {} {} {} {}", d, setup.threads, base, asked);
    const ProductShape products{2000, d, 1000};
    std::vector<PeerRun> peers;
    if (setup.faiss != nullptr) {
        peers.push_back({setup.faiss, "FAISS flat", request, "openblas", products});
    }
    if (setup.python != nullptr) {
        peers.push_back({setup.python, "scikit-learn brute", request, "numpy", products});
    }
    add_things(things, peers);
    const Rounds rounds(setup.repeats, things);
    const double work = 2.0 * giga * static_cast<double>(queries * rows * d);
    Row row{fmt::format("search.knn{}", d), "10 nearest of 60,000, 10,000 queries, exact",
            work / rounds.seconds(0), "GFLOP/s"};
    row.limit = work / rounds.seconds(1);
    row.over_limit = rounds.faster(0, 1);
    std::vector<Row> found(std::max<std::size_t>(1, peers.size()), row);
    for (std::size_t i = 0; i < peers.size(); ++i) {
        add_peer(found[i], peers[i], setup, rounds, 2 + i, work);
        if (peers[i].peer == setup.python) {
            found[i].name += ".sklearn";
        }
    }
    return found;
}

std::vector<Row> principal_axes(const Setup& setup) {
    constexpr std::int64_t n = 20'000;
    constexpr std::int64_t d = 784;
    constexpr std::int64_t components = 64;
    const std::string base = setup.folder + "/base.f32";
    const Tensor values = vectors(n, d, 3, base);
    const base::ThreadScope scope(setup.threads);
    std::vector<std::function<double()>> things = {
        [&] { return seconds_of([&] { static_cast<void>(linalg::pca(values.data(), n, d, components)); }); }};
    std::vector<PeerRun> peers;
    if (setup.python != nullptr) {
        peers.push_back({setup.python,
                         "scikit-learn",
                         fmt::format("pca {} {} {} {}", d, setup.threads, base, components),
                         "numpy",
                         {d, n, d}});
    }
    add_things(things, peers);
    const Rounds rounds(setup.repeats, things);
    constexpr double work = static_cast<double>(n);
    Row row{"pca", "64 principal axes of 20,000 x 784", work / rounds.seconds(0), "rows/s"};
    if (!peers.empty()) {
        add_peer(row, peers.front(), setup, rounds, 1, work);
    }
    return {row};
}

}  // namespace

std::vector<Rows> search_rows() {
    return {{{"pca"}, principal_axes},
            {{"search.knn64"}, [](const Setup& setup) { return neighbours(setup, 64); }},
            {{"search.knn784"}, [](const Setup& setup) { return neighbours(setup, 784); }}};
}

}  // namespace stackae::bench
