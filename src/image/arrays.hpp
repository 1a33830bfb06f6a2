#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/file_io.hpp"
#include "image/bytes.hpp"
#include "image/source.hpp"

namespace stackae::image {

/// Shape of an array of pictures: n × h × w × c.
struct ArrayShape {
    std::int64_t count = 0;
    int height = 0;
    int width = 0;
    int channels = 1;
    bool rows = false;  ///< was n × d

    [[nodiscard]] std::int64_t values() const { return std::int64_t{height} * width * channels; }
};

/// extents: n × h × w, n × h × w × c (c 1, 3 or 4) or, where allowed, n × d. Throws CorruptFile or, for
/// shapes that are sound but no pictures, InvalidArgument; both name the path.
[[nodiscard]] ArrayShape array_shape(const std::vector<std::uint64_t>& extents, bool rows_allowed,
                                     const std::string& path);

/// n × h × w × c × bytes; throws CorruptFile when that overflows.
[[nodiscard]] std::uint64_t array_bytes(const ArrayShape& shape, std::uint64_t value_bytes,
                                        const std::string& path);

/// Throws CorruptFile when a file is not as long as its header says.
void check_length(std::uint64_t found, std::uint64_t expected, const std::string& path);

/// A file's bytes: mapped, or inflated once where it is gzipped.
class Content {
public:
    /// Given the first header_bytes of the content, the length of the whole.
    using Length = std::function<std::uint64_t(ByteSpan header)>;

    /// A gzipped file is inflated no further than a byte beyond the length. Throws IoError, CorruptFile when
    /// the gzip data is damaged, and whatever `length` throws.
    Content(const std::string& path, std::size_t header_bytes, const Length& length);
    [[nodiscard]] bool packed() const { return Bytes(file_.bytes(), false).has(0, "\x1f\x8b"); }
    [[nodiscard]] ByteSpan bytes() const { return inflated_.empty() ? file_.bytes() : ByteSpan(inflated_); }
    /// As MappedFile's.
    void release() const { file_.release(); }

private:
    core::MappedFile file_;
    std::vector<std::byte> inflated_;
};

/// Pictures in an array of u1, u2, f4 or f8 values that begins at `data` of the content.
/// labels: n, or none. Throws InvalidArgument when a picture has more pixels than the limit.
[[nodiscard]] SourcePointer array_source(std::string path, Content content, std::uint64_t data,
                                         const ArrayShape& shape, char kind, int value_bytes,
                                         std::vector<std::string> labels, const PictureLimits& limits);

/// What an NPY file begins with.
inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// What an NPY header says.
struct NpyHeader {
    char kind = 'u';  ///< 'u' or 'f'
    int value_bytes = 1;
    std::vector<std::uint64_t> shape;
    std::uint64_t data = 0;  ///< where the values begin
};

/// Parses an NPY header, versions 1 to 3. Throws CorruptFile, or InvalidArgument for kinds of values that
/// are no pictures (objects, big-endian, Fortran order, …), naming the path.
[[nodiscard]] NpyHeader parse_npy(ByteSpan file, const std::string& path);

}  // namespace stackae::image
