#include "search/share_out.hpp"

#include <algorithm>
#include <atomic>
#include <stdexcept>

#include "support/catch.hpp"

using stackae::search::share_out;

TEST_CASE("every piece of work is done once, by no more threads than there are pieces") {
    const std::int64_t count = GENERATE(0, 1, 2, 100);
    std::atomic<int> workers{0};
    std::atomic<std::int64_t> sum{0};
    share_out(count, 3, [&] {
        ++workers;
        return [&](std::int64_t i) { sum += i + 1; };
    });
    CHECK(sum == count * (count + 1) / 2);
    CHECK(workers <= std::max<std::int64_t>(1, std::min<std::int64_t>(count, 3)));
}

TEST_CASE("what a piece of work or its making throws reaches the caller") {
    const int threads = GENERATE(1, 2);
    const auto failing = [&] {
        share_out(10, threads, [] {
            return [](std::int64_t i) {
                if (i == 3) {
                    throw std::runtime_error("the third");
                }
            };
        });
    };
    CHECK_THROWS_WITH(failing(), "the third");
    const auto not_made = [&] {
        share_out(10, threads, []() -> void (*)(std::int64_t) { throw std::runtime_error("not made"); });
    };
    CHECK_THROWS_WITH(not_made(), "not made");
}
