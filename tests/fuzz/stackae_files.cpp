#include <algorithm>
#include <cstdlib>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/gallery.hpp"
#include "stackae/model.hpp"
#include "stackae/patch_memory.hpp"

#include "base/rows.hpp"
#include "base/safetensors.hpp"
#include "fuzz/checksum.hpp"
#include "fuzz/targets.hpp"
#include "model/model_file.hpp"
#include "model/sample_model.hpp"
#include "search/gallery_file.hpp"
#include "search/patch_memory_file.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::fuzz {
namespace {

constexpr std::int64_t max_bytes = std::int64_t{1} << 25;  // of what is encoded here

/// Reads a file; where its checksum alone is wrong, with the one that it should have.
base::Safetensors read(Input input) {
    const std::string file = with_right_checksum(input);
    return base::parse_safetensors(std::as_bytes(std::span(file)), "fuzz");
}

/// Some of the inputs, always the same: what costs much more than reading is done for these.
bool one_of(Input input, unsigned n) {
    return !input.empty() && std::to_integer<unsigned>(input[input.size() / 2]) % n == 0;
}

bool is_invertible(const Model& model) {
    const auto& layers = model.layers.layers();
    return std::all_of(layers.begin(), layers.end(),
                       [](const auto& layer) { return layer->is_invertible(); });
}

void run_model(Input input) {
    const Model model = read_model(read(input));
    (void)model.identity();
    (void)to_text(model.layers);
    save(model, "/dev/null");
    const std::string top = std::to_string(model.layers.size());
    if (one_of(input, 8) && encoding_bytes(model, top, 1, 2) < max_bytes) {
        Tensor pictures({2, model.input_shape().size()});
        std::fill(pictures.values().begin(), pictures.values().end(), 0.5F);
        Encoder encoder(model, {.output = top, .threads = 1});
        const Tensor codes = encoder.encode(pictures);
        if (!base::all_finite(codes.values()) ||
            (is_invertible(model) && !base::all_finite(encoder.decode(codes).values()))) {
            std::abort();
        }
    }
}

void run_gallery(Input input) {
    Gallery gallery = search::read_gallery(read(input));
    save(gallery, "/dev/null");
    if (one_of(input, 8) && gallery.size() > 0 && gallery.codes.size() < max_bytes / 8) {
        Recognizer recognizer(gallery, {.threads = 1});
        (void)recognizer.recognize(gallery.codes);
        const Gallery more = gallery;
        append(gallery, more);
        calibrate(gallery, 0.1, 1);
        (void)remove(gallery, gallery.names.front());
    }
}

void run_patch_memory(Input input) {
    const PatchMemory memory = search::read_patch_memory(read(input));
    save(memory, "/dev/null");
    (void)to_json(memory).text();
    (void)to_text(memory.rule);
    (void)anomaly_threshold(memory, 0.1);
    const std::int64_t values = memory.preprocessing.size();
    if (one_of(input, 4) && values < max_bytes / 64 &&
        encoding_bytes(memory.model, std::to_string(memory.depth), 1, 2) < max_bytes) {
        AnomalyScorer scorer(memory, 1);
        Tensor picture({1, values});
        std::fill(picture.values().begin(), picture.values().end(), 0.5F);
        (void)scorer.score(picture);
    }
}

/// Every way in which layers hang together: maps, rows, a wide code on top, a head to the picture.
Model deep_model() {
    Model model = test::sample_model(
        "conv2d:3:kernel=2:whitening_dim=3, pool2d:grid=2, power_norm, pca:2, l2_norm, nystroem:3", {6, 6, 1},
        {{"embedding", 5}, {"wide", 6}});
    model.reconstruction.depth = 4;
    model.reconstruction.head = test::filled_stack("ridge_decoder:6:width=6", {1, 1, 2});
    model.record.history.push_back({"layer 1, conv2d", 1, 12.5, 13.5, 40.0, 0.0, 3.5});
    model.record.class_names = {"a", "b"};
    model.record.data = "0123456789abcdef";
    model.record.accuracies = {{1, 0.5, 0.625, 40, 300, 5}};
    return model;
}

Model dense_model() {
    Model model = test::sample_model("dense:2:tied", {2, 3, 1});
    model.preprocessing.mean.assign(6, 0.5F);
    model.preprocessing.deviation.assign(6, 2.0F);
    return model;
}

template <class Value>
std::string file_of(const Value& value) {
    const test::TemporaryFolder folder;
    save(value, folder / "file");
    return test::read_text(folder / "file");
}

std::vector<std::string> gallery_seeds() {
    Gallery gallery;
    gallery.model_identity = "0123456789abcdef";
    gallery.model_path = "m.stackae";
    gallery.depth = 1;
    gallery.codes = test::random_rows(4, 3, 1);
    gallery.names = {"a", "b", "a", "c"};
    gallery.paths = {"p/1.png", "p/2.png", "q/../3.png", "/4.png"};
    const std::string first = file_of(gallery);
    gallery.metric = Metric::cosine;
    gallery.threshold = 0.5;
    return {first, file_of(gallery)};
}

std::vector<std::string> patch_memory_seeds() {
    PatchMemory memory;
    memory.model = test::sample_model("conv2d:3:kernel=2:whitening_dim=3, pool2d:2", {12, 12, 1});
    memory.depth = 2;
    memory.preprocessing = memory.model.preprocessing;
    memory.preprocessing.height = 16;
    memory.preprocessing.width = 14;
    memory.preprocessing.resize = ResizeMode::squash;
    memory.height = 4;
    memory.width = 4;
    memory.pictures = 3;
    constexpr std::int64_t descriptor = 5;  // three maps, the pixels' mean and their deviation
    constexpr std::int64_t d = 2;
    const auto ones = [](const std::vector<std::int64_t>& shape) {
        Tensor tensor(shape);
        std::fill(tensor.values().begin(), tensor.values().end(), 1.0F);
        return tensor;
    };
    constexpr auto methods = static_cast<std::int64_t>(anomaly_methods);
    memory.scale = ones({descriptor});
    memory.mean = ones({descriptor});
    memory.components = test::random_rows(d, descriptor, 2);
    memory.variances = ones({d});
    memory.codes = test::random_rows(3, d, 3);
    memory.position_means = test::random_rows(memory.positions(), d, 4);
    memory.position_whitening = test::random_rows(d, d, 5);
    memory.position_spread = ones({memory.positions()});
    memory.distance_means = ones({methods, memory.positions()});
    memory.distance_deviations = memory.distance_means;
    memory.region = ones({memory.positions()});
    memory.rule = {{AnomalyMethod::memory, AnomalyMethod::position_gaussian}, true, 0.01};
    memory.good_scores = {-1.0, 0.5, 2.0};
    memory.planted = {{"scar", 3, 0.75}};
    // One that can be used.
    (void)AnomalyScorer(memory, 1);
    return {file_of(memory)};
}

}  // namespace

std::vector<Target> stackae_files() {
    return {{"model", run_model,
             [] {
                 return std::vector{file_of(deep_model()), file_of(dense_model())};
             }},
            {"gallery", run_gallery, gallery_seeds},
            {"patch_memory", run_patch_memory, patch_memory_seeds}};
}

}  // namespace stackae::fuzz
