#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace stackae::data {

/// Calls body(0) … body(count − 1) on several threads, the caller's among them.
template <class Body>
void parallel_for(std::size_t count, int threads, const Body& body) {
    std::atomic<std::size_t> next{0};
    std::exception_ptr failure;
    std::mutex mutex;
    const auto work = [&] {
        try {
            for (std::size_t i = next++; i < count; i = next++) {
                body(i);
            }
        } catch (...) {
            const std::lock_guard lock(mutex);
            failure = std::current_exception();
        }
    };
    std::vector<std::jthread> helpers;
    try {
        for (std::size_t i = 1; i < std::min(count, static_cast<std::size_t>(threads)); ++i) {
            helpers.emplace_back(work);
        }
    } catch (const std::system_error&) {  // no more threads to be had: fewer will do
    }
    work();
    helpers.clear();
    if (failure) {
        std::rethrow_exception(failure);
    }
}

}  // namespace stackae::data
