#pragma once

#include <memory>

namespace stackae {

/// While it lives, signals that programs handle are left to a thread that does nothing else: they are blocked
/// on the calling thread and on all that it starts meanwhile, and on those of OpenMP that it works with,
/// where they stay blocked.
///
/// Whoever handles signals and calls the library needs one. A handler gets its frame on the stack of the
/// thread that it runs on, below the stack pointer, and oneDNN's kernels use that register as one more
/// pointer into matrices: a frame there overwrites them (https://github.com/uxlfoundation/oneDNN/issues/4845,
/// mended after version 3.11).
class SignalGuard {
public:
    /// threads: as resolve_threads() has it.
    explicit SignalGuard(int threads = 0);
    SignalGuard(const SignalGuard&) = delete;
    SignalGuard& operator=(const SignalGuard&) = delete;
    /// On the thread that made it.
    ~SignalGuard();

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stackae
