#include "cli/stack_advice.hpp"

#include "support/catch.hpp"

namespace stackae::cli {
namespace {

TEST_CASE("layers that can copy what they see are pointed out, unless something keeps them from it") {
    Recipe recipe;
    recipe.height = 1;
    recipe.width = 12;
    TrainOptions options;
    options.layers = {25, 6};
    auto lines = stack_advice(recipe, options);
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], test::contains("layer 1 has 25 units for 12 values"));
    options.layers = {24, 12};
    lines = stack_advice(recipe, options);
    REQUIRE(lines.size() == 1);
    CHECK_THAT(lines[0], test::contains("the code of 12 values is no shorter"));
    options.corruption = Corruption::masking;
    CHECK(stack_advice(recipe, options).empty());
    options.corruption = Corruption::none;
    options.layers = {24, 11};
    CHECK(stack_advice(recipe, options).empty());
}

TEST_CASE("no preset is pointed out for pictures of its kind") {
    Recipe recipe;
    recipe.height = 28;
    recipe.width = 28;
    for (const Preset& preset : presets()) {
        INFO(preset.name);
        CHECK(stack_advice(recipe, preset.options).empty());
    }
}

}  // namespace
}  // namespace stackae::cli
