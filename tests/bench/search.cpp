#include <algorithm>
#include <fstream>

#include "stackae/neighbours.hpp"

#include "bench.hpp"
#include "core/random.hpp"
#include "products.hpp"

namespace stackae::bench {
namespace {

constexpr std::int64_t rows = 60'000;
constexpr std::int64_t queries = 10'000;
constexpr std::int64_t k = 10;
constexpr double giga = 1e-9;

/// Normal values, the same for everyone: written as they are for the peers.
Tensor vectors(std::int64_t n, std::int64_t d, std::uint32_t part, const std::string& path) {
    Tensor values({n, d});
    const core::Random random(0, core::Stream::plan, part);
    for (std::int64_t i = 0; i + 1 < values.size(); i += 2) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 2));
        const auto normal = core::Random::normal(bits[0], bits[1]);
        values.data()[i] = normal[0];
        values.data()[i + 1] = normal[1];
    }
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * static_cast<std::int64_t>(sizeof(float))));
    return values;
}

std::vector<Row> neighbours(const Setup& setup, std::int64_t d) {
    const std::string base = setup.folder + "/base.f32";
    const std::string asked = setup.folder + "/asked.f32";
    NeighbourIndex index(vectors(rows, d, 1, base), Metric::l2, setup.threads);
    const Tensor query = vectors(queries, d, 2, asked);
    const nn::ThreadScope scope(setup.threads);
    nn::Context context(setup.threads);
    constexpr std::int64_t block = 1000;
    Products limit(context, {{block, d, rows}}, false);
    std::vector<std::function<double()>> things = {
        [&] { return seconds_of([&] { static_cast<void>(index.search(query, k)); }); },
        [&] {
            return seconds_of([&] {
                for (std::int64_t i = 0; i < queries / block; ++i) {
                    limit.run();
                }
            });
        }};
    const std::string request =
        "knn " + std::to_string(d) + " " + std::to_string(setup.threads) + " " + base + " " + asked;
    if (setup.faiss != nullptr) {
        things.emplace_back([&] { return setup.faiss->seconds(request); });
    }
    const Rounds rounds(setup.repeats, things);
    const double work = giga * limit.flops() * static_cast<double>(queries / block);
    Row row{"search.knn" + std::to_string(d), "10 nearest of 60,000, 10,000 queries, exact",
            work / rounds.seconds(0), "GFLOP/s"};
    row.limit = work / rounds.seconds(1);
    row.over_limit = rounds.faster(0, 1);
    if (setup.faiss != nullptr) {
        row.peer = work / rounds.seconds(2);
        row.over_peer = rounds.faster(0, 2);
        row.peer_name = "FAISS flat";
    }
    std::vector<Row> found = {row};
    if (setup.python != nullptr) {
        const Rounds beside(1,
                            {[&] { return seconds_of([&] { static_cast<void>(index.search(query, k)); }); },
                             [&] { return setup.python->seconds(request); }});
        Row other = row;
        other.name += ".sklearn";
        other.peer = work / beside.seconds(1);
        other.over_peer = beside.faster(0, 1);
        other.peer_name = "scikit-learn brute";
        found.push_back(other);
    }
    return found;
}

}  // namespace

std::vector<Rows> search_rows() {
    return {{{"search.knn64"}, [](const Setup& setup) { return neighbours(setup, 64); }},
            {{"search.knn784"}, [](const Setup& setup) { return neighbours(setup, 784); }}};
}

}  // namespace stackae::bench
