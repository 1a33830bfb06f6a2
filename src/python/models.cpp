#include <memory>
#include <optional>
#include <pybind11/functional.h>
#include <pybind11/stl.h>
#include <string>
#include <utility>
#include <vector>

#include "stackae/export_onnx.hpp"
#include "stackae/model.hpp"
#include "stackae/pipeline.hpp"
#include "stackae/train.hpp"
#include "stackae/train_recipe.hpp"

#include "python/arrays.hpp"
#include "python/bind.hpp"
#include "python/reading.hpp"
#include "python/settings.hpp"

namespace stackae::python {
namespace py = pybind11;
namespace {

using SharedModel = std::shared_ptr<Model>;

/// Tells a Python callable of the events of a training: on_event(kind, text of a JSON object or of a line).
class Listener : public TrainObserver {
public:
    explicit Listener(py::object on_event) : on_event_(std::move(on_event)) {}

    void on_stage(const StageInfo& stage) override { tell("stage", stage.name); }
    void on_epoch(const StageEpoch& epoch) override { tell("epoch", to_json(epoch).text()); }
    void on_skipped(const SkippedPicture& picture) override {
        tell("skipped", std::to_string(picture.index) + ": " + picture.reason);
    }
    void on_alike(std::int64_t pictures) override { tell("alike", std::to_string(pictures)); }
    bool stop() override { return signals.arrived(); }

    Signals signals;

private:
    void tell(const char* kind, const std::string& text) {
        signals.call([&] { on_event_(kind, text); });
    }

    py::object on_event_;
};

PreprocessingOptions preprocessing_of(const py::dict& wanted) {
    PreprocessingOptions options;
    const auto take = [&](const char* name, auto& to) {
        if (wanted.contains(name) && !wanted[name].is_none()) {
            to = wanted[name].cast<typename std::decay_t<decltype(to)>::value_type>();
        }
    };
    take("channels", options.channels);
    take("height", options.height);
    take("width", options.width);
    take("standardize", options.standardize);
    return options;
}

SharedModel train_model(const Pictures& pictures, const py::dict& preprocessing, const TrainRecipe& recipe,
                        const Settings& run_settings, py::object on_event) {
    const PreprocessingOptions wanted = preprocessing_of(preprocessing);
    const RunOptions run = run_of(run_settings);
    Listener listener(std::move(on_event));
    std::optional<Model> model;
    run_released(listener.signals, static_cast<int>(run.threads), [&] {
        const Preprocessing chosen =
            choose_preprocessing(pictures.dataset(), wanted, static_cast<int>(run.threads));
        const TrainConfig config = config_of(recipe, pictures.dataset().size(), chosen, run);
        model = train(pictures.dataset(), chosen, config, run, listener);
    });
    return std::make_shared<Model>(std::move(*model));
}

SharedModel fine_tune_model(const Model& model, const Pictures& pictures, const Settings& options,
                            const Settings& run_settings, py::object on_event) {
    const RunOptions run = run_of(run_settings);
    Listener listener(std::move(on_event));
    std::optional<Model> tuned;
    run_released(listener.signals, static_cast<int>(run.threads), [&] {
        TrainConfig config = model.record.config;
        set_all(config, options);
        tuned = fine_tune(model, pictures.dataset(), config, run, listener);
    });
    return std::make_shared<Model>(std::move(*tuned));
}

/// Codes of all pictures, n × values; of those that cannot be read not a number, with the reasons.
py::tuple encode(const Model& model, const Pictures& pictures, const std::string& output, bool l2_normalize,
                 int threads, std::int64_t memory) {
    Reading reading;
    Tensor codes = unwritten({pictures.dataset().size(), model.code_size(output)});
    run_released(reading.signals, threads, [&] {
        const Inputs inputs(pictures.dataset().share());
        Manifest manifest(reading);
        std::int64_t first = 0;
        encode_inputs({.inputs = inputs,
                       .model = model,
                       .encode = {.output = output, .l2_normalize = l2_normalize},
                       .label = {}},
                      {.threads = threads, .memory = memory}, manifest,
                      [&](const InputBatch& batch, const Tensor& some) {
                          batch.scatter(some, first, codes);
                          first = batch.end;
                      });
    });
    return py::make_tuple(array_of(std::move(codes)), reading.skipped);
}

/// What is rebuilt of all pictures, in the preprocessing's values, and the mean squared error of each.
py::tuple reconstruct(const Model& model, const Pictures& pictures, bool want_rebuilt, int threads) {
    Reading reading;
    const std::int64_t n = pictures.dataset().size();
    Tensor rebuilt = unwritten({want_rebuilt ? n : 0, model.preprocessing.size()});
    Tensor errors = unwritten({n});
    run_released(reading.signals, threads, [&] {
        const Inputs inputs(pictures.dataset().share());
        Manifest manifest(reading);
        InputReader reader(inputs, model.preprocessing, {.threads = threads}, manifest);
        Encoder encoder(model, {.threads = threads});
        std::int64_t first = 0;
        for (InputBatch batch; reader.next(batch); first = batch.end) {
            const Tensor made = encoder.reconstruct(batch.pictures);
            const std::vector<std::int64_t> indices = batch.indices(first);
            if (want_rebuilt) {
                batch.scatter(made, first, rebuilt);
            }
            for (std::int64_t row = 0; row < made.rows(); ++row) {
                const auto x = batch.pictures.row(row);
                double sum = 0.0;
                for (std::size_t j = 0; j < x.size(); ++j) {
                    const double difference = double{made.row(row)[j]} - double{x[j]};
                    sum += difference * difference;
                }
                errors.data()[indices[static_cast<std::size_t>(row)]] =
                    static_cast<float>(sum / static_cast<double>(x.size()));
            }
        }
    });
    return py::make_tuple(array_of(std::move(rebuilt)), array_of(std::move(errors)), reading.skipped);
}

py::array decode(const Model& model, const FloatArray& codes, const std::string& output, int threads) {
    const Tensor view = view_of(codes);
    Tensor pictures;
    {
        const Released released(threads);
        pictures = Encoder(model, {.output = output, .threads = threads}).decode(view);
    }
    return array_of(std::move(pictures));
}

void export_model(const Model& model, const std::string& path, const std::string& output,
                  const std::string& part, const std::string& input, int opset) {
    export_onnx(
        model,
        {.output = output, .part = parse<OnnxPart>(part), .input = parse<OnnxInput>(input), .opset = opset},
        path);
}

}  // namespace

void bind_models(py::module_& module) {
    py::class_<TrainRecipe>(module, "Recipe")
        .def(py::init([](std::string preset, std::string stack, std::optional<std::int64_t> components,
                         double budget_seconds, Settings options) {
                 return TrainRecipe{std::move(preset), std::move(stack), components, budget_seconds,
                                    std::move(options)};
             }),
             py::arg("preset"), py::arg("stack"), py::arg("components"), py::arg("budget_seconds"),
             py::arg("options"));
    py::class_<Model, SharedModel>(module, "Model")
        .def_static(
            "load", [](const std::string& path) { return std::make_shared<Model>(load_model(path)); },
            py::arg("path"), py::call_guard<Released>())
        .def(
            "save", [](const Model& model, const std::string& path) { save(model, path); }, py::arg("path"),
            py::call_guard<Released>())
        .def("identity", &Model::identity)
        .def("describe", [](const Model& model) { return to_json(model).text(); })
        .def("depth_of", [](const Model& model, const std::string& output) { return model.depth_of(output); })
        .def("code_size",
             [](const Model& model, const std::string& output) { return model.code_size(output); })
        .def_property_readonly("input_shape",
                               [](const Model& model) {
                                   const Shape s = model.input_shape();
                                   return py::make_tuple(s.height, s.width, s.channels);
                               })
        .def_property_readonly("learns_items",
                               [](const Model& model) { return model.record.config.rows == TableRow::item; })
        .def_property_readonly("mean", [](const Model& model) { return model.preprocessing.mean; })
        .def_property_readonly("deviation", [](const Model& model) { return model.preprocessing.deviation; })
        .def("encode", &encode, py::arg("pictures"), py::arg("output"), py::arg("l2_normalize"),
             py::arg("threads"), py::arg("memory"))
        .def("reconstruct", &reconstruct, py::arg("pictures"), py::arg("want_rebuilt"), py::arg("threads"))
        .def("decode", &decode, py::arg("codes"), py::arg("output"), py::arg("threads"))
        .def("export_onnx", &export_model, py::arg("path"), py::arg("output"), py::arg("part"),
             py::arg("input"), py::arg("opset"), py::call_guard<Released>());
    module.def("train", &train_model, py::arg("pictures"), py::arg("preprocessing"), py::arg("recipe"),
               py::arg("run"), py::arg("on_event"));
    module.def("fine_tune", &fine_tune_model, py::arg("model"), py::arg("pictures"), py::arg("options"),
               py::arg("run"), py::arg("on_event"));
    module.def("remove_training_checkpoint", &remove_training_checkpoint, py::arg("path"));
    module.def("train_options", [] {
        std::vector<std::tuple<std::string, std::string, std::string, std::string>> options;
        for (const OptionInfo& info : TrainConfig().describe()) {
            options.emplace_back(info.name, info.expected, info.value, info.help);
        }
        return options;
    });
    module.def("presets", [] {
        std::vector<std::pair<std::string, std::string>> all;
        for (const Preset& each : presets()) {
            all.emplace_back(each.name, each.summary);
        }
        return all;
    });
}

}  // namespace stackae::python
