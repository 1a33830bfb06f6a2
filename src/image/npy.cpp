#include <charconv>
#include <fmt/format.h>
#include <string_view>

#include "stackae/error.hpp"

#include "image/arrays.hpp"

namespace stackae::image {
namespace {

[[noreturn]] void corrupt(const std::string& path, const std::string& reason) {
    throw CorruptFile(fmt::format("{}: NPY header: {}", path, reason));
}

/// What follows 'key': in the header's dictionary, without leading blanks.
std::string_view value_of(std::string_view header, std::string_view key, const std::string& path) {
    for (const char quote : {'\'', '"'}) {
        const std::string quoted = fmt::format("{}{}{}", quote, key, quote);
        std::size_t at = header.find(quoted);
        if (at == std::string_view::npos) {
            continue;
        }
        at = header.find_first_not_of(" \t", at + quoted.size());
        if (at != std::string_view::npos && header[at] == ':') {
            at = header.find_first_not_of(" \t", at + 1);
            if (at != std::string_view::npos) {
                return header.substr(at);
            }
        }
    }
    corrupt(path, fmt::format("no '{}'", key));
}

void parse_kind(std::string_view value, const std::string& path, NpyHeader& header) {
    if (value.front() != '\'' && value.front() != '"') {
        throw InvalidArgument(fmt::format("{}: NPY of records found; plain numbers expected", path));
    }
    const std::size_t end = value.find(value.front(), 1);
    if (end == std::string_view::npos) {
        corrupt(path, "'descr' without an end");
    }
    const std::string_view kind = value.substr(1, end - 1);
    const bool bytes = kind == "|u1" || kind == "<u1" || kind == ">u1" || kind == "u1";
    if (!bytes && kind != "<u2" && kind != "<f4" && kind != "<f8") {
        throw InvalidArgument(
            fmt::format("{}: NPY of '{}' found; u1, u2, f4 or f8, little-endian, expected", path, kind));
    }
    header.kind = bytes ? 'u' : kind[1];
    header.value_bytes = bytes ? 1 : kind[2] - '0';
}

std::vector<std::uint64_t> parse_shape(std::string_view value, const std::string& path) {
    std::vector<std::uint64_t> shape;
    const std::size_t end = value.find(')');
    if (value.front() != '(' || end == std::string_view::npos) {
        corrupt(path, "'shape' is no tuple");
    }
    std::string_view rest = value.substr(1, end - 1);
    while (rest.find_first_not_of(" \t") != std::string_view::npos) {
        rest.remove_prefix(rest.find_first_not_of(" \t"));
        std::uint64_t extent = 0;
        const auto [stop, error] = std::from_chars(rest.data(), rest.data() + rest.size(), extent);
        if (error != std::errc() || shape.size() == 8) {
            corrupt(path, fmt::format("shape ({}) cannot be read", value.substr(1, end - 1)));
        }
        shape.push_back(extent);
        rest.remove_prefix(static_cast<std::size_t>(stop - rest.data()));
        const std::size_t next = rest.find_first_not_of(" \tL");  // Python 2 wrote 60000L
        if (next == std::string_view::npos) {
            break;
        }
        if (rest[next] != ',') {
            corrupt(path, fmt::format("shape ({}) cannot be read", value.substr(1, end - 1)));
        }
        rest.remove_prefix(next + 1);
    }
    return shape;
}

}  // namespace

NpyHeader parse_npy(ByteSpan file, const std::string& path) {
    const Bytes bytes(file, false);
    if (!bytes.has(0, npy_magic) || file.size() < 12) {
        corrupt(path, fmt::format("{} bytes that do not begin with \\x93NUMPY", file.size()));
    }
    const unsigned version = bytes.u8(6);
    if (version < 1 || version > 3) {
        corrupt(path, fmt::format("version {} found, 1 to 3 expected", version));
    }
    const std::uint64_t begin = version == 1 ? 10 : 12;
    const std::uint64_t length = version == 1 ? bytes.u16(8) : bytes.u32(8);
    if (length > file.size() - begin) {
        corrupt(path, fmt::format("{} bytes found, {} expected", file.size() - begin, length));
    }
    const std::string_view text(reinterpret_cast<const char*>(file.data()) + begin, length);
    NpyHeader header;
    header.data = begin + length;
    parse_kind(value_of(text, "descr", path), path, header);
    const std::string_view order = value_of(text, "fortran_order", path);
    if (order.starts_with("True")) {
        throw InvalidArgument(
            fmt::format("{}: NPY in Fortran order found; C order expected (numpy.ascontiguousarray)", path));
    }
    if (!order.starts_with("False")) {
        corrupt(path, "'fortran_order' is neither True nor False");
    }
    header.shape = parse_shape(value_of(text, "shape", path), path);
    return header;
}

SourcePointer open_npy(const std::string& path, const PictureLimits& limits) {
    Content content(path, 0, [](ByteSpan) -> std::uint64_t { return 0; });
    if (content.packed()) {
        throw InvalidArgument(
            fmt::format("{}: gzip found; it is read for IDX only, NPY has to be unpacked", path));
    }
    const NpyHeader header = parse_npy(content.bytes(), path);
    const ArrayShape shape = array_shape(header.shape, true, path);
    const std::uint64_t expected =
        header.data + array_bytes(shape, static_cast<std::uint64_t>(header.value_bytes), path);
    check_length(content.bytes().size(), expected, path);
    return array_source(path, std::move(content), header.data, shape, header.kind, header.value_bytes, {},
                        limits);
}

}  // namespace stackae::image
