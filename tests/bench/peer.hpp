#pragma once

#include <cstdio>
#include <string>
#include <vector>

namespace stackae::bench {

/// Another program that measures itself: it prints a line when it is ready, then reads a line with what is to
/// be done from its input, and answers with a line that holds the seconds it took.
class Peer {
public:
    /// Waits until it is ready. Throws Error when it cannot be started.
    explicit Peer(const std::vector<std::string>& command);
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer();

    /// Throws Error when it ends or answers with anything else than numbers.
    std::vector<double> numbers(const std::string& request, std::size_t count);
    double seconds(const std::string& request) { return numbers(request, 1).front(); }
    /// Stops all its threads, until it is to go on.
    void halt();
    void go_on();

private:
    std::string read_line();

    std::string name_;
    int process_ = -1;
    std::FILE* to_ = nullptr;
    std::FILE* from_ = nullptr;
};

struct Ended {
    double seconds = 0.0;
    double peak_mib = 0.0;  ///< largest resident memory
};

/// Runs programs to their ends, their output thrown away. They are started by a small process: a program's
/// peak counts the memory of what started it.
class Runner {
public:
    /// Words hold no tabs and no ends of lines. Throws Error unless the program ends with 0.
    Ended run(const std::vector<std::string>& command);

private:
    Peer peer_{{"/proc/self/exe", serve_option}};

public:
    static constexpr const char* serve_option = "--run";
    /// What that process does: answers requests of its input until there are no more.
    static void serve();
};

}  // namespace stackae::bench
