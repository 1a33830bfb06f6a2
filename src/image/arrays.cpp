#include "image/arrays.hpp"

#include <atomic>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>
#include <memory>
#include <zlib.h>

#include "stackae/error.hpp"

#include "image/decode.hpp"

namespace stackae::image {
namespace {

/// labels: one a picture, or none.
PictureEntry array_entry(const std::string& path, std::int64_t i, const std::vector<std::string>& labels) {
    PictureEntry entry{fmt::format("{}#{}", path, i), std::nullopt};
    if (!labels.empty()) {
        entry.label = labels[static_cast<std::size_t>(i)];
    }
    return entry;
}

struct CloseGzip {
    void operator()(gzFile_s* file) const noexcept { ::gzclose(file); }
};

/// Appends inflated bytes until there are `total`, or no more.
void inflate_to(gzFile_s* file, std::uint64_t total, std::vector<std::byte>& bytes, const std::string& path) {
    constexpr std::size_t step = std::size_t{1} << 20U;
    bytes.reserve(std::min<std::uint64_t>(total, std::uint64_t{1} << 28U));  // a header may lie
    while (bytes.size() < total) {
        const std::size_t done = bytes.size();
        const auto want = static_cast<std::size_t>(std::min<std::uint64_t>(step, total - done));
        bytes.resize(done + want);
        const int got = ::gzread(file, bytes.data() + done, static_cast<unsigned>(want));
        int code = Z_OK;
        const char* message = ::gzerror(file, &code);
        if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
            throw CorruptFile(fmt::format("{}: gzip data is cut short or damaged after {} bytes: {}", path,
                                          done + static_cast<std::size_t>(std::max(got, 0)), message));
        }
        bytes.resize(done + static_cast<std::size_t>(got));
        if (got == 0) {
            return;
        }
    }
}

cv::Mat view(const std::byte* data, int height, int width, int type) {
    return {height, width, type, const_cast<std::byte*>(data)};
}

class ArraySource : public Pictures::Source {
public:
    ArraySource(std::string path, Content content, std::uint64_t data, const ArrayShape& shape, int depth,
                std::vector<std::string> labels)
        : path_(std::move(path)),
          content_(std::move(content)),
          values_(content_.bytes().subspan(data)),
          shape_(shape),
          depth_(depth),
          labels_(std::move(labels)) {}

    [[nodiscard]] std::int64_t size() const override { return shape_.count; }
    [[nodiscard]] PictureEntry entry(std::int64_t i) const override { return array_entry(path_, i, labels_); }
    [[nodiscard]] const std::string& path() const override { return path_; }
    [[nodiscard]] bool labelled() const override { return !labels_.empty(); }
    [[nodiscard]] std::int64_t row_length() const override { return shape_.rows ? shape_.width : 0; }

    [[nodiscard]] Picture load(std::int64_t i, const Recipe* recipe) const override {
        int height = shape_.height;
        int width = shape_.width;
        int channels = shape_.channels;
        if (shape_.rows && recipe != nullptr && recipe->size() == width) {
            height = recipe->height;  // a row of as many values as the recipe has is that picture, flattened
            width = recipe->width;
            channels = recipe->channels;
        }
        const std::uint64_t bytes = static_cast<std::uint64_t>(shape_.values()) * CV_ELEM_SIZE1(depth_);
        count_loaded(bytes);
        const std::byte* data = values_.data() + static_cast<std::uint64_t>(i) * bytes;
        const int type = CV_MAKETYPE(depth_, channels);
        if (depth_ == CV_8U) {
            return {view(data, height, width, type), 255.0, false, false, {}};
        }
        cv::Mat pixels(height, width, type);  // a copy, since the file may hold values at odd addresses
        std::memcpy(pixels.data, data, bytes);
        if (depth_ == CV_16U) {
            return {pixels, 65535.0, false, false, {}};
        }
        pixels.convertTo(pixels, CV_32F);
        check_unit_range(pixels);
        return {pixels, 1.0, false, false, {}};
    }

private:
    /// Lets go of the file's memory now and then: a large file does not stay in it as a whole.
    void count_loaded(std::uint64_t bytes) const {
        constexpr std::uint64_t step = std::uint64_t{32} << 20U;
        const std::uint64_t before = loaded_.fetch_add(bytes);
        if (before / step != (before + bytes) / step) {
            content_.release();
        }
    }

    std::string path_;
    Content content_;
    ByteSpan values_;
    ArrayShape shape_;
    int depth_;
    std::vector<std::string> labels_;
    mutable std::atomic<std::uint64_t> loaded_{0};  ///< bytes, by any thread
};

class TensorSource : public Pictures::Source {
public:
    TensorSource(Tensor pictures, const ArrayShape& shape, std::vector<std::string> labels)
        : pictures_(std::move(pictures)), shape_(shape), labels_(std::move(labels)) {}

    [[nodiscard]] std::int64_t size() const override { return shape_.count; }
    [[nodiscard]] PictureEntry entry(std::int64_t i) const override { return array_entry(path_, i, labels_); }
    [[nodiscard]] const std::string& path() const override { return path_; }
    [[nodiscard]] bool labelled() const override { return !labels_.empty(); }
    [[nodiscard]] Picture load(std::int64_t i, const Recipe* /*recipe*/) const override {
        const auto* data = reinterpret_cast<const std::byte*>(pictures_.row(i).data());
        return {view(data, shape_.height, shape_.width, CV_32FC(shape_.channels)), 1.0, false, false, {}};
    }

private:
    std::string path_ = "memory";
    Tensor pictures_;
    ArrayShape shape_;
    std::vector<std::string> labels_;
};

}  // namespace

ArrayShape array_shape(const std::vector<std::uint64_t>& extents, bool rows_allowed,
                       const std::string& path) {
    constexpr auto most = static_cast<std::uint64_t>(std::numeric_limits<int>::max());
    const std::string text = fmt::format("{}", fmt::join(extents, "×"));
    const bool rows = extents.size() == 2 && rows_allowed;
    if (!rows && extents.size() != 3 && extents.size() != 4) {
        throw InvalidArgument(fmt::format("{}: array of shape {} found; n×h×w{} or n×h×w×c expected", path,
                                          text, rows_allowed ? ", n×d" : ""));
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
        if (extents[3] != 1 && extents[3] != 3 && extents[3] != 4) {
            throw InvalidArgument(
                fmt::format("{}: array of shape {}: 1, 3 or 4 channels (last) expected", path, text));
        }
        shape.channels = static_cast<int>(extents[3]);
    }
    return shape;
}

std::uint64_t array_bytes(const ArrayShape& shape, std::uint64_t value_bytes, const std::string& path) {
    std::uint64_t bytes = value_bytes;
    bool overflow = false;
    for (const std::int64_t extent :
         {shape.count, std::int64_t{shape.height}, std::int64_t{shape.width}, std::int64_t{shape.channels}}) {
        overflow = __builtin_mul_overflow(bytes, static_cast<std::uint64_t>(extent), &bytes) || overflow;
    }
    if (overflow || bytes > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / 2) {
        throw CorruptFile(fmt::format("{}: {} pictures of {} × {} × {} cannot be", path, shape.count,
                                      shape.height, shape.width, shape.channels));
    }
    return bytes;
}

void check_length(std::uint64_t found, std::uint64_t expected, const std::string& path) {
    if (found != expected) {
        throw CorruptFile(fmt::format("{}: {}{} bytes found, {} expected", path,
                                      found < expected ? "cut short: " : "too long: at least ", found,
                                      expected));
    }
}

Content::Content(const std::string& path, std::size_t header_bytes, const Length& length) : file_(path) {
    if (!packed()) {
        return;
    }
    const std::unique_ptr<gzFile_s, CloseGzip> file(::gzopen(path.c_str(), "rbe"));
    if (!file) {
        throw IoError(fmt::format("{}: cannot open", path));
    }
    inflate_to(file.get(), header_bytes, inflated_, path);
    inflate_to(file.get(), length(inflated_) + 1, inflated_, path);
}

SourcePointer array_source(std::string path, Content content, std::uint64_t data, const ArrayShape& shape,
                           char kind, int value_bytes, std::vector<std::string> labels,
                           const PictureLimits& limits) {
    if (std::int64_t{shape.height} * shape.width > limits.max_pixels) {
        throw InvalidArgument(fmt::format("{}: pictures of {} × {} pixels found, at most {} in all expected",
                                          path, shape.width, shape.height, limits.max_pixels));
    }
    const int depth = kind == 'f' ? (value_bytes == 8 ? CV_64F : CV_32F) : value_bytes == 2 ? CV_16U : CV_8U;
    return std::make_shared<ArraySource>(std::move(path), std::move(content), data, shape, depth,
                                         std::move(labels));
}

SourcePointer tensor_source(Tensor pictures, std::vector<std::string> labels) {
    std::vector<std::uint64_t> extents;
    for (const std::int64_t extent : pictures.shape()) {
        extents.push_back(static_cast<std::uint64_t>(extent));
    }
    const ArrayShape shape = array_shape(extents, false, "pictures in memory");
    if (!labels.empty() && static_cast<std::int64_t>(labels.size()) != shape.count) {
        throw InvalidArgument(
            fmt::format("pictures in memory: {} labels found, {} expected", labels.size(), shape.count));
    }
    for (const float value : pictures.values()) {
        if (!(value >= 0.0F && value <= 1.0F)) {
            throw InvalidArgument(
                fmt::format("pictures in memory: value {} found; floats in [0, 1] expected", value));
        }
    }
    return std::make_shared<TensorSource>(std::move(pictures), shape, std::move(labels));
}

}  // namespace stackae::image
