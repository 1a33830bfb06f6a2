#include "image/shared_library.hpp"

#include <cstdio>
#include <gnu/lib-names.h>
#include <mutex>

namespace stackae::image {
namespace {

/// Of the C library in a namespace.
void send_output_nowhere(Lmid_t space) {
    void* library = ::dlmopen(space, LIBC_SO, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
        return;
    }
    auto* open = reinterpret_cast<decltype(&std::fopen)>(::dlsym(library, "fopen"));
    for (const char* name : {"stdout", "stderr"}) {
        auto** stream = static_cast<std::FILE**>(::dlsym(library, name));
        std::FILE* nowhere = stream != nullptr && open != nullptr ? open("/dev/null", "we") : nullptr;
        if (nowhere != nullptr) {
            *stream = nowhere;
        }
    }
}

}  // namespace

void* SharedLibrary::open_silently(const char* soname) {
    static std::mutex mutex;
    static Lmid_t space = LM_ID_NEWLM;
    const std::lock_guard lock(mutex);
    void* handle = ::dlmopen(space, soname, RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr && space == LM_ID_NEWLM && ::dlinfo(handle, RTLD_DI_LMID, &space) == 0) {
        send_output_nowhere(space);
    }
    return handle;
}

void SharedLibrary::fail() const {
    const char* error = ::dlerror();
    throw BadPicture(PictureStatus::unsupported,
                     std::string("this format needs ") + soname_ +
                         ", which cannot be loaded: " + (error != nullptr ? error : "no reason given"));
}

}  // namespace stackae::image
