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
        CHECK(choice.options.layers.back() == 30);
        CHECK(choice.options.preset == "auto");
        CHECK(choice.reason.find("a dense stack") != std::string::npos);
    }
}

TEST_CASE("no layer of a chosen dense stack is wider than a row, and its code is shorter") {
    const auto layers_of = [](int values, std::int64_t pictures) {
        Recipe recipe = recipe_of(1);
        recipe.width = values;
        const TrainOptions options = choose_stack(pictures, recipe).options;
        CHECK(options.activations.size() == options.layers.size());
        CHECK(options.activations.back() == Activation::linear);
        validate(options);
        return options.layers;
    };
    using Layers = std::vector<std::int64_t>;
    CHECK(layers_of(12, 1000) == Layers{12, 6});
    CHECK(layers_of(2, 1000) == Layers{2, 1});
    CHECK(layers_of(1, 1000) == Layers{1});
    CHECK(layers_of(64, 1000) == Layers{64, 32, 30});
    CHECK(layers_of(64, 20) == Layers{64, 32, 16, 5});  // too few rows to find 30 values from
    CHECK(layers_of(12, 1) == Layers{12, 6, 3, 2});
    CHECK(layers_of(784, 1000) == Layers{784, 392, 196, 30});
    CHECK(layers_of(5000, 1000) == preset("dense").layers);
}

// Every choice times work on the spot, for seconds: each is looked at from several sides.
TEST_CASE("few pictures get a small stack of convolutions, with a code that they can settle") {
    const Recipe recipe = recipe_of(16);
    const StackChoice choice = choose_stack(40, recipe, {.budget_seconds = 1e9});
    REQUIRE(choice.options.convolutions.size() == 2);
    // 40 pictures have 40 × 10 × 10 patches of the upper layer.
    CHECK(choice.options.convolutions.back().units == 128);
    CHECK(choice.options.code_size == 32);
    CHECK(choice.options.preset == "auto");
    CHECK(choice.seconds > 0.0);
    CHECK(choice.reason == "40 pictures of 16 x 16 pixels");
}

TEST_CASE(
    "a budget that is too short gets the smallest stack that fits a picture of any shape, and is told so") {
    Recipe recipe = recipe_of(12, 3);
    recipe.width = 90;
    const StackChoice choice = choose_stack(1000, recipe, {.budget_seconds = 1e-3});
    CHECK_NOTHROW(convolution_shapes(recipe, choice.options));
    CHECK(choice.options.convolutions.back().units == 128);
    CHECK(choice.options.code_size == 250);
    CHECK(choice.seconds > 1e-3);
    CHECK(choice.reason.find("takes longer than allowed") != std::string::npos);
}

TEST_CASE("what is put over a stack counts when it is chosen") {
    const TrainOptions chosen = choose_stack(3000, recipe_of(16),
                                             {.adjust =
                                                  [](const TrainOptions& stack) {
                                                      TrainOptions changed = stack;
                                                      changed.patches = 20'000;
                                                      changed.seed = 7;
                                                      return changed;
                                                  },
                                              .budget_seconds = 1e9})
                                    .options;
    CHECK(chosen.convolutions.back().units == 512);  // 30 patches each, of 20,000
    CHECK(chosen.seed == 7);
}

TEST_CASE("nothing is chosen for no pictures or no time") {
    CHECK_THROWS_AS(choose_stack(0, recipe_of(28)), InvalidArgument);
    CHECK_THROWS_AS(choose_stack(10, recipe_of(28), {.budget_seconds = 0.0}), InvalidArgument);
}

}  // namespace
}  // namespace stackae
