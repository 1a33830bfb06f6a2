#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace stackae::bench {

/// Another program that measures itself: it reads a line with what is to be done from its input, and answers
/// with a line that holds the seconds it took.
class Peer {
public:
    /// Throws Error when it cannot be started.
    explicit Peer(const std::vector<std::string>& command);
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer();

    /// Throws Error when it ends or answers with anything else than a number.
    double seconds(const std::string& request);

private:
    std::string name_;
    int process_ = -1;
    std::FILE* to_ = nullptr;
    std::FILE* from_ = nullptr;
};

struct Ended {
    double seconds = 0.0;
    double peak_mib = 0.0;  ///< largest resident memory
};

/// Runs a program to its end, its output thrown away. Throws Error unless it ends with 0.
Ended run(const std::vector<std::string>& command);

}  // namespace stackae::bench
