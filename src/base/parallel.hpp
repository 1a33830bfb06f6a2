#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>

/// How threads share the work inside of an operation: parallel_ranges() for loops over values, parallel_for()
/// where each thread needs a worker of its own. Both run on OpenMP's threads, as oneDNN does.
namespace stackae::base {

/// Sets OpenMP's thread count for the calling thread, and puts back what was there: the caller's own parallel
/// code keeps its setting.
class ThreadScope {
public:
    /// threads: 1 or more.
    explicit ThreadScope(int threads);
    ThreadScope(const ThreadScope&) = delete;
    ThreadScope& operator=(const ThreadScope&) = delete;
    ~ThreadScope();

private:
    int before_;
};

/// How many threads OpenMP would use now.
[[nodiscard]] int current_threads();

/// run_team() without its template: calls call(body, member, team).
void run_team(int threads, void (*call)(const void* body, int member, int team), const void* body);

/// Calls body(member, team) on `threads` threads at most, the caller's among them: member from 0 to team − 1.
/// Inside of a team there is no further one: team is 1, and oneDNN has that one thread alone. Rethrows what
/// one of them threw, after all have ended. parallel_for() and parallel_ranges() are made of it.
template <class Body>
void run_team(int threads, const Body& body) {
    run_team(
        threads,
        [](const void* erased, int member, int team) { (*static_cast<const Body*>(erased))(member, team); },
        &body);
}

/// Calls worker(i) for each i from 0 to count − 1, in any order, on at most so many threads. Each thread
/// makes a worker of its own by make_worker(): oneDNN's primitives and their scratch memory belong to a
/// thread. Rethrows what one of them threw.
template <class MakeWorker>
void parallel_for(std::int64_t count, int threads, const MakeWorker& make_worker) {
    std::atomic<std::int64_t> next{0};
    const int team = static_cast<int>(std::clamp<std::int64_t>(count, 1, threads));
    run_team(team, [&](int /*member*/, int /*team*/) {
        try {
            auto worker = make_worker();
            for (std::int64_t i = next++; i < count; i = next++) {
                worker(i);
            }
        } catch (...) {
            next = count;
            throw;
        }
    });
}

/// Calls body(begin, end) for parts of [0, size) on as many threads as OpenMP is set to. Parts are multiples
/// of `grain`; a range of one grain stays on the calling thread.
template <class Body>
void parallel_ranges(std::int64_t size, std::int64_t grain, const Body& body) {
    const std::int64_t grains = (size + grain - 1) / grain;
    const int threads = static_cast<int>(std::min<std::int64_t>(current_threads(), grains));
    if (threads <= 1) {
        body(std::int64_t{0}, size);
        return;
    }
    run_team(threads, [&](std::int64_t thread, std::int64_t team) {
        const std::int64_t begin = grains * thread / team * grain;
        const std::int64_t end = std::min(size, grains * (thread + 1) / team * grain);
        if (begin < end) {
            body(begin, end);
        }
    });
}

}  // namespace stackae::base
