#pragma once

#include <chrono>

namespace stackae::bench {

/// What else ran on the machine since this was made, by /proc: all processor time but that of this process
/// group (the benchmark, its peers and the programs it starts), and what a host took from a virtual machine.
class OtherWork {
public:
    OtherWork();

    /// Both in cores: 0.5 is half a core, all of the time.
    struct Taken {
        double others = 0.0;
        double stolen = 0.0;

        /// Enough to spoil a time.
        [[nodiscard]] bool disturbs() const { return others + stolen > 0.1; }
    };
    [[nodiscard]] Taken taken() const;

private:
    std::chrono::steady_clock::time_point start_;
    double others_;  ///< seconds since the system started
    double stolen_;
};

}  // namespace stackae::bench
