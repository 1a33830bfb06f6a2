#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <functional>
#include <limits>
#include <optional>

#include "stackae/error.hpp"

#include "base/file_io.hpp"
#include "base/json.hpp"
#include "base/safetensors_format.hpp"

namespace stackae::base {
namespace {

using namespace safetensors;
using Json = nlohmann::json;
using Metadata = std::map<std::string, std::string>;

constexpr std::size_t max_header_depth = 3;
constexpr std::size_t piece_size = std::size_t{1} << 20U;

struct Entry {
    std::string name;
    const ValueType* type;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

/// A file, a pipe or bytes in memory, read from front to end.
struct Input {
    std::string path;
    std::optional<std::uint64_t> size;  ///< unknown of pipes
    /// Fills the bytes as far as there are some; gives how many came.
    std::function<std::size_t(std::span<std::byte>)> read;
};

Input input_of(InputFile& file) {
    return {file.path(), file.size(), [&file](std::span<std::byte> bytes) {
                std::size_t done = 0;
                for (std::size_t got = 1; got > 0 && done < bytes.size(); done += got) {
                    got = file.read_some(bytes.subspan(done));
                }
                return done;
            }};
}

/// What `bytes` holds afterwards is as much as came, so that a pipe that states more than it has costs
/// little.
template <class Bytes>
void read_growing(const Input& input, std::uint64_t size, Bytes& bytes) {
    while (bytes.size() < size) {
        const std::size_t before = bytes.size();
        const std::size_t wanted = std::min<std::uint64_t>(size - before, std::max(before, piece_size));
        bytes.resize(before + wanted);
        const std::size_t got = input.read(std::as_writable_bytes(std::span(bytes).subspan(before)));
        if (got < wanted) {
            corrupt(input.path,
                    fmt::format("cut short: {} bytes found where {} are expected", before + got, size));
        }
    }
}

/// The file's first bytes are told to nobody: a gallery may name any file as its model.
std::string read_header(const Input& input) {
    std::array<std::byte, sizeof(std::uint64_t)> start{};
    if (const std::size_t got = input.read(start); got < start.size()) {
        corrupt(input.path, fmt::format("not a safetensors file: {} bytes found, at least {} expected", got,
                                        start.size()));
    }
    std::uint64_t length = 0;
    std::memcpy(&length, start.data(), sizeof(length));
    const std::uint64_t left = input.size ? *input.size - start.size() : max_safetensors_header;
    if (length > std::min<std::uint64_t>(left, max_safetensors_header)) {
        corrupt(input.path,
                left < max_safetensors_header
                    ? fmt::format("not a safetensors file, or cut short: a header longer than the {} bytes "
                                  "that follow stated",
                                  left)
                    : fmt::format("not a safetensors file of stackae: a header of more than {} bytes stated",
                                  max_safetensors_header));
    }
    std::string header;
    read_growing(input, length, header);
    if (header.empty() || header.front() != '{') {
        corrupt(input.path, "not a safetensors file: its header does not begin with {");
    }
    return header;
}

std::uint64_t whole_number(const Json& value, const std::string& path, const std::string& what) {
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        corrupt(path,
                fmt::format("{}: {} found, a whole number expected", what, print_json(value).substr(0, 60)));
    }
    return value.get<std::uint64_t>();
}

/// Bytes of a tensor of that shape. Zeros are left out of the bound, so that no product of extents overflows.
std::uint64_t bytes_of(const std::vector<std::int64_t>& shape, const ValueType& type, const std::string& path,
                       const std::string& what) {
    const auto most = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / type.bytes;
    std::uint64_t bound = 1;
    bool none = false;
    for (const std::int64_t extent : shape) {
        const auto n = static_cast<std::uint64_t>(extent);
        none = none || n == 0;
        if (n > 0 && bound > most / n) {
            corrupt(path, fmt::format("{}: shape [{}] is too large", what, fmt::join(shape, ", ")));
        }
        bound *= std::max<std::uint64_t>(n, 1);
    }
    return none ? 0 : bound * type.bytes;
}

Entry read_entry(const std::string& name, const Json& info, const std::string& path) {
    const std::string what = fmt::format("tensor \"{}\"", name);
    for (const char* key : {"dtype", "shape", "data_offsets"}) {
        if (!info.is_object() || !info.contains(key)) {
            corrupt(path, fmt::format("{}: no {} in the header", what, key));
        }
    }
    const ValueType* const type = info["dtype"] == f32.name ? &f32 : info["dtype"] == u8.name ? &u8 : nullptr;
    if (type == nullptr) {
        corrupt(path, fmt::format("{}: dtype {} found, \"F32\" or \"U8\" expected", what,
                                  print_json(info["dtype"]).substr(0, 60)));
    }
    const Json& shape = info["shape"];
    if (!shape.is_array() || shape.empty() || shape.size() > type->max_rank) {
        corrupt(path, fmt::format("{}: shape of 1 to {} extents expected", what, type->max_rank));
    }
    const Json& offsets = info["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2) {
        corrupt(path, fmt::format("{}: data_offsets of two numbers expected", what));
    }
    Entry entry{name,
                type,
                {},
                whole_number(offsets[0], path, what + ", data_offsets"),
                whole_number(offsets[1], path, what + ", data_offsets")};
    for (const Json& extent : shape) {
        entry.shape.push_back(static_cast<std::int64_t>(whole_number(extent, path, what + ", shape")));
    }
    const std::uint64_t bytes = bytes_of(entry.shape, *type, path, what);
    if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
        corrupt(path, fmt::format("{}: data_offsets [{}, {}] found, {} bytes expected for shape [{}]", what,
                                  entry.begin, entry.end, bytes, fmt::join(entry.shape, ", ")));
    }
    return entry;
}

/// In file order, each beginning where the one before ends.
std::vector<Entry> read_entries(const Json& header, const std::string& path) {
    std::vector<Entry> entries;
    for (const auto& [name, info] : header.items()) {
        if (name != metadata_key) {
            entries.push_back(read_entry(name, info, path));
        }
    }
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::uint64_t end = 0;
    for (const Entry& entry : entries) {
        if (entry.begin != end) {
            corrupt(path, fmt::format("tensor \"{}\": begins at byte {} of the data, {} expected", entry.name,
                                      entry.begin, end));
        }
        end = entry.end;
    }
    return entries;
}

Metadata take_metadata(Json& header, const std::string& path) {
    Metadata metadata;
    const auto found = header.find(metadata_key);
    if (found == header.end()) {
        return metadata;
    }
    if (!found->is_object()) {
        corrupt(path, "metadata: an object of strings expected");
    }
    for (auto& [key, value] : found->items()) {
        if (!value.is_string()) {
            corrupt(path, fmt::format("metadata \"{}\": a string expected", key));
        }
        metadata.emplace(key, std::move(value.get_ref<std::string&>()));
    }
    return metadata;
}

void check_end(const Input& input, std::uint64_t header_size, std::uint64_t data_size) {
    if (input.size) {
        const std::uint64_t found = *input.size - sizeof(std::uint64_t) - header_size;
        if (found != data_size) {
            corrupt(input.path, fmt::format("{} bytes of data found, {} expected: cut short or added to",
                                            found, data_size));
        }
    }
}

void read_tensor(const Input& input, Entry& entry, Safetensors& content) {
    const std::uint64_t size = entry.end - entry.begin;
    if (entry.type == &u8) {
        read_growing(input, size, content.blocks.emplace_back(std::move(entry.name), std::string()).second);
        return;
    }
    std::vector<std::byte> bytes;
    if (!input.size) {  // believed only once they are there
        read_growing(input, size, bytes);
    }
    Tensor tensor(std::move(entry.shape));
    const auto values = std::as_writable_bytes(tensor.values());
    if (!input.size) {
        std::copy(bytes.begin(), bytes.end(), values.begin());
    } else if (const std::size_t got = input.read(values); got < size) {
        throw IoError(
            fmt::format("{}: its end found, {} bytes more expected: it became shorter while it was "
                        "read",
                        input.path, size - got));
    }
    content.tensors.emplace_back(std::move(entry.name), std::move(tensor));
}

Safetensors read_from(const Input& input) {
    const std::string text = read_header(input);
    Json header = parse_json(text, input.path + ": header", max_header_depth);
    std::vector<Entry> entries = read_entries(header, input.path);
    check_end(input, text.size(), entries.empty() ? 0 : entries.back().end);

    Safetensors content;
    content.path = input.path;
    content.metadata = take_metadata(header, input.path);
    for (Entry& entry : entries) {
        read_tensor(input, entry, content);
    }
    std::byte more{};
    if (!input.size && input.read(std::span(&more, 1)) > 0) {
        corrupt(input.path, "bytes found after the last tensor, none expected: added to");
    }
    const std::string stated = content.text(checksum_key);
    content.metadata.erase(checksum_key);
    std::vector<Part> parts;
    const TensorReferences tensors = references(content);
    for (const auto& [name, tensor] : tensors) {
        parts.push_back(part_of(name, tensor));
    }
    const std::string computed = checksum(content.metadata, parts);
    if (stated != computed) {
        corrupt(input.path, fmt::format("damaged: checksum {} found, {} expected", computed, stated));
    }
    return content;
}

}  // namespace

Safetensors read_safetensors(const std::string& path) {
    InputFile file(path);
    return read_from(input_of(file));
}

Safetensors parse_safetensors(std::span<const std::byte> file, const std::string& path) {
    return read_from({path, file.size(), [&](std::span<std::byte> bytes) {
                          const std::size_t count = std::min(bytes.size(), file.size());
                          std::copy_n(file.begin(), count, bytes.begin());
                          file = file.subspan(count);
                          return count;
                      }});
}

}  // namespace stackae::base
