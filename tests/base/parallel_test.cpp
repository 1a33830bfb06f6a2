#include "base/parallel.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "support/catch.hpp"

using stackae::base::parallel_for;

TEST_CASE("Every piece of work is done once, by no more threads than there are pieces") {
    const std::int64_t count = GENERATE(0, 1, 2, 100);
    std::atomic<int> workers{0};
    std::atomic<std::int64_t> sum{0};
    parallel_for(count, 3, [&] {
        ++workers;
        return [&](std::int64_t i) { sum += i + 1; };
    });
    CHECK(sum == count * (count + 1) / 2);
    CHECK(workers <= std::max<std::int64_t>(1, std::min<std::int64_t>(count, 3)));
}

TEST_CASE("What a piece of work or its making throws reaches the caller") {
    const int threads = GENERATE(1, 2);
    const auto failing = [&] {
        parallel_for(10, threads, [] {
            return [](std::int64_t i) {
                if (i == 3) {
                    throw std::runtime_error("the third");
                }
            };
        });
    };
    CHECK_THROWS_WITH(failing(), "the third");
    const auto not_made = [&] {
        parallel_for(10, threads, []() -> void (*)(std::int64_t) { throw std::runtime_error("not made"); });
    };
    CHECK_THROWS_WITH(not_made(), "not made");
}

TEST_CASE("Every member of a team has a number of its own, and a team inside of it is one thread") {
    const int threads = GENERATE(1, 2, 3);
    std::atomic<int> numbers{0};
    std::atomic<int> inner{0};
    std::atomic<int> size{0};
    stackae::base::run_team(threads, [&](int member, int team) {
        numbers += 1 << member;
        size = team;
        stackae::base::run_team(4, [&](int /*member*/, int nested) { inner += nested; });
    });
    CHECK(numbers == (1 << size) - 1);
    CHECK(size <= threads);
    if (size > 1) {
        CHECK(inner == size);
    }
}
