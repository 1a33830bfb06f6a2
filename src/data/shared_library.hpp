#pragma once

#include <dlfcn.h>
#include <string>

#include "data/image/picture.hpp"

namespace stackae::data {

/// A library that is loaded when the first picture needs it, since most runs never do, and that stays loaded.
class SharedLibrary {
public:
    /// soname: such as "libtiff.so.6". Throws BadPicture (unsupported) when it cannot be loaded.
    explicit SharedLibrary(const char* soname)
        : soname_(soname), handle_(::dlopen(soname, RTLD_NOW | RTLD_LOCAL)) {
        if (handle_ == nullptr) {
            fail();
        }
    }

    /// A function by its name and its type, see STACKAE_FUNCTION. Throws BadPicture (unsupported) when there
    /// is none.
    template <class Function>
    [[nodiscard]] Function* find(const char* name) const {
        void* found = ::dlsym(handle_, name);
        if (found == nullptr) {
            fail();
        }
        return reinterpret_cast<Function*>(found);
    }

private:
    [[noreturn]] void fail() const {
        const char* error = ::dlerror();
        unsupported(std::string("this format needs ") + soname_ +
                    ", which cannot be loaded: " + (error != nullptr ? error : "no reason given"));
    }

    const char* soname_;
    void* handle_;
};

/// A member that points to a function of the SharedLibrary `library` beside it.
// NOLINTNEXTLINE(cppcoreguidelines-macro-usage,bugprone-macro-parentheses): it needs the name, too
#define STACKAE_FUNCTION(member, name) decltype(name)* member = library.find<decltype(name)>(#name)

/// A library's functions, made of such members. Throws BadPicture (unsupported), also at the next call.
template <class Functions>
const Functions& loaded() {
    static const Functions functions;
    return functions;
}

}  // namespace stackae::data
