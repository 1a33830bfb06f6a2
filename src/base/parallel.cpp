#include "base/parallel.hpp"

#include <exception>
#include <mutex>
#include <omp.h>

#ifdef STACKAE_STD_THREADS
#include <thread>
#include <vector>
#endif

namespace stackae::base {
namespace {

#ifdef STACKAE_STD_THREADS

thread_local bool inside_team = false;

/// The same on std::thread's, whose synchronisation the thread sanitizer sees.
template <class Member>
void each_member(int threads, const Member& member) {
    const int team = inside_team ? 1 : std::max(1, threads);
    if (team == 1) {
        member(0, 1);
        return;
    }
    const auto run = [&](int number) {
        inside_team = true;
        member(number, team);
        inside_team = false;
    };
    std::vector<std::jthread> others;
    for (int number = 1; number < team; ++number) {
        others.emplace_back(run, number);
    }
    run(0);
}

#else

template <class Member>
void each_member(int threads, const Member& member) {
#pragma omp parallel num_threads(std::max(1, threads))
    member(omp_get_thread_num(), omp_get_num_threads());
}

#endif

}  // namespace

ThreadScope::ThreadScope(int threads) : before_(omp_get_max_threads()) {
    omp_set_num_threads(threads);
}

ThreadScope::~ThreadScope() {
    omp_set_num_threads(before_);
}

int current_threads() {
    return omp_get_max_threads();
}

void run_team(int threads, void (*call)(const void* body, int member, int team), const void* body) {
    std::exception_ptr failure;
    std::mutex mutex;
    each_member(threads, [&](int number, int team) {
        const ThreadScope alone(1);
        try {
            call(body, number, team);
        } catch (...) {
            const std::lock_guard lock(mutex);
            failure = std::current_exception();
        }
    });
    if (failure) {
        std::rethrow_exception(failure);
    }
}

}  // namespace stackae::base
