#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "stackae/error.hpp"

#include "base/rows.hpp"
#include "layers/conv2d.hpp"
#include "nn/conv2d.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

/// 12 × 12 → 4 × 4 × 16 → 2 × 2 × 24 → 10.
const std::string small_stack =
    "conv2d:16:patches=3000, pool2d:2, conv2d:24:kernel=2:patches=3000, pool2d:grid=2, "
    "pca:10:eigen_power=-0.25, l2_norm";

TrainConfig small_config(const std::string& stack = small_stack) {
    TrainConfig config = config_of(stack);
    config.validation = 0.2;
    return config;
}

Model train_strokes(const TrainConfig& config, int threads = 1) {
    return train_on(strokes(200), config, on_threads(threads));
}

/// Of each unit of the lowest convolution, which sees patches as they are: its greatest cosine with a
/// whitened patch of these pictures.
std::vector<double> nearest_patch(const Model& model, const Tensor& pictures) {
    const auto& layer = dynamic_cast<const layers::Conv2d&>(model.layers[0]);
    const nn::Conv2dShape shape = layer.shape();
    std::vector<double> nearest(base::at(layer.units), -1.0);
    std::vector<float> patch(base::at(shape.patch_size()));
    std::vector<float> whitened(base::at(layer.whitening.rows()));
    for (std::int64_t i = 0; i < pictures.rows() * shape.oh() * shape.ow(); ++i) {
        const std::int64_t picture = i / (shape.oh() * shape.ow());
        nn::im2col(shape, pictures.row(picture).data(), i % (shape.oh() * shape.ow()), 1, patch.data());
        std::transform(patch.begin(), patch.end(), layer.patch_mean.data(), patch.begin(), std::minus<>{});
        for (std::int64_t axis = 0; axis < layer.whitening.rows(); ++axis) {
            const auto row = layer.whitening.row(axis);
            whitened[base::at(axis)] = std::inner_product(row.begin(), row.end(), patch.begin(), 0.0F);
        }
        base::l2_normalize(whitened, whitened);
        for (std::int64_t unit = 0; unit < layer.units; ++unit) {
            const auto row = layer.weights.row(unit);
            const double cosine = std::inner_product(row.begin(), row.end(), whitened.begin(), 0.0);
            nearest[base::at(unit)] = std::max(nearest[base::at(unit)], cosine);
        }
    }
    return nearest;
}

double share_above_zero(const Tensor& codes) {
    const auto active =
        std::count_if(codes.values().begin(), codes.values().end(), [](float value) { return value > 0.0F; });
    return static_cast<double>(active) / static_cast<double>(codes.size());
}

}  // namespace

TEST_CASE("A convolutional stack has the shapes that were asked for, and an epoch a convolution") {
    Recorder recorder;
    const Model model = train_on(strokes(200), small_config(), recorder);
    REQUIRE(model.layers.size() == 6);
    CHECK(model.layers[1].output_shape() == Shape{4, 4, 16});
    CHECK(model.layers[3].output_shape() == Shape{2, 2, 24});
    CHECK(model.code_size() == 10);
    REQUIRE_FALSE(model.record.interrupted);
    // Patches of mean 0 vary in one direction less than they have values.
    CHECK(model.layers[0].text().find("whitening_dim=24") != std::string::npos);
    REQUIRE(recorder.epochs.size() == 2);
    REQUIRE(model.record.history.size() == 2);
    REQUIRE(model.record.history[1].stage == "layer 3, conv2d");
    const TemporaryFolder folder;
    save(model, folder / "m");
    REQUIRE(load_model(folder / "m").identity() == model.identity());
}

TEST_CASE("Both convolutions rebuild their input better than its mean does") {
    const Model model = train_strokes(small_config());
    for (const StageEpoch& epoch : model.record.history) {
        CAPTURE(epoch.stage);
        REQUIRE(epoch.mean_loss.value() > 0.0);
        CHECK_FALSE(epoch.train_loss);  // measured on what was held out alone
        CHECK(epoch.validation_loss.value() < epoch.mean_loss.value());
    }
    const StageEpoch& first = model.record.history.front();
    CHECK(first.validation_loss.value() < 0.8 * first.mean_loss.value());
    // What is told is what the encoder gives.
    TrainConfig config = small_config("conv2d:16:patches=3000");
    config.validation = 0.0;
    const Model all = train_strokes(config);
    CHECK(reconstruction_error(all, as_rows(strokes(200))) ==
          Approx(all.record.history[0].train_loss.value()).epsilon(1e-4));
}

TEST_CASE("A convolutional stack is the same every time; another seed gives another") {
    TrainConfig config = small_config(
        GENERATE(true, false) ? small_stack : "conv2d:16:patches=3000:epochs=1, pool2d:2, pca:10");
    const int threads = GENERATE(1, 2);
    const Model model = train_strokes(config, threads);
    REQUIRE(train_strokes(config, threads).identity() == model.identity());
    config.seed = 1;
    REQUIRE(train_strokes(config, threads).identity() != model.identity());
}

TEST_CASE("A picture's code is the same alone and in a batch, on one thread and on two, at every layer") {
    const Model model = train_strokes(small_config());
    const Tensor pictures = as_rows(strokes(30));
    const std::string output = GENERATE("2", "4", "6");
    const Tensor together = encode(model, pictures, output);
    const Tensor on_two = encode(model, pictures, output, 2);
    for (std::int64_t i = 0; i < pictures.rows(); ++i) {
        Tensor one({1, pictures.columns()});
        std::copy_n(pictures.row(i).data(), one.size(), one.data());
        const Tensor alone = encode(model, one, output);
        for (std::size_t j = 0; j < alone.values().size(); ++j) {
            CAPTURE(i, j);
            // Convolutions see a picture at a time; a dense product's sums depend on its number of rows.
            const float tolerance = output == "6" ? 1e-4F : 0.0F;
            REQUIRE(std::abs(alone.values()[j] - together.row(i)[j]) <= tolerance);
            REQUIRE(std::abs(on_two.row(i)[j] - together.row(i)[j]) <= tolerance);
        }
    }
}

TEST_CASE("Without a pass of k-means a convolution's units are patches of the pictures, no two the same") {
    const std::string stack = "conv2d:16:contrast_norm=false:patches=3000";
    const Tensor pictures = as_rows(strokes(200));
    const Model model = train_strokes(small_config(stack + ":kmeans_passes=0"));
    for (const double cosine : nearest_patch(model, pictures)) {
        CHECK(cosine > 1.0 - 1e-4);
    }
    const auto& units = dynamic_cast<const layers::Conv2d&>(model.layers[0]).weights;
    for (std::int64_t i = 1; i < units.rows(); ++i) {
        for (std::int64_t j = 0; j < i; ++j) {
            CHECK_FALSE(std::equal(units.row(i).begin(), units.row(i).end(), units.row(j).begin()));
        }
    }
    // Means of patches are none of them.
    for (const double cosine : nearest_patch(train_strokes(small_config(stack)), pictures)) {
        CHECK(cosine < 1.0 - 1e-4);
    }
}

TEST_CASE(
    "Passes of k-means are twelve unless a number is named, and only a named one is kept with the model") {
    const std::string stack = "conv2d:8:patches=1000";
    const auto trained = [&](const std::string& passes) {
        return train_strokes(small_config(stack + passes));
    };
    const auto units = [](const Model& model) {
        const Tensor& weights = dynamic_cast<const layers::Conv2d&>(model.layers[0]).weights;
        return std::vector<float>(weights.values().begin(), weights.values().end());
    };
    const Model model = trained("");
    CHECK(units(trained(":kmeans_passes=12")) == units(model));
    CHECK(units(trained(":kmeans_passes=1")) != units(model));
    CHECK(trained(":kmeans_passes=auto").identity() == model.identity());
    CHECK(model.layers[0].text().find("kmeans_passes") == std::string::npos);
    const Model none = trained(":kmeans_passes=0");
    CHECK(none.layers[0].text().find(":kmeans_passes=0") != std::string::npos);
    const TemporaryFolder folder;
    save(none, folder / "m");
    CHECK(load_model(folder / "m").identity() == none.identity());
}

TEST_CASE("About the share asked for of a convolution's answers is above the threshold") {
    const bool both_signs = GENERATE(false, true);
    const TrainConfig config = small_config(std::string("conv2d:32:patches=3000:activation_rate=0.1") +
                                            (both_signs ? ":activation=crelu" : ""));
    const Tensor codes = encode(train_strokes(config), as_rows(strokes(200)));
    CHECK(share_above_zero(codes) == Approx(both_signs ? 0.05 : 0.1).margin(0.02));
}

TEST_CASE("The threshold does not depend on the order of the pictures") {
    // As in folders of classes: all blank pictures first, then all with strokes.
    Tensor pictures = strokes(400);
    std::fill_n(pictures.data(), pictures.size() / 2, 0.0F);
    const Tensor rows = as_rows(pictures);
    const Model model =
        train_on(std::move(pictures), small_config("conv2d:16:patches=10000:activation_rate=0.2"));
    CHECK(share_above_zero(encode(model, rows)) == Approx(0.2).margin(0.04));
}

TEST_CASE("Dense layers train on top of convolutions, and a code in closed form on top of both") {
    const bool code = GENERATE(false, true);
    TrainConfig config = small_config(std::string("conv2d:16:patches=3000, pool2d:2, "
                                                  "conv2d:24:kernel=2:patches=3000, pool2d:grid=2, dense:30, "
                                                  "dense:12") +
                                      (code ? ", pca:6, l2_norm" : ""));
    config.epochs = 40;
    config.batch_size = 32;
    config.learning_rate = 1e-2;
    config.fine_tune_epochs = GENERATE(0, 5);
    config.loss = LossKind::cross_entropy;  // of pictures; codes keep squared error
    const Model model = train_strokes(config);
    REQUIRE(model.layers.size() == config.stack.size());
    CHECK(model.layers[4].text().find("output=relu") != std::string::npos);
    REQUIRE(model.code_size() == (code ? 6 : 12));
    for (const char* stage : {"layer 5, dense", "layer 6, dense"}) {
        const StageEpoch last = last_of(model, stage);
        CHECK(last.validation_loss.value() < last.mean_loss.value());
    }
    // The layers' own decoders, one after the other: what pooling lost is lost.
    const Tensor pictures = as_rows(strokes(20));
    Encoder encoder(model);
    const Tensor rebuilt = encoder.decode(encoder.encode(pictures));
    REQUIRE(rebuilt.columns() == pictures.columns());
    CHECK(all_finite(rebuilt));
    CHECK(all_finite(Encoder(model).reconstruct(pictures)));
    Recorder recorder;
    config.stack = parse_stack("conv2d:16:patches=3000, pool2d:2, dense:30:output=sigmoid");
    CHECK_THROWS_WITH(train_on(strokes(20), config, recorder), contains("output: sigmoid found"));
    CHECK_FALSE(recorder.read);
}

TEST_CASE("A code above pooled turns is learnt from what all of them give") {
    const Tensor pictures = strokes(200);
    TrainConfig config = small_config(
        "conv2d:16:patches=3000, pool2d:2, conv2d:24:kernel=2:patches=3000, pool2d:grid=2, "
        "group_pool:rotate90, "
        "pca:10");
    config.validation = 0.0;
    // In memory, and in files.
    RunOptions run = on_threads(1);
    run.memory_limit = GENERATE(std::int64_t{0}, std::int64_t{24} << 20);
    const Model model = train_on(pictures, config, run);
    // Principal components have mean 0 and do not vary together over the rows that they were found from.
    const Tensor codes = encode(model, as_rows(pictures));
    const double n = static_cast<double>(codes.rows());
    double variance = 0.0;
    for (std::size_t a = 0; a < 10; ++a) {
        for (std::size_t b = 0; b <= a; ++b) {
            double mean = 0.0;
            double product = 0.0;
            for (std::int64_t i = 0; i < codes.rows(); ++i) {
                mean += double{codes.row(i)[a]} / n;
                product += double{codes.row(i)[a]} * double{codes.row(i)[b]} / n;
            }
            variance = a == 0 ? product : variance;
            CAPTURE(a, b);
            CHECK(std::abs(mean) < 1e-3 * std::sqrt(variance));
            CHECK((a == b || std::abs(product) < 1e-3 * variance));
        }
    }
    // Layers below learn as they do without it.
    config.stack = parse_stack("conv2d:16:patches=3000, pool2d:2, conv2d:24:kernel=2:patches=3000");
    const Model plain = train_on(pictures, config, on_threads(1));
    const Tensor of_plain = encode(plain, as_rows(pictures), "3");
    const Tensor below = encode(model, as_rows(pictures), "3");
    CHECK(std::equal(below.values().begin(), below.values().end(), of_plain.values().begin()));
}

TEST_CASE("Turns are not pooled of pictures that are standardised pixel by pixel") {
    const Tensor pictures = strokes(40);
    const TrainConfig config =
        small_config("conv2d:8:patches=1000, pool2d:grid=2, group_pool:rotate90, pca:3");
    Preprocessing preprocessing = preprocessing_of(pictures);
    const auto n = static_cast<std::size_t>(preprocessing.size());
    preprocessing.mean.assign(n, 0.25F);  // one a channel
    preprocessing.deviation.assign(n, 0.5F);
    CHECK_NOTHROW(plan_training(40, preprocessing, config, {}));
    preprocessing.mean.back() = 0.5F;
    CHECK_THROWS_WITH(plan_training(40, preprocessing, config, {}),
                      contains("layer 3, group_pool: pictures standardized pixel by pixel found"));
}

TEST_CASE("A kernel, a pooling or a grid that does not fit is named before anything is read") {
    const auto refusal = [](const std::string& stack) -> std::string {
        Recorder recorder;
        try {
            (void)train_on(strokes(4), small_config(stack), recorder);
        } catch (const InvalidArgument& error) {
            CHECK_FALSE(recorder.read);
            return error.what();
        }
        return "nothing was thrown";
    };
    CHECK(refusal("conv2d:16:kernel=13") ==
          "layer 1: conv2d: an input of 12 x 12 x 1 found, at least 13 x 13 positions expected");
    CHECK(refusal("conv2d:16, pool2d:2, conv2d:24:kernel=5") ==
          "layer 3: conv2d: an input of 4 x 4 x 16 found, at least 5 x 5 positions expected");
    CHECK(refusal("conv2d:16, pool2d:9") ==
          "layer 2: pool2d: an input of 8 x 8 x 16 found, at least 9 x 9 positions expected");
    CHECK(refusal("conv2d:16, pool2d:2:grid=3").find("grid: 3 found, no grid beside size or stride") !=
          std::string::npos);
    CHECK(refusal("conv2d:16, pool2d:grid=9").find("one a cell of the grid") != std::string::npos);
}

TEST_CASE("Pictures in colour, both signs, the largest code and overlapping pools train too") {
    const TrainConfig config = small_config(
        "conv2d:16:activation=crelu:whitening_dim=20:whitening_epsilon=0.01:patches=3000, "
        "pool2d:3:stride=2:mode=maximum, conv2d:24:kernel=2:activation=crelu:patches=3000, "
        "pool2d:grid=2, pca:10");
    const Model model = train_on(strokes(100, 3), config);
    CHECK(model.layers[1].output_shape().channels == 32);
    CHECK(model.layers[3].output_shape() == Shape{2, 2, 48});
    const StageEpoch& first = model.record.history.front();
    CHECK(first.validation_loss.value() < first.mean_loss.value());
}

TEST_CASE(
    "Convolutions that learn from the neighbourhood of a patch train, code in both signs and take dense "
    "layers on top") {
    // More units are asked for than a patch has axes.
    const std::string slow =
        "conv2d:64:slow_offset=2:patches=3000, l2_norm, pool2d:2, "
        "conv2d:24:kernel=2:slow_offset=1:whitening_dim=30:patches=3000, l2_norm, pool2d:grid=2";
    TrainConfig config = small_config(slow + ", dense:12");
    config.epochs = 40;
    config.batch_size = 32;
    config.learning_rate = 1e-2;
    const Model model = train_strokes(config);
    CHECK(model.layers[0].output_shape().channels <= 25);
    CHECK(model.layers[6].text().find("output=linear") != std::string::npos);
    for (const StageEpoch& epoch :
         {model.record.history[0], model.record.history[1], model.record.history.back()}) {
        CAPTURE(epoch.stage);
        CHECK(epoch.validation_loss.value() < epoch.mean_loss.value());
    }
    const Tensor codes = encode(model, as_rows(strokes(20)), "3");
    CHECK(*std::min_element(codes.values().begin(), codes.values().end()) < 0.0F);
    CHECK(*std::max_element(codes.values().begin(), codes.values().end()) <= 1.0F);
    const TemporaryFolder folder;
    save(model, folder / "m");
    REQUIRE(load_model(folder / "m").identity() == model.identity());
    const TrainConfig without = small_config(slow);
    CHECK(all_finite(encode(train_on(strokes(1), without), as_rows(strokes(5)))));
    CHECK(all_finite(encode(train_on(Tensor({5, 12, 12, 1}), without), as_rows(strokes(5)))));
}

TEST_CASE("A set of three pictures, and of one, is enough") {
    const std::int64_t n = GENERATE(1, 3);
    const Model model = train_on(strokes(n), small_config());
    REQUIRE(model.layers.size() == 6);
    REQUIRE(model.code_size() <= n);
    REQUIRE(all_finite(encode(model, as_rows(strokes(5)))));
}

TEST_CASE("Pictures without variation give finite codes") {
    Tensor pictures({10, 12, 12});
    std::fill_n(pictures.data(), pictures.size(), GENERATE(0.0F, 0.7F));
    // The second convolution's patches are of 576 values, of which the axes are found by iteration.
    const std::string epochs = GENERATE("0", "1");
    const TrainConfig config =
        small_config("conv2d:144:patches=3000:epochs=" + epochs +
                     ", pool2d:2, conv2d:24:kernel=2:whitening_dim=64:patches=3000:epochs=" + epochs +
                     ", pool2d:grid=2, pca:10");
    const Model model = train_on(pictures, config);
    REQUIRE(model.layers.size() == 5);
    for (const char* output : {"2", "4", "5"}) {
        REQUIRE(all_finite(encode(model, as_rows(pictures), output)));
        REQUIRE(all_finite(encode(model, as_rows(strokes(5)), output)));
        REQUIRE(decoding_error(model, as_rows(pictures), output) < 1e-3);
    }
    const TemporaryFolder folder;
    save(model, folder / "m");  // refuses what is not finite
}

TEST_CASE("Maps that do not fit the stated memory are kept in a file, and the stack is the same") {
    const TrainConfig config = small_config(
        "conv2d:16:patches=1000, pool2d:2, conv2d:24:kernel=2:patches=1000, pool2d:grid=2, power_norm, "
        "pca:10, "
        "nystroem:20");
    const Preprocessing preprocessing = preprocessing_of(strokes(1));
    RunOptions run = on_threads(1);
    const Model held = train_on(strokes(2000), config, run);
    const TrainPlan plan = plan_training(2000, preprocessing, config, run);
    run.memory_limit = plan.memory_bytes - (std::int64_t{1} << 20);  // of 1.1 MiB of pictures
    const TrainPlan less = plan_training(2000, preprocessing, config, run);
    REQUIRE_FALSE(less.refused());
    REQUIRE(less.memory_bytes < plan.memory_bytes);
    CHECK(train_on(strokes(2000), config, run).identity() == held.identity());
}
