#include <algorithm>
#include <memory>
#include <optional>
#include <pybind11/stl.h>
#include <string>
#include <utility>
#include <vector>

#include "stackae/export_onnx.hpp"
#include "stackae/memorize.hpp"
#include "stackae/patch_memory.hpp"
#include "stackae/score_inputs.hpp"

#include "python/arrays.hpp"
#include "python/bind.hpp"
#include "python/reading.hpp"

namespace stackae::python {
namespace py = pybind11;
namespace {

using SharedMemory = std::shared_ptr<PatchMemory>;

py::tuple memorize_pictures(const Pictures& pictures, const std::optional<std::string>& method,
                            const Model* model, const std::string& output, int image_size, std::int64_t tile,
                            std::int64_t stride, std::int64_t max_codes, std::int64_t dimension,
                            std::uint64_t seed, int threads, std::int64_t memory) {
    MemorizeOptions options{.output = output,
                            .image_size = image_size,
                            .tile = tile,
                            .stride = stride,
                            .max_codes = max_codes,
                            .dimension = dimension,
                            .seed = seed,
                            .threads = threads,
                            .memory = memory};
    if (method) {
        options.method = parse<AnomalyMethod>(*method);
    }
    if (model != nullptr) {
        options.model = *model;
    }
    Reading reading;
    options.on_progress = [&](std::string_view /*part*/, std::int64_t /*done*/, std::int64_t /*of*/) {
        if (reading.stop()) {
            throw Stopped();
        }
    };
    SharedMemory learnt;
    run_released(reading.signals, threads, [&] {
        Manifest manifest(reading);
        learnt =
            std::make_shared<PatchMemory>(memorize(Inputs(pictures.dataset().share()), options, manifest));
    });
    return py::make_tuple(learnt, reading.skipped);
}

/// Scores of all pictures, and maps as large as pictures are looked at; not a number where one cannot be
/// read, with the reasons.
py::tuple score(const PatchMemory& memory, const Pictures& pictures, bool want_maps, int threads) {
    Reading reading;
    const std::int64_t n = pictures.dataset().size();
    const Shape shape = memory.preprocessing.shape();
    Tensor scores = unwritten({n});
    Tensor maps = unwritten({want_maps ? n : 0, shape.height * shape.width});
    run_released(reading.signals, threads, [&] {
        const Inputs inputs(pictures.dataset().share());
        Manifest manifest(reading);
        std::int64_t first = 0;
        score_inputs({.inputs = inputs, .memory = memory}, {.threads = threads}, manifest,
                     [&](const InputBatch& batch, const std::vector<AnomalyScore>& found) {
                         const std::vector<std::int64_t> indices = batch.indices(first);
                         for (std::size_t row = 0; row < found.size(); ++row) {
                             scores.data()[indices[row]] = static_cast<float>(found[row].score);
                             if (want_maps) {
                                 const Tensor map = enlarge_map(found[row].map, shape.height, shape.width);
                                 std::copy_n(map.data(), map.size(), maps.row(indices[row]).data());
                             }
                         }
                         first = batch.end;
                     });
    });
    return py::make_tuple(array_of(std::move(scores)),
                          array_of(std::move(maps), {want_maps ? n : 0, shape.height, shape.width}),
                          reading.skipped);
}

}  // namespace

void bind_patch_memories(py::module_& module) {
    module.def("memorize", &memorize_pictures, py::arg("pictures"), py::arg("method"), py::arg("model"),
               py::arg("output"), py::arg("image_size"), py::arg("tile"), py::arg("stride"),
               py::arg("max_codes"), py::arg("dimension"), py::arg("seed"), py::arg("threads"),
               py::arg("memory"));
    py::class_<PatchMemory, SharedMemory>(module, "PatchMemory")
        .def_static(
            "load",
            [](const std::string& path) { return std::make_shared<PatchMemory>(load_patch_memory(path)); },
            py::arg("path"), py::call_guard<Released>())
        .def(
            "save", [](const PatchMemory& memory, const std::string& path) { save(memory, path); },
            py::arg("path"), py::call_guard<Released>())
        .def("describe", [](const PatchMemory& memory) { return to_json(memory).text(); })
        .def("threshold",
             [](const PatchMemory& memory, double false_alarm) {
                 const AnomalyThreshold found = anomaly_threshold(memory, false_alarm);
                 return py::make_tuple(found.threshold, found.promised);
             })
        .def("score", &score, py::arg("pictures"), py::arg("want_maps"), py::arg("threads"))
        .def(
            "export_onnx",
            [](const PatchMemory& memory, const std::string& path, const std::string& output,
               const std::string& input, int opset) {
                export_onnx(memory, {.output = output, .input = parse<OnnxInput>(input), .opset = opset},
                            path);
            },
            py::arg("path"), py::arg("output"), py::arg("input"), py::arg("opset"),
            py::call_guard<Released>());
}

}  // namespace stackae::python
