#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file_io.hpp"
#include "data/content.hpp"
#include "data/source.hpp"
#include "data/values.hpp"

namespace stackae::data {

/// Shape of an array of pictures: n × h × w × c.
struct ArrayShape {
    std::int64_t count = 0;
    int height = 0;
    int width = 0;
    int channels = 1;
    bool rows = false;  ///< was n × d

    /// Whether channels are no colours, with or without alpha: 2, and 5 or more.
    [[nodiscard]] bool measured() const { return channels == 2 || channels > 4; }
    /// Of rows.
    [[nodiscard]] std::int64_t row_length() const { return rows ? width : 0; }
    /// Of one picture, which a row of as many values as a preprocessing has is, too.
    [[nodiscard]] Shape picture(const Preprocessing* preprocessing) const {
        return rows && preprocessing != nullptr && preprocessing->size() == width
                   ? preprocessing->shape()
                   : Shape{height, width, channels};
    }
    [[nodiscard]] std::int64_t values() const { return std::int64_t{height} * width * channels; }
};

/// extents: n × h × w, n × h × w × c (c 1 to Preprocessing::max_channels) or n × d. Throws
/// CorruptFile or, for shapes that are sound but no pictures, or of channels that seem to come first,
/// InvalidArgument; both name the path.
[[nodiscard]] ArrayShape array_shape(const std::vector<std::uint64_t>& extents, const std::string& path);

/// What an NPY file begins with.
inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// What the header of an NPY or IDX file says.
struct ArrayHeader {
    ValueType type;
    std::vector<std::uint64_t> extents;
    bool fortran = false;    ///< the first index runs fastest
    std::uint64_t data = 0;  ///< where the values begin
};

/// An NPY header, versions 1 to 3. Throws CorruptFile, or InvalidArgument for kinds of values that are
/// neither numbers nor text (objects, records, …), naming the path.
[[nodiscard]] ArrayHeader parse_npy(StreamHead& file, const std::string& path);

/// An IDX header. Throws CorruptFile, naming the path.
[[nodiscard]] ArrayHeader parse_idx(StreamHead& file, const std::string& path);

using ParseHeader = std::function<ArrayHeader(StreamHead& file)>;

/// Values of an array, and what they are.
struct Array {
    ArrayHeader header;
    Content values;
};

/// An array in a part of a file. Throws IoError, CorruptFile when there are not as many bytes as its header
/// says, and whatever `parse` throws.
[[nodiscard]] Array array_in_file(base::InputFile file, std::uint64_t begin, std::uint64_t size,
                                  const ParseHeader& parse);
/// An array that has to be unpacked: no further than a byte beyond what its header says. Throws the same.
[[nodiscard]] Array array_in_stream(ByteStream& stream, const std::string& path, const ParseHeader& parse,
                                    const PictureLimits& limits);
/// An array in a file of its own, gzipped or not. Throws the same, also where it is no regular file.
[[nodiscard]] Array array_of_file(const std::string& path, const ParseHeader& parse,
                                  const PictureLimits& limits);

struct ArrayLabels {
    std::vector<std::string> labels{};  ///< n, or none
    std::vector<std::string> notes{};   ///< for a person: why there are none
};

/// The pictures of an array. path: its name for a person; file: where it lies. Throws
/// InvalidArgument when a picture has more pixels than the limit, or values are text.
[[nodiscard]] SourcePointer array_source(std::string path, std::string file, Array array, ArrayLabels labels,
                                         const PictureLimits& limits);

/// One text a value, of an array of one extent (or n × 1).
[[nodiscard]] std::vector<std::string> labels_of(const Array& array);

}  // namespace stackae::data
