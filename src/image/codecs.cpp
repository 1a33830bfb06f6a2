#include "image/codecs.hpp"

#include <dlfcn.h>
#include <fmt/format.h>
#include <opencv2/core/version.hpp>
#include <opencv2/imgcodecs.hpp>
#include <string>
#include <type_traits>

#include "image/picture.hpp"

namespace stackae::image {
namespace {

using Decode = cv::Mat (*)(cv::InputArray file, int flags);

/// Null, and `why`, when it cannot be had.
Decode load(std::string& why) {
    // Of the version that OpenCV's other libraries are linked in; before 4.6 it was written with a point.
    for (const char* form : {"libopencv_imgcodecs.so.{}{:02}", "libopencv_imgcodecs.so.{}.{}"}) {
        const std::string name = fmt::format(fmt::runtime(form), CV_VERSION_MAJOR, CV_VERSION_MINOR);
        void* library = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
        void* decode =
            library != nullptr ? ::dlsym(library, "_ZN2cv8imdecodeERKNS_11_InputArrayEi") : nullptr;
        if (decode != nullptr) {
            return reinterpret_cast<Decode>(decode);
        }
        const char* error = ::dlerror();
        why += (why.empty() ? "" : "; ") + std::string(error != nullptr ? error : name);
    }
    return nullptr;
}

}  // namespace

cv::Mat decode_by_opencv(ByteSpan file) {
    static_assert(std::is_same_v<Decode, decltype(static_cast<Decode>(&cv::imdecode))>);
    static std::string why;
    static const Decode decode = load(why);
    if (decode == nullptr) {
        throw BadPicture(PictureStatus::unsupported,
                         fmt::format("OpenCV's codecs, which this format needs, cannot be loaded: {}", why));
    }
    // OpenCV takes the file's bytes without copying them.
    auto* bytes = const_cast<std::byte*>(file.data());
    return decode(cv::Mat(1, static_cast<int>(file.size()), CV_8UC1, bytes), cv::IMREAD_UNCHANGED);
}

}  // namespace stackae::image
