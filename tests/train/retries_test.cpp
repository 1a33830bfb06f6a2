#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include "stackae/error.hpp"

#include "layers/tries.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

/// Of what the last epochs of tries say.
std::vector<std::string> remarks_of(const Model& model) {
    std::vector<std::string> remarks;
    for (const StageEpoch& epoch : model.record.history) {
        if (!epoch.remark.empty()) {
            remarks.push_back(epoch.remark);
        }
    }
    return remarks;
}

/// At which the loss runs away, and at a tenth of which as well.
TrainConfig absurd() {
    TrainConfig config = config_of("dense:32:activation=relu:output=linear, dense:8:activation=linear");
    config.optimizer = OptimizerKind::sgd;
    config.schedule = ScheduleKind::constant;
    config.loss = LossKind::squared_error;
    config.learning_rate = 3.0;
    config.epochs = 12;
    config.batch_size = 32;
    config.validation = 0.2;
    return config;
}

}  // namespace

TEST_CASE("A layer whose loss runs away is learnt at a lower rate, which its epochs say") {
    TrainConfig config = absurd();
    config.retries = 0;
    CHECK_THROWS_AS(train_on(bars(), config), Divergence);
    config.retries = 3;
    Recorder recorder;
    const Model model = train_on(bars(), config, recorder);
    const auto remarks = remarks_of(model);
    REQUIRE_FALSE(remarks.empty());
    CHECK(remarks.front() == "the loss ran away at a learning rate of 3; tried again at 0.3");
    const StageEpoch last = last_of(model, "layer 1, dense");
    CHECK(last.remark.empty());
    CHECK(last.epoch == 12);
    CHECK(last.learning_rate.value() < 0.5);
    CHECK(last.validation_loss.value() < 0.9 * last.mean_loss.value());
    CHECK(recorder.epochs.size() == model.record.history.size());
    CHECK(train_on(bars(), config).identity() == model.identity());
}

TEST_CASE("Where no try comes to anything, the error tells how many there were") {
    TrainConfig config = absurd();
    config.learning_rate = 1000.0;
    config.retries = 1;
    CHECK_THROWS_WITH(train_on(bars(), config), contains("(in 2 tries, at lower learning rates)"));
}

TEST_CASE("Nothing was learnt where the loss rose or all units died, and not where it fell or is better") {
    using layers::Outcome;
    CHECK(Outcome{.ran_away = true}.is_nothing());
    CHECK(Outcome{false, 3.0, 2.5, 2.0, 0.0}.is_nothing());
    CHECK(Outcome{false, 1.9995, 2.5, 2.0, 1.0}.is_nothing());
    CHECK_FALSE(Outcome{false, 2.4999, 2.5, 2.0, 0.9}.is_nothing());  // slow
    CHECK_FALSE(Outcome{false, 2.501, 2.5, 2.0, 0.0}.is_nothing());   // hardly moved
    CHECK_FALSE(Outcome{false, 1.9, 1.5, 2.0, 0.0}.is_nothing());
    CHECK_FALSE(Outcome{false, 1.9, 2.5, 2.0, 1.0}.is_nothing());
}

TEST_CASE("Each further try has a tenth of the rate, from the third on another start, and the last says so") {
    TrainConfig config;
    config.seed = 5;
    config.retries = 2;
    layers::Tries tries(layers::PlanContext{.config = config, .name = "layer 1", .stage = 1});
    const layers::Outcome outcome{false, 3.0, 2.5, 2.0, 0.0};
    CHECK(tries.learning_rate(0.5) == 0.5);
    CHECK(tries.count().empty());
    REQUIRE(tries.next());
    CHECK(tries.learning_rate(0.5) == Approx(0.05));
    CHECK(tries.seed() == 5);
    CHECK(tries.again(outcome, 0.5, 0.5) ==
          "nothing was learnt: a loss of 3 where the mean's is 2 at a learning rate of 0.5; tried again at "
          "0.05");
    REQUIRE(tries.next());
    CHECK(tries.learning_rate(0.5) == Approx(0.005));
    CHECK(tries.seed() != 5);
    CHECK(tries.again(outcome, 0.05, 0.5).ends_with("; tried again at 0.005 with other random numbers"));
    CHECK_FALSE(tries.next());
    CHECK(tries.given_up(outcome).find(
              " (in 3 tries, at lower learning rates and with other random numbers); a lower") !=
          std::string::npos);
    layers::TrainerState state;
    tries.save_state(state);
    layers::Tries other(layers::PlanContext{.config = config, .name = "layer 1", .stage = 1});
    other.load_state(state);
    CHECK(other.seed() == tries.seed());
    CHECK(other.learning_rate(1.0) == tries.learning_rate(1.0));
}

TEST_CASE("Pictures that are all the same say that there is nothing to learn, and are tried once") {
    Tensor pictures({GENERATE(1, 20), 8, 8});
    std::fill(pictures.values().begin(), pictures.values().end(), GENERATE(0.0F, 0.3F, 1.0F));
    TrainConfig config = dense_config();
    config.epochs = 3;
    config.fine_tune_epochs = 2;
    const Model model = train_on(pictures, config);
    CHECK(model.record.history.size() == 3 + 3 + 2);
    const auto remarks = remarks_of(model);
    REQUIRE(remarks.size() == 3);
    CHECK(std::all_of(remarks.begin(), remarks.end(),
                      [](const auto& remark) { return remark.find("nothing to learn") == 0; }));
}

TEST_CASE("Training that learns something has no remarks and no further tries") {
    TrainConfig config = dense_config();
    config.epochs = 10;
    config.fine_tune_epochs = 5;
    const Model model = train_on(bars(), config);
    CHECK(remarks_of(model).empty());
    CHECK(model.record.history.size() == 25);
    config.retries = 0;
    CHECK(train_on(bars(), config).identity() == model.identity());
}

TEST_CASE("Fine-tuning that runs away begins again from what the layers learnt") {
    TrainConfig config = absurd();
    config.learning_rate = 0.01;
    config.fine_tune_epochs = 10;
    config.fine_tune_learning_rate = 3.0;
    const Model model = train_on(bars(), config);
    const auto remarks = remarks_of(model);
    REQUIRE_FALSE(remarks.empty());
    CHECK(remarks.front() == "the loss ran away at a learning rate of 3; tried again at 0.3");
    const StageEpoch last = last_of(model, "fine-tuning");
    CHECK(last.remark.empty());
    CHECK(last.validation_loss.value() < last.mean_loss.value());
}

TEST_CASE("Refining of a convolution that runs away begins again from its clusters") {
    TrainConfig config = config_of("conv2d:8:patches=2000:epochs=3");
    config.optimizer = OptimizerKind::sgd;
    config.schedule = ScheduleKind::constant;
    config.learning_rate = 30.0;
    const Model model = train_on(strokes(80), config);
    const auto remarks = remarks_of(model);
    REQUIRE_FALSE(remarks.empty());
    CHECK(remarks.front() == "the loss ran away at a learning rate of 30; tried again at 3");
    REQUIRE(model.layers.size() == 1);
    CHECK(all_finite(encode(model, as_rows(strokes(3)))));
}

TEST_CASE("A training with further tries that is stopped again and again ends with the same bytes") {
    const TemporaryFolder folder;
    TrainConfig config = absurd();
    config.epochs = 4;
    Recorder recorder;
    save(train_on(bars(), config, recorder), folder / "whole");
    RunOptions run;
    run.checkpoint = folder / "pieces.ckpt";
    run.resume = true;
    int runs = 0;
    bool amid_a_further_try = false;
    for (bool done = false; !done; ++runs) {
        REQUIRE(runs < 400);
        Recorder stopper;
        stopper.stop_after_steps = 4 + runs % 5;
        const Model model = train_on(bars(), config, stopper, run);
        done = !model.record.interrupted;
        if (done) {
            save(model, folder / "pieces");
        } else {
            const auto history = load_checkpoint_info(run.checkpoint).model.record.history;
            amid_a_further_try = amid_a_further_try || (!history.empty() && !history.back().remark.empty());
        }
    }
    CHECK(amid_a_further_try);
    CHECK(read_text(folder / "pieces") == read_text(folder / "whole"));
}
