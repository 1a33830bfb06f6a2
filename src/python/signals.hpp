#pragma once

#include <chrono>
#include <exception>
#include <optional>
#include <pybind11/pybind11.h>

#include "stackae/signal_guard.hpp"

namespace stackae::python {

/// Whether Python has a signal to handle, such as Ctrl-C, and what its handler throws.
class Signals {
public:
    /// Asked without Python's lock. Once a handler has thrown, true for good.
    bool arrived() {
        // Asking takes the lock, which other threads may hold.
        constexpr std::chrono::milliseconds between{50};
        const auto now = std::chrono::steady_clock::now();
        if (!thrown_ && now - asked_ >= between) {
            asked_ = now;
            const pybind11::gil_scoped_acquire lock;
            if (PyErr_CheckSignals() != 0) {
                thrown_.emplace();
            }
        }
        return thrown_.has_value();
    }
    /// Calls into Python, without its lock; what that throws, as a handler may there too, is kept: it is not
    /// to pass through the library.
    template <class Call>
    void call(const Call& call) {
        const pybind11::gil_scoped_acquire lock;
        if (thrown_) {
            return;
        }
        try {
            call();
        } catch (const pybind11::error_already_set& error) {
            thrown_ = error;
        }
    }
    /// With the lock.
    void rethrow() const {
        if (thrown_) {
            throw pybind11::error_already_set(*thrown_);
        }
    }

private:
    std::optional<pybind11::error_already_set> thrown_;
    std::chrono::steady_clock::time_point asked_;
};

/// Work of the library: without Python's lock, and with signals left to another thread.
class Released {
public:
    explicit Released(int threads = 1) : guard_(threads) {}

private:
    pybind11::gil_scoped_release release_;
    SignalGuard guard_;
};

/// Thrown through the library to end it where it has no other way.
struct Stopped {};

/// Does the work so; throws what a signal's handler has thrown before anything that the work has.
template <class Work>
void run_released(const Signals& signals, int threads, const Work& work) {
    std::exception_ptr failure;
    {
        const Released released(threads);
        try {
            work();
        } catch (...) {
            failure = std::current_exception();
        }
    }
    signals.rethrow();
    if (failure) {
        std::rethrow_exception(failure);
    }
}

}  // namespace stackae::python
