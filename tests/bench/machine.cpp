#include "machine.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <unistd.h>

namespace stackae::bench {
namespace {

double seconds(double ticks) {
    return ticks / static_cast<double>(sysconf(_SC_CLK_TCK));
}

struct Total {
    double busy = 0.0;
    double stolen = 0.0;
};

/// Of all processors: the first line of /proc/stat.
Total total() {
    std::ifstream file("/proc/stat");
    std::string cpu;
    std::array<double, 8> ticks{};  // user, nice, system, idle, waiting for disks, interrupts (2), stolen
    file >> cpu;
    for (double& value : ticks) {
        file >> value;
    }
    return {seconds(ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6]), seconds(ticks[7])};
}

/// Of the processes of this group, and of their children that have ended.
double own() {
    double ticks = 0.0;
    const pid_t group = getpgrp();
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator("/proc", none)) {
        const std::string name = entry.path().filename();
        if (std::isdigit(static_cast<unsigned char>(name.front())) == 0) {
            continue;
        }
        std::ifstream file(entry.path() / "stat");
        std::string line;
        std::getline(file, line);
        const std::size_t end = line.rfind(')');  // of the program's name, which may hold anything
        if (end == std::string::npos) {
            continue;
        }
        std::istringstream fields(line.substr(end + 1));
        std::string state;
        pid_t parent = 0;
        pid_t its_group = 0;
        fields >> state >> parent >> its_group;
        std::string skipped;
        for (int i = 0; i < 8; ++i) {
            fields >> skipped;
        }
        std::array<double, 4> spent{};  // user and system, its own and its children's
        for (double& value : spent) {
            fields >> value;
        }
        if (fields && its_group == group) {
            ticks += spent[0] + spent[1] + spent[2] + spent[3];
        }
    }
    return seconds(ticks);
}

}  // namespace

OtherWork::OtherWork() : start_(std::chrono::steady_clock::now()) {
    const Total now = total();
    others_ = now.busy - own();
    stolen_ = now.stolen;
}

OtherWork::Taken OtherWork::taken() const {
    const Total now = total();
    const double others = now.busy - own() - others_;
    const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - start_;
    return {std::max(0.0, others) / passed.count(), (now.stolen - stolen_) / passed.count()};
}

}  // namespace stackae::bench
