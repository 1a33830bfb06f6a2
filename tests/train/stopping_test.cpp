#include <algorithm>
#include <new>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

/// Dense layers that stay as they are up to a point, and run away from there.
TrainConfig runaway(std::int64_t epochs_of_first) {
    TrainConfig config =
        config_of("dense:24:activation=linear:output=linear:epochs=" + std::to_string(epochs_of_first) +
                  ", dense:12:activation=linear");
    config.batch_size = 32;
    config.validation = 0.2;
    config.optimizer = OptimizerKind::sgd;
    config.schedule = ScheduleKind::constant;
    config.epochs = 40;
    config.retries = 0;
    return config;
}

}  // namespace

TEST_CASE("Stopping in the first layer keeps it, stopping early in the second keeps the first alone") {
    const TrainConfig config = dense_config();
    // Of a layer: a measurement, then 8 batches and a measurement an epoch.
    constexpr std::int64_t steps_a_layer = 1 + 40 * 9;
    Recorder at_once;
    at_once.stop_after_steps = 3;
    const Model first = train_on(bars(), config, at_once);
    REQUIRE(first.record.interrupted);
    REQUIRE(first.layers.size() == 1);
    Recorder in_second;
    in_second.stop_after_steps = steps_a_layer + 6;
    const Model second = train_on(bars(), config, in_second);
    REQUIRE(second.record.interrupted);
    REQUIRE(second.layers.size() == 1);
    CHECK(second.record.history.size() == 40);
    Recorder in_fine_tuning;
    in_fine_tuning.stop_after_steps = 2 * steps_a_layer + 30;
    const Model third = train_on(bars(), config, in_fine_tuning);
    REQUIRE(third.record.interrupted);
    REQUIRE(third.layers.size() == 2);
    REQUIRE(third.record.history.back().stage == "fine-tuning");
    CHECK(encode(first, as_rows(bars())).columns() == 24);
}

TEST_CASE("A stop while pictures are read is no failure") {
    class AtOnce : public TrainObserver {
        bool stop() override { return true; }
    } at_once;
    const Model model = train_on(bars(), dense_config(), at_once);
    CHECK(model.record.interrupted);
    CHECK(model.layers.empty());
}

TEST_CASE("Where a higher layer or fine-tuning runs away, the layers below are handed over as they were") {
    TrainConfig config = runaway(2);
    config.learning_rate = 1e-3;
    config.fine_tune_epochs = 60;
    config.fine_tune_learning_rate = 1e3;
    Recorder in_fine_tuning;
    CHECK_THROWS_AS(train_on(bars(), config, in_fine_tuning), Divergence);
    REQUIRE(in_fine_tuning.finished);
    const Model& both = *in_fine_tuning.finished;
    CHECK(both.layers.size() == 2);
    CHECK(both.record.interrupted);
    CHECK(both.record.history.size() == 42);  // none of fine-tuning
    Recorder whole;
    config.fine_tune_epochs = 0;
    CHECK(train_on(bars(), config, whole).identity() == both.identity());
    CHECK_FALSE(whole.finished);
    CHECK(whole.alike == 0);

    config = runaway(0);
    config.learning_rate = 1e3;
    Recorder in_second;
    CHECK_THROWS_AS(train_on(bars(), config, in_second), Divergence);
    REQUIRE(in_second.finished);
    CHECK(in_second.finished->layers.size() == 1);
    CHECK(in_second.finished->record.history.empty());
    CHECK(encode(*in_second.finished, as_rows(bars())).columns() == 24);
}

TEST_CASE("Whatever fails, finished layers are handed over, and nothing where there is none") {
    class Failing : public Recorder {
    public:
        explicit Failing(std::size_t stage) : stage_(stage) {}
        void on_progress(const StageProgress& progress) override {
            if (stages.size() == stage_ && progress.epoch == 2) {
                throw std::bad_alloc();
            }
        }

    private:
        std::size_t stage_;
    };
    TrainConfig config = dense_config();
    config.epochs = 3;
    Failing in_second(2);
    CHECK_THROWS_AS(train_on(bars(), config, in_second), std::bad_alloc);
    REQUIRE(in_second.finished);
    CHECK(in_second.finished->layers.size() == 1);
    CHECK(in_second.finished->record.history.size() == 3);
    Failing in_first(1);
    CHECK_THROWS_AS(train_on(bars(), config, in_first), std::bad_alloc);
    CHECK_FALSE(in_first.finished);
}

TEST_CASE("Training of convolutions that is stopped keeps the layers that were finished") {
    const auto stopped = GENERATE(0, 1, 2);
    const bool dense = GENERATE(false, true);
    TrainConfig config =
        config_of(std::string("conv2d:16:patches=3000, pool2d:2, conv2d:24:kernel=2:patches=3000, "
                              "pool2d:grid=2, ") +
                  (dense ? "dense:8" : "pca:10, l2_norm"));
    config.validation = 0.2;
    Recorder recorder;
    recorder.stop_after_epochs = static_cast<std::size_t>(stopped);
    const Model model = train_on(strokes(60), config, recorder);
    REQUIRE(model.record.interrupted);
    const auto& layers = model.layers.layers();
    REQUIRE(std::count_if(layers.begin(), layers.end(),
                          [](const auto& layer) { return layer->is_trained(); }) == stopped);
    CHECK(model.record.history.size() == recorder.stop_after_epochs);
    if (stopped > 0) {
        CHECK_NOTHROW(check(model));
        CHECK(encode(model, as_rows(strokes(5))).rows() == 5);
    }
}

TEST_CASE("A convolution that is stopped in its epochs is kept as far as it came, and can be used") {
    TrainConfig config = config_of("conv2d:16:kernel=3:epochs=100000:patches=3000, pool2d:2, pca:3");
    config.validation = 0.2;
    Recorder recorder;
    recorder.stop_after_epochs = 2;
    const Model model = train_on(strokes(60), config, recorder);
    REQUIRE(model.record.interrupted);
    REQUIRE(model.layers.size() == 1);
    CHECK(model.record.history.size() == 2);
    CHECK_NOTHROW(check(model));
    CHECK(encode(model, as_rows(strokes(5))).rows() == 5);
    CHECK(reconstruction_error(model, as_rows(strokes(60))) < 0.8 * error_of_mean(as_rows(strokes(60))));
}

TEST_CASE("Nystroem features are given up when they are told to stop, whenever that is") {
    class Counting : public Recorder {
    public:
        bool stop() override {
            const bool of_features = stages.size() == 2;
            asked += of_features ? 1 : 0;
            return of_features && asked >= stop_at;
        }
        int asked = 0;
        int stop_at = 1 << 30;
    };
    const TrainConfig config = config_of("pca:6, nystroem:10");
    Counting whole;
    REQUIRE(train_on(bars(60), config, whole).layers.size() == 2);
    CHECK(whole.asked > 4);
    for (int stop_at = 1; stop_at <= whole.asked; ++stop_at) {
        CAPTURE(stop_at);
        Counting counting;
        counting.stop_at = stop_at;
        const Model model = train_on(bars(60), config, counting);
        CHECK(model.record.interrupted);
        CHECK(model.layers.size() == 1);
    }
}
