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
    for (const int side : {12, 13, 16, 20, 28, 32, 48, 64, 100}) {
        CAPTURE(side);
        const Recipe recipe = recipe_of(side);
        const TrainOptions options = choose_stack(60, recipe, {.budget_seconds = 1e-6}).options;
        const auto shapes = convolution_shapes(recipe, options);
        CHECK(shapes.back().height >= 8);
        CHECK(shapes.back().height <= 18);
    }
}

TEST_CASE("a budget that is too short gets the smallest stack, and is told so") {
    const StackChoice choice = choose_stack(100'000, recipe_of(24), {.budget_seconds = 1e-3});
    CHECK(choice.options.convolutions.back().units == 128);
    CHECK(choice.seconds > 1e-3);
    CHECK(choice.reason.find("takes longer than allowed") != std::string::npos);
}

TEST_CASE("the more time is allowed, the larger the stack") {
    const Recipe recipe = recipe_of(24);
    const auto units = [&](double seconds) {
        return choose_stack(100'000, recipe, {.budget_seconds = seconds}).options.convolutions.back().units;
    };
    CHECK(units(1e9) == 2048);
    CHECK(units(1e-3) == 128);
}

TEST_CASE("nothing is chosen for no pictures or no time") {
    CHECK_THROWS_AS(choose_stack(0, recipe_of(28)), InvalidArgument);
    CHECK_THROWS_AS(choose_stack(10, recipe_of(28), {.budget_seconds = 0.0}), InvalidArgument);
}

}  // namespace
}  // namespace stackae
