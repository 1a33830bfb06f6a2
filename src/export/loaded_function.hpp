#pragma once

#include <dlfcn.h>
#include <fmt/format.h>

#include "stackae/error.hpp"

namespace stackae::exporting {

/// A function of a library of stackae's own that is loaded when it is first needed, and stays. what, package:
/// what it is for, and Debian's package that it needs. Throws Error.
template <class Function>
[[nodiscard]] Function* loaded_function(const char* what, const char* package, const char* library,
                                        const char* name) {
    void* const handle = ::dlopen(library, RTLD_NOW | RTLD_LOCAL);
    void* const found = handle != nullptr ? ::dlsym(handle, name) : nullptr;
    if (found == nullptr) {
        const char* const error = ::dlerror();
        throw Error(fmt::format("{}: {} with Debian's {} expected beside stackae: {}", what, library, package,
                                error != nullptr ? error : "no reason given"));
    }
    return reinterpret_cast<Function*>(found);
}

}  // namespace stackae::exporting
