#include "python/arrays.hpp"

#include <numeric>
#include <pybind11/stl.h>
#include <utility>

#include "python/bind.hpp"

namespace stackae::python {
namespace py = pybind11;

Tensor view_of(const FloatArray& array) {
    std::vector<std::int64_t> shape(array.shape(), array.shape() + array.ndim());
    return Tensor::view(std::move(shape), const_cast<float*>(array.data()));
}

py::array array_of(Tensor tensor, std::vector<std::int64_t> shape) {
    if (shape.empty()) {
        shape = tensor.shape();
    }
    auto kept = std::make_unique<Tensor>(std::move(tensor));
    float* const values = kept->data();
    const py::capsule owner(kept.release(), [](void* of) { delete static_cast<Tensor*>(of); });
    return py::array_t<float>(shape, values, owner);
}

Pictures::Pictures(FloatArray array, std::vector<std::string> labels) : array_(std::move(array)) {
    dataset_ = std::make_unique<ImageDataset>(ImageDataset::from_tensor(view_of(array_), std::move(labels)));
}

Pictures::Pictures(const std::string& path, const PictureLimits& limits)
    : dataset_(std::make_unique<ImageDataset>(ImageDataset::open(path, limits))) {}

Pictures::Pictures(const std::vector<std::string>& paths, std::vector<std::string> labels,
                   const PictureLimits& limits) {
    std::vector<ImageEntry> entries;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        entries.push_back({paths[i], labels.empty() ? std::nullopt : std::optional(labels.at(i))});
    }
    dataset_ =
        std::make_unique<ImageDataset>(ImageDataset::from_entries("pictures", std::move(entries), limits));
}

ImageDataset Pictures::all() const {
    std::vector<std::int64_t> entries(static_cast<std::size_t>(dataset_->size()));
    std::iota(entries.begin(), entries.end(), std::int64_t{0});
    return dataset_->subset(entries);
}

void bind_pictures(py::module_& module) {
    py::class_<Pictures>(module, "Pictures")
        .def(py::init<FloatArray, std::vector<std::string>>(), py::arg("array"),
             py::arg("labels") = std::vector<std::string>{})
        .def(py::init([](const std::string& path, const std::vector<std::string>& channel_suffixes) {
                 return Pictures(path, {.channel_suffixes = channel_suffixes});
             }),
             py::arg("path"), py::arg("channel_suffixes") = std::vector<std::string>{})
        .def(py::init([](const std::vector<std::string>& paths, std::vector<std::string> labels) {
                 return Pictures(paths, std::move(labels), {});
             }),
             py::arg("paths"), py::arg("labels") = std::vector<std::string>{})
        .def("__len__", [](const Pictures& pictures) { return pictures.dataset().size(); })
        .def("paths",
             [](const Pictures& pictures) {
                 std::vector<std::string> paths;
                 for (std::int64_t i = 0; i < pictures.dataset().size(); ++i) {
                     paths.push_back(pictures.dataset().entry(i).path);
                 }
                 return paths;
             })
        .def("labels", [](const Pictures& pictures) {
            std::vector<std::optional<std::string>> labels;
            for (std::int64_t i = 0; i < pictures.dataset().size(); ++i) {
                labels.push_back(pictures.dataset().entry(i).label);
            }
            return labels;
        });
}

}  // namespace stackae::python
