#include "cli/stack_advice.hpp"

#include "support/catch.hpp"

namespace stackae::cli {
namespace {

TEST_CASE("Layers that can copy what they see are pointed out, unless something keeps them from it") {
    Preprocessing preprocessing;
    preprocessing.height = 1;
    preprocessing.width = 12;
    TrainConfig config;
    config.stack = parse_stack("dense:25, dense:6");
    auto lines = stack_advice(preprocessing, config);
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], test::contains("layer 1 has 25 units for 12 values"));
    config.stack = parse_stack("dense:24, dense:12");
    lines = stack_advice(preprocessing, config);
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], test::contains("the code of 12 values is no shorter"));
    config.corruption = Corruption::masking;
    CHECK(stack_advice(preprocessing, config).empty());
    config.corruption = Corruption::none;
    config.stack = parse_stack("dense:24, dense:11");
    CHECK(stack_advice(preprocessing, config).empty());
}

TEST_CASE("No preset is pointed out for pictures of its kind") {
    Preprocessing preprocessing;
    preprocessing.height = 28;
    preprocessing.width = 28;
    for (const Preset& each : presets()) {
        INFO(each.name);
        CHECK(stack_advice(preprocessing, preset(each.name)).empty());
    }
}

}  // namespace
}  // namespace stackae::cli
