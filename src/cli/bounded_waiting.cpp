// Threads of libgomp that wait for the others spin for 300,000 rounds (some 15 ms) before they sleep. Where
// other programs want the cores too, or a quota ends the time slice of the thread that is waited for, that
// makes training ten times slower than on one thread. How long they spin is read from the environment when
// libgomp is loaded, before main and before every constructor of the program; a function of .preinit_array
// alone is earlier.
//
// Threads and quotas come from elsewhere (base/threads); this file makes a part of the program, not of the
// library: the settings of a program that uses the library are its own.
#include "cli/bounded_waiting.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <cstddef>
#include <cstdlib>
#include <string_view>
#include <unistd.h>

namespace stackae::cli {
namespace {

/// Some 10 to 50 µs, by the processor: as long as the pieces of work differ, and what waking a thread costs.
/// On idle cores training is as fast as with 300,000 (0.63 of one thread's time, against 0.69), on busy ones
/// as with 0.
constexpr const char* spin_count = "GOMP_SPINCOUNT=1000";

/// Variables that nothing reads before main; the first one that is there lends its place.
constexpr std::array<std::string_view, 7> lenders{"_", "OLDPWD", "SHLVL", "PWD", "LOGNAME", "USER", "HOME"};
/// With one of these the user has decided.
constexpr std::array<std::string_view, 3> decisions{"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"};

char** lent_place = nullptr;
char* lent = nullptr;

template <std::size_t size>
bool is_one_of(const char* entry, const std::array<std::string_view, size>& names) {
    const std::string_view text(entry);
    const std::string_view name = text.substr(0, text.find('='));
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Where no variable can lend its place: the same program anew, with one variable more.
void start_anew(char** arguments, char** environment, std::size_t size) {
    constexpr std::size_t most = 256;
    static std::array<char*, most> entries;
    static std::array<char, PATH_MAX> path;
    const ssize_t length = ::readlink("/proc/self/exe", path.data(), path.size() - 1);
    if (length <= 0 || size + 2 > most) {
        return;  // then they spin
    }
    std::copy_n(environment, size, entries.begin());
    entries[size] = const_cast<char*>(spin_count);  // execve changes nothing
    ::execve(path.data(), arguments, entries.data());
}

/// Runs before libc has set `environ`, which it will set to this array: an entry cannot be added, so one is
/// replaced until bound_waiting() puts it back.
[[maybe_unused]] void before_libraries(int /*count*/, char** arguments, char** environment) {
    std::size_t size = 0;
    char** place = nullptr;
    for (; environment[size] != nullptr; ++size) {
        if (is_one_of(environment[size], decisions)) {
            return;
        }
        if (place == nullptr && is_one_of(environment[size], lenders)) {
            place = environment + size;
        }
    }
    if (place == nullptr) {
        start_anew(arguments, environment, size);
        return;
    }
    lent_place = place;
    lent = *place;
    *place = const_cast<char*>(spin_count);  // read as text only
}

#ifndef STACKAE_STD_THREADS  // the thread sanitizer, whose build that is, begins later
__attribute__((section(".preinit_array"), used)) void (*const preinit)(int, char**,
                                                                       char**) = before_libraries;
#endif

}  // namespace

void bound_waiting() {
    if (lent_place != nullptr) {
        *lent_place = lent;
        lent_place = nullptr;
    }
    // LLVM's libomp reads its own when the first threads start; milliseconds.
    if (std::getenv("OMP_WAIT_POLICY") == nullptr) {
        ::setenv("KMP_BLOCKTIME", "0", 0);
    }
}

}  // namespace stackae::cli
