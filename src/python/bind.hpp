#pragma once

#include <pybind11/pybind11.h>

/// What each file adds to the Python module.
namespace stackae::python {

void bind_errors(pybind11::module_& module);
void bind_pictures(pybind11::module_& module);
void bind_models(pybind11::module_& module);
void bind_galleries(pybind11::module_& module);
void bind_patch_memories(pybind11::module_& module);
void bind_recommenders(pybind11::module_& module);

}  // namespace stackae::python
