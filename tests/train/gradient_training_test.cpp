#include <algorithm>
#include <cmath>
#include <omp.h>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/threads.hpp"
#include "linalg/onednn.hpp"
#include "support/catch.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

/// One layer, without fine-tuning.
TrainConfig one_layer(const std::string& layer) {
    TrainConfig config = dense_config(layer);
    config.fine_tune_epochs = 0;
    return config;
}

/// Weights and biases as they lie in the model: by what they make of some pictures.
Tensor codes_of(const Model& model) {
    return encode(model, as_rows(bars(20)));
}

}  // namespace

TEST_CASE("A stack learns to rebuild pictures far better than their mean does") {
    const bool tied = GENERATE(false, true);
    const TrainConfig config =
        dense_config(tied ? "dense:24:activation=sigmoid:tied, dense:12:activation=sigmoid:tied"
                          : "dense:24:activation=sigmoid, dense:12:activation=sigmoid");
    Recorder recorder;
    const Model model = train_on(bars(), config, recorder);
    REQUIRE(model.layers.size() == 2);
    REQUIRE(model.code_size() == 12);
    REQUIRE(model.record.pictures == 300);
    REQUIRE_FALSE(model.record.interrupted);
    REQUIRE(model.record.history.size() == 140);
    REQUIRE(recorder.epochs.size() == 140);
    for (const StageEpoch& epoch : model.record.history) {
        REQUIRE(epoch.mean_loss.value() > 0.0);
    }
    REQUIRE(reconstruction_error(model, as_rows(bars())) < 0.25 * 6.0);  // the mean picture's is above 6
}

TEST_CASE("The greedy stages alone lower each layer's loss below that of the mean") {
    TrainConfig config = dense_config();
    config.fine_tune_epochs = 0;
    config.loss = GENERATE(LossKind::squared_error, LossKind::cross_entropy);
    const Model model = train_on(bars(), config);
    for (const char* stage : {"layer 1, dense", "layer 2, dense"}) {
        const StageEpoch last = last_of(model, stage);
        REQUIRE(last.validation_loss.value() < last.mean_loss.value());
    }
}

TEST_CASE("The same configuration and pictures give the same model of dense layers, another seed another") {
    TrainConfig config = dense_config();
    config.corruption = Corruption::masking;
    config.corruption_level = 0.2;
    const Model model = train_on(bars(), config);
    REQUIRE(train_on(bars(), config).identity() == model.identity());
    config.seed = 1;
    REQUIRE(train_on(bars(), config).identity() != model.identity());
}

TEST_CASE("Pictures moved at random are other pictures to learn from, the same in every run") {
    TrainConfig config = dense_config();
    const Model still = train_on(bars(), config);
    config.augment_shift = 0.1;
    config.augment_rotate = 5.0;
    config.augment_scale = 0.05;
    config.augment_shear = 0.05;
    const Model model = train_on(bars(), config);
    CHECK(train_on(bars(), config).identity() == model.identity());
    CHECK_FALSE(same_values(codes_of(model), codes_of(still)));
    const StageEpoch& last = model.record.history.back();
    CHECK(last.validation_loss.value() < last.mean_loss.value());
}

TEST_CASE("Rows of numbers are no pictures: they are never moved") {
    TrainConfig config = dense_config();
    config.epochs = 2;
    config.fine_tune_epochs = 2;
    const auto codes = [&] {
        Tensor rows({300, 1, 64});
        std::copy_n(bars().data(), rows.size(), rows.data());
        return codes_of(train_on(std::move(rows), config));
    };
    const Tensor still = codes();
    config.augment_shift = 0.1;
    config.augment_rotate = 5.0;
    CHECK(same_values(codes(), still));
}

TEST_CASE("Pictures that do not fit the stated memory are trained on all the same") {
    const TrainConfig config = dense_config("dense:24, dense:12");
    const Tensor pictures = bars(3000);
    RunOptions run = on_threads(1);
    const std::string held = train_on(pictures, config, run).identity();
    const TrainPlan plan = plan_training(3000, preprocessing_of(pictures), config, run);
    run.memory_limit = plan.memory_bytes - 700 * 1024;  // of pictures of 750 KiB
    const TrainPlan less = plan_training(3000, preprocessing_of(pictures), config, run);
    REQUIRE_FALSE(less.refused());
    CHECK(less.memory_bytes < plan.memory_bytes);
    CHECK(train_on(pictures, config, run).identity() == held);
}

TEST_CASE("A batch of one updates after every picture") {
    TrainConfig config = one_layer("dense:10:activation=sigmoid");
    config.batch_size = 1;
    config.epochs = 2;
    config.optimizer = OptimizerKind::sgd;
    config.momentum = 0.0;
    config.schedule = ScheduleKind::constant;
    Recorder recorder;
    const Model model = train_on(bars(), config, recorder);
    // And a measurement before the first epoch and after each.
    REQUIRE(recorder.steps == 2 * 240 + 3);
    REQUIRE(model.record.history.back().train_loss.value() < model.record.history.front().train_loss.value());
}

TEST_CASE("Early stopping ends a stage that no longer improves, and the best weights are kept") {
    TrainConfig config = one_layer("dense:24:activation=sigmoid");
    config.epochs = 200;
    config.schedule = ScheduleKind::constant;
    config.learning_rate = 0.05;
    config.patience = 3;
    const Model model = train_on(bars(), config);
    const auto& history = model.record.history;
    REQUIRE(history.size() < 200);
    const auto best =
        std::min_element(history.begin(), history.end(), [](const StageEpoch& a, const StageEpoch& b) {
            return a.validation_loss.value() < b.validation_loss.value();
        });
    REQUIRE(history.end() - best == 4);
    // A run that ends with its best epoch has the same weights.
    config.epochs = best->epoch;
    REQUIRE(same_values(codes_of(train_on(bars(), config)), codes_of(model)));
}

TEST_CASE("A learning rate that is far too high ends with advice and no model") {
    TrainConfig config = dense_config("dense:24:activation=relu:output=linear, dense:12:activation=relu");
    config.optimizer = OptimizerKind::sgd;
    config.schedule = ScheduleKind::constant;
    config.learning_rate = 1000.0;
    config.retries = 0;
    CHECK_THROWS_AS(train_on(bars(), config), Divergence);
    CHECK_THROWS_WITH(train_on(bars(), config), contains("lower learning rate"));
}

TEST_CASE("A first epoch that ruins the weights ends with advice, with and without a part held out") {
    TrainConfig config = one_layer("dense:32:activation=relu:output=linear");
    config.optimizer = OptimizerKind::sgd;
    config.schedule = ScheduleKind::constant;
    config.learning_rate = 1000.0;
    config.retries = 0;
    config.batch_size = 1000;  // one update, seen only afterwards
    config.epochs = 1;
    config.validation = GENERATE(0.2, 0.0);
    CHECK_THROWS_AS(train_on(bars(), config), Divergence);
}

TEST_CASE("Sets without variation are no divergence") {
    Tensor pictures({GENERATE(1, 20), 8, 8});
    std::fill(pictures.values().begin(), pictures.values().end(), 1.0F);
    const std::int64_t count = pictures.rows();
    Recorder recorder;
    const Model model = train_on(std::move(pictures), dense_config(), recorder);
    REQUIRE(model.layers.size() == 2);
    CHECK(recorder.alike == count);
    CHECK(all_finite(encode(model, Tensor({1, 64}))));
}

TEST_CASE("Every preset trains on a small set") {
    const Preset& each = GENERATE(from_range(presets()));
    INFO(each.name);
    TrainConfig config = preset(each.name);
    config.rows = TableRow::user;  // there are no others
    // The same layers, of fewer units and smaller patches.
    std::string stack;
    for (const auto& layer : config.stack.layers()) {
        std::string text = layer->text();
        const std::size_t units = text.find(':');
        if (const std::size_t at = text.find("grid=3"); at != std::string::npos) {
            text.replace(at, 6, "grid=2");
        }
        if (layer->is_trained()) {
            const std::size_t after = text.find(':', units + 1);
            text = text.substr(0, units) + ":20" + (after == std::string::npos ? "" : text.substr(after));
            for (const char* kernel : {"kernel=7", "kernel=3"}) {
                if (const std::size_t at = text.find(kernel); at != std::string::npos) {
                    text.replace(at, 8, "kernel=2");
                }
            }
        }
        stack += (stack.empty() ? "" : ", ") + text;
    }
    config.stack = parse_stack(stack);
    config.epochs = std::min<std::int64_t>(3, config.epochs);
    config.fine_tune_epochs = std::min<std::int64_t>(3, config.fine_tune_epochs);
    const Model model = train_on(bars(), config);
    REQUIRE(model.layers.size() == config.stack.size());
    REQUIRE(std::isfinite(reconstruction_error(model, as_rows(bars()))));
}

TEST_CASE("Winners alone are what a winner-take-all stack is measured by") {
    TrainConfig config = one_layer("dense:48:activation=relu:output=linear");
    config.lifetime_sparsity = 0.05;
    const Model model = train_on(bars(), config);
    const auto& history = model.record.history;
    REQUIRE(history.back().validation_loss.value() < history.front().validation_loss.value());
    REQUIRE(history.back().validation_loss.value() < history.back().mean_loss.value());
}

TEST_CASE("Patience does not end training where nothing is held out") {
    TrainConfig config = dense_config();
    config.validation = 0.001;  // of 300: none
    config.patience = 2;
    config.epochs = 6;
    config.fine_tune_epochs = 0;
    REQUIRE(train_on(bars(), config).record.history.size() == 12);
}

TEST_CASE("A preset for plain pictures is trained on standardised ones too") {
    TrainConfig config = preset("hinton2006");
    config.stack = parse_stack("dense:12, dense:12, dense:12, dense:12:activation=linear");
    config.epochs = 1;
    config.fine_tune_epochs = 1;
    Preprocessing preprocessing = preprocessing_of(bars());
    preprocessing.mean.assign(64, 0.2F);
    preprocessing.deviation.assign(64, 0.3F);
    Recorder recorder;
    const Model model = train(ImageDataset::from_tensor(bars()), preprocessing, config, {}, recorder);
    CHECK(model.layers[0].text().find("output=linear") != std::string::npos);
    REQUIRE(recorder.epochs.size() == 5);
    config.stack = parse_stack("dense:12:output=sigmoid");
    CHECK_THROWS_WITH(train(ImageDataset::from_tensor(bars()), preprocessing, config, {}, recorder),
                      contains("sigmoid output"));
    REQUIRE(recorder.epochs.size() == 5);  // none of the second run
}

TEST_CASE("The caller's own number of threads is left as it was") {
    const base::ThreadScope scope(2);
    TrainConfig config = dense_config();
    config.epochs = 1;
    config.fine_tune_epochs = 0;
    const Model model = train_on(bars(), config, on_threads(1));
    CHECK(encode(model, as_rows(bars())).rows() == 300);
    REQUIRE(omp_get_max_threads() == 2);
}

TEST_CASE("Units that never change are reported as dead") {
    TrainConfig config = one_layer("dense:10:activation=relu");
    config.epochs = 1;
    config.learning_rate = 1e-9;
    REQUIRE(train_on(bars(), config).record.history.back().dead_units.value() < 1.0);
    // Black pictures: every unit gives its bias.
    REQUIRE(train_on(Tensor({50, 8, 8}), config).record.history.back().dead_units.value() == 1.0);
}

TEST_CASE("Every corruption, penalty and optimiser trains to better than the mean") {
    const int variant = GENERATE(range(0, 7));
    TrainConfig config = one_layer(variant == 4 ? "dense:32:activation=relu" : "dense:32:activation=sigmoid");
    config.epochs = 15;
    config.corruption = variant == 0   ? Corruption::masking
                        : variant == 1 ? Corruption::gaussian
                        : variant == 2 ? Corruption::salt_and_pepper
                                       : Corruption::none;
    config.corruption_level = variant < 3 ? 0.15 : 0.0;
    if (variant == 3) {
        config.sparsity_target = 0.1;
        config.sparsity_weight = 0.1;
    }
    if (variant == 4) {
        config.lifetime_sparsity = 0.2;
    }
    if (variant == 5) {
        config.optimizer = OptimizerKind::sgd;
        config.nesterov = true;
        config.learning_rate = 0.02;
        config.clip_norm = 5.0;
    }
    if (variant == 6) {
        config.optimizer = OptimizerKind::adamw;
        config.weight_decay = 1e-3;
    }
    const Model model = train_on(bars(), config);
    const StageEpoch& last = model.record.history.back();
    REQUIRE(last.validation_loss.value() < 0.9 * last.mean_loss.value());
}

TEST_CASE("Cross-entropy is refused where pictures leave the range from 0 to 1") {
    TrainConfig config = dense_config();
    config.loss = LossKind::cross_entropy;
    Preprocessing preprocessing = preprocessing_of(bars());
    preprocessing.contrast = true;
    Recorder recorder;
    CHECK_THROWS_WITH(train(ImageDataset::from_tensor(bars()), preprocessing, config, {}, recorder),
                      contains("[0, 1]"));
    CHECK_FALSE(recorder.read);
}
