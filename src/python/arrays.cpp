#include "python/arrays.hpp"

#include <optional>
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

Pictures::Pictures(FloatArray array)
    : array_(std::move(array)),
      dataset_(std::make_unique<ImageDataset>(ImageDataset::from_tensor(view_of(array_)))) {}

Pictures::Pictures(const std::string& path)
    : dataset_(std::make_unique<ImageDataset>(ImageDataset::open(path))) {}

Pictures::Pictures(const std::vector<std::string>& paths) {
    std::vector<ImageEntry> entries;
    for (const std::string& path : paths) {
        entries.push_back({path, std::nullopt});
    }
    dataset_ = std::make_unique<ImageDataset>(ImageDataset::from_entries("pictures", std::move(entries)));
}

void bind_pictures(py::module_& module) {
    py::class_<Pictures>(module, "Pictures")
        .def(py::init<const std::string&>(), py::arg("path"))
        .def(py::init<const std::vector<std::string>&>(), py::arg("paths"))
        .def(py::init<FloatArray>(), py::arg("array"))
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
