#include "train/convolution.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace stackae;

namespace {

constexpr int side = 12;

/// Strokes of one of four slopes at a random place, on dark ground with some noise.
Tensor strokes(std::int64_t n, int channels = 1) {
    Tensor tensor({n, side, side, channels});
    const base::Random random(41, base::Stream::plan);
    std::uint32_t at = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        const auto row = tensor.row(i);
        for (float& value : row) {
            value = 0.1F * base::Random::uniform(random.block(at++)[0]);
        }
        constexpr int slopes[4][2] = {{0, 1}, {1, 0}, {1, 1}, {1, -1}};
        const auto& slope = slopes[random.below(at++, 4)];
        const auto y = static_cast<int>(random.below(at++, side));
        const auto x = static_cast<int>(random.below(at++, side));
        for (int step = -4; step <= 4; ++step) {
            const int to_y = y + step * slope[0];
            const int to_x = x + step * slope[1];
            for (int c = 0; to_y >= 0 && to_y < side && to_x >= 0 && to_x < side && c < channels; ++c) {
                row[static_cast<std::size_t>((to_y * side + to_x) * channels + c)] =
                    1.0F - 0.3F * static_cast<float>(c);
            }
        }
    }
    return tensor;
}

Recipe recipe_of(int channels = 1) {
    Recipe recipe;
    recipe.height = side;
    recipe.width = side;
    recipe.channels = channels;
    return recipe;
}

/// 12 × 12 → 4 × 4 × 16 → 2 × 2 × 24 → 10.
TrainOptions small_options() {
    TrainOptions options;
    options.convolutions = {parse_convolution("16@5:pool=2"), parse_convolution("24@2:grid=2")};
    options.code_size = 10;
    options.patches = 3000;
    options.validation = 0.2;
    options.threads = 1;
    return options;
}

class Recorder : public TrainObserver {
public:
    /// Stops when it has been told of so many epochs.
    explicit Recorder(std::size_t stop_after = 1000) : stop_after_(stop_after) {}
    void on_epoch(const EpochRecord& record) override { records.push_back(record); }
    bool stop() override { return records.size() >= stop_after_; }

    std::vector<EpochRecord> records;

private:
    std::size_t stop_after_;
};

Model train_on(Tensor pictures, const TrainOptions& options, const Recipe& recipe = recipe_of()) {
    Recorder recorder;
    return train(Pictures::from_tensor(std::move(pictures)), recipe, options, recorder);
}

Model train_strokes(const TrainOptions& options) {
    return train_on(strokes(200), options);
}

Tensor rows_of(const Tensor& pictures) {
    Tensor rows({pictures.rows(), pictures.columns()});
    std::copy_n(pictures.data(), rows.size(), rows.data());
    return rows;
}

Tensor encode(const Model& model, const Tensor& pictures, int layer = 0, int threads = 1) {
    Encoder encoder(model, {layer, false, threads});
    return encoder.encode(pictures);
}

/// Σ (x̂ − x)² a picture, of a layer's code.
double reconstruction_error(const Model& model, const Tensor& pictures, int layer) {
    Encoder encoder(model, {layer, false, 1});
    const Tensor rebuilt = encoder.decode(encoder.encode(pictures));
    double sum = 0.0;
    for (std::int64_t i = 0; i < rebuilt.size(); ++i) {
        sum += std::pow(double{rebuilt.data()[i]} - double{pictures.data()[i]}, 2.0);
    }
    return sum / static_cast<double>(pictures.rows());
}

bool all_finite(const Tensor& tensor) {
    return std::all_of(tensor.values().begin(), tensor.values().end(),
                       [](float value) { return std::isfinite(value); });
}

std::string refusal(const std::function<void(TrainOptions&)>& change) {
    TrainOptions options = small_options();
    change(options);
    Recorder recorder;
    try {
        (void)train(Pictures::from_tensor(strokes(4)), recipe_of(), options, recorder);
    } catch (const InvalidArgument& error) {
        CHECK(recorder.records.empty());  // before any layer is trained
        return error.what();
    }
    return "nothing was thrown";
}

}  // namespace

TEST_CASE("A convolutional stack has the shapes that were asked for, and a record a layer") {
    Recorder recorder;
    const Model model = train(Pictures::from_tensor(strokes(200)), recipe_of(), small_options(), recorder);
    REQUIRE(model.convolutions.size() == 2);
    REQUIRE(model.layers.size() == 1);
    REQUIRE(model.code_size(1) == 4 * 4 * 16);
    REQUIRE(model.code_size(2) == 2 * 2 * 24);
    REQUIRE(model.code_size() == 10);
    REQUIRE(model.dense_inputs() == 2 * 2 * 24);
    REQUIRE(model.l2_normalize);
    REQUIRE_FALSE(model.interrupted);
    REQUIRE(model.convolutions[0].shape.whitened < 25);  // evened-out patches vary in one direction less
    REQUIRE(recorder.records.size() == 2);
    REQUIRE(model.history.size() == 2);
    REQUIRE(model.history[1].layer == 2);
    const test::TemporaryFolder folder;
    save(model, folder / "m");
    REQUIRE(load_model(folder / "m").identity() == model.identity());
}

TEST_CASE("Both convolutional layers rebuild their input better than its mean does") {
    const Model model = train_strokes(small_options());
    for (const EpochRecord& record : model.history) {
        CAPTURE(record.layer, record.train_loss, record.validation_loss, record.mean_loss);
        REQUIRE(record.mean_loss > 0.0);
        CHECK(record.train_loss < record.mean_loss);
        CHECK(record.validation_loss < record.mean_loss);
    }
    CHECK(model.history[0].validation_loss < 0.8 * model.history[0].mean_loss);
    // What is reported is what the encoder gives.
    TrainOptions options = small_options();
    options.validation = 0.0;
    options.convolutions.resize(1);
    options.code_size = 0;
    const Model all = train_strokes(options);
    CHECK(reconstruction_error(all, rows_of(strokes(200)), 1) ==
          Approx(all.history[0].validation_loss).epsilon(1e-4));
}

TEST_CASE(
    "A convolutional stack is the same every time at one number of threads; another seed gives another") {
    TrainOptions options = small_options();
    options.patch_epochs = GENERATE(0, 1);
    options.threads = GENERATE(1, 2);
    const Model model = train_strokes(options);
    REQUIRE(train_strokes(options).identity() == model.identity());
    options.seed = 1;
    REQUIRE(train_strokes(options).identity() != model.identity());
}

TEST_CASE("A convolutional stack is as good on one thread as on two") {
    // oneDNN's sums are rounded otherwise; patches, directions and pictures that are looked at are the same.
    TrainOptions options = small_options();
    const Model one = train_strokes(options);
    options.threads = 2;
    const Model two = train_strokes(options);
    for (std::size_t i = 0; i < 2; ++i) {
        CHECK(two.convolutions[i].shape.whitened == one.convolutions[i].shape.whitened);
        CHECK(two.history[i].mean_loss == Approx(one.history[i].mean_loss).epsilon(1e-3));
        CHECK(two.history[i].validation_loss == Approx(one.history[i].validation_loss).epsilon(1e-3));
    }
    // Axes have no sign, so codes are compared by their lengths.
    const Tensor a = encode(one, rows_of(strokes(20)));
    const Tensor b = encode(two, rows_of(strokes(20)));
    for (std::int64_t i = 0; i < 20; ++i) {
        CHECK(base::squared_norm(b.row(i)) == Approx(base::squared_norm(a.row(i))).epsilon(1e-2));
    }
}

TEST_CASE("A picture's code is the same alone and in a batch, on one thread and on two, at every layer") {
    const Model model = train_strokes(small_options());
    const Tensor pictures = rows_of(strokes(30));
    const int layer = GENERATE(1, 2, 3);
    const Tensor together = encode(model, pictures, layer);
    const Tensor on_two = encode(model, pictures, layer, 2);
    REQUIRE(together.columns() == model.code_size(layer));
    for (std::int64_t i = 0; i < pictures.rows(); ++i) {
        Tensor one({1, pictures.columns()});
        std::copy_n(pictures.row(i).data(), one.size(), one.data());
        const Tensor alone = encode(model, one, layer);
        for (std::size_t j = 0; j < alone.values().size(); ++j) {
            CAPTURE(i, j);
            // Convolutions see a picture at a time; a dense product's sums depend on its number of rows.
            const float tolerance = layer == 3 ? 1e-4F : 0.0F;
            REQUIRE(std::abs(alone.values()[j] - together.row(i)[j]) <= tolerance);
            REQUIRE(std::abs(on_two.row(i)[j] - together.row(i)[j]) <= tolerance);
        }
    }
}

TEST_CASE("About the share asked for of a layer's answers is above the threshold") {
    TrainOptions options = small_options();
    options.convolutions = {parse_convolution("32@5:pool=1:share=0.1")};
    options.code_size = 0;
    options.convolutions[0].two_sided = GENERATE(false, true);
    const Tensor codes = encode(train_strokes(options), rows_of(strokes(200)), 1);
    const auto active =
        std::count_if(codes.values().begin(), codes.values().end(), [](float value) { return value > 0.0F; });
    const double units = options.convolutions[0].two_sided ? 0.5 : 1.0;
    CHECK(static_cast<double>(active) / (static_cast<double>(codes.size()) * units) ==
          Approx(0.1).margin(0.02));
}

TEST_CASE("The threshold does not depend on the order of the pictures") {
    // As in folders of classes: all blank pictures first, then all with strokes.
    Tensor pictures = strokes(400);
    std::fill_n(pictures.data(), pictures.size() / 2, 0.0F);
    TrainOptions options = small_options();
    options.convolutions = {parse_convolution("16@5:pool=1:share=0.2")};
    options.code_size = 0;
    options.patches = 10'000;
    const Tensor rows = rows_of(pictures);
    const Tensor codes = encode(train_on(std::move(pictures), options), rows, 1);
    const auto active =
        std::count_if(codes.values().begin(), codes.values().end(), [](float value) { return value > 0.0F; });
    CHECK(static_cast<double>(active) / static_cast<double>(codes.size()) == Approx(0.2).margin(0.04));
}

TEST_CASE("A code in closed form is half white, without correlations, and rebuilds better than the mean") {
    TrainOptions options = small_options();
    options.convolutions.resize(GENERATE(0U, 2U));
    options.validation = 0.0;
    const Model model = train_strokes(options);
    REQUIRE(model.code_size() == 10);
    const Tensor pictures = rows_of(strokes(200));
    const int below = static_cast<int>(model.convolutions.size());
    const Tensor maps = below == 0 ? pictures : encode(model, pictures, below);
    const Tensor codes = encode(model, pictures);
    const auto n = static_cast<double>(codes.rows());
    const DenseLayer& layer = model.layers.front();
    for (std::int64_t a = 0; a < codes.columns(); ++a) {
        // The row of W is λ^(−0.25) times an axis of length 1; the code's variance is then λ^0.5.
        for (std::int64_t b = 0; b <= a; ++b) {
            double mean = 0.0;
            double product = 0.0;
            for (std::int64_t i = 0; i < codes.rows(); ++i) {
                const auto code = codes.row(i);
                mean += double{code[static_cast<std::size_t>(a)]} / n;
                product +=
                    double{code[static_cast<std::size_t>(a)]} * double{code[static_cast<std::size_t>(b)]} / n;
            }
            CAPTURE(a, b);
            const double variance = std::pow(base::squared_norm(layer.weights.row(a)), -1.0);
            CHECK(mean == Approx(0.0).margin(1e-3));
            CHECK(product == Approx(a == b ? variance : 0.0).epsilon(0.01).margin(1e-3));
        }
    }
    // Decoded to the maps, the code leaves what the first ten axes leave: all but their variances.
    double error = 0.0;
    double of_mean = 0.0;
    for (std::int64_t i = 0; i < maps.rows(); ++i) {
        for (std::int64_t j = 0; j < maps.columns(); ++j) {
            double rebuilt = double{layer.decoder_bias.data()[j]};
            const double x = double{maps.row(i)[static_cast<std::size_t>(j)]};
            of_mean += std::pow(rebuilt - x, 2.0);
            for (std::int64_t a = 0; a < codes.columns(); ++a) {
                rebuilt += double{layer.decoder_weights.row(j)[static_cast<std::size_t>(a)]} *
                           double{codes.row(i)[static_cast<std::size_t>(a)]};
            }
            error += std::pow(rebuilt - x, 2.0);
        }
    }
    double kept = 0.0;
    for (std::int64_t a = 0; a < codes.columns(); ++a) {
        kept += n * std::pow(base::squared_norm(layer.weights.row(a)), -2.0);
    }
    CHECK(kept > 0.2 * of_mean);
    CHECK(error == Approx(of_mean - kept).epsilon(1e-2));
    // Decoded to pictures, it is no worse than their mean.
    Tensor mean({1, pictures.columns()});
    double mean_error = 0.0;
    for (std::int64_t j = 0; j < pictures.columns(); ++j) {
        double sum = 0.0;
        double squares = 0.0;
        for (std::int64_t i = 0; i < pictures.rows(); ++i) {
            const auto x = double{pictures.row(i)[static_cast<std::size_t>(j)]};
            sum += x;
            squares += x * x;
        }
        mean_error += squares / n - sum / n * sum / n;
    }
    CHECK(reconstruction_error(model, pictures, 0) < mean_error);
}

TEST_CASE("Training that is stopped keeps the layers that were finished") {
    const auto stopped = GENERATE(0U, 1U, 2U);
    TrainOptions options = small_options();
    if (GENERATE(false, true)) {
        options.layers = {8};
        options.activations = {Activation::silu};
    }
    // Stopping from the start on would leave no picture read; so it waits for the last of them.
    class Waiting : public Recorder {
    public:
        using Recorder::Recorder;
        void on_read(std::int64_t done, std::int64_t of) override { read_ = done == of; }
        bool stop() override { return read_ && Recorder::stop(); }

    private:
        bool read_ = false;
    };
    Waiting recorder(stopped);
    const Model model = train(Pictures::from_tensor(strokes(60)), recipe_of(), options, recorder);
    REQUIRE(model.interrupted);
    REQUIRE(model.convolutions.size() == stopped);
    REQUIRE(model.layers.empty());
    REQUIRE_FALSE(model.l2_normalize);
    if (stopped > 0) {
        REQUIRE(encode(model, rows_of(strokes(5))).columns() == model.convolutions.back().outputs());
    }
}

TEST_CASE("Dense layers train on top of convolutional ones, and a closed-form code on top of both") {
    TrainOptions options = small_options();
    options.layers = {30, 12};
    options.activations = {Activation::silu};
    options.epochs = {40};
    options.batch_size = 32;
    options.learning_rate = 1e-2;
    options.fine_tune_epochs = GENERATE(0, 5);
    options.code_size = GENERATE(0, 6);
    options.loss = LossKind::cross_entropy;  // of pictures; codes keep squared error
    const Model model = train_strokes(options);
    REQUIRE(model.convolutions.size() == 2);
    REQUIRE(model.layers.size() == (options.code_size == 0 ? 2 : 3));
    REQUIRE(model.layers[0].inputs() == model.dense_inputs());
    REQUIRE(model.layers[0].decoder == Activation::relu);
    REQUIRE(model.code_size() == (options.code_size == 0 ? 12 : 6));
    REQUIRE(model.l2_normalize == (options.code_size > 0));
    for (const int layer : {3, 4}) {
        const auto last = std::find_if(model.history.rbegin(), model.history.rend(),
                                       [&](const EpochRecord& record) { return record.layer == layer; });
        REQUIRE(last != model.history.rend());
        CAPTURE(layer, last->validation_loss, last->mean_loss);
        CHECK(last->validation_loss < last->mean_loss);
    }
    const Tensor pictures = rows_of(strokes(20));
    Encoder encoder(model, {0, false, 1});
    const Tensor rebuilt = encoder.decode(encoder.encode(pictures));
    REQUIRE(rebuilt.columns() == pictures.columns());
    REQUIRE(all_finite(rebuilt));
    options.output = Activation::sigmoid;
    CHECK_THROWS_WITH(train_strokes(options), test::contains("output: sigmoid found"));
}

TEST_CASE("A code of roots is the principal axes of the roots of the pooled codes, and is squared again") {
    TrainOptions options = small_options();
    options.code_roots = true;
    Model model = train_strokes(options);
    model.picture_weights = Tensor();  // so that the layers' own decoders are asked
    model.picture_bias = Tensor();
    REQUIRE(model.layers.size() == 1);
    const DenseLayer& layer = model.layers[0];
    REQUIRE(layer.of_roots);
    const Tensor pictures = rows_of(strokes(200));
    const Tensor maps = encode(model, pictures, 2);
    const Tensor codes = encode(model, pictures);
    const auto apply = [](const Tensor& matrix, const Tensor& bias, const std::vector<double>& to) {
        std::vector<double> result(bias.values().begin(), bias.values().end());
        for (std::int64_t i = 0; i < matrix.rows(); ++i) {
            result[static_cast<std::size_t>(i)] +=
                std::inner_product(to.begin(), to.end(), matrix.row(i).begin(), 0.0);
        }
        return result;
    };
    Tensor squares({maps.rows(), maps.columns()});
    for (std::int64_t i = 0; i < maps.rows(); ++i) {
        std::vector<double> roots(maps.row(i).begin(), maps.row(i).end());
        std::transform(roots.begin(), roots.end(), roots.begin(), [](double x) { return std::sqrt(x); });
        const std::vector<double> expected = apply(layer.weights, layer.bias, roots);
        for (std::size_t unit = 0; unit < expected.size(); ++unit) {
            REQUIRE(std::abs(double{codes.row(i)[unit]} - expected[unit]) < 1e-4);
        }
        const std::vector<double> back = apply(layer.decoder_weights, layer.decoder_bias, expected);
        std::transform(back.begin(), back.end(), squares.row(i).begin(),
                       [](double x) { return static_cast<float>(std::pow(std::max(0.0, x), 2.0)); });
    }
    Encoder whole(model, {0, false, 1});
    Encoder convolutions(model, {2, false, 1});
    const Tensor rebuilt = whole.decode(codes);
    const Tensor expected = convolutions.decode(squares);
    for (std::int64_t i = 0; i < rebuilt.size(); ++i) {
        REQUIRE(std::abs(rebuilt.data()[i] - expected.data()[i]) < 1e-3F);
    }
    // Axes of evenly scaled roots: scaled back, the units' weights are orthogonal.
    Tensor axes = layer.weights;
    std::vector<double> deviations;
    for (std::size_t j = 0; j < static_cast<std::size_t>(maps.columns()); ++j) {
        double mean = 0.0;
        double square = 0.0;
        for (std::int64_t i = 0; i < maps.rows(); ++i) {
            mean += std::sqrt(double{maps.row(i)[j]});
            square += double{maps.row(i)[j]};
        }
        const auto n = static_cast<double>(maps.rows());
        deviations.push_back(std::sqrt(square / n - mean * mean / (n * n)));
    }
    const double least = 0.3 * std::accumulate(deviations.begin(), deviations.end(), 0.0) /
                         static_cast<double>(maps.columns());
    for (std::int64_t i = 0; i < axes.rows(); ++i) {
        std::transform(axes.row(i).begin(), axes.row(i).end(), deviations.begin(), axes.row(i).begin(),
                       [least](float w, double s) { return static_cast<float>(double{w} * (s + least)); });
    }
    const auto dot = [&](std::int64_t a, std::int64_t b) {
        return std::inner_product(axes.row(a).begin(), axes.row(a).end(), axes.row(b).begin(), 0.0);
    };
    for (std::int64_t b = 1; b < 10; ++b) {
        for (std::int64_t a = 0; a < b; ++a) {
            CHECK(std::abs(dot(a, b)) < 1e-3 * std::sqrt(dot(a, a) * dot(b, b)));
        }
    }
    // Codes of the pictures that it was fitted to do not vary together; those of values would.
    const auto together = [&](std::size_t a, std::size_t b) {
        double sum = 0.0;
        for (std::int64_t i = 0; i < codes.rows(); ++i) {
            sum += double{codes.row(i)[a]} * double{codes.row(i)[b]};
        }
        return sum;
    };
    for (std::size_t b = 1; b < 10; ++b) {
        for (std::size_t a = 0; a < b; ++a) {
            CHECK(std::abs(together(a, b)) < 1e-3 * std::sqrt(together(a, a) * together(b, b)));
        }
    }
}

TEST_CASE("A code on convolutions rebuilds unseen pictures straight away, however few it was fitted to") {
    const Tensor all = strokes(600);
    const auto part = [&](std::int64_t first, std::int64_t count) {
        Tensor some({count, side, side, 1});
        std::copy_n(all.row(first).data(), some.size(), some.data());
        return some;
    };
    const Tensor unseen = rows_of(part(400, 200));
    const std::int64_t seen = GENERATE(40, 400);
    TrainOptions options = small_options();
    options.code_size = GENERATE(6, 39);
    const Model model = train_on(part(0, seen), options);
    const std::int64_t units = model.code_size();
    REQUIRE(model.picture_weights.shape() == std::vector<std::int64_t>{side * side, units});
    REQUIRE(model.picture_bias.shape() == std::vector<std::int64_t>{side * side});
    double mean_error = 0.0;
    for (std::int64_t i = 0; i < unseen.size(); ++i) {
        mean_error +=
            std::pow(double{unseen.data()[i]} - double{model.picture_bias.data()[i % unseen.columns()]}, 2.0);
    }
    mean_error /= static_cast<double>(unseen.rows());
    // The layers' decoders in turn have only what pooling left.
    Model layer_by_layer = model;
    layer_by_layer.picture_weights = Tensor();
    layer_by_layer.picture_bias = Tensor();
    CAPTURE(seen, units);
    CHECK(reconstruction_error(model, unseen, 3) < mean_error);
    if (seen == 400) {
        CHECK(reconstruction_error(model, unseen, 3) < reconstruction_error(layer_by_layer, unseen, 3));
    }
    CHECK(reconstruction_error(model, unseen, 2) == reconstruction_error(layer_by_layer, unseen, 2));
}

TEST_CASE("A code on dense layers is decoded by them") {
    TrainOptions options = small_options();
    options.layers = {12};
    options.activations = {Activation::silu};
    CHECK(train_strokes(options).picture_weights.empty());
}

TEST_CASE("A kernel, a pooling or a grid that does not fit is named before anything is trained") {
    CHECK(refusal([](TrainOptions& o) { o.convolutions[0].kernel = 13; }) ==
          "convolution: kernel: 13 found, 1 to 12 expected");
    CHECK(refusal([](TrainOptions& o) { o.convolutions[1].kernel = 5; }) ==
          "convolution: kernel: 5 found, 1 to 4 expected");
    CHECK(refusal([](TrainOptions& o) { o.convolutions[1].grid = 4; }) ==
          "convolution: grid: 4 found, 1 to 3 expected");
    CHECK(refusal([](TrainOptions& o) { o.convolutions[0] = parse_convolution("16@5:pool=9"); }) ==
          "convolution: pool_size: 9 found, 1 to 8 expected");
    CHECK(refusal([](TrainOptions& o) { o.convolutions[0].grid = 3; }) ==
          "convolutions: grid 3 and pool_size 2 found, one of them 0 expected");
}

TEST_CASE("Pictures in colour, both signs, the largest code and overlapping pools train too") {
    TrainOptions options = small_options();
    options.convolutions = {parse_convolution("16@5:pool=3/2:signs:max:whiten=20:eps=0.01"),
                            parse_convolution("24@2:grid=2:signs")};
    const Recipe recipe = recipe_of(3);
    const Model model = train_on(strokes(100, 3), options, recipe);
    REQUIRE(model.convolutions[0].shape.whitened == 20);
    REQUIRE(model.convolutions[0].shape.code_channels() == 32);
    REQUIRE(model.convolutions[1].shape.channels == 32);
    REQUIRE(model.code_size(2) == 2 * 2 * 48);
    CHECK(model.history[0].validation_loss < model.history[0].mean_loss);
}

TEST_CASE(
    "Layers that learn from the context of a patch train, code in both signs and take dense layers on top") {
    TrainOptions options = small_options();
    // More units are asked for than a patch has axes.
    options.convolutions = {parse_convolution("64@5:pool=2:context=2"),
                            parse_convolution("24@2:grid=2:context=1:whiten=30")};
    options.layers = {12};
    options.activations = {Activation::silu};
    options.epochs = {40};
    options.batch_size = 32;
    options.learning_rate = 1e-2;
    const Model model = train_strokes(options);
    REQUIRE(model.convolutions[0].shape.unit_length);
    REQUIRE(model.convolutions[0].shape.units <= 25);
    REQUIRE(model.layers[0].inputs() == model.dense_inputs());
    REQUIRE(model.layers[0].decoder == Activation::linear);
    for (const EpochRecord& record : {model.history[0], model.history[1], model.history.back()}) {
        CAPTURE(record.layer);
        CHECK(record.validation_loss < record.mean_loss);
    }
    const Tensor codes = encode(model, rows_of(strokes(20)), 1);
    CHECK(*std::min_element(codes.values().begin(), codes.values().end()) < 0.0F);
    CHECK(*std::max_element(codes.values().begin(), codes.values().end()) <= 1.0F);
    const test::TemporaryFolder folder;
    save(model, folder / "m");
    REQUIRE(load_model(folder / "m").identity() == model.identity());
    options.layers.clear();
    REQUIRE(all_finite(encode(train_on(strokes(1), options), rows_of(strokes(5)))));
    REQUIRE(all_finite(encode(train_on(Tensor({5, side, side, 1}), options), rows_of(strokes(5)))));
}

TEST_CASE("A set of three pictures, and of one, is enough") {
    const std::int64_t n = GENERATE(1, 3);
    const Model model = train_on(strokes(n), small_options());
    REQUIRE(model.convolutions.size() == 2);
    REQUIRE(model.code_size() <= n);
    REQUIRE(all_finite(encode(model, rows_of(strokes(5)))));
}

TEST_CASE("Pictures without variation give finite codes") {
    Tensor pictures({10, side, side});
    std::fill_n(pictures.data(), pictures.size(), GENERATE(0.0F, 0.7F));
    TrainOptions options = small_options();
    // The second layer's patches are of 576 values, of which the axes are found by iteration.
    options.convolutions = {parse_convolution("144@5:pool=2"), parse_convolution("24@2:grid=2:whiten=64")};
    options.patch_epochs = GENERATE(0, 1);
    const Model model = train_on(pictures, options);
    REQUIRE(model.convolutions.size() == 2);
    for (const int layer : {1, 2, 0}) {
        REQUIRE(all_finite(encode(model, rows_of(pictures), layer)));
        REQUIRE(all_finite(encode(model, rows_of(strokes(5)), layer)));
        REQUIRE(reconstruction_error(model, rows_of(pictures), layer) < 1e-3);
    }
    const test::TemporaryFolder folder;
    save(model, folder / "m");  // refuses what is not finite
}

TEST_CASE("Maps that do not fit the stated memory are kept in a file, and the stack is the same") {
    TrainOptions options = small_options();
    options.patches = 1000;  // which are held in any case
    const Model held = train_strokes(options);
    options.memory = 0;
    REQUIRE(train_strokes(options).identity() == held.identity());
}
