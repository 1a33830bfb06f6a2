#include "stackae/signal_guard.hpp"

#include <atomic>
#include <csignal>
#include <pthread.h>
#include <thread>
#include <unistd.h>

#include "support/catch.hpp"

namespace stackae {
namespace {

std::atomic<int> handled = 0;
std::atomic<pthread_t> handler_thread;

void handle(int /*signal*/) {
    handler_thread = ::pthread_self();
    ++handled;
}

bool is_blocked(int signal) {
    sigset_t now;
    ::pthread_sigmask(SIG_SETMASK, nullptr, &now);
    return ::sigismember(&now, signal) == 1;
}

TEST_CASE("Signals are handled by another thread while there is a guard, and by this one again afterwards") {
    struct sigaction action {};
    struct sigaction before {};
    action.sa_handler = handle;
    REQUIRE(::sigaction(SIGUSR2, &action, &before) == 0);
    {
        const SignalGuard outer(2);
        const SignalGuard inner(1);
        CHECK(is_blocked(SIGUSR2));
        CHECK_FALSE(is_blocked(SIGSEGV));
        REQUIRE(::kill(::getpid(), SIGUSR2) == 0);
        for (int i = 0; i < 5000 && handled == 0; ++i) {
            ::usleep(1000);
        }
        CHECK(handled == 1);
        CHECK_FALSE(::pthread_equal(handler_thread, ::pthread_self()) != 0);
        bool in_new_thread = false;
        std::thread([&] { in_new_thread = is_blocked(SIGUSR2); }).join();
        CHECK(in_new_thread);
    }
    CHECK_FALSE(is_blocked(SIGUSR2));
    ::sigaction(SIGUSR2, &before, nullptr);
}

}  // namespace
}  // namespace stackae
