#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "stackae/export_onnx.hpp"
#include "stackae/fit_table.hpp"
#include "stackae/model.hpp"
#include "stackae/stackae.h"
#include "stackae/train.hpp"
#include "stackae/train_recipe.hpp"

#include "c/call.hpp"
#include "c/handles.hpp"
#include "c/observer.hpp"
#include "c/options.hpp"

using namespace stackae::c;
using stackae::Model;

namespace {

/// What a training is told by options.
struct TrainOptions {
    stackae::TrainRecipe recipe;
    stackae::PreprocessingOptions preprocessing;
    stackae::RunOptions run;

    [[nodiscard]] int threads() const { return static_cast<int>(run.threads); }
};

TrainOptions read_train_options(const char* const* texts, bool of_pictures) {
    TrainOptions options;
    RecipeSet recipe;
    PreprocessingSet preprocessing;
    const stackae::TrainConfig config;
    if (of_pictures) {
        set_all(texts, {&recipe, &preprocessing, &options.run}, &config, &options.recipe.options);
    } else {
        set_all(texts, {&recipe, &options.run}, &config, &options.recipe.options);
    }
    options.recipe.preset = recipe.preset;
    options.recipe.stack = recipe.stack;
    options.recipe.components = recipe.components;
    options.recipe.budget_seconds = recipe.budget;
    options.preprocessing.channels = narrowed<int>(preprocessing.channels);
    options.preprocessing.height = narrowed<int>(preprocessing.height);
    options.preprocessing.width = narrowed<int>(preprocessing.width);
    options.preprocessing.standardize = preprocessing.standardize;
    return options;
}

void set(stackae_model** model, Model made) {
    put(model, "model",
        std::unique_ptr<stackae_model>(new stackae_model{std::make_shared<const Model>(std::move(made))}));
}

/// Does learn(), a training of these options that tells the listener. Where it was stopped, the model is what
/// there is of it.
template <class Learn>
void learn_into(stackae_model** model, const TrainOptions& options, const TrainingListener& listener,
                const Learn& learn) {
    given(model, "model") = nullptr;
    const stackae::SignalGuard guard(options.threads());
    watched(listener, [&] {
        Model made = learn();
        if (!listener.stopped() || made.layers.size() > 0) {
            set(model, std::move(made));
        }
    });
}

stackae::OnnxOptions read_onnx_options(const char* const* texts) {
    const auto set = read_options<OnnxSet>(texts);
    return {.output = set.output,
            .part = stackae::parse<stackae::OnnxPart>(*set.part),
            .input = stackae::parse<stackae::OnnxInput>(*set.input),
            .opset = static_cast<int>(set.opset)};
}

}  // namespace

stackae_status stackae_model_load(const char* path, stackae_model** model, char** message) {
    return call(message, [&] { set(model, stackae::load_model(&given(path, "path"))); });
}

stackae_status stackae_model_save(const stackae_model* model, const char* path, char** message) {
    return call(message, [&] { stackae::save(*given(model, "model").model, &given(path, "path")); });
}

stackae_status stackae_model_train(const stackae_pictures* pictures, const char* const* options,
                                   const stackae_observer* observer, stackae_model** model, char** message) {
    return call(message, [&] {
        const TrainOptions read = read_train_options(options, true);
        const stackae::ImageDataset& dataset = given(pictures, "pictures").dataset;
        TrainingListener listener(observer, &dataset);
        learn_into(model, read, listener, [&] {
            const stackae::Preprocessing preprocessing =
                stackae::choose_preprocessing(dataset, read.preprocessing, read.threads());
            const stackae::TrainConfig config =
                stackae::config_of(read.recipe, dataset.size(), preprocessing, read.run);
            return stackae::train(dataset, preprocessing, config, read.run, listener);
        });
    });
}

stackae_status stackae_model_train_table(const stackae_table* table, const char* const* options,
                                         const stackae_observer* observer, stackae_model** model,
                                         char** message) {
    return call(message, [&] {
        const TrainOptions read = read_train_options(options, false);
        const stackae::Interactions& rows = given(table, "table").table;
        TrainingListener listener(observer, nullptr);
        learn_into(model, read, listener, [&] {
            const stackae::TrainConfig config =
                stackae::config_of(read.recipe, rows, read.run, listener, [&](std::int64_t /*tried*/) {
                    if (listener.stop()) {
                        throw Stopped();
                    }
                });
            return stackae::train(rows, config, read.run, listener);
        });
    });
}

stackae_status stackae_model_fine_tune(const stackae_model* model, const stackae_pictures* pictures,
                                       const char* const* options, const stackae_observer* observer,
                                       stackae_model** tuned, char** message) {
    return call(message, [&] {
        TrainOptions read;
        stackae::TrainConfig config = given(model, "model").model->record.config;
        set_all(options, {&config, &read.run});
        const stackae::ImageDataset& dataset = given(pictures, "pictures").dataset;
        TrainingListener listener(observer, &dataset);
        learn_into(tuned, read, listener,
                   [&] { return stackae::fine_tune(*model->model, dataset, config, read.run, listener); });
    });
}

stackae_status stackae_model_describe(const stackae_model* model, char** json, char** message) {
    return call(message,
                [&] { put_text(json, "json", stackae::to_json(*given(model, "model").model).text()); });
}

stackae_status stackae_model_identity(const stackae_model* model, char** identity, char** message) {
    return call(message, [&] { put_text(identity, "identity", given(model, "model").model->identity()); });
}

void stackae_model_input_shape(const stackae_model* model, int64_t* height, int64_t* width,
                               int64_t* channels) {
    const stackae::Shape shape = model != nullptr ? model->model->input_shape() : stackae::Shape{};
    for (const auto& [to, extent] : {std::pair(height, shape.height), std::pair(width, shape.width),
                                     std::pair(channels, shape.channels)}) {
        if (to != nullptr) {
            *to = extent;
        }
    }
}

stackae_status stackae_model_export_onnx(const stackae_model* model, const char* path,
                                         const char* const* options, char** message) {
    return call(message, [&] {
        stackae::export_onnx(*given(model, "model").model, read_onnx_options(options), &given(path, "path"));
    });
}

void stackae_model_free(stackae_model* model) {
    delete model;
}

stackae_status stackae_patch_memory_export_onnx(const stackae_patch_memory* memory, const char* path,
                                                const char* const* options, char** message) {
    return call(message, [&] {
        stackae::export_onnx(*given(memory, "memory").memory, read_onnx_options(options),
                             &given(path, "path"));
    });
}

stackae_status stackae_gallery_export_onnx(const stackae_gallery* gallery, const stackae_model* model,
                                           const char* path, const char* const* options, char** message) {
    return call(message, [&] {
        stackae::export_onnx(*given(model, "model").model, given(gallery, "gallery").gallery,
                             read_onnx_options(options), &given(path, "path"));
    });
}
