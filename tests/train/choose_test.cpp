#include <utility>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "support/catch.hpp"

namespace stackae {
namespace {

Recipe recipe_of(int side, int channels = 1) {
    Recipe recipe;
    recipe.height = side;
    recipe.width = side;
    recipe.channels = channels;
    return recipe;
}

TEST_CASE("pictures of a few pixels and rows of numbers get a dense stack") {
    Recipe row = recipe_of(64);
    row.height = 1;
    for (const Recipe& recipe : {recipe_of(8), recipe_of(11), row}) {
        const StackChoice choice = choose_stack(1000, recipe);
        CHECK(choice.options.convolutions.empty());
        CHECK(choice.options.layers == preset("dense").layers);
        CHECK(choice.options.preset == "auto");
        CHECK(choice.reason.find("a dense stack") != std::string::npos);
    }
}

TEST_CASE("few pictures get a small stack of convolutions, with a code that they can settle") {
    const StackChoice choice = choose_stack(40, recipe_of(16), {.budget_seconds = 1e9});
    REQUIRE(choice.options.convolutions.size() == 2);
    // 40 pictures have 40 × 10 × 10 patches of the upper layer.
    CHECK(choice.options.convolutions.back().units == 128);
    CHECK(choice.options.code_size == 32);
    CHECK(choose_stack(1200, recipe_of(16), {.budget_seconds = 1e9}).options.code_size == 300);
}

TEST_CASE("what is chosen can be trained at any size of picture, and sees maps of about the same size") {
    for (const int side : {12, 20, 32, 64}) {
        CAPTURE(side);
        const Recipe recipe = recipe_of(side);
        const TrainOptions options = choose_stack(60, recipe, {.budget_seconds = 1e-6}).options;
        const auto shapes = convolution_shapes(recipe, options);
        CHECK(shapes.back().height >= 8);
        CHECK(shapes.back().height <= 18);
    }
}

TEST_CASE("a budget that is too short gets the smallest stack, and is told so") {
    const StackChoice choice = choose_stack(3000, recipe_of(16), {.budget_seconds = 1e-3});
    CHECK(choice.options.convolutions.back().units == 128);
    CHECK(choice.seconds > 1e-3);
    CHECK(choice.reason.find("takes longer than allowed") != std::string::npos);
}

TEST_CASE("the more time is allowed, the larger the stack") {
    const Recipe recipe = recipe_of(16);
    const StackChoice large = choose_stack(3000, recipe, {.budget_seconds = 1e9});
    CHECK(large.options.convolutions.back().units == 2048);
    // A third of what the largest is expected to take is not enough for it.
    const StackChoice less = choose_stack(3000, recipe, {.budget_seconds = large.seconds / 3.0});
    CHECK(less.options.convolutions.back().units < 2048);
}

TEST_CASE("pictures of any shape, and very few of them, get a stack that fits") {
    for (const auto& [height, width] : {std::pair{12, 200}, std::pair{90, 30}}) {
        CAPTURE(height, width);
        Recipe recipe = recipe_of(height, 3);
        recipe.width = width;
        const TrainOptions options = choose_stack(1, recipe, {.budget_seconds = 1e-6}).options;
        CHECK_NOTHROW(convolution_shapes(recipe, options));
        CHECK(options.convolutions.back().units == 128);
    }
}

TEST_CASE("what is put over a stack counts, and so does the memory") {
    const Recipe recipe = recipe_of(16);
    ChooseOptions options;
    options.budget_seconds = 1e9;
    options.memory = std::int64_t{64} << 20;  // 32 MiB of patches of 9,216 bytes: 3,640, and 121 units
    CHECK(choose_stack(3000, recipe, options).options.convolutions.back().units == 128);
    options.memory = TrainOptions{}.memory;
    options.adjust = [](const TrainOptions& stack) {
        TrainOptions changed = stack;
        changed.patches = 20'000;  // 666 units
        changed.seed = 7;
        return changed;
    };
    const TrainOptions chosen = choose_stack(3000, recipe, options).options;
    CHECK(chosen.convolutions.back().units == 512);
    CHECK(chosen.seed == 7);
}

TEST_CASE("nothing is chosen for no pictures or no time") {
    CHECK_THROWS_AS(choose_stack(0, recipe_of(28)), InvalidArgument);
    CHECK_THROWS_AS(choose_stack(10, recipe_of(28), {.budget_seconds = 0.0}), InvalidArgument);
}

}  // namespace
}  // namespace stackae
