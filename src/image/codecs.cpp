#include "image/codecs.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <opencv2/core/version.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "stackae/error.hpp"

namespace stackae::image {
namespace {

using Decode = cv::Mat (*)(cv::InputArray file, int flags);

Decode load() {
    // The version that OpenCV's other libraries are linked in.
    const std::string name =
        fmt::format("libopencv_imgcodecs.so.{}{:02}", CV_VERSION_MAJOR, CV_VERSION_MINOR);
    void* library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
    void* decode = library != nullptr ? ::dlsym(library, "_ZN2cv8imdecodeERKNS_11_InputArrayEi") : nullptr;
    if (decode == nullptr) {
        const char* why = ::dlerror();
        throw BackendError(
            fmt::format("OpenCV's codecs cannot be loaded: {}", why != nullptr ? why : name.c_str()));
    }
    return reinterpret_cast<Decode>(decode);
}

}  // namespace

cv::Mat decode_by_opencv(ByteSpan file) {
    static_assert(std::is_same_v<Decode, decltype(static_cast<Decode>(&cv::imdecode))>);
    static const Decode decode = load();
    // OpenCV takes the file's bytes without copying them.
    auto* bytes = const_cast<std::byte*>(file.data());
    return decode(cv::Mat(1, static_cast<int>(file.size()), CV_8UC1, bytes), cv::IMREAD_UNCHANGED);
}

}  // namespace stackae::image
