#include "peer.hpp"

#include <array>
#include <boost/algorithm/string/split.hpp>
#include <chrono>
#include <csignal>
#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iostream>
#include <spawn.h>
#include <sstream>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stackae/error.hpp"

namespace stackae::bench {
namespace {

pid_t spawn(const std::vector<std::string>& command, posix_spawn_file_actions_t& actions) {
    std::vector<char*> arguments;
    for (const std::string& word : command) {
        arguments.push_back(const_cast<char*>(word.c_str()));  // posix_spawn does not write there
    }
    arguments.push_back(nullptr);
    pid_t process = -1;
    const int failed = posix_spawnp(&process, arguments[0], &actions, nullptr, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed != 0) {
        throw Error(fmt::format("{}: cannot be started", command.front()));
    }
    return process;
}

Ended run_here(const std::vector<std::string>& command) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    const auto start = std::chrono::steady_clock::now();
    const pid_t process = spawn(command, actions);
    int status = 0;
    rusage usage{};
    wait4(process, &status, 0, &usage);
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        throw Error(fmt::format("{}: ended badly (status {})", fmt::join(command, " "), status));
    }
    return {seconds, static_cast<double>(usage.ru_maxrss) / 1024.0};
}

}  // namespace

Peer::Peer(const std::vector<std::string>& command) : name_(fmt::format("{}", fmt::join(command, " "))) {
    std::array<int, 2> in{};
    std::array<int, 2> out{};
    if (pipe2(in.data(), O_CLOEXEC) != 0 || pipe2(out.data(), O_CLOEXEC) != 0) {
        throw Error("peers: no pipe");
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    process_ = spawn(command, actions);
    close(in[0]);
    close(out[1]);
    to_ = fdopen(in[1], "w");
    from_ = fdopen(out[0], "r");
    read_line();  // what it takes to start is not to be measured beside something else
}

void Peer::halt() {
    kill(process_, SIGSTOP);
}

void Peer::go_on() {
    kill(process_, SIGCONT);
}

Peer::~Peer() {
    if (process_ > 0) {
        go_on();
    }
    if (to_ != nullptr) {
        std::fclose(to_);  // at the end of its input it ends
    }
    if (from_ != nullptr) {
        std::fclose(from_);
    }
    if (process_ > 0) {
        waitpid(process_, nullptr, 0);
    }
}

std::vector<double> Peer::numbers(const std::string& request, std::size_t count) {
    std::signal(SIGPIPE, SIG_IGN);
    if (std::fprintf(to_, "%s\n", request.c_str()) < 0 || std::fflush(to_) != 0) {
        throw Error(fmt::format("{}: ended before it was asked for '{}'", name_, request));
    }
    const std::string line = read_line();
    std::istringstream words(line);
    std::vector<double> found(count);
    for (double& number : found) {
        if (!(words >> number) || !(number > 0.0)) {
            throw Error(fmt::format("{}: '{}' asked for, {} numbers expected, found: {}", name_, request,
                                    count, line));
        }
    }
    return found;
}

std::string Peer::read_line() {
    std::array<char, 256> line{};
    if (std::fgets(line.data(), static_cast<int>(line.size()), from_) == nullptr) {
        throw Error(fmt::format("{}: ended where a line was expected", name_));
    }
    return line.data();
}

Ended Runner::run(const std::vector<std::string>& command) {
    const std::vector<double> found = peer_.numbers(fmt::format("{}", fmt::join(command, "\t")), 2);
    return {found[0], found[1]};
}

void Runner::serve() {
    fmt::print("ready\n");
    std::fflush(stdout);
    for (std::string line; std::getline(std::cin, line);) {
        std::vector<std::string> command;
        boost::split(command, line, [](char c) { return c == '\t'; });
        const Ended ended = run_here(command);
        fmt::print("{:.6f} {:.1f}\n", ended.seconds, ended.peak_mib);
        std::fflush(stdout);
    }
}

}  // namespace stackae::bench
