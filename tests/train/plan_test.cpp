#include <algorithm>
#include <utility>
#include <vector>

#include "stackae/error.hpp"

#include "base/memory.hpp"
#include "support/catch.hpp"
#include "support/resident.hpp"
#include "train/stages.hpp"
#include "train/training.hpp"

namespace stackae {
namespace {

Preprocessing preprocessing_of(int side) {
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = side;
    return preprocessing;
}

training::Stages stages_of(std::int64_t pictures, const TrainConfig& config, const RunOptions& run = {}) {
    const Stack bound = bind(config.stack, {28, 28, 1});
    return training::make_stages(bound, training::DataSize::of_pictures(pictures, preprocessing_of(28), run),
                                 preprocessing_of(28), config, run);
}

bool same(const StageInfo& a, const StageInfo& b) {
    return a.name == b.name && a.type == b.type && a.input == b.input && a.output == b.output &&
           a.parameters == b.parameters && a.epochs == b.epochs && a.multiply_adds == b.multiply_adds &&
           a.memory_bytes == b.memory_bytes;
}

}  // namespace

TEST_CASE(
    "A plan is of the parameters of the model that comes of it, and training tells of the same stages") {
    const std::string stack = GENERATE(
        "conv2d:6:kernel=3:patches=2000, pool2d:2, conv2d:8:kernel=2:activation=crelu:patches=2000, "
        "pool2d:grid=2, power_norm, pca:5:std_shrinkage=0.3, l2_norm, nystroem:30",
        "conv2d:4:kernel=3:slow_offset=1:patches=2000, l2_norm, pool2d:grid=2, nystroem:4096",
        "dense:24:tied, dense:12", "pca:500, dense:20, dense:6, whiten:4",
        "conv2d:8:kernel=3:epochs=2:patches=2000, pool2d:3, dense:10, pca:3");
    CAPTURE(stack);
    TrainConfig config = test::config_of(stack);
    config.epochs = 2;
    config.fine_tune_epochs = GENERATE(0, 1);
    config.validation = 0.1;
    test::Recorder recorder;
    const Model model = test::train_on(test::strokes(200), config, recorder);
    const TrainPlan plan = plan_training(200, test::preprocessing_of(test::strokes(1)), config, {});
    CHECK(plan.parameters == model.parameters());
    REQUIRE(plan.stages.size() == recorder.stages.size());
    double work = 0.0;
    for (std::size_t i = 0; i < plan.stages.size(); ++i) {
        CAPTURE(plan.stages[i].name);
        CHECK(same(plan.stages[i], recorder.stages[i]));
        CHECK(plan.stages[i].multiply_adds > 0.0);
        CHECK(plan.stages[i].memory_bytes > 0);
        work += plan.stages[i].multiply_adds;
    }
    CHECK(plan.multiply_adds == Approx(work));
    CHECK(plan.multiply_adds_a_picture > 0.0);
    CHECK_FALSE(plan.refused());
    CHECK(plan.memory_bytes > 200 * 144 * 4);
    for (const StageEpoch& epoch : model.record.history) {
        const auto told = std::find_if(plan.stages.begin(), plan.stages.end(),
                                       [&](const StageInfo& stage) { return stage.name == epoch.stage; });
        REQUIRE(told != plan.stages.end());
        // What is found in closed form is measured as an epoch.
        CHECK(epoch.epoch <= std::max<std::int64_t>(1, told->epochs));
    }
}

TEST_CASE("Slow features that cannot be learnt are refused before training") {
    const auto refused = [](const char* stack, const char* expected) {
        CHECK_THROWS_WITH(plan_training(30, preprocessing_of(8), test::config_of(stack), {}),
                          test::contains(expected));
    };
    refused("conv2d:8:kernel=3:slow_offset=6",
            "layer 1, conv2d: slow_offset: 6 found, less than the 6 x 6 positions of the output expected");
    refused("conv2d:8:kernel=3:slow_offset=5:epochs=2", "epochs: 2 found, 0 with slow_offset expected");
    refused("conv2d:8:kernel=3:slow_offset=5:kmeans_passes=3",
            "layer 1, conv2d: kmeans_passes: 3 found, auto with slow_offset expected");
}

TEST_CASE("A plan knows that few pictures have few principal axes") {
    TrainConfig config = test::config_of("pca:100");
    config.validation = 0.0;
    test::Recorder recorder;
    const Model model = test::train_on(test::strokes(30), config, recorder);
    const TrainPlan plan = plan_training(30, test::preprocessing_of(test::strokes(1)), config, {});
    CHECK(plan.stages.front().output.size() == 29);
    CHECK(model.code_size() == 29);
    CHECK(plan.parameters == model.parameters());
}

TEST_CASE("A stack that cannot be is reckoned without being made, however large") {
    TrainConfig config = test::config_of("conv2d:60:kernel=50, pool2d:4, dense:1000000, dense:1000000");
    // The code itself is read in at its first use, which is not what is looked at here.
    static_cast<void>(plan_training(1'000, preprocessing_of(512), config, {}));
    const std::int64_t before = test::resident_bytes();
    RunOptions run;
    run.memory_limit = std::int64_t{1} << 40;
    const TrainPlan plan = plan_training(1'000'000'000, preprocessing_of(1024), config, run);
    CHECK(test::resident_bytes() - before < 1 << 20);
    // The lower dense layer, there and back, five times over: 243 × 243 × 60 inputs.
    CHECK(plan.memory_bytes > std::int64_t{5} * 2 * 3'500'000 * 1'000'000 * 4);
    CHECK(plan.stages.size() == 3);
    CHECK(plan.refused());
    TrainObserver nobody;
    CHECK_THROWS_WITH(
        train(ImageDataset::from_tensor(Tensor({2, 512, 512})), preprocessing_of(512), config, run, nobody),
        test::contains("1.0 TiB expected at most"));
}

TEST_CASE("What a stack needs grows with its layers, its batches and what is done with them") {
    const auto working = [](const TrainConfig& config) { return stages_of(10'000, config).working_bytes; };
    const TrainConfig plain = test::config_of("dense:500:activation=sigmoid");
    // Weights there and back with gradients, the best so far and two moments.
    CHECK(working(plain) > 5 * 2 * 784 * 500 * 4);
    TrainConfig other = plain;
    other.optimizer = OptimizerKind::sgd;
    CHECK(working(other) == working(plain) - 4 * (2 * 784 * 500 + 784 + 500));
    other = plain;
    other.batch_size = 2000;
    CHECK(working(other) > working(plain) + std::int64_t{1500} * 2 * (784 + 500) * 4);
    CHECK(working(test::config_of("dense:500, dense:2000")) > working(plain));
    other = test::config_of("dense:500, dense:250");
    const std::int64_t greedy = working(other);
    other.fine_tune_epochs = 1;
    CHECK(working(other) > greedy);
}

TEST_CASE("Memory that is not needed to work with may hold pictures, half of the limit at most") {
    const TrainConfig config = test::config_of("dense:50");
    RunOptions run;
    run.threads = 1;
    run.memory_limit = 64 << 20;
    const training::Stages stages = stages_of(1000, config, run);
    CHECK(stages.holdable_bytes(run) == 32 << 20);
    CHECK(stages.picture_bytes == 1000 * 784 * 4);
    run.memory_limit = stages.working_bytes + 1000;
    CHECK(stages.holdable_bytes(run) == 1000);
    run.memory_limit = stages.working_bytes - 1;
    CHECK_THROWS_AS(stages.holdable_bytes(run), InvalidArgument);
    run.memory_limit = 0;
    CHECK(training::max_held(run) <= base::allowed_memory() / 4);
}

TEST_CASE("A plan that needs more than its limit is told, and such a training is refused before it begins") {
    const TrainConfig config = test::config_of("dense:300:activation=sigmoid");
    RunOptions run;
    run.threads = 1;
    run.memory_limit = 1 << 20;
    const TrainPlan plan = plan_training(100, preprocessing_of(28), config, run);
    CHECK(plan.refused());
    CHECK(plan.memory_limit == 1 << 20);
    CHECK(plan.parameters == 2 * 784 * 300 + 784 + 300);
    test::Recorder recorder;
    CHECK_THROWS_WITH(test::train_on(Tensor({100, 28, 28}), config, recorder, run),
                      test::contains("1.0 MiB expected at most"));
    CHECK_FALSE(recorder.read);
}

TEST_CASE("Memory bounds the patches that a plan reckons with") {
    const TrainConfig config = test::config_of("conv2d:6:kernel=3:patches=10000000");
    RunOptions run;
    run.memory_limit = 16 << 20;
    CHECK_FALSE(plan_training(1'000'000, preprocessing_of(12), config, run).refused());
}

TEST_CASE("What was encoded for a code is not encoded again for what is learnt above it") {
    const auto plan = [](const std::string& above, std::int64_t pictures) {
        const TrainConfig config =
            test::config_of("conv2d:64:kernel=5:patches=2000, pool2d:grid=2, pca:10" + above);
        return plan_training(pictures, preprocessing_of(28), config, {});
    };
    const auto encoded = [&](std::int64_t pictures) {
        const TrainPlan below = plan("", pictures);
        const TrainPlan whole = plan(", l2_norm, nystroem:4", pictures);
        return (whole.multiply_adds - below.multiply_adds) / below.multiply_adds_a_picture;
    };
    // Of 15,000 pictures all are there; of 90,000, of which 85,500 are learnt from, the 20,000 that the code
    // was found from.
    CHECK(encoded(15'000) < 1'000);
    CHECK(encoded(90'000) == Approx(65'500).epsilon(0.05));
}

TEST_CASE("A plan reckons with layers that run once for each of a picture's turns") {
    const auto plan = [](const std::string& pooled) {
        return plan_training(1000, preprocessing_of(28),
                             test::config_of("conv2d:64:kernel=5:patches=2000, pool2d:grid=2" + pooled), {});
    };
    const double once = plan("").multiply_adds_a_picture;
    CHECK(plan(", group_pool").multiply_adds_a_picture == Approx(2.0 * once).epsilon(1e-3));
    CHECK(plan(", group_pool:dihedral").multiply_adds_a_picture == Approx(8.0 * once).epsilon(1e-3));
    CHECK(plan(", group_pool, pca:10").multiply_adds > plan(", pca:10").multiply_adds + 900.0 * once);
}

TEST_CASE("A plan of no pictures is refused") {
    CHECK_THROWS_AS(plan_training(0, preprocessing_of(28), preset("dense"), {}), InvalidArgument);
}

}  // namespace stackae
