#pragma once

#include <memory>
#include <string>
#include <vector>

#include "peer.hpp"
#include "products.hpp"

namespace stackae::bench {

/// A peer on the best of what is there: its libraries are taken from a folder, whatever the system's choice
/// is, and its OpenMP threads are tried both ways, spinning (OMP_WAIT_POLICY=active) and sleeping (passive)
/// while they wait. Who is not asked is halted: threads that spin would take the cores from what is measured.
class TunedPeer {
public:
    /// libraries: searched before the system's; may be empty. Throws Error when it cannot be started.
    TunedPeer(const std::vector<std::string>& command, const std::string& libraries);

    /// Tries a request both ways, twice each; what is asked from now on goes to the faster. Throws Error.
    void choose(const std::string& request);
    /// "active" or "passive".
    [[nodiscard]] const std::string& policy() const { return ways_[chosen_].policy; }
    double seconds(const std::string& request) { return ask(ways_[chosen_], request); }
    /// Of a matrix product of its own, by the library of that name, in GFLOP/s; the better way to wait.
    double product_rate(const std::string& library, int threads, const ProductShape& shape);

private:
    struct Way {
        std::string policy;
        std::unique_ptr<Peer> peer;
    };
    static double ask(Way& way, const std::string& request);

    std::vector<Way> ways_;
    std::size_t chosen_ = 0;
};

}  // namespace stackae::bench
