#pragma once

#include <dlfcn.h>
#include <string>

#include "image/picture.hpp"

namespace stackae::image {

/// A library that is loaded when the first picture needs it, since most runs never do, and that stays loaded.
class SharedLibrary {
public:
    enum class Output {
        shared,  ///< what it prints goes where the program's own does
        none,    ///< see open_silently()
    };

    /// soname: such as "libtiff.so.6". Throws BadPicture (unsupported) when it cannot be loaded.
    explicit SharedLibrary(const char* soname, Output output = Output::shared)
        : soname_(soname),
          handle_(output == Output::none ? open_silently(soname) : ::dlopen(soname, RTLD_NOW | RTLD_LOCAL)) {
        if (handle_ == nullptr) {
            fail();
        }
    }

    /// A function by its name and its type, as in find<decltype(TIFFClientOpen)>("TIFFClientOpen"). Throws
    /// BadPicture (unsupported) when there is none.
    template <class Function>
    [[nodiscard]] Function* find(const char* name) const {
        void* found = ::dlsym(handle_, name);
        if (found == nullptr) {
            fail();
        }
        return reinterpret_cast<Function*>(found);
    }

private:
    /// For libraries that print what they think of damaged files and offer no way to stop it: they get a C
    /// library of their own (a namespace of the dynamic linker's, one for all of them), whose stdout and
    /// stderr lead nowhere. Memory may be read across, but never freed.
    static void* open_silently(const char* soname);
    [[noreturn]] void fail() const;

    const char* soname_;
    void* handle_;
};

}  // namespace stackae::image
