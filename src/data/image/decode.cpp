#include "data/image/decode.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <limits>

#include "base/file_io.hpp"

namespace stackae::data {

Picture decode(ByteSpan file, const DecodeOptions& options) {
    return decoder_of(file).decode(file, options);
}

std::uint64_t max_file_bytes(const PictureLimits& limits) {
    // Beside the pixels a file holds profiles, thumbnails and the like.
    constexpr std::uint64_t share = 16;
    constexpr std::uint64_t least = std::uint64_t{1} << 20U;
    const auto decoded = static_cast<std::uint64_t>(limits.max_bytes);
    return std::min<std::uint64_t>(std::numeric_limits<int>::max(), decoded + decoded / share + least);
}

BadPicture bad_file(const std::string& path, const IoError& failure) {
    const std::string text = failure.what();
    std::error_code error;
    const bool missing = !std::filesystem::exists(path, error) && !error;
    return {missing ? PictureStatus::missing : PictureStatus::unreadable,
            text.starts_with(path + ": ") ? text.substr(path.size() + 2) : text};
}

Picture decode_file(const std::string& path, const DecodeOptions& options) {
    constexpr std::uint64_t head = 1024;  // what formats are known by lies within
    try {
        base::InputFile file(path, base::Readable::regular_files);
        const std::uint64_t size = file.size().value_or(0);
        std::vector<std::byte> content(static_cast<std::size_t>(std::min(head, size)));
        file.read(content);
        const Decoder& decoder = decoder_of(content);  // refuses what is no picture before the rest is read
        if (decoder.decode_in_place != nullptr) {
            return decoder.decode_in_place(RandomAccess(file), options);
        }
        if (size > max_file_bytes(options.limits)) {
            throw BadPicture(PictureStatus::too_large,
                             fmt::format("file of {} bytes found, at most {} expected", size,
                                         max_file_bytes(options.limits)));
        }
        const std::size_t done = content.size();
        content.resize(static_cast<std::size_t>(size));
        file.read(std::span(content).subspan(done));
        return decoder.decode(content, options);
    } catch (const IoError& failure) {
        throw bad_file(path, failure);
    }
}

}  // namespace stackae::data
