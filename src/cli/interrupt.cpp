#include "cli/interrupt.hpp"

#include <csignal>

namespace stackae::cli {
namespace {

// A signal handler can reach nothing else.
volatile std::sig_atomic_t raised = 0;

void raise_flag(int /*signal*/) {
    raised = 1;
    std::signal(SIGINT, SIG_DFL);
    std::signal(SIGTERM, SIG_DFL);
}

}  // namespace

void catch_interrupts() {
    struct sigaction action {};
    action.sa_handler = raise_flag;
    action.sa_flags = SA_RESTART;
    sigaction(SIGTERM, &action, nullptr);
    // Also where a shell started this in the background with SIGINT ignored: whoever sends it then means it.
    sigaction(SIGINT, &action, nullptr);
}

bool interrupted() noexcept {
    return raised != 0;
}

void check_interrupted() {
    if (interrupted()) {
        throw Interrupted();
    }
}

}  // namespace stackae::cli
