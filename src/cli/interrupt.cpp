#include "cli/interrupt.hpp"

#include <atomic>
#include <csignal>
#include <string_view>
#include <unistd.h>

#include "stackae/signal_guard.hpp"

#include "cli/command.hpp"

namespace stackae::cli {
namespace {

// A signal handler can reach nothing else, and may run on any thread.
std::atomic<bool> raised = false;
std::atomic<int> insisted = 0;  ///< SIGINT and SIGTERM since catch_interrupts()
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free);

[[noreturn]] void end_at_once(int /*signal*/) {
    // Neither stdio nor destructors may be called from here.
    constexpr std::string_view message = "stackae: interrupted\n";
    [[maybe_unused]] const auto ignored = ::write(STDERR_FILENO, message.data(), message.size());
    ::_exit(exit_code::interrupted);
}

void raise_flag(int signal) {
    raised = true;
    if (signal != SIGHUP && ++insisted > 1) {
        end_at_once(signal);
    }
}

void handle(void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    action.sa_flags = SA_RESTART;
    struct sigaction before {};
    if (::sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {
        ::sigaction(SIGHUP, &action, nullptr);
    }
    // These also where a shell started this in the background with SIGINT ignored: whoever sends it then
    // means it.
    for (const int signal : {SIGINT, SIGTERM}) {
        ::sigaction(signal, &action, nullptr);
    }
}

}  // namespace

void end_on_interrupts() {
    handle(end_at_once);
    static const SignalGuard guard;
}

void catch_interrupts() {
    handle(raise_flag);
}

bool interrupted() noexcept {
    return raised;
}

void check_interrupted() {
    if (interrupted()) {
        throw Interrupted();
    }
}

void stop_waiting(double /*seconds*/) {
    check_interrupted();
}

}  // namespace stackae::cli
