#include "base/threads.hpp"

#include <cstddef>
#include <sched.h>

#include "stackae/error.hpp"

#include "support/catch.hpp"

namespace stackae::base {

TEST_CASE("0 threads means one for each core that may be used") {
    CHECK_THROWS_AS(resolve_threads(-1), InvalidArgument);
    CHECK_THROWS_WITH(resolve_threads(100000), "threads: 100000 found, 0 (one a core) to 1024 expected");
    cpu_set_t before;
    REQUIRE(::sched_getaffinity(0, sizeof(before), &before) == 0);
    CHECK(resolve_threads(0) == resolve_threads(0, "/"));
    CHECK(resolve_threads(0) <= CPU_COUNT(&before));
    std::size_t core = 0;
    while (!CPU_ISSET(core, &before)) {
        ++core;
    }
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    REQUIRE(::sched_setaffinity(0, sizeof(one), &one) == 0);
    CHECK(resolve_threads(0) == 1);
    REQUIRE(::sched_setaffinity(0, sizeof(before), &before) == 0);
}

}  // namespace stackae::base
