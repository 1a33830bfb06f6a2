#include "train/sample_store.hpp"

#include <filesystem>
#include <numeric>
#include <vector>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/resident.hpp"
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
        const std::vector<float> put = {691.5F, 692.0F, 0.0F, 0.0F, 0.0F, 0.0F, 0.0F,
                                        693.0F, 694.0F, 0.0F, 0.0F, 0.0F, 0.0F, 699.0F};
        store.put(98, put);
        REQUIRE(folder.entries() == 0);
        SampleStore moved = std::move(store);
        std::vector<float> rows(21);
        const std::vector<std::int64_t> indices = {99, 0, 50};
        moved.gather(indices, rows.data());
        REQUIRE(rows.front() == 693.0F);
        REQUIRE(rows[7] == 0.0F);
        REQUIRE(rows.back() == 356.0F);
        REQUIRE(moved.row(98)[0] == 691.5F);
        REQUIRE(moved.row(99)[6] == 699.0F);
        REQUIRE(moved.mean(indices)[1] == Approx((694.0 + 1.0 + 351.0) / 3.0));
    }
    REQUIRE(folder.entries() == 0);
}

TEST_CASE("Rows that are put into a temporary file and gathered from it take no memory") {
    constexpr std::int64_t rows = 40'000;
    constexpr std::int64_t columns = 512;  // 80 MiB
    SampleStore store(rows, columns, false);
    const std::int64_t before = test::resident_bytes();
    std::vector<float> one(columns);
    for (std::int64_t i = 0; i < rows; ++i) {
        std::fill(one.begin(), one.end(), static_cast<float>(i));
        store.put(i, one);
    }
    std::vector<std::int64_t> some(256);
    std::vector<float> gathered(some.size() * columns);
    for (std::int64_t first = 0; first + 256 <= rows; first += 256) {
        std::iota(some.begin(), some.end(), first);
        store.gather(some, gathered.data());
        REQUIRE(gathered.back() == static_cast<float>(some.back()));
    }
    CHECK(store.mean(some).front() == Approx(0.5 * static_cast<double>(some.front() + some.back())));
    CHECK(test::resident_bytes() - before < std::int64_t{8} << 20);
}

TEST_CASE("A temporary folder that is not there is an error that names it") {
    CHECK_THROWS_AS(SampleStore(10, 10, false, "/no/such/folder"), IoError);
    CHECK_THROWS_WITH(SampleStore(10, 10, false, "/no/such/folder"), test::contains("/no/such/folder"));
}
