#include <filesystem>
#include <fmt/format.h>
#include <optional>

#include "stackae/error.hpp"

#include "image/arrays.hpp"

namespace stackae::image {
namespace {

namespace fs = std::filesystem;

/// The header is a magic number (0, 0, kind of value, number of extents) and the extents, 32 bits each,
/// big-endian (LeCun's MNIST page).
constexpr std::size_t longest_header = 4 + 4 * 4;

struct IdxHeader {
    std::vector<std::uint64_t> extents;
    std::uint64_t data = 0;
};

IdxHeader parse_idx(ByteSpan file, const std::string& path) {
    const Bytes bytes(file, true);
    if (bytes.has(0, npy_magic)) {
        throw InvalidArgument(fmt::format(
            "{}: NPY found, IDX expected; gzip is read for IDX only, NPY has to be unpacked", path));
    }
    if (file.size() < 8 || bytes.u16(0) != 0) {
        throw CorruptFile(
            fmt::format("{}: IDX header: {} bytes that do not begin with 0, 0", path, file.size()));
    }
    const unsigned kind = bytes.u8(2);
    const unsigned extents = bytes.u8(3);
    if (kind != 8) {
        throw CorruptFile(
            fmt::format("{}: IDX header: values of kind 0x{:02x} found, 0x08 (bytes) expected", path, kind));
    }
    IdxHeader header;
    header.data = 4 + 4 * std::uint64_t{extents};
    if (extents < 1 || extents > 4 || file.size() < header.data) {
        throw CorruptFile(fmt::format("{}: IDX header: {} extents in {} bytes found, 1 to 4 expected", path,
                                      extents, file.size()));
    }
    for (unsigned i = 0; i < extents; ++i) {
        header.extents.push_back(bytes.u32(4 + 4 * std::uint64_t{i}));
    }
    return header;
}

std::vector<std::string> read_labels(const std::string& path, std::int64_t pictures) {
    const auto length_of = [&](ByteSpan bytes) {
        const IdxHeader header = parse_idx(bytes, path);
        if (header.extents.size() != 1) {
            throw CorruptFile(
                fmt::format("{}: IDX labels with {} extents found, 1 expected", path, header.extents.size()));
        }
        return header.data + header.extents[0];
    };
    const Content content(path, 8, length_of);
    const std::uint64_t expected = length_of(content.bytes());
    check_length(content.bytes().size(), expected, path);
    if (expected - 8 != static_cast<std::uint64_t>(pictures)) {
        throw CorruptFile(
            fmt::format("{}: {} labels found, {} expected, one a picture", path, expected - 8, pictures));
    }
    std::vector<std::string> labels;
    labels.reserve(static_cast<std::size_t>(pictures));
    for (const std::byte value : content.bytes().subspan(8)) {
        labels.push_back(std::to_string(std::to_integer<unsigned>(value)));
    }
    return labels;
}

bool replace(std::string& text, std::string_view from, std::string_view to) {
    const std::size_t at = text.rfind(from);
    if (at == std::string::npos) {
        return false;
    }
    text.replace(at, from.size(), to);
    return true;
}

/// train-images-idx3-ubyte.gz → train-labels-idx1-ubyte.gz, or the same without .gz (and the other way).
std::optional<std::string> find_labels(const std::string& path) {
    const fs::path images(path);
    std::string name = images.filename().string();
    bool changed = replace(name, "images", "labels");
    changed = replace(name, "idx3", "idx1") || replace(name, "idx4", "idx1") || changed;
    if (!changed) {
        return std::nullopt;
    }
    const std::string other = name.ends_with(".gz") ? name.substr(0, name.size() - 3) : name + ".gz";
    for (const std::string& candidate : {name, other}) {
        std::error_code ignored;
        if (fs::exists(images.parent_path() / candidate, ignored)) {
            return (images.parent_path() / candidate).string();
        }
    }
    return std::nullopt;
}

}  // namespace

SourcePointer open_idx(const std::string& path, const PictureLimits& limits) {
    const auto shape_of = [&](ByteSpan bytes) {
        return array_shape(parse_idx(bytes, path).extents, false, path);
    };
    const auto length_of = [&](ByteSpan bytes) {
        return parse_idx(bytes, path).data + array_bytes(shape_of(bytes), 1, path);
    };
    Content content(path, longest_header, length_of);
    const ArrayShape shape = shape_of(content.bytes());
    check_length(content.bytes().size(), length_of(content.bytes()), path);
    std::vector<std::string> labels;
    if (const std::optional<std::string> labels_path = find_labels(path)) {
        labels = read_labels(*labels_path, shape.count);
    }
    const std::uint64_t data = parse_idx(content.bytes(), path).data;
    return array_source(path, std::move(content), data, shape, 'u', 1, std::move(labels), limits);
}

}  // namespace stackae::image
