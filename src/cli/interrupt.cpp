#include "cli/interrupt.hpp"

#include <atomic>
#include <csignal>
#include <pthread.h>
#include <string_view>
#include <unistd.h>

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

[[noreturn]] void* wait_for_signals(void* /*nothing*/) {
    for (;;) {
        ::pause();
    }
}

/// Leaves the signals to a thread that does nothing else, and to those that libraries have started before:
/// it is blocked on this one and on all that it starts. A handler gets its frame on the stack of the thread
/// that it runs on, below the stack pointer, and oneDNN's kernels use that as one more pointer into matrices:
/// a frame there would overwrite them.
void spare_this_thread() {
    constexpr std::size_t stack_bytes = 256 * 1024;
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    ::pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_t thread{};
    if (::pthread_create(&thread, &attributes, wait_for_signals, nullptr) == 0) {
        sigset_t signals;
        ::sigemptyset(&signals);
        for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
            ::sigaddset(&signals, signal);
        }
        ::pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    }
    ::pthread_attr_destroy(&attributes);
}

}  // namespace

void end_on_interrupts() {
    handle(end_at_once);
    spare_this_thread();
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
