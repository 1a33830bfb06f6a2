#include "tuned_peer.hpp"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <limits>

#include "bench.hpp"

namespace stackae::bench {
namespace {

double best_of(int times, const std::function<double()>& seconds) {
    double best = std::numeric_limits<double>::infinity();
    for (int i = 0; i < times; ++i) {
        best = std::min(best, seconds());
    }
    return best;
}

/// How often a product is done for one time of it.
std::int64_t repeats(const ProductShape& shape) {
    return std::max<std::int64_t>(3, static_cast<std::int64_t>(1e10 / shape.flops()));
}

double rate(const ProductShape& shape, double seconds) {
    return giga * shape.flops() * static_cast<double>(repeats(shape)) / seconds;
}

/// Of oneDNN, forward, in the layouts it likes best.
double limit_of(const ProductShape& shape, int threads) {
    const base::ThreadScope scope(threads);
    linalg::Context context(threads);
    Products products(context, {shape}, false);
    return rate(shape, best_of(4, [&] {
                    return seconds_of([&] {
                        for (std::int64_t i = 0; i < repeats(shape); ++i) {
                            products.run();
                        }
                    });
                }));
}

/// For OpenBLAS, which takes its oldest kernels on a processor that is younger than it; the user's own choice
/// stays. Empty: as it chooses.
std::string openblas_kernels() {
#ifdef __x86_64__
    if (std::getenv("OPENBLAS_CORETYPE") == nullptr) {
        return __builtin_cpu_supports("avx512vl") ? "SkylakeX"
               : __builtin_cpu_supports("avx2")   ? "Haswell"
                                                  : "";
    }
#endif
    return "";
}

}  // namespace

TunedPeer::TunedPeer(const std::vector<std::string>& command, const std::string& libraries) {
    for (const std::string policy : {"active", "passive"}) {
        std::vector<std::string> words = {"/usr/bin/env", "OMP_WAIT_POLICY=" + policy};
        if (const std::string kernels = openblas_kernels(); !kernels.empty()) {
            words.push_back("OPENBLAS_CORETYPE=" + kernels);
        }
        if (!libraries.empty()) {
            words.push_back("LD_LIBRARY_PATH=" + libraries);
        }
        words.insert(words.end(), command.begin(), command.end());
        ways_.push_back({policy, std::make_unique<Peer>(words)});
        ways_.back().peer->halt();
    }
}

double TunedPeer::ask(Way& way, const std::string& request) {
    way.peer->go_on();
    const double seconds = way.peer->seconds(request);
    way.peer->halt();
    return seconds;
}

void TunedPeer::choose(const std::string& request) {
    std::vector<double> times;
    for (Way& way : ways_) {
        times.push_back(best_of(2, [&] { return ask(way, request); }));
    }
    chosen_ = static_cast<std::size_t>(std::min_element(times.begin(), times.end()) - times.begin());
}

double TunedPeer::product_rate(const std::string& library, int threads, const ProductShape& shape) {
    const std::string request = fmt::format("product {} {} {} {} {} {}", library, threads, shape.n, shape.ic,
                                            shape.oc, repeats(shape));
    double best = 0.0;
    for (Way& way : ways_) {
        best = std::max(best, rate(shape, best_of(4, [&] { return ask(way, request); })));
    }
    return best;
}

void add_things(std::vector<std::function<double()>>& things, const std::vector<PeerRun>& peers) {
    for (const PeerRun& run : peers) {
        run.peer->choose(run.request);
        things.emplace_back([peer = run.peer, request = run.request] { return peer->seconds(request); });
    }
}

void add_peer(Row& row, const PeerRun& run, const Setup& setup, const Rounds& rounds, std::size_t thing,
              double work) {
    Beside& beside = row.peer.emplace();
    beside.name = run.name;
    beside.policy = run.peer->policy();
    beside.value = work / rounds.seconds(thing);
    beside.faster = rounds.faster(0, thing);
    beside.products = run.peer->product_rate(run.library, setup.threads, run.products);
    beside.products_of_limit = beside.products / limit_of(run.products, setup.threads);
}

}  // namespace stackae::bench
