#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/gallery.hpp"
#include "stackae/model.hpp"

#include "base/rows.hpp"
#include "base/safetensors.hpp"
#include "fuzz/targets.hpp"
#include "model/footprint.hpp"
#include "model/json.hpp"
#include "model/model_file.hpp"
#include "search/gallery_file.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::fuzz {
namespace {

constexpr std::int64_t most_bytes = std::int64_t{1} << 25;  // of what is encoded here

/// The words between two others, or nothing.
std::optional<std::string> between(const std::string& text, const std::string& before,
                                   const std::string& after) {
    const std::size_t start = text.find(before);
    const std::size_t end = start == std::string::npos ? start : text.find(after, start + before.size());
    if (end == std::string::npos) {
        return std::nullopt;
    }
    return text.substr(start + before.size(), end - start - before.size());
}

/// Reads a file; where its checksum alone is wrong, with the one that it should have.
base::Safetensors read(Input input) {
    try {
        return base::parse_safetensors(input, "fuzz");
    } catch (const CorruptFile& error) {
        const std::string what = error.what();
        const auto computed = between(what, "damaged: checksum ", " found, ");
        const auto stated = between(what, " found, ", " expected");
        std::string file(reinterpret_cast<const char*>(input.data()), input.size());
        const std::size_t place = computed && stated ? file.find(*stated) : std::string::npos;
        if (place == std::string::npos) {
            throw;
        }
        file.replace(place, stated->size(), *computed);
        return base::parse_safetensors(std::as_bytes(std::span(file)), "fuzz");
    }
}

/// Some of the inputs, always the same: what costs much more than reading is done for these.
bool one_of(Input input, unsigned n) {
    return !input.empty() && std::to_integer<unsigned>(input[input.size() / 2]) % n == 0;
}

void run_model(Input input) {
    const Model model = read_model(read(input));
    (void)json_value(model);
    (void)model.identity();
    save(model, "/dev/null");
    if (one_of(input, 8) && encoding_bytes(model, model.depth(), 1, 2) < most_bytes) {
        Tensor pictures({2, model.recipe.size()});
        std::fill(pictures.values().begin(), pictures.values().end(), 0.5F);
        Encoder encoder(model, {.layer = model.depth(), .threads = 1});
        const Tensor back = encoder.decode(encoder.encode(pictures));
        if (!base::all_finite(back.values())) {
            std::abort();
        }
    }
}

void run_gallery(Input input) {
    Gallery gallery = search::read_gallery(read(input));
    save(gallery, "/dev/null");
    if (one_of(input, 8) && gallery.size() > 0 && gallery.codes.size() < most_bytes / 8) {
        Recognizer recognizer(gallery, {.threads = 1});
        (void)recognizer.recognize(gallery.codes);
        const Gallery more = gallery;
        append(gallery, more);
        calibrate(gallery, 0.1, 1);
        (void)remove(gallery, gallery.names.front());
    }
}

Tensor filled(std::vector<std::int64_t> shape) {
    Tensor tensor(std::move(shape));
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
        tensor.data()[i] = static_cast<float>(std::sin(static_cast<double>(i)));
    }
    return tensor;
}

/// 6 × 6 pixels → 5 × 5 × 3 codes of patches, pooled → 2 linear units; radial units over them.
Model small_model() {
    Model model;
    model.recipe.height = model.recipe.width = 6;
    ConvolutionShape shape;
    shape.height = shape.width = 6;
    shape.kernel = 2;
    shape.whitened = 3;
    shape.units = 3;
    shape.pool_size = 0;
    shape.pool_stride = 0;
    shape.grid = 2;
    model.convolutions.push_back({shape, filled({3, 4}), filled({4}), filled({3, 3}), filled({3}),
                                  filled({3, 3}), filled({3}), 1.0F, filled({36})});
    model.layers.push_back({Activation::linear, Activation::relu, filled({2, 12}), filled({2}),
                            filled({12, 2}), filled({12}), true});
    model.picture_weights = filled({36, 2});
    model.picture_bias = filled({36});
    RadialLayer radial;
    radial.scale = Tensor({2});
    radial.scale.data()[0] = radial.scale.data()[1] = 1.0F;
    radial.centres = Tensor({3, 2});
    radial.centres.data()[0] = radial.centres.data()[3] = 1.0F;
    radial.mixing = filled({3, 3});
    model.radial = std::move(radial);
    model.history.push_back({1, 1, 12.5, 13.5, 40.0, 0.0, 0.0, 3.5});
    model.class_names = {"a", "b"};
    model.trained_on = "pictures";
    model.layer_accuracies = {{1, 0.5, 0.625, 40, 300, 5}};
    return model;
}

Model dense_model() {
    Model model;
    model.recipe.height = 2;
    model.recipe.width = 3;
    model.recipe.mean.assign(6, 0.5F);
    model.recipe.deviation.assign(6, 2.0F);
    model.layers.push_back(
        {Activation::sigmoid, Activation::sigmoid, filled({2, 6}), filled({2}), Tensor(), filled({6})});
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
    gallery.layer = 1;
    gallery.codes = filled({4, 3});
    gallery.names = {"a", "b", "a", "c"};
    gallery.paths = {"p/1.png", "p/2.png", "q/../3.png", "/4.png"};
    const std::string first = file_of(gallery);
    gallery.metric = Metric::cosine;
    gallery.threshold = 0.5;
    return {first, file_of(gallery)};
}

}  // namespace

std::vector<Target> stackae_files() {
    return {{"model", run_model,
             [] {
                 return std::vector{file_of(small_model()), file_of(dense_model())};
             }},
            {"gallery", run_gallery, gallery_seeds}};
}

}  // namespace stackae::fuzz
