#include "stackae/signal_guard.hpp"

#include <csignal>
#include <mutex>
#include <pthread.h>
#include <unistd.h>

#include "stackae/resources.hpp"

#include "base/parallel.hpp"

namespace stackae {
namespace {

/// All but those that a thread raises itself by what it does, and would be ended by.
sigset_t handled_signals() {
    sigset_t signals;
    ::sigfillset(&signals);
    for (const int signal : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
        ::sigdelset(&signals, signal);
    }
    return signals;
}

[[noreturn]] void* wait_for_signals(void* /*nothing*/) {
    for (;;) {
        ::pause();
    }
}

/// The thread that signals are left to; it stays. False where there is none.
bool start_waiting() {
    constexpr std::size_t stack_bytes = std::size_t{256} * 1024;
    pthread_attr_t attributes;
    ::pthread_attr_init(&attributes);
    ::pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    ::pthread_attr_setstacksize(&attributes, stack_bytes);
    pthread_t thread{};
    const bool started = ::pthread_create(&thread, &attributes, wait_for_signals, nullptr) == 0;
    ::pthread_attr_destroy(&attributes);
    return started;
}

/// Once a process: a child that was forked off has no such thread any more.
bool is_waited_for() {
    static pid_t process = 0;
    static bool waits = false;
    if (process != ::getpid()) {
        process = ::getpid();
        waits = start_waiting();
    }
    return waits;
}

}  // namespace

struct SignalGuard::State {
    sigset_t before;  ///< of the caller
};

SignalGuard::SignalGuard(int threads) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    if (!is_waited_for()) {
        return;
    }
    state_ = std::make_unique<State>();
    const sigset_t signals = handled_signals();
    // The caller first, so that threads of the team that are not there yet are started with them blocked.
    ::pthread_sigmask(SIG_BLOCK, &signals, &state_->before);
    base::run_team(resolve_threads(threads),
                   [&](int /*member*/, int /*team*/) { ::pthread_sigmask(SIG_BLOCK, &signals, nullptr); });
}

SignalGuard::~SignalGuard() {
    if (state_) {
        ::pthread_sigmask(SIG_SETMASK, &state_->before, nullptr);
    }
}

}  // namespace stackae
