#pragma once

#include <cstdint>
#include <memory>
#include <pybind11/numpy.h>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/tensor.hpp"

namespace stackae::python {

/// Floats in C order; what is otherwise is converted.
using FloatArray = pybind11::array_t<float, pybind11::array::c_style | pybind11::array::forcecast>;

/// The array's own memory, which has to outlive it.
[[nodiscard]] Tensor view_of(const FloatArray& array);
/// The tensor's own memory as an array of this shape, the tensor's when not given.
[[nodiscard]] pybind11::array array_of(Tensor tensor, std::vector<std::int64_t> shape = {});

/// Pictures, or rows of numbers, for the library: an array's memory or files by their names.
class Pictures {
public:
    /// n × d, n × h × w or n × h × w × c.
    explicit Pictures(FloatArray array);
    /// What ImageDataset::open() takes.
    explicit Pictures(const std::string& path);
    /// Files, one by one.
    explicit Pictures(const std::vector<std::string>& paths);

    [[nodiscard]] const ImageDataset& dataset() const { return *dataset_; }

private:
    FloatArray array_;
    std::unique_ptr<ImageDataset> dataset_;
};

}  // namespace stackae::python
