#include "golden/golden_files.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <limits>
#include <map>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/train.hpp"

namespace golden {

using namespace stackae;
using nlohmann::json;

namespace {

/// A model to be trained; its record names options of every kind.
struct Recipe {
    const char* name;
    Shape shape;
    bool measurements;  ///< standardised rows of numbers; else pictures whose contrast is evened out
    const char* config;
};

constexpr Recipe recipes[] = {
    {"dense", {8, 8, 1}, false, R"(
stack = dense:8:activation=sigmoid:tied, dense:5:activation=sigmoid
seed = 7
validation = 0.25
epochs = 3
loss = squared_error
corruption = masking
corruption_level = 0.1
weight_decay = 0.0001
sparsity_target = 0.2
sparsity_weight = 0.01
augment_shift = 0.1
augment_rotate = 5
augment_scale = 0.1
augment_shear = 0.1
fine_tune_epochs = 2
fine_tune_learning_rate = 0.002
fine_tune_loss = squared_error
untie_in_fine_tuning = false
optimizer = adamw
learning_rate = 0.005
beta1 = 0.8
beta2 = 0.99
epsilon = 1e-07
warmup = 0.2
clip_norm = 5
batch_size = 16
patience = 5
)"},
    {"maps", {8, 8, 3}, false, R"(
stack = contrast_norm, conv2d:6:kernel=3:whitening_dim=8, pool2d:2:stride=1:mode=maximum, conv2d:8:kernel=2:activation=crelu, pool2d:grid=2, power_norm, pca:4:eigen_power=-0.25, l2_norm, nystroem:6
seed = 8
)"},
    {"measurements", {1, 12, 1}, true, R"(
stack = whiten:6, dense:4:activation=tanh
epochs = 2
lifetime_sparsity = 0.5
optimizer = sgd
momentum = 0.5
nesterov = true
schedule = step
step_epochs = 1
step_factor = 0.5
batch_size = 16
)"},
};

/// How a gallery is made.
struct GalleryRecipe {
    const char* name;
    const char* model;
    const char* output;
    bool l2_normalize;
    Metric metric;
    std::vector<std::string> names;   ///< one a picture
    std::vector<std::int64_t> poses;  ///< which picture each is
    double false_accept_rate;
};

std::vector<GalleryRecipe> gallery_recipes() {
    const std::vector<std::string> people{"ann", "Zoë, \"Z\"", "ann", "李", "ann", "Zoë, \"Z\"", "李", "李"};
    const std::vector<std::int64_t> all{0, 1, 2, 3, 4, 5, 6, 7};
    return {
        {"people", "dense", "embedding", false, Metric::l2, people, all, 0.25},
        {"wide", "maps", "wide", true, Metric::cosine, people, all, 0.01},
        {"one-name", "dense", "1", false, Metric::l2, {"ann", "ann"}, {0, 1}, 0.01},     // no threshold
        {"pair", "measurements", "", false, Metric::l2, {"ann", "bob"}, {0, 1}, 0.01},   // no rate is known
        {"twins", "measurements", "", false, Metric::l2, {"ann", "bob"}, {0, 0}, 0.01},  // nobody is known
    };
}

constexpr std::int64_t enrolled = 8;   ///< pictures that galleries are made of, at most
constexpr std::int64_t asked_for = 3;  ///< pictures after these, of which results are kept

/// Pictures `first` to `last` − 1 as an encoder takes them.
Tensor inputs(const Model& model, std::int64_t first, std::int64_t last) {
    std::vector<std::int64_t> some(static_cast<std::size_t>(last - first));
    std::iota(some.begin(), some.end(), first);
    const ImageDataset pictures = ImageDataset::from_tensor(bars(last, model.input_shape())).subset(some);
    PictureReader reader(pictures, model.preprocessing);
    PictureBatch batch;
    if (!reader.next(batch) || batch.pictures.rows() != last - first) {
        throw std::runtime_error("the pictures are not read");
    }
    return std::move(batch.pictures);
}

/// To seven digits.
json numbers(const Tensor& rows) {
    json list = json::array();
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        json row = json::array();
        for (const float value : rows.row(i)) {
            row.push_back(std::stod(fmt::format("{:.7g}", value)));
        }
        list.push_back(std::move(row));
    }
    return list;
}

void write(const std::string& path, const json& value) {
    std::ofstream file(path);
    file << value.dump() << '\n';
    if (!file.flush()) {
        throw std::runtime_error(path + " cannot be written");
    }
}

Model make_model(const Recipe& recipe) {
    constexpr std::int64_t n = 96;
    std::vector<std::string> labels;
    for (std::int64_t i = 0; i < n; ++i) {
        labels.emplace_back(i % 2 == 0 ? "row" : "column");
    }
    const ImageDataset pictures = ImageDataset::from_tensor(bars(n, recipe.shape), labels);
    PreprocessingOptions options;
    options.height = static_cast<int>(recipe.shape.height);
    options.width = static_cast<int>(recipe.shape.width);
    options.standardize = recipe.measurements;
    options.contrast = !recipe.measurements;
    TrainConfig config;
    read_config(recipe.config, config);
    TrainObserver observer;
    RunOptions run;
    run.threads = 1;
    return train(pictures, choose_preprocessing(pictures, options), config, run, observer);
}

Gallery make_gallery(const GalleryRecipe& recipe, const Model& model) {
    Gallery gallery;
    gallery.model_identity = model.identity();
    gallery.model_path = std::string(recipe.model) + ".stackae";
    gallery.depth = model.depth_of(recipe.output);
    gallery.l2_normalize = recipe.l2_normalize;
    gallery.metric = recipe.metric;
    gallery.names = recipe.names;
    Encoder encoder(model, {.output = recipe.output, .l2_normalize = recipe.l2_normalize, .threads = 1});
    const Tensor codes = encoder.encode(inputs(model, 0, enrolled));
    gallery.codes = Tensor({gallery.size(), codes.columns()});
    for (std::size_t i = 0; i < recipe.poses.size(); ++i) {
        const auto code = codes.row(recipe.poses[i]);
        std::copy(code.begin(), code.end(), gallery.codes.row(static_cast<std::int64_t>(i)).begin());
        gallery.paths.push_back(fmt::format("pictures/{}/{}.png", recipe.names[i], i));
    }
    calibrate(gallery, recipe.false_accept_rate, 1);
    return gallery;
}

}  // namespace

Tensor bars(std::int64_t n, const Shape& shape) {
    Tensor pictures({n, shape.height, shape.width, shape.channels});
    std::uint32_t state = 1;
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t p = 0; p < shape.size(); ++p) {
            state = state * 1664525U + 1013904223U;  // Numerical Recipes' generator
            const std::int64_t x = p / shape.channels % shape.width;
            const std::int64_t y = p / shape.channels / shape.width;
            const bool bright = i % 2 == 0 ? y == i / 2 % shape.height : x == i / 2 % shape.width;
            pictures.row(i)[static_cast<std::size_t>(p)] =
                static_cast<float>((bright ? 160U : 0U) + (state >> 24U) * 3U / 8U) / 255.0F;
        }
    }
    return pictures;
}

json results(const Model& model) {
    const Tensor pictures = inputs(model, enrolled, enrolled + asked_for);
    json all;
    for (const NamedOutput& output : model.outputs) {
        all[output.name] = numbers(Encoder(model, {.output = output.name, .threads = 1}).encode(pictures));
    }
    all["rebuilt"] = numbers(Encoder(model, {.threads = 1}).reconstruct(pictures));
    return all;
}

json results(const Gallery& gallery, const Model& model) {
    check_model(gallery, model);
    const EncodeOptions options{
        .output = std::to_string(gallery.depth), .l2_normalize = gallery.l2_normalize, .threads = 1};
    const Tensor codes = Encoder(model, options).encode(inputs(model, enrolled, enrolled + asked_for));
    json all = json::array();
    for (const Recognition& recognition :
         Recognizer(gallery, {.k = 1, .top = 2, .threads = 1}).recognize(codes)) {
        all.push_back(json::parse(to_json(recognition).text()));
    }
    return all;
}

double deviation(const json& expected, const json& found) {
    constexpr double other = std::numeric_limits<double>::infinity();
    if (expected.is_number() && found.is_number()) {
        const auto a = expected.get<double>();
        return std::abs(a - found.get<double>()) / std::max(1.0, std::abs(a));
    }
    if (expected.is_structured() && expected.type() == found.type()) {
        double most = expected.is_array() && expected.size() != found.size() ? other : 0.0;
        for (const auto& [key, value] : expected.items()) {
            const auto place =
                expected.is_array() ? json::json_pointer("/" + key) : json::json_pointer() / key;
            most = std::max(most, found.contains(place) ? deviation(value, found[place]) : other);
        }
        return most;
    }
    return expected == found ? 0.0 : other;
}

void write_files(const std::string& folder) {
    if (std::filesystem::exists(folder)) {
        throw std::runtime_error(folder + " is there already; what a version wrote is never written again");
    }
    std::filesystem::create_directories(folder);
    try {
        std::map<std::string, Model> models;
        for (const Recipe& recipe : recipes) {
            const std::string path = fmt::format("{}/{}.stackae", folder, recipe.name);
            const Model& model = models[recipe.name] = make_model(recipe);
            save(model, path);
            write(path + ".json", results(model));
        }
        for (const GalleryRecipe& recipe : gallery_recipes()) {
            const std::string path = fmt::format("{}/{}.gallery", folder, recipe.name);
            const Gallery gallery = make_gallery(recipe, models.at(recipe.model));
            save(gallery, path);
            write(path + ".json", results(gallery, models.at(recipe.model)));
        }
    } catch (...) {
        std::filesystem::remove_all(folder);
        throw;
    }
}

}  // namespace golden
