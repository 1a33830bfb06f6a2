#include "image/decode.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <limits>

#include "core/file_io.hpp"

namespace stackae::image {

Picture decode(ByteSpan file, const DecodeOptions& options) {
    return decoder_of(file).decode(file, options);
}

std::uint64_t most_file_bytes(const PictureLimits& limits) {
    return std::min<std::uint64_t>(std::numeric_limits<int>::max(),
                                   static_cast<std::uint64_t>(limits.max_pixels) * 16 + (64U << 20U));
}

std::vector<std::byte> read_picture_file(const std::string& path, const PictureLimits& limits) {
    const auto reason = [&](const IoError& failure) {
        const std::string text = failure.what();
        return text.starts_with(path + ": ") ? text.substr(path.size() + 2) : text;
    };
    try {
        return core::read_file(path, most_file_bytes(limits), core::Readable::regular_files);
    } catch (const core::FileTooLarge& failure) {
        throw BadPicture(PictureStatus::too_large, reason(failure));
    } catch (const IoError& failure) {
        std::error_code error;
        const bool missing = !std::filesystem::exists(path, error) && !error;
        throw BadPicture(missing ? PictureStatus::missing : PictureStatus::unreadable, reason(failure));
    }
}

Picture decode_file(const std::string& path, const DecodeOptions& options) {
    return decode(read_picture_file(path, options.limits), options);
}

}  // namespace stackae::image
