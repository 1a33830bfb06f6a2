#include <charconv>
#include <fmt/format.h>
#include <string_view>

#include "stackae/error.hpp"

#include "data/arrays.hpp"

namespace stackae::data {
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

/// As in '<f4': byte order, kind, bytes a value.
ValueType parse_type(std::string_view value, const std::string& path) {
    if (value.front() != '\'' && value.front() != '"') {
        throw InvalidArgument(fmt::format("{}: NPY of records found; plain numbers expected", path));
    }
    const std::size_t end = value.find(value.front(), 1);
    if (end == std::string_view::npos) {
        corrupt(path, "'descr' without an end");
    }
    const std::string_view name = value.substr(1, end - 1);
    const bool ordered = !name.empty() && std::string_view("<>|=").find(name.front()) != name.npos;
    const std::string_view kind = name.substr(ordered ? 1 : 0);
    ValueType type;
    type.big_endian = name.starts_with('>');
    type.kind = kind.empty() ? '\0' : kind.front();
    const char* const last = kind.data() + kind.size();
    std::uint32_t bytes = 0;
    const bool counted = kind.size() > 1 && std::from_chars(kind.data() + 1, last, bytes).ptr == last;
    const bool power = bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
    const bool known = type.kind == 'b'                       ? bytes == 1
                       : type.kind == 'f'                     ? power && bytes > 1
                       : type.kind == 'u' || type.kind == 'i' ? power
                       : type.kind == 'S' || type.kind == 'U' ? bytes > 0
                                                              : false;
    if (!counted || !known) {
        throw InvalidArgument(fmt::format(
            "{}: NPY of '{}' found; truth values, whole numbers of 8 to 64 bits or floats of 16 to "
            "64 bits expected",
            path, name));
    }
    type.bytes = std::uint64_t{bytes} * (type.kind == 'U' ? 4 : 1);
    return type;
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

ArrayHeader parse_npy(StreamHead& file, const std::string& path) {
    constexpr std::uint64_t longest = std::uint64_t{1} << 20U;
    const ByteSpan beginning = file.first(12);
    const Bytes bytes(beginning, false);
    if (!bytes.has(0, npy_magic) || beginning.size() < 12) {
        corrupt(path, fmt::format("{} bytes that do not begin with \\x93NUMPY", beginning.size()));
    }
    const unsigned version = bytes.u8(6);
    if (version < 1 || version > 3) {
        corrupt(path, fmt::format("version {} found, 1 to 3 expected", version));
    }
    const std::uint64_t begin = version == 1 ? 10 : 12;
    const std::uint64_t length = version == 1 ? bytes.u16(8) : bytes.u32(8);
    if (length > longest) {
        corrupt(path, fmt::format("length {} found, at most {} expected", length, longest));
    }
    const ByteSpan whole = file.first(static_cast<std::size_t>(begin + length));
    if (length > whole.size() - begin) {
        corrupt(path, fmt::format("{} bytes found, {} expected", whole.size() - begin, length));
    }
    const std::string_view text(reinterpret_cast<const char*>(whole.data()) + begin,
                                static_cast<std::size_t>(length));
    ArrayHeader header;
    header.data = begin + length;
    header.type = parse_type(value_of(text, "descr", path), path);
    const std::string_view order = value_of(text, "fortran_order", path);
    header.fortran = order.starts_with("True");
    if (!header.fortran && !order.starts_with("False")) {
        corrupt(path, "'fortran_order' is neither True nor False");
    }
    header.extents = parse_shape(value_of(text, "shape", path), path);
    return header;
}

SourcePointer open_npy(const std::string& path, const PictureLimits& limits) {
    const auto parse = [&](StreamHead& file) {
        ArrayHeader header = parse_npy(file, path);
        (void)array_shape(header.extents, path);  // before a value is read
        return header;
    };
    return array_source(path, path, array_of_file(path, parse, limits), {}, limits);
}

}  // namespace stackae::data
