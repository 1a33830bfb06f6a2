#include <cmath>
#include <memory>
#include <optional>
#include <pybind11/stl.h>
#include <string>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/export_onnx.hpp"
#include "stackae/gallery.hpp"

#include "python/arrays.hpp"
#include "python/bind.hpp"
#include "python/signals.hpp"

namespace stackae::python {
namespace py = pybind11;
namespace {

using SharedGallery = std::shared_ptr<Gallery>;

SharedGallery make_gallery(const FloatArray& codes, std::vector<std::string> names,
                           std::vector<std::string> paths, const Model* model, const std::string& output,
                           const std::string& metric, bool l2_normalize) {
    auto gallery = std::make_shared<Gallery>();
    const Tensor view = view_of(codes);
    gallery->model_identity = model != nullptr ? model->identity() : "none";
    gallery->depth = model != nullptr ? model->depth_of(output) : 1;
    gallery->l2_normalize = l2_normalize;
    gallery->metric = parse<Metric>(metric);
    gallery->codes = view;  // a copy
    gallery->names = std::move(names);
    gallery->paths = std::move(paths);
    return gallery;
}

/// Of each code: the name, whether it is known, the distance, and the nearest of further names.
py::list recognize(const Gallery& gallery, const FloatArray& codes, const std::string& vote,
                   std::optional<std::int64_t> neighbours, std::int64_t top, std::optional<double> threshold,
                   int threads) {
    const Tensor view = view_of(codes);
    std::vector<Recognition> found;
    {
        const Released released(threads);
        Recognizer recognizer(gallery, {.vote = parse<Vote>(vote),
                                        .k = neighbours,
                                        .top = top,
                                        .threshold = threshold,
                                        .threads = threads});
        found = recognizer.recognize(view);
    }
    py::list all;
    for (const Recognition& one : found) {
        py::list nearest;
        for (const Candidate& candidate : one.top) {
            nearest.append(py::make_tuple(candidate.name, candidate.distance, candidate.path));
        }
        all.append(py::make_tuple(one.name, one.known, one.distance, nearest));
    }
    return all;
}

}  // namespace

void bind_galleries(py::module_& module) {
    py::class_<Gallery, SharedGallery>(module, "Gallery")
        .def(py::init(&make_gallery), py::arg("codes"), py::arg("names"), py::arg("paths"), py::arg("model"),
             py::arg("output"), py::arg("metric"), py::arg("l2_normalize"))
        .def_static(
            "load", [](const std::string& path) { return std::make_shared<Gallery>(load_gallery(path)); },
            py::arg("path"), py::call_guard<Released>())
        .def(
            "save", [](const Gallery& gallery, const std::string& path) { save(gallery, path); },
            py::arg("path"), py::call_guard<Released>())
        .def(
            "export_onnx",
            [](const Gallery& gallery, const Model& model, const std::string& path, const std::string& input,
               int opset) {
                export_onnx(model, gallery, {.input = parse<OnnxInput>(input), .opset = opset}, path);
            },
            py::arg("model"), py::arg("path"), py::arg("input"), py::arg("opset"), py::call_guard<Released>())
        .def("check_model", [](const Gallery& gallery, const Model& model) { check_model(gallery, model); })
        .def("row_paths",
             [](const Gallery& gallery, std::int64_t count) { return row_paths(gallery, count); })
        .def("append", [](Gallery& gallery, const Gallery& more) { append(gallery, more); })
        .def("remove", [](Gallery& gallery, const std::string& name) { return remove(gallery, name); })
        .def(
            "calibrate",
            [](Gallery& gallery, double rate, int threads) {
                const Released released(threads);
                calibrate(gallery, rate, threads);
            },
            py::arg("false_accept_rate"), py::arg("threads"))
        .def("recognize", &recognize, py::arg("codes"), py::arg("vote"), py::arg("neighbours"),
             py::arg("top"), py::arg("threshold"), py::arg("threads"))
        .def("__len__", &Gallery::size)
        .def_readonly("names", &Gallery::names)
        .def_readonly("paths", &Gallery::paths)
        .def_readonly("threshold", &Gallery::threshold)
        .def_readonly("depth", &Gallery::depth)
        .def_readonly("l2_normalize", &Gallery::l2_normalize)
        .def_property_readonly("metric", [](const Gallery& gallery) { return name(gallery.metric); })
        .def_property_readonly("dimension", [](const Gallery& gallery) { return gallery.codes.columns(); });
}

}  // namespace stackae::python
