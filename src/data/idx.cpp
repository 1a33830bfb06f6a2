#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include "stackae/error.hpp"

#include "data/arrays.hpp"

namespace stackae::data {
namespace {

namespace fs = std::filesystem;

/// Kinds of values by their number, from 8 on; 10 is none (LeCun's MNIST page).
std::optional<ValueType> type_of(unsigned kind) {
    constexpr std::array<ValueType, 7> types{{{'u', 1, true},
                                              {'i', 1, true},
                                              {'?', 0, true},
                                              {'i', 2, true},
                                              {'i', 4, true},
                                              {'f', 4, true},
                                              {'f', 8, true}}};
    const std::size_t at = kind - 8U;
    return at < types.size() && types[at].bytes > 0 ? std::optional(types[at]) : std::nullopt;
}

std::vector<std::string> read_labels(const std::string& path, std::int64_t pictures,
                                     const PictureLimits& limits) {
    const Array array = array_of_file(
        path,
        [&](StreamHead& file) {
            ArrayHeader header = parse_idx(file, path);
            if (header.extents.size() != 1) {
                throw CorruptFile(fmt::format("{}: IDX labels with {} extents found, 1 expected", path,
                                              header.extents.size()));
            }
            return header;
        },
        limits);
    if (array.header.extents[0] != static_cast<std::uint64_t>(pictures)) {
        throw CorruptFile(fmt::format("{}: {} labels found, {} expected, one a picture", path,
                                      array.header.extents[0], pictures));
    }
    return labels_of(array);
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
    changed = replace(name, "idx3", "idx1") || replace(name, "idx4", "idx1") ||
              replace(name, "idx2", "idx1") || changed;
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

/// A magic number (0, 0, kind of value, number of extents) and the extents, 32 bits each; all big-endian, the
/// values too.
ArrayHeader parse_idx(StreamHead& file, const std::string& path) {
    const ByteSpan beginning = file.first(8);
    const Bytes bytes(beginning, true);
    if (beginning.size() < 8 || bytes.u16(0) != 0) {
        throw CorruptFile(
            fmt::format("{}: IDX header: {} bytes that do not begin with 0, 0", path, beginning.size()));
    }
    const std::optional<ValueType> type = type_of(bytes.u8(2));
    if (!type) {
        throw CorruptFile(
            fmt::format("{}: IDX header: values of kind 0x{:02x} found, 0x08, 0x09 or 0x0b to 0x0e "
                        "expected",
                        path, bytes.u8(2)));
    }
    const unsigned extents = bytes.u8(3);
    ArrayHeader header;
    header.type = *type;
    header.data = 4 + 4 * std::uint64_t{extents};
    const Bytes whole(file.first(static_cast<std::size_t>(header.data)), true);
    if (extents < 1 || extents > 4 || whole.size() < header.data) {
        throw CorruptFile(fmt::format("{}: IDX header: {} extents in {} bytes found, 1 to 4 expected", path,
                                      extents, whole.size()));
    }
    for (unsigned i = 0; i < extents; ++i) {
        header.extents.push_back(whole.u32(4 + 4 * std::uint64_t{i}));
    }
    return header;
}

SourcePointer open_idx(const std::string& path, const PictureLimits& limits) {
    ArrayShape shape;
    bool npy = false;
    Array array = array_of_file(
        path,
        [&](StreamHead& file) {
            npy = Bytes(file.first(npy_magic.size()), false).has(0, npy_magic);  // in a .gz file
            ArrayHeader header = npy ? parse_npy(file, path) : parse_idx(file, path);
            shape = array_shape(header.extents, path);
            return header;
        },
        limits);
    std::vector<std::string> labels;
    const std::optional<std::string> labels_path = npy ? std::nullopt : find_labels(path);
    if (labels_path) {
        labels = read_labels(*labels_path, shape.count, limits);
    }
    return array_source(path, path, std::move(array), {std::move(labels)}, limits);
}

}  // namespace stackae::data
