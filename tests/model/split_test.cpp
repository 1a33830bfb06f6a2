#include "model/split.hpp"

#include <algorithm>
#include <numeric>

#include "support/catch.hpp"

using namespace stackae;

TEST_CASE("A picture is either trained on or held out, by the seed and nothing else") {
    TrainConfig config;
    config.validation = 0.1;
    const Split split = split_pictures(config, 1005);
    CHECK(split.held_out.size() == 100);
    CHECK(std::is_sorted(split.held_out.begin(), split.held_out.end()));
    CHECK(std::is_sorted(split.train.begin(), split.train.end()));
    std::vector<std::int64_t> all(split.train);
    all.insert(all.end(), split.held_out.begin(), split.held_out.end());
    std::sort(all.begin(), all.end());
    std::vector<std::int64_t> every(1005);
    std::iota(every.begin(), every.end(), std::int64_t{0});
    CHECK(all == every);
    config.learning_rate = 0.5;
    CHECK(split_pictures(config, 1005).held_out == split.held_out);
    config.seed = 1;
    CHECK(split_pictures(config, 1005).held_out != split.held_out);
    CHECK(held_out(config, 1'000'000) == 10'000);
}
