#pragma once

#include <algorithm>
#include <exception>
#include <mutex>
#include <omp.h>

#ifdef STACKAE_STD_THREADS
#include <thread>
#include <vector>
#endif

/// The one place where threads share work inside of an operation.
namespace stackae::base {

#ifdef STACKAE_STD_THREADS
inline thread_local bool inside_team = false;
#endif

/// Sets OpenMP's thread count for the calling thread, and puts back what was there: the caller's own parallel
/// code keeps its setting.
class ThreadScope {
public:
    /// threads: 1 or more.
    explicit ThreadScope(int threads) : before_(omp_get_max_threads()) { omp_set_num_threads(threads); }
    ThreadScope(const ThreadScope&) = delete;
    ThreadScope& operator=(const ThreadScope&) = delete;
    ~ThreadScope() { omp_set_num_threads(before_); }

private:
    int before_;
};

/// Calls body(member, team) on `threads` threads at most, the caller's among them: member from 0 to team − 1.
/// They are OpenMP's, which oneDNN runs on too. With STACKAE_STD_THREADS they are std::thread's, whose
/// synchronisation the thread sanitizer sees. Inside of a team there is no further one: team is 1, and
/// oneDNN, which runs on OpenMP's threads, has that one alone. Rethrows what one of them threw, after all
/// have ended.
template <class Body>
void run_team(int threads, const Body& body) {
    std::exception_ptr failure;
    std::mutex mutex;
    const auto member = [&](int number, int team) {
        const ThreadScope alone(1);
        try {
            body(number, team);
        } catch (...) {
            const std::lock_guard lock(mutex);
            failure = std::current_exception();
        }
    };
#ifdef STACKAE_STD_THREADS
    const int team = inside_team ? 1 : std::max(1, threads);
    const auto run = [&](int number) {
        inside_team = team > 1;
        member(number, team);
        inside_team = false;
    };
    std::vector<std::jthread> others;
    for (int number = 1; number < team; ++number) {
        others.emplace_back(run, number);
    }
    if (team > 1) {
        run(0);
    } else {
        member(0, 1);
    }
    others.clear();
#else
#pragma omp parallel num_threads(std::max(1, threads))
    member(omp_get_thread_num(), omp_get_num_threads());
#endif
    if (failure) {
        std::rethrow_exception(failure);
    }
}

}  // namespace stackae::base
