#include "cli/streams.hpp"

#include <csignal>
#include <exception>
#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace stackae::cli {

void guard_streams() {
    std::signal(SIGPIPE, SIG_IGN);
    std::signal(SIGXFSZ, SIG_IGN);
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(stream, F_GETFD) < 0) {
            // Takes the lowest number that is free: this one. Only in the direction that is not asked for.
            static_cast<void>(::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY));
        }
    }
    static_cast<void>(messages());
    // What ends the program by a fault of its own is told.
    static const std::terminate_handler before = std::get_terminate();
    std::set_terminate([] {
        stderr = messages();
        before();
    });
}

std::FILE* messages() {
    static std::FILE* const own = [] {
        std::FILE* const begun_with = stderr;
        if (std::FILE* const nowhere = std::fopen("/dev/null", "we")) {
            stderr = nowhere;
        }
        return begun_with;
    }();
    return own;
}

}  // namespace stackae::cli
