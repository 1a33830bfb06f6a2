#pragma once

#include <cstdio>
#include <exception>
#include <functional>
#include <stdexcept>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace stackae::test {

/// Exit code of `action` in processes of their own that run at once: 0, 1 where it threw, −signal where one
/// ended it. `action` gets the process's number from 0.
inline std::vector<int> exit_codes(int processes, const std::function<void(int)>& action) {
    std::vector<pid_t> children;
    for (int i = 0; i < processes; ++i) {
        const pid_t child = ::fork();
        if (child < 0) {
            throw std::runtime_error("cannot fork");
        }
        if (child == 0) {
            int code = 0;
            try {
                action(i);
            } catch (const std::exception& error) {
                std::fprintf(stderr, "process %d: %s\n", i,
                             error.what());  // a test that fails should say why
                code = 1;
            }
            ::_exit(code);  // the test program's own end is not this one's
        }
        children.push_back(child);
    }
    std::vector<int> codes;
    for (const pid_t child : children) {
        int status = 0;
        if (::waitpid(child, &status, 0) != child) {
            throw std::runtime_error("cannot wait");
        }
        codes.push_back(WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status));
    }
    return codes;
}

}  // namespace stackae::test
