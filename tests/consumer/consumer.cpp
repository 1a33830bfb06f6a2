// Uses an installed stackae: every public header, and something real of each module. It prints nothing when
// all is well.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "every_header.hpp"

namespace {

void expect(bool holds, const char* what) {
    if (!holds) {
        throw std::runtime_error(what);
    }
}

/// 3 values in, 2 units, h = W x + b with small whole numbers.
stackae::Model small_model() {
    stackae::DenseLayer layer;
    layer.activation = stackae::Activation::linear;
    layer.decoder = stackae::Activation::linear;
    layer.weights = stackae::Tensor({2, 3});
    layer.bias = stackae::Tensor({2});
    layer.decoder_bias = stackae::Tensor({3});
    const std::vector<float> weights = {1, 2, 3, 4, 5, 6};
    std::copy(weights.begin(), weights.end(), layer.weights.data());
    layer.bias.data()[1] = -1;

    stackae::Model model;
    model.recipe.height = 1;
    model.recipe.width = 3;
    model.options = stackae::preset("dense");
    model.options.layers = {2};
    model.options.activations = {stackae::Activation::linear};
    model.layers.push_back(layer);
    return model;
}

void encode_and_search() {
    const stackae::Model model = small_model();
    stackae::Tensor pictures({2, 3});
    pictures.data()[0] = 1;  // (1, 0, 0) and (0, 0, 1)
    pictures.data()[5] = 1;
    const stackae::Tensor codes = stackae::Encoder(model).encode(pictures);
    expect(codes.rows() == 2 && codes.columns() == 2, "codes are n × units");
    expect(codes.data()[0] == 1 && codes.data()[1] == 3, "the first code is W (1, 0, 0) + b");
    expect(codes.data()[2] == 3 && codes.data()[3] == 5, "the second code is W (0, 0, 1) + b");

    stackae::NeighbourIndex index(codes, stackae::Metric::l2);
    const stackae::Neighbours nearest = index.search(codes, 1);
    expect(nearest.rows == std::vector<std::int64_t>({0, 1}), "a code's nearest is itself");
}

void save_and_load(const std::string& folder) {
    const stackae::Model model = small_model();
    stackae::save(model, folder + "/small.stackae");
    expect(stackae::load_model(folder + "/small.stackae").identity() == model.identity(),
           "a model is the same after saving and loading");
}

/// One picture that can be read and one that is missing.
void encode_files(const std::string& folder) {
    stackae::Tensor picture({1, 3});
    picture.data()[0] = 1;
    stackae::write_png(folder + "/picture.png", picture);
    const stackae::Inputs inputs({folder + "/gone.png", folder + "/picture.png"});
    const stackae::Model model = small_model();
    stackae::InputObserver nobody;
    stackae::Manifest manifest(nobody, folder + "/manifest.csv");
    std::vector<float> codes;
    const bool all =
        stackae::encode_inputs({.inputs = inputs, .model = model}, {}, manifest,
                               [&](const stackae::InputBatch& /*batch*/, const stackae::Tensor& more) {
                                   codes.insert(codes.end(), more.values().begin(), more.values().end());
                               });
    manifest.finish();
    expect(all && codes == std::vector<float>({1, 3}), "the code of a file is that of its picture");
    expect(manifest.rows() == 1 && manifest.skipped() == 1, "a missing file is accounted for");
    expect(stackae::weight_filters(model, 1).tiles.size() == 2, "there is a drawing of each unit");
    expect(stackae::to_json(model).text().find("\"identity\"") != std::string::npos,
           "a model tells of itself");
}

void values_and_errors() {
    stackae::validate(stackae::Recipe{});
    stackae::Recipe wrong;
    wrong.channels = 2;
    try {
        stackae::validate(wrong);
        expect(false, "a recipe of two channels is refused");
    } catch (const stackae::InvalidArgument& error) {
        expect(std::string(error.what()).find("channels") != std::string::npos,
               "the message names the field");
    }
    expect(!stackae::presets().empty(), "there are presets");
    for (const stackae::Preset& preset : stackae::presets()) {
        stackae::validate(preset.options);
    }
    expect(stackae::parse<stackae::FeatureFormat>("csv") == stackae::FeatureFormat::csv,
           "formats have names");
    expect(stackae::plan_training(100, stackae::Recipe{}, stackae::preset("dense")).parameters > 0,
           "training can be planned");
}

}  // namespace

int main(int argc, char** argv) {
    try {
        expect(argc == 2, "one argument: a folder to write in");
        values_and_errors();
        encode_and_search();
        save_and_load(argv[1]);
        encode_files(argv[1]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "consumer: %s\n", error.what());
        return 1;
    }
    return 0;
}
