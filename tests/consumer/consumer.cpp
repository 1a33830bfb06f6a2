// Uses an installed stackae: every public header, and something real of each module. It prints nothing when
// all is well.

#include <algorithm>
#include <cmath>
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

/// 4 pictures of 3 values, in one plane: (x, 0, z).
stackae::Tensor small_pictures() {
    stackae::Tensor pictures({4, 1, 3});
    const std::vector<float> values = {1, 0, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0};
    std::copy(values.begin(), values.end(), pictures.data());
    return pictures;
}

/// 3 values in, their 2 principal components out.
stackae::Model small_model() {
    stackae::Preprocessing preprocessing;
    preprocessing.height = 1;
    preprocessing.width = 3;
    stackae::TrainConfig config;
    config.stack = stackae::parse_stack("pca:2");
    stackae::RunOptions run;
    run.threads = 1;
    stackae::TrainObserver nobody;
    return stackae::train(stackae::ImageDataset::from_tensor(small_pictures()), preprocessing, config, run,
                          nobody);
}

void encode_and_search() {
    const stackae::Model model = small_model();
    stackae::Tensor pictures({4, 3});
    std::copy_n(small_pictures().data(), pictures.size(), pictures.data());
    stackae::Encoder encoder(model);
    const stackae::Tensor codes = encoder.encode(pictures);
    expect(codes.rows() == 4 && codes.columns() == 2, "codes are n × components");
    const float* code = codes.data();
    expect(std::abs(std::hypot(code[0] - code[2], code[1] - code[3]) - std::sqrt(2.0F)) < 1e-5F,
           "components of a plane keep its distances");
    const stackae::Tensor rebuilt = encoder.reconstruct(pictures);
    expect(std::abs(rebuilt.data()[0] - 1.0F) < 1e-5F, "and all of the picture");

    stackae::NeighbourIndex index(codes, stackae::Metric::l2);
    const stackae::Neighbours nearest = index.search(codes, 1);
    expect(nearest.rows == std::vector<std::int64_t>({0, 1, 2, 3}), "a code's nearest is itself");
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
    const stackae::Tensor code = stackae::Encoder(model).encode(picture);
    expect(all && codes == std::vector<float>(code.values().begin(), code.values().end()),
           "the code of a file is that of its picture");
    expect(manifest.rows() == 1 && manifest.skipped() == 1, "a missing file is accounted for");
    expect(stackae::weight_filters(model, "1").tiles.size() == 2, "there is a drawing of each unit");
    expect(stackae::to_json(model).text().find("\"identity\"") != std::string::npos,
           "a model tells of itself");
}

void values_and_errors() {
    stackae::validate(stackae::Preprocessing{});
    stackae::Preprocessing wrong;
    wrong.channels = 2;
    try {
        stackae::validate(wrong);
        expect(false, "preprocessing of two channels is refused");
    } catch (const stackae::InvalidArgument& error) {
        expect(std::string(error.what()).find("channels") != std::string::npos,
               "the message names the field");
    }
    expect(!stackae::presets().empty(), "there are presets");
    for (const stackae::Preset& each : stackae::presets()) {
        stackae::validate(stackae::preset(each.name));
    }
    expect(stackae::parse<stackae::FeatureFormat>("csv") == stackae::FeatureFormat::csv,
           "formats have names");
    expect(stackae::plan_training(100, stackae::Preprocessing{}, stackae::preset("dense"), {}).parameters > 0,
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
