#include "data/arrays.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>
#include <memory>

#include "stackae/error.hpp"

namespace stackae::data {
namespace {

/// labels: one a picture, or none.
ImageEntry array_entry(const std::string& path, std::int64_t i, const std::vector<std::string>& labels) {
    ImageEntry entry{fmt::format("{}#{}", path, i), std::nullopt};
    if (!labels.empty()) {
        entry.label = labels[static_cast<std::size_t>(i)];
    }
    return entry;
}

/// Of all values.
std::uint64_t bytes_of(const ArrayHeader& header, const std::string& path) {
    std::uint64_t bytes = header.type.bytes;
    bool overflow = false;
    for (const std::uint64_t extent : header.extents) {
        overflow = __builtin_mul_overflow(bytes, extent, &bytes) || overflow;
    }
    if (overflow || bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 2) {
        throw CorruptFile(
            fmt::format("{}: an array of shape {} cannot be", path, fmt::join(header.extents, "×")));
    }
    return bytes;
}

/// Throws CorruptFile when a file is not as long as its header says.
void check_length(std::uint64_t found, std::uint64_t expected, const std::string& path) {
    if (found != expected) {
        throw CorruptFile(fmt::format("{}: {}{} bytes found, {} expected", path,
                                      found < expected ? "cut short: " : "too long: at least ", found,
                                      expected));
    }
}

/// From Fortran's order, in which the first index runs fastest, to one picture after the other: as many
/// pictures at once as fit in memory.
Content reordered(const Content& values, const ArrayShape& shape, std::uint64_t value_bytes,
                  const PictureLimits& limits) {
    constexpr std::int64_t most = std::int64_t{64} << 20U;
    const auto bytes = static_cast<std::size_t>(value_bytes);
    const auto size = static_cast<std::size_t>(shape.values());
    const auto count = static_cast<std::size_t>(shape.count);
    const auto fit = static_cast<std::size_t>(std::min(most, limits.memory)) / (size * bytes);
    const std::size_t at_once = std::clamp<std::size_t>(fit, 1, count);
    ByteStore store(values.size(), limits);
    std::vector<std::byte> run(at_once * bytes);
    std::vector<std::byte> pictures(at_once * size * bytes);
    for (std::size_t first = 0; first < count; first += at_once) {
        const std::size_t now = std::min(at_once, count - first);
        std::size_t from = 0;  // y runs faster than x, x faster than the channel
        for (int c = 0; c < shape.channels; ++c) {
            for (int x = 0; x < shape.width; ++x) {
                for (int y = 0; y < shape.height; ++y, ++from) {
                    values.read_at((from * count + first) * bytes, std::span(run).first(now * bytes));
                    const std::size_t to =
                        static_cast<std::size_t>((std::int64_t{y} * shape.width + x) * shape.channels + c);
                    for (std::size_t i = 0; i < now; ++i) {
                        std::memcpy(pictures.data() + (i * size + to) * bytes, run.data() + i * bytes, bytes);
                    }
                }
            }
        }
        store.append(ByteSpan(pictures).first(now * size * bytes));
    }
    return Content(std::move(store));
}

class ArraySource : public ImageDataset::Source {
public:
    ArraySource(std::string path, std::string file, Content values, const ValueType& type,
                const ArrayShape& shape, ArrayLabels labels)
        : path_(std::move(path)),
          file_(std::move(file)),
          values_(std::move(values)),
          type_(type),
          shape_(shape),
          labels_(std::move(labels.labels)),
          notes_(std::move(labels.notes)) {}

    [[nodiscard]] std::int64_t size() const override { return shape_.count; }
    [[nodiscard]] ImageEntry entry(std::int64_t i) const override { return array_entry(path_, i, labels_); }
    [[nodiscard]] const std::string& path() const override { return path_; }
    [[nodiscard]] bool labelled() const override { return !labels_.empty(); }
    [[nodiscard]] std::int64_t row_length() const override { return shape_.row_length(); }
    [[nodiscard]] std::string file(std::int64_t /*i*/) const override { return file_; }
    [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }

    [[nodiscard]] Picture load(std::int64_t i, const Preprocessing* preprocessing) const override {
        const Shape shape = shape_.picture(preprocessing);
        std::vector<std::byte> raw(static_cast<std::uint64_t>(shape_.values()) * type_.bytes);
        try {
            values_.read_at(static_cast<std::uint64_t>(i) * raw.size(), raw);
        } catch (const IoError& error) {
            throw BadPicture(PictureStatus::unreadable, error.what());
        }
        ArrayPixels array = pixels_of(raw, type_, static_cast<int>(shape.height),
                                      static_cast<int>(shape.width), static_cast<int>(shape.channels));
        Picture picture;
        picture.pixels = std::move(array.pixels);
        picture.white = array.white;
        picture.measured = !shape_.rows && shape_.measured();
        return picture;
    }

private:
    std::string path_;
    std::string file_;
    Content values_;
    ValueType type_;
    ArrayShape shape_;
    std::vector<std::string> labels_;
    std::vector<std::string> notes_;
};

class TensorSource : public ImageDataset::Source {
public:
    TensorSource(Tensor pictures, const ArrayShape& shape, std::vector<std::string> labels)
        : pictures_(std::move(pictures)), shape_(shape), labels_(std::move(labels)) {}

    [[nodiscard]] std::int64_t size() const override { return shape_.count; }
    [[nodiscard]] ImageEntry entry(std::int64_t i) const override { return array_entry(path_, i, labels_); }
    [[nodiscard]] const std::string& path() const override { return path_; }
    [[nodiscard]] bool labelled() const override { return !labels_.empty(); }
    [[nodiscard]] std::int64_t row_length() const override { return shape_.row_length(); }
    [[nodiscard]] Picture load(std::int64_t i, const Preprocessing* preprocessing) const override {
        auto* data = const_cast<float*>(pictures_.row(i).data());  // a view: OpenCV has none that is const
        const Shape shape = shape_.picture(preprocessing);
        Picture picture;
        picture.pixels = cv::Mat(static_cast<int>(shape.height), static_cast<int>(shape.width),
                                 CV_32FC(static_cast<int>(shape.channels)), data);
        picture.white = 1.0;
        picture.measured = !shape_.rows && shape_.measured();
        return picture;
    }

private:
    std::string path_ = "memory";
    Tensor pictures_;
    ArrayShape shape_;
    std::vector<std::string> labels_;
};

/// extents: n × h × w × c, which is as likely meant as n × c × h × w where the first of them is small and
/// the last two are alike, or the first is a number of colours.
void check_channels(const std::vector<std::uint64_t>& extents, const std::string& path,
                    const std::string& text) {
    const std::uint64_t first = extents[1];
    const std::uint64_t last = extents[3];
    constexpr auto most = static_cast<std::uint64_t>(Preprocessing::max_channels);
    constexpr std::uint64_t least_side = 8;  // what is smaller tells nothing
    if (first < std::min(last, extents[2]) && std::min(last, extents[2]) >= least_side &&
        (extents[2] == last || first <= 4)) {
        throw InvalidArgument(
            fmt::format("{}: array of shape {}: its channels seem to come first, channels (last) expected; "
                        "numpy.moveaxis(a, 1, -1) puts them there",
                        path, text));
    }
    if (last > most) {
        throw InvalidArgument(
            fmt::format("{}: array of shape {}: 1 to {} channels (last) expected", path, text, most));
    }
}

}  // namespace

ArrayShape array_shape(const std::vector<std::uint64_t>& extents, const std::string& path) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<int>::max());
    const std::string text = extents.empty() ? "()" : fmt::format("{}", fmt::join(extents, "×"));
    const bool rows = extents.size() == 2;
    if (!rows && extents.size() != 3 && extents.size() != 4) {
        throw InvalidArgument(
            fmt::format("{}: array of shape {} found; n×h×w, n×d or n×h×w×c expected", path, text));
    }
    for (std::size_t i = 0; i < extents.size(); ++i) {
        if (extents[i] == 0) {
            throw InvalidArgument(fmt::format("{}: array of shape {} holds no picture", path, text));
        }
        if (extents[i] > most) {
            throw CorruptFile(fmt::format("{}: array of shape {}: extents to {} expected", path, text, most));
        }
    }
    ArrayShape shape;
    shape.count = static_cast<std::int64_t>(extents[0]);
    shape.rows = rows;
    shape.height = rows ? 1 : static_cast<int>(extents[1]);
    shape.width = static_cast<int>(extents[rows ? 1 : 2]);
    if (extents.size() == 4) {
        check_channels(extents, path, text);
        shape.channels = static_cast<int>(extents[3]);
    }
    return shape;
}

Array array_in_file(base::InputFile file, std::uint64_t begin, std::uint64_t size, const ParseHeader& parse) {
    PartStream stream(file, begin, size);
    StreamHead head(stream);
    ArrayHeader header = parse(head);
    const std::uint64_t bytes = bytes_of(header, file.path());
    check_length(size, header.data + bytes, file.path());
    const std::uint64_t data = begin + header.data;
    return {std::move(header), Content(std::move(file), data, bytes)};
}

Array array_in_stream(ByteStream& stream, const std::string& path, const ParseHeader& parse,
                      const PictureLimits& limits) {
    StreamHead head(stream);
    ArrayHeader header = parse(head);
    const std::uint64_t bytes = bytes_of(header, path);
    ByteStore values(bytes, limits);
    values.append(stream, bytes);
    std::byte more{};
    const std::size_t beyond = stream.read(std::span(&more, 1));
    check_length(head.size() + values.size() + beyond, header.data + bytes, path);
    return {std::move(header), Content(std::move(values))};
}

Array array_of_file(const std::string& path, const ParseHeader& parse, const PictureLimits& limits) {
    base::InputFile file(path);
    if (!file.size()) {
        throw IoError(fmt::format("{}: a pipe or device found, a regular file expected", path));
    }
    PartStream beginning(file, 0, *file.size());
    StreamHead head(beginning);
    if (!Bytes(head.first(2), false).has(0, "\x1f\x8b")) {
        const std::uint64_t size = *file.size();
        return array_in_file(std::move(file), 0, size, parse);
    }
    PartStream packed(file, 0, *file.size());
    GzipStream stream(packed, path);
    return array_in_stream(stream, path, parse, limits);
}

SourcePointer array_source(std::string path, std::string file, Array array, ArrayLabels labels,
                           const PictureLimits& limits) {
    const ArrayHeader& header = array.header;
    const ArrayShape shape = array_shape(header.extents, path);
    if (std::int64_t{shape.height} * shape.width > limits.max_pixels) {
        throw InvalidArgument(fmt::format("{}: pictures of {} × {} pixels found, at most {} in all expected",
                                          path, shape.width, shape.height, limits.max_pixels));
    }
    if (shape.values() > limits.max_bytes / static_cast<std::int64_t>(sizeof(float))) {
        throw InvalidArgument(
            fmt::format("{}: pictures of {} × {} × {} values found, which take more than {} bytes", path,
                        shape.height, shape.width, shape.channels, limits.max_bytes));
    }
    if (!header.type.is_number()) {
        throw InvalidArgument(fmt::format("{}: an array of text found, numbers expected", path));
    }
    if (header.fortran && shape.values() > 1) {
        array.values = reordered(array.values, shape, header.type.bytes, limits);
    }
    return std::make_shared<ArraySource>(std::move(path), std::move(file), std::move(array.values),
                                         header.type, shape, std::move(labels));
}

std::vector<std::string> labels_of(const Array& array) {
    const auto bytes = static_cast<std::size_t>(array.header.type.bytes);
    std::vector<std::byte> values(static_cast<std::size_t>(array.values.size()));
    array.values.read_at(0, values);
    std::vector<std::string> labels;
    for (std::size_t at = 0; at < values.size(); at += bytes) {
        labels.push_back(text_of(std::span(values).subspan(at, bytes), array.header.type));
    }
    return labels;
}

SourcePointer tensor_source(Tensor pictures, std::vector<std::string> labels) {
    std::vector<std::uint64_t> extents;
    for (const std::int64_t extent : pictures.shape()) {
        extents.push_back(static_cast<std::uint64_t>(extent));
    }
    const ArrayShape shape = array_shape(extents, "pictures in memory");
    if (!labels.empty() && static_cast<std::int64_t>(labels.size()) != shape.count) {
        throw InvalidArgument(
            fmt::format("pictures in memory: {} labels found, {} expected", labels.size(), shape.count));
    }
    return std::make_shared<TensorSource>(std::move(pictures), shape, std::move(labels));
}

}  // namespace stackae::data
