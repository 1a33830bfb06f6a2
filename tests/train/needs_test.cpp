#include "train/needs.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "stackae/error.hpp"

#include "base/memory.hpp"
#include "support/catch.hpp"
#include "support/resident.hpp"

namespace stackae::training {
namespace {

Recipe recipe_of(int side) {
    Recipe recipe;
    recipe.height = recipe.width = side;
    return recipe;
}

TrainOptions dense(std::vector<std::int64_t> layers) {
    TrainOptions options;
    options.layers = std::move(layers);
    options.activations = {Activation::sigmoid};
    options.threads = 1;
    return options;
}

}  // namespace

TEST_CASE("A stack that cannot be is reckoned without being made, however large") {
    TrainOptions options = dense({1'000'000, 1'000'000});
    options.convolutions = {parse_convolution("60@50:pool=4")};
    options.activations = {Activation::relu};
    // The code itself is read in at its first use, which is not what is looked at here.
    static_cast<void>(needs_of(1'000, recipe_of(512), options));
    const std::int64_t before = test::resident_bytes();
    const Needs needs = needs_of(1'000'000'000, recipe_of(4096), options);
    CHECK(test::resident_bytes() - before < 1 << 20);
    // The lower dense layer, there and back, five times over: 1,011 × 1,011 × 60 inputs.
    CHECK(needs.working_bytes > std::int64_t{5} * 2 * 60'000'000 * 1'000'000 * 4);
    CHECK(needs.phases.size() == 3);
    options.memory_limit = std::int64_t{1} << 40;
    CHECK_THROWS_WITH(holdable_bytes(needs, options), test::contains("1.0 TiB expected at most"));
}

TEST_CASE("What a stack needs grows with its layers, its batches and what is done with them") {
    const auto working = [](const TrainOptions& options) {
        return needs_of(10'000, recipe_of(28), options).working_bytes;
    };
    const TrainOptions plain = dense({500});
    // Weights there and back with gradients, the best so far and two moments.
    CHECK(working(plain) > 5 * 2 * 784 * 500 * 4);
    TrainOptions other = plain;
    other.optimizer = OptimizerKind::sgd;
    CHECK(working(other) == working(plain) - 4 * (2 * 784 * 500 + 784 + 500));
    other = plain;
    other.batch_size = 2000;
    CHECK(working(other) > working(plain) + 1500 * 2 * (784 + 500) * 4);
    CHECK(working(dense({500, 2000})) > working(plain));
    other = dense({500, 250});
    const std::int64_t greedy = working(other);
    other.fine_tune_epochs = 1;
    CHECK(working(other) > greedy);
}

TEST_CASE("Memory that is not needed to work with may hold pictures, half of the limit at most") {
    TrainOptions options = dense({50});
    options.memory_limit = 64 << 20;
    const TrainOptions settled = settle_memory(options);
    CHECK(settled.memory == 32 << 20);
    const Needs needs = needs_of(1000, recipe_of(28), settled);
    CHECK(holdable_bytes(needs, settled) == 32 << 20);
    CHECK(needs.picture_bytes == 1000 * 784 * 4);
    options.memory_limit = needs.working_bytes + 1000;
    CHECK(holdable_bytes(needs, options) == 1000);
    --(options.memory_limit = needs.working_bytes);
    CHECK_THROWS_AS(holdable_bytes(needs, options), InvalidArgument);
    options.memory_limit = 0;
    CHECK(settle_memory(options).memory == std::min(options.memory, base::allowed_memory() / 4));
}

TEST_CASE("A plan that needs more than its limit is told and not timed") {
    TrainOptions options = dense({300});
    options.memory_limit = 1 << 20;
    const TrainPlan plan = plan_training(100, recipe_of(28), options);
    CHECK(plan.refused());
    CHECK(plan.memory_limit == 1 << 20);
    CHECK(plan.parameters == 2 * 784 * 300 + 784 + 300);
    CHECK(plan.seconds == 0.0);
    TrainObserver nobody;
    CHECK_THROWS_WITH(train(Pictures::from_tensor(Tensor({100, 28, 28})), recipe_of(28), options, nobody),
                      test::contains("1.0 MiB expected at most"));
}

}  // namespace stackae::training
