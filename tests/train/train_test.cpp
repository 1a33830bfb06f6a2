#include "stackae/train.hpp"

#include <algorithm>
#include <cmath>
#include <new>
#include <omp.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"

#include "base/random.hpp"
#include "linalg/onednn.hpp"
#include "support/catch.hpp"

using namespace stackae;

namespace {

constexpr std::int64_t pictures_count = 300;
constexpr int side = 8;

/// Bright bars on dark ground, at one of eight columns or rows, with some noise: easy to learn, far from
/// their mean.
Tensor bars() {
    Tensor tensor({pictures_count, side, side});
    const base::Random random(4, base::Stream::plan);
    std::uint32_t at = 0;
    for (std::int64_t i = 0; i < pictures_count; ++i) {
        const auto place = static_cast<int>(random.below(at++, side));
        const bool upright = random.below(at++, 2) == 1;
        for (int y = 0; y < side; ++y) {
            for (int x = 0; x < side; ++x) {
                const float noise = 0.1F * base::Random::uniform(random.block(at++)[0]);
                tensor.row(i)[static_cast<std::size_t>(y * side + x)] =
                    noise + ((upright ? x : y) == place ? 0.9F : 0.0F);
            }
        }
    }
    return tensor;
}

Recipe small_recipe() {
    Recipe recipe;
    recipe.height = side;
    recipe.width = side;
    return recipe;
}

TrainOptions small_options() {
    TrainOptions options;
    options.layers = {24, 12};
    options.activations = {Activation::sigmoid};
    options.epochs = {40};
    options.batch_size = 32;
    options.learning_rate = 1e-2;
    options.validation = 0.2;
    options.fine_tune_epochs = 60;
    return options;
}

/// Stops after so many batches; keeps what it was told.
class Recorder : public TrainObserver {
public:
    explicit Recorder(std::int64_t stop_after = -1) : stop_after_(stop_after) {}
    void on_batch(int /*layer*/, std::int64_t /*epoch*/, std::int64_t /*epochs*/, std::int64_t /*done*/,
                  std::int64_t /*of*/) override {
        ++batches;
    }
    void on_epoch(const EpochRecord& record) override { records.push_back(record); }
    void on_alike(std::int64_t pictures) override { alike = pictures; }
    void on_failure(Model model) override { finished = std::move(model); }
    bool stop() override { return stop_after_ >= 0 && batches >= stop_after_; }

    std::int64_t batches = 0;
    std::vector<EpochRecord> records;
    std::int64_t alike = 0;
    std::optional<Model> finished;

private:
    std::int64_t stop_after_;
};

Model train_bars(const TrainOptions& options, Recorder& recorder) {
    return train(Pictures::from_tensor(bars()), small_recipe(), options, recorder);
}

Model train_bars(const TrainOptions& options) {
    Recorder recorder;
    return train_bars(options, recorder);
}

double reconstruction_error(const Model& model, const Tensor& pictures) {
    Encoder encoder(model);
    const Tensor rebuilt = encoder.decode(encoder.encode(pictures));
    double sum = 0.0;
    for (std::size_t i = 0; i < rebuilt.values().size(); ++i) {
        sum += std::pow(static_cast<double>(rebuilt.values()[i] - pictures.values()[i]), 2.0);
    }
    return sum / static_cast<double>(pictures.rows());
}

}  // namespace

TEST_CASE("A stack learns to rebuild pictures far better than their mean does") {
    TrainOptions options = small_options();
    options.tied = GENERATE(false, true);
    Recorder recorder;
    const Model model = train_bars(options, recorder);
    REQUIRE(model.layers.size() == 2);
    REQUIRE(model.code_size() == 12);
    REQUIRE(model.pictures == pictures_count);
    REQUIRE_FALSE(model.interrupted);
    REQUIRE(model.history.size() == 140);
    REQUIRE(recorder.records.size() == 140);
    for (const EpochRecord& record : model.history) {
        REQUIRE(record.mean_loss > 0.0);
        REQUIRE(record.seconds > 0.0);
    }
    REQUIRE(reconstruction_error(model, bars()) < 0.25 * 6.0);  // the mean picture's error is above 6
}

TEST_CASE("The greedy phase alone lowers each layer's loss below that of the mean") {
    TrainOptions options = small_options();
    options.fine_tune_epochs = 0;
    options.loss = GENERATE(LossKind::squared_error, LossKind::cross_entropy);
    const Model model = train_bars(options);
    for (const int layer : {1, 2}) {
        const auto last = std::find_if(model.history.rbegin(), model.history.rend(),
                                       [&](const EpochRecord& record) { return record.layer == layer; });
        REQUIRE(last->validation_loss < last->mean_loss);
    }
}

TEST_CASE("The same options and pictures give the same model, another seed another") {
    TrainOptions options = small_options();
    options.corruption = Corruption::masking;
    options.corruption_level = {0.2};
    const Model model = train_bars(options);
    REQUIRE(train_bars(options).identity() == model.identity());
    options.seed = 1;
    REQUIRE(train_bars(options).identity() != model.identity());
}

TEST_CASE("Pictures moved at random are other pictures to learn from, the same in every run") {
    TrainOptions options = small_options();
    const Model still = train_bars(options);
    options.augmentation = {0.1, 5.0, 0.05, 0.05};
    const Model model = train_bars(options);
    CHECK(train_bars(options).identity() == model.identity());
    CHECK(model.layers.front().weights.values()[0] != still.layers.front().weights.values()[0]);
    CHECK(model.history.back().validation_loss < model.history.back().mean_loss);
    CHECK(plan_training(pictures_count, small_recipe(), options).phases.size() == 3);
}

TEST_CASE("Rows of numbers are no pictures: they are never moved") {
    TrainOptions options = small_options();
    options.epochs = {2};
    options.fine_tune_epochs = 2;
    Recipe recipe = small_recipe();
    recipe.height = 1;
    recipe.width = side * side;
    const auto weights = [&] {
        Recorder recorder;
        Tensor rows({pictures_count, 1, side * side});
        std::copy_n(bars().data(), rows.size(), rows.data());
        const Model model = train(Pictures::from_tensor(std::move(rows)), recipe, options, recorder);
        const auto values = model.layers.front().weights.values();
        return std::vector<float>(values.begin(), values.end());
    };
    const auto still = weights();
    options.augmentation = {0.1, 5.0, 0.05, 0.05};
    CHECK(weights() == still);
}

TEST_CASE("Pictures that do not fit the stated memory are trained on all the same") {
    TrainOptions options = small_options();
    const Model held = train_bars(options);
    options.memory = 0;
    const Model streamed = train_bars(options);
    for (std::size_t i = 0; i < held.layers.size(); ++i) {
        REQUIRE(std::equal(held.layers[i].weights.values().begin(), held.layers[i].weights.values().end(),
                           streamed.layers[i].weights.values().begin()));
    }
}

TEST_CASE("A batch of one updates after every picture") {
    TrainOptions options = small_options();
    options.batch_size = 1;
    options.layers = {10};
    options.epochs = {2};
    options.fine_tune_epochs = 0;
    options.optimizer = OptimizerKind::sgd;
    options.momentum = 0.0;
    options.schedule = ScheduleKind::constant;
    Recorder recorder;
    const Model model = train_bars(options, recorder);
    REQUIRE(recorder.batches == 2 * 240);
    REQUIRE(model.history.back().train_loss < model.history.front().train_loss);
}

TEST_CASE("Stopping in the first layer keeps it, stopping early in the second keeps the first alone") {
    const TrainOptions options = small_options();
    constexpr std::int64_t batches_a_layer = 40 * 8;
    Recorder at_once(3);
    const Model first = train_bars(options, at_once);
    REQUIRE(first.interrupted);
    REQUIRE(first.layers.size() == 1);
    Recorder in_second(batches_a_layer + 2);
    const Model second = train_bars(options, in_second);
    REQUIRE(second.interrupted);
    REQUIRE(second.layers.size() == 1);
    Recorder in_fine_tuning(2 * batches_a_layer + 9);
    const Model third = train_bars(options, in_fine_tuning);
    REQUIRE(third.interrupted);
    REQUIRE(third.layers.size() == 2);
    REQUIRE(third.history.back().layer == 0);
    Encoder encoder(first);
    REQUIRE(encoder.encode(bars()).columns() == 24);
}

TEST_CASE("Early stopping ends a phase that no longer improves, and the best weights are kept") {
    TrainOptions options = small_options();
    options.layers = {24};
    options.epochs = {200};
    options.fine_tune_epochs = 0;
    options.schedule = ScheduleKind::constant;
    options.learning_rate = 0.05;
    options.patience = 3;
    const Model model = train_bars(options);
    REQUIRE(model.history.size() < 200);
    const auto best = std::min_element(
        model.history.begin(), model.history.end(),
        [](const EpochRecord& a, const EpochRecord& b) { return a.validation_loss < b.validation_loss; });
    REQUIRE(model.history.end() - best == 4);
    // A run that ends with its best epoch has the same weights.
    options.epochs = {best->epoch};
    REQUIRE(train_bars(options).identity() == model.identity());
}

TEST_CASE("A learning rate that is far too high ends with advice and no model") {
    TrainOptions options = small_options();
    options.activations = {Activation::relu};
    options.output = Activation::linear;
    options.optimizer = OptimizerKind::sgd;
    options.schedule = ScheduleKind::constant;
    options.learning_rate = 1e3;
    CHECK_THROWS_AS(train_bars(options), Divergence);
    CHECK_THROWS_WITH(train_bars(options), test::contains("lower learning rate"));
}

TEST_CASE("A first epoch that ruins the weights ends with advice, with and without a part held out") {
    TrainOptions options = small_options();
    options.layers = {32};
    options.activations = {Activation::relu};
    options.output = Activation::linear;
    options.optimizer = OptimizerKind::sgd;
    options.schedule = ScheduleKind::constant;
    options.learning_rate = 1e3;
    options.batch_size = 1000;  // one update, seen only afterwards
    options.epochs = {1};
    options.fine_tune_epochs = 0;
    options.validation = GENERATE(0.2, 0.0);
    CHECK_THROWS_AS(train_bars(options), Divergence);
}

TEST_CASE("Sets without variation are no divergence") {
    Tensor same({20, side, side});
    std::fill(same.values().begin(), same.values().end(), 1.0F);
    const std::int64_t count = GENERATE(1, 20);
    Tensor pictures({count, side, side});
    std::copy_n(same.data(), pictures.size(), pictures.data());
    Recorder recorder;
    const Model model =
        train(Pictures::from_tensor(std::move(pictures)), small_recipe(), small_options(), recorder);
    REQUIRE(model.layers.size() == 2);
    CHECK(recorder.alike == count);
    Encoder encoder(model);
    const Tensor code = encoder.encode(Tensor({1, side * side}));
    for (const float value : code.values()) {
        CHECK(std::isfinite(value));
    }
}

TEST_CASE("Where a higher layer or fine-tuning runs away, the layers below are handed over as they were") {
    TrainOptions options = small_options();
    options.activations = {Activation::linear};
    options.output = Activation::linear;
    options.optimizer = OptimizerKind::sgd;
    options.schedule = ScheduleKind::constant;
    options.epochs = {2, 40};
    options.learning_rate = 1e-3;
    options.fine_tune_learning_rate = 1e3;
    Recorder in_fine_tuning;
    CHECK_THROWS_AS(train_bars(options, in_fine_tuning), Divergence);
    REQUIRE(in_fine_tuning.finished);
    const Model& both = *in_fine_tuning.finished;
    CHECK(both.layers.size() == 2);
    CHECK(both.interrupted);
    CHECK(both.history.size() == 42);  // none of fine-tuning
    Recorder whole;
    options.fine_tune_epochs = 0;
    CHECK(train_bars(options, whole).identity() == both.identity());
    CHECK_FALSE(whole.finished);
    CHECK(whole.alike == 0);

    options.epochs = {0, 40};
    options.learning_rate = 1e3;
    Recorder in_second;
    CHECK_THROWS_AS(train_bars(options, in_second), Divergence);
    REQUIRE(in_second.finished);
    CHECK(in_second.finished->layers.size() == 1);
    CHECK(in_second.finished->history.empty());
    Encoder encoder(*in_second.finished);
    CHECK(encoder.encode(bars()).columns() == 24);
}

TEST_CASE("Whatever fails, finished layers are handed over, and nothing where there is none") {
    class Failing : public Recorder {
    public:
        explicit Failing(int layer) : layer_(layer) {}
        void on_batch(int layer, std::int64_t epoch, std::int64_t /*epochs*/, std::int64_t /*done*/,
                      std::int64_t /*of*/) override {
            if (layer == layer_ && epoch == 2) {
                throw std::bad_alloc();
            }
        }

    private:
        int layer_;
    };
    TrainOptions options = small_options();
    options.epochs = {3};
    Failing in_second(2);
    CHECK_THROWS_AS(train_bars(options, in_second), std::bad_alloc);
    REQUIRE(in_second.finished);
    CHECK(in_second.finished->layers.size() == 1);
    CHECK(in_second.finished->history.size() == 3);
    Failing in_first(1);
    CHECK_THROWS_AS(train_bars(options, in_first), std::bad_alloc);
    CHECK_FALSE(in_first.finished);
}

TEST_CASE("A stop while pictures are read is no failure") {
    Recorder at_once(0);
    const Model model = train_bars(small_options(), at_once);
    CHECK(model.interrupted);
    CHECK(model.depth() == 0);
}

TEST_CASE("Every preset trains on a small set") {
    const Preset& preset = GENERATE(from_range(presets()));
    INFO(preset.name);
    TrainOptions options = preset.options;
    options.layers.assign(options.layers.size(), 20);
    if (!options.convolutions.empty()) {
        options.convolutions = {parse_convolution("16@3:pool=2"), parse_convolution("32@2:grid=2")};
        options.code_size = 20;
    }
    options.epochs = {3};
    options.fine_tune_epochs = std::min<std::int64_t>(3, options.fine_tune_epochs);
    const Model model = train_bars(options);
    REQUIRE(model.convolutions.size() == options.convolutions.size());
    REQUIRE(model.layers.size() == options.layers.size() + (options.code_size > 0 ? 1 : 0));
    REQUIRE(std::isfinite(reconstruction_error(model, bars())));
}

TEST_CASE("Winners alone are what a winner-take-all stack is measured by") {
    TrainOptions options = small_options();
    options.layers = {48};
    options.activations = {Activation::relu};
    options.output = Activation::linear;
    options.winner_share = 0.05;
    options.fine_tune_epochs = 0;
    const Model model = train_bars(options);
    REQUIRE(model.history.back().validation_loss < model.history.front().validation_loss);
    REQUIRE(model.history.back().validation_loss < model.history.back().mean_loss);
}

TEST_CASE("Patience does not end training where nothing is held out") {
    TrainOptions options = small_options();
    options.validation = 0.001;  // of 300: none
    options.patience = 2;
    options.epochs = {6};
    options.fine_tune_epochs = 0;
    REQUIRE(train_bars(options).history.size() == 12);
}

TEST_CASE("A preset for plain pictures is trained on standardised ones too") {
    TrainOptions options = preset("hinton2006");
    options.layers.assign(4, 12);
    options.epochs = {1};
    options.fine_tune_epochs = 1;
    Recipe recipe = small_recipe();
    recipe.mean.assign(64, 0.2F);
    recipe.deviation.assign(64, 0.3F);
    Recorder recorder;
    const Model model = train(Pictures::from_tensor(bars()), recipe, options, recorder);
    REQUIRE(model.layers.front().decoder == Activation::linear);
    options.output = Activation::sigmoid;
    CHECK_THROWS_WITH(train(Pictures::from_tensor(bars()), recipe, options, recorder),
                      test::contains("sigmoid output"));
    REQUIRE(recorder.records.size() == 5);  // none of the second run
}

TEST_CASE("The caller's own number of threads is left as it was") {
    const base::ThreadScope scope(2);
    TrainOptions options = small_options();
    options.threads = 1;
    options.epochs = {1};
    options.fine_tune_epochs = 0;
    const Model model = train_bars(options);
    Encoder encoder(model, {0, false, 1});
    (void)encoder.encode(bars());
    REQUIRE(omp_get_max_threads() == 2);
}

TEST_CASE("Units that never change are reported as dead") {
    TrainOptions options = small_options();
    options.layers = {10};
    options.activations = {Activation::relu};
    options.fine_tune_epochs = 0;
    options.epochs = {1};
    options.learning_rate = 1e-9;
    const Model alive = train_bars(options);
    REQUIRE(alive.history.back().dead_units < 1.0);
    // Black pictures: every unit gives its bias.
    Recorder recorder;
    const Model dead =
        train(Pictures::from_tensor(Tensor({50, side, side})), small_recipe(), options, recorder);
    REQUIRE(dead.history.back().dead_units == 1.0);
}

TEST_CASE("Every corruption, penalty and optimiser trains to better than the mean") {
    TrainOptions options = small_options();
    options.layers = {32};
    options.fine_tune_epochs = 0;
    options.epochs = {15};
    const int variant = GENERATE(range(0, 7));
    options.corruption = variant == 0   ? Corruption::masking
                         : variant == 1 ? Corruption::gaussian
                         : variant == 2 ? Corruption::salt_and_pepper
                                        : Corruption::none;
    options.corruption_level = {variant < 3 ? 0.15 : 0.0};
    if (variant == 3) {
        options.sparsity_target = 0.1;
        options.sparsity_weight = 0.1;
    }
    if (variant == 4) {
        options.activations = {Activation::relu};
        options.winner_share = 0.2;
    }
    if (variant == 5) {
        options.optimizer = OptimizerKind::sgd;
        options.nesterov = true;
        options.learning_rate = 0.02;
        options.clip_norm = 5.0;
    }
    if (variant == 6) {
        options.optimizer = OptimizerKind::adamw;
        options.weight_decay = 1e-3;
    }
    const Model model = train_bars(options);
    REQUIRE(model.history.back().validation_loss < 0.9 * model.history.back().mean_loss);
}

TEST_CASE("Cross-entropy is refused where pictures leave the range from 0 to 1") {
    TrainOptions options = small_options();
    options.loss = LossKind::cross_entropy;
    Recipe recipe = small_recipe();
    recipe.contrast = true;
    Recorder recorder;
    CHECK_THROWS_WITH(train(Pictures::from_tensor(bars()), recipe, options, recorder),
                      test::contains("[0, 1]"));
}

TEST_CASE("A plan names every phase with its parameters, memory and a time") {
    const TrainPlan plan = plan_training(pictures_count, small_recipe(), small_options());
    REQUIRE(plan.phases.size() == 3);
    REQUIRE(plan.phases[0].parameters == 64 * 24 + 24 + 24 * 64 + 64);
    REQUIRE(plan.phases[2].layer == 0);
    REQUIRE(plan.parameters == train_bars(small_options()).parameters());
    REQUIRE(plan.memory_bytes > pictures_count * 64 * 4);
    REQUIRE(plan.seconds > 0.0);
}
