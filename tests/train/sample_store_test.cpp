#include "train/sample_store.hpp"

#include <filesystem>
#include <vector>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace stackae;
using training::SampleStore;

TEST_CASE("Samples in a temporary file are the same as in memory, and leave no file behind") {
    const test::TemporaryFolder folder;
    const bool in_memory = GENERATE(true, false);
    {
        SampleStore store(100, 7, in_memory, folder.path());
        REQUIRE(store.in_memory() == in_memory);
        for (std::int64_t i = 0; i < 700; ++i) {
            store.row(0)[i] = static_cast<float>(i);
        }
        REQUIRE(folder.entries() == 0);
        SampleStore moved = std::move(store);
        std::vector<float> rows(21);
        const std::vector<std::int64_t> indices = {99, 0, 50};
        moved.gather(indices, rows.data());
        REQUIRE(rows.front() == 693.0F);
        REQUIRE(rows[7] == 0.0F);
        REQUIRE(rows.back() == 356.0F);
        REQUIRE(moved.mean(indices)[1] == Approx((694.0 + 1.0 + 351.0) / 3.0));
    }
    REQUIRE(folder.entries() == 0);
}

TEST_CASE("A temporary folder that is not there is an error that names it") {
    CHECK_THROWS_AS(SampleStore(10, 10, false, "/no/such/folder"), IoError);
    CHECK_THROWS_WITH(SampleStore(10, 10, false, "/no/such/folder"), test::contains("/no/such/folder"));
}
