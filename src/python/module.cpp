#include <exception>
#include <pybind11/pybind11.h>

#include "stackae/error.hpp"
#include "stackae/resources.hpp"

#include "python/bind.hpp"

namespace stackae::python {
namespace py = pybind11;
namespace {

/// Throws the class of stackae._errors that has this name.
void set_error(const char* name, const std::exception& error) {
    PyErr_SetString(py::module_::import("stackae._errors").attr(name).ptr(), error.what());
}

}  // namespace

void bind_errors(py::module_& /*module*/) {
    py::register_exception_translator([](std::exception_ptr thrown) {
        try {
            std::rethrow_exception(thrown);
        } catch (const InvalidArgument& error) {
            set_error("InvalidArgument", error);
        } catch (const IoError& error) {
            set_error("IoError", error);
        } catch (const CorruptFile& error) {
            set_error("CorruptFile", error);
        } catch (const Divergence& error) {
            set_error("Divergence", error);
        } catch (const NotFinite& error) {
            set_error("NotFinite", error);
        } catch (const Error& error) {
            set_error("Error", error);
        }
    });
}

}  // namespace stackae::python

PYBIND11_MODULE(_core, module) {
    module.doc() = "The library, for the classes of this package.";
    module.def("version", &stackae::version);
    stackae::python::bind_errors(module);
    stackae::python::bind_pictures(module);
    stackae::python::bind_models(module);
    stackae::python::bind_galleries(module);
    stackae::python::bind_patch_memories(module);
    stackae::python::bind_recommenders(module);
}
