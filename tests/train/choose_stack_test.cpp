#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "support/catch.hpp"

namespace stackae {
namespace {

Preprocessing preprocessing_of(int side, int channels = 1) {
    Preprocessing preprocessing;
    preprocessing.height = side;
    preprocessing.width = side;
    preprocessing.channels = channels;
    return preprocessing;
}

std::string stack_of(const StackChoice& choice) {
    return to_text(choice.config.stack);
}

TEST_CASE("Pictures of a few pixels and rows of numbers get a dense stack") {
    Preprocessing row = preprocessing_of(64);
    row.height = 1;
    for (const Preprocessing& preprocessing : {preprocessing_of(8), preprocessing_of(11), row}) {
        const StackChoice choice = choose_stack(1000, preprocessing);
        CHECK(stack_of(choice).find("conv2d") == std::string::npos);
        CHECK(stack_of(choice).ends_with("dense:30:activation=linear"));
        CHECK(choice.config.preset == "auto");
        CHECK(choice.reason.find("a dense stack") != std::string::npos);
    }
}

TEST_CASE("No layer of a chosen dense stack is wider than a row, and its code is shorter") {
    const auto stack = [](int values, std::int64_t pictures) {
        Preprocessing preprocessing = preprocessing_of(1);
        preprocessing.width = values;
        const StackChoice choice = choose_stack(pictures, preprocessing);
        CHECK_NOTHROW(validate(choice.config));
        return stack_of(choice);
    };
    CHECK(stack(12, 1000) == "dense:12, dense:6:activation=linear");
    CHECK(stack(2, 1000) == "dense:2, dense:1:activation=linear");
    CHECK(stack(1, 1000) == "dense:1:activation=linear");
    CHECK(stack(64, 1000) == "dense:64, dense:32, dense:30:activation=linear");
    // Too few rows to find 30 values from.
    CHECK(stack(64, 20) == "dense:64, dense:32, dense:16, dense:5:activation=linear");
    CHECK(stack(12, 1) == "dense:12, dense:6, dense:3, dense:2:activation=linear");
    CHECK(stack(784, 1000) == "dense:784, dense:392, dense:196, dense:30:activation=linear");
    CHECK(stack(5000, 1000) == to_text(preset("hinton2006").stack));
}

TEST_CASE("Rows of any numbers begin with principal components, which every hidden layer can carry") {
    const auto choice_of = [](int values, std::int64_t pictures) {
        Preprocessing preprocessing = preprocessing_of(1);
        preprocessing.width = values;
        preprocessing.mean.assign(static_cast<std::size_t>(values), 0.5F);
        preprocessing.deviation.assign(static_cast<std::size_t>(values), 2.0F);
        StackChoice choice = choose_stack(pictures, preprocessing);
        TrainConfig& config = choice.config;
        CHECK(config.fine_tune_from_pca);
        CHECK(config.epochs == 0);
        (void)fit_to_small_set(config, pictures);
        CHECK(config.epochs == 0);
        CHECK_NOTHROW(plan_training(pictures, preprocessing, config, {}));
        return stack_of(choice);
    };
    CHECK(choice_of(1, 1000) == "dense:1:activation=linear");
    CHECK(choice_of(2, 1000) == "dense:2, dense:1:activation=linear");
    CHECK(choice_of(3, 1000) == "dense:3, dense:1:activation=linear");
    CHECK(choice_of(13, 1000) == "dense:13, dense:6:activation=linear");
    CHECK(choice_of(100, 1000) == "dense:100, dense:30:activation=linear");
    CHECK(choice_of(12, 1) == "dense:12, dense:6, dense:2:activation=linear");
    CHECK(choice_of(784, 1000) == "dense:784, dense:392, dense:196, dense:30:activation=linear");
}

TEST_CASE("Few pictures get a small stack of convolutions, with a code that they can settle") {
    const StackChoice choice = choose_stack(40, preprocessing_of(16), {.budget_seconds = 1e9});
    // 40 pictures have 38 × 10 × 10 patches of the upper convolution.
    CHECK(stack_of(choice) ==
          "conv2d:64:activation_rate=0.3, conv2d:128:kernel=3:activation_rate=0.3, "
          "pool2d:grid=3:window=triangular, power_norm, pca:32:eigen_power=-0.25:std_shrinkage=0.3, l2_norm, "
          "nystroem:40");
    CHECK(choice.config.preset == "auto");
    CHECK(choice.seconds > 0.0);
    CHECK(choice.reason == "40 pictures of 16 x 16 pixels");
}

TEST_CASE("Many pictures get many units, a long code and a wide one, as far as there is time") {
    const StackChoice choice = choose_stack(60'000, preprocessing_of(28), {.budget_seconds = 1e9});
    CHECK(
        stack_of(choice) ==
        "conv2d:256:kernel=7:activation_rate=0.3, pool2d:2, conv2d:2048:kernel=3:activation_rate=0.3, "
        "pool2d:grid=3:window=triangular, power_norm, pca:512:eigen_power=-0.15:std_shrinkage=0.3, l2_norm, "
        "nystroem:32768:block=512");
    const auto within = [&](double seconds) {
        const StackChoice quicker = choose_stack(60'000, preprocessing_of(28), {.budget_seconds = seconds});
        CHECK(quicker.seconds <= seconds);
        return stack_of(quicker);
    };
    // Fewer landmarks first, then fewer units, which leave time for landmarks again.
    CHECK(within(0.95 * choice.seconds).find("conv2d:2048") != std::string::npos);
    CHECK(within(0.95 * choice.seconds).find("nystroem:32768") == std::string::npos);
    CHECK(within(0.3 * choice.seconds).find("conv2d:2048") == std::string::npos);
}

TEST_CASE("Pictures in colour have the lower convolution's code rooted, and are whitened further") {
    const StackChoice choice = choose_stack(50'000, preprocessing_of(32, 3), {.budget_seconds = 1e9});
    CHECK(
        stack_of(choice).find("pool2d:2, power_norm, conv2d:2048:kernel=2:activation_rate=0.3:whitening_dim="
                              "1024:whitening_epsilon=0.5, pool2d:grid=3") != std::string::npos);
    CHECK(stack_of(choice).find("pca:1024:eigen_power=-0.3:std_shrinkage") != std::string::npos);
    CHECK(stack_of(choice).find("nystroem:32768:gamma=2:block=512") != std::string::npos);
}

TEST_CASE("Of many channels, how much there is of each is kept, and not where") {
    Preprocessing channels = preprocessing_of(32, 5);
    channels.measured = true;
    CHECK(stack_of(choose_stack(2000, channels, {.budget_seconds = 1e9})) ==
          "conv2d:128:kernel=3:activation_rate=0.3:contrast_norm=false, pool2d:2, power_norm, "
          "conv2d:512:kernel=2:activation_rate=0.3:whitening_dim=1024:whitening_epsilon=0.5, pool2d:grid=1, "
          "power_norm, pca:64:eigen_power=-0.25:std_shrinkage=0.3, l2_norm, nystroem:2000");
}

TEST_CASE("Units are no more than a quarter of the pictures, but for a few that patches settle") {
    const auto stack = [](std::int64_t pictures) {
        return stack_of(choose_stack(pictures, preprocessing_of(32, 3), {.budget_seconds = 1e9}));
    };
    CHECK(stack(8192).find("conv2d:2048:") != std::string::npos);
    CHECK(stack(8191).find("conv2d:1024:") != std::string::npos);
    CHECK(stack(4095).find("conv2d:512:") != std::string::npos);
    CHECK(stack(300).find("conv2d:128:kernel=7") == 0);
    CHECK(stack(300).find("conv2d:512:") != std::string::npos);
}

TEST_CASE(
    "A budget that is too short gets the smallest stack that fits a picture of any shape, and is told so") {
    Preprocessing preprocessing = preprocessing_of(12, 3);
    preprocessing.width = 90;
    const StackChoice choice = choose_stack(1000, preprocessing, {.budget_seconds = 1e-3});
    CHECK_NOTHROW(bind(choice.config.stack, preprocessing.shape()));
    CHECK(stack_of(choice).find("conv2d:128:") != std::string::npos);
    CHECK(stack_of(choice).find("pca:250:") != std::string::npos);
    CHECK(choice.seconds > 1e-3);
    CHECK(choice.reason.find("takes longer than allowed") != std::string::npos);
}

TEST_CASE("What is put over a stack counts when it is chosen") {
    const auto choose = [](double validation) {
        return choose_stack(400, preprocessing_of(16),
                            {.adjust =
                                 [validation](const TrainConfig& config) {
                                     TrainConfig changed = config;
                                     changed.validation = validation;
                                     changed.seed = 7;
                                     return changed;
                                 },
                             .budget_seconds = 1e9});
    };
    CHECK(stack_of(choose(0.0)).find("conv2d:512:") != std::string::npos);  // 30 patches each, of 40,000
    const StackChoice fewer = choose(0.7);
    CHECK(stack_of(fewer).find("conv2d:256:") != std::string::npos);
    CHECK(fewer.config.seed == 7);
}

TEST_CASE("A stack that takes more memory than there is is passed over") {
    ChooseOptions options{.budget_seconds = 1e9};
    const StackChoice whole = choose_stack(20'000, preprocessing_of(28), options);
    options.run.memory_limit = std::int64_t{160} << 20;
    const StackChoice small = choose_stack(20'000, preprocessing_of(28), options);
    CHECK(stack_of(small) != stack_of(whole));
}

TEST_CASE("Nothing is chosen for no pictures or no time") {
    CHECK_THROWS_AS(choose_stack(0, preprocessing_of(28)), InvalidArgument);
    CHECK_THROWS_AS(choose_stack(10, preprocessing_of(28), {.budget_seconds = 0.0}), InvalidArgument);
}

}  // namespace
}  // namespace stackae
