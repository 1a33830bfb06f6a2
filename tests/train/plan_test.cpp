#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "base/random.hpp"
#include "support/catch.hpp"

using namespace stackae;

namespace {

constexpr std::int64_t pictures_count = 200;

Recipe recipe() {
    Recipe recipe;
    recipe.height = 12;
    recipe.width = 10;
    return recipe;
}

TrainOptions options() {
    TrainOptions options;
    options.convolutions = {parse_convolution("6@3:pool=2"), parse_convolution("8@2:grid=2:signs")};
    options.code_size = 5;
    options.radial_units = 30;
    options.patches = 2000;
    options.validation = 0.1;
    options.threads = 1;
    return options;
}

Pictures noise() {
    Tensor tensor({pictures_count, 12, 10});
    const base::Random random(1, base::Stream::plan);
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
        tensor.data()[i] = base::Random::uniform(random.block(static_cast<std::uint32_t>(i))[0]);
    }
    return Pictures::from_tensor(std::move(tensor));
}

}  // namespace

TEST_CASE("the shapes of convolutional layers are known before training") {
    const auto shapes = convolution_shapes(recipe(), options());
    REQUIRE(shapes.size() == 2);
    CHECK(shapes[0].cells_down() == 5);
    CHECK(shapes[0].cells_across() == 4);
    CHECK(shapes[1].channels == 6);
    CHECK(shapes[1].output_size() == 2 * 2 * 16);
    TrainOptions wrong = options();
    wrong.convolutions.push_back(parse_convolution("8@3"));
    CHECK_THROWS_AS(convolution_shapes(recipe(), wrong), InvalidArgument);
}

TEST_CASE(
    "a plan of convolutional layers, a code and radial units has the parameters of the model that comes of "
    "it") {
    const TrainPlan plan = plan_training(pictures_count, recipe(), options());
    REQUIRE(plan.phases.size() == 4);
    TrainObserver nobody;
    const Model model = train(noise(), recipe(), options(), nobody);
    for (const int layer : {1, 2, 3, 4}) {
        const TrainPlan::Phase& phase = plan.phases[static_cast<std::size_t>(layer - 1)];
        CHECK(phase.layer == layer);
        CHECK(phase.seconds > 0.0);
    }
    CHECK(plan.phases[0].units == 6);
    CHECK(plan.phases[1].inputs == model.convolutions[1].inputs());
    CHECK(plan.phases[2].inputs == model.dense_inputs());
    CHECK(plan.phases[2].units == model.code_size());
    CHECK(plan.phases[3].inputs == model.code_size());
    CHECK(plan.phases[3].units == model.code_size(4));
    CHECK(plan.parameters == model.parameters());
    // The patches of the second layer and the pictures at least.
    CHECK(plan.memory_bytes > 2000 * 24 * 4 + pictures_count * 120 * 4);
    CHECK(plan.seconds >= plan.phases[0].seconds + plan.phases[1].seconds + plan.phases[2].seconds - 1e-9);
}

TEST_CASE("memory bounds the patches that a plan reckons with") {
    TrainOptions many = options();
    many.convolutions = {parse_convolution("6@3:pool=2")};
    many.patches = 10'000'000;
    many.memory = 1 << 20;
    const TrainPlan plan = plan_training(1'000'000, recipe(), many);
    CHECK(plan.memory_bytes < 8 << 20);
}
