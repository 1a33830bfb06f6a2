#include "core/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <limits>
#include <set>
#include <span>
#include <string_view>

#include "stackae/error.hpp"

#include "core/atomic_file.hpp"
#include "core/file_io.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"

namespace stackae::core {
namespace {

using Json = nlohmann::json;
using Metadata = std::map<std::string, std::string>;

constexpr std::size_t alignment = 64;
constexpr std::size_t max_rank = 8;
constexpr const char* checksum_key = "checksum";
constexpr const char* metadata_key = "__metadata__";

TensorReferences references(const Safetensors& content) {
    TensorReferences tensors;
    for (const auto& [name, tensor] : content.tensors) {
        tensors.emplace_back(name, &tensor);
    }
    return tensors;
}

/// Tensors go in by name, so that a file that another program wrote again in its own order keeps its sum.
std::string checksum(const Metadata& metadata, const TensorReferences& tensors) {
    Hash hash;
    hash.add(static_cast<std::int64_t>(metadata.size()));
    for (const auto& [key, value] : metadata) {
        hash.add(key);
        hash.add(value);
    }
    std::map<std::string_view, const Tensor*> by_name;
    for (const auto& [name, tensor] : tensors) {
        by_name.emplace(name, tensor);
    }
    for (const auto& [name, tensor] : by_name) {
        hash.add(name);
        hash.add(std::span(tensor->shape()));
        hash.add(tensor->values());
    }
    return hash.hex();
}

// --- writing --------------------------------------------------------------------------------------

/// The text as a JSON reader will give it back.
std::string as_utf8(const std::string& text) {
    return Json::parse(print_json(text)).get<std::string>();
}

void check_to_write(const Metadata& metadata, const TensorReferences& tensors, const std::string& path) {
    std::set<std::string_view> names{metadata_key};
    for (const auto& [name, tensor] : tensors) {
        if (!names.insert(name).second) {
            throw InvalidArgument(fmt::format("{}: cannot write two entries of the name \"{}\"", path, name));
        }
        if (as_utf8(name) != name) {
            throw InvalidArgument(fmt::format("{}: tensor name \"{}\" is not UTF-8", path, as_utf8(name)));
        }
        if (tensor->shape().empty() || tensor->shape().size() > max_rank) {
            throw InvalidArgument(fmt::format("{}: cannot write tensor \"{}\" of rank {}, 1 to {} expected",
                                              path, name, tensor->shape().size(), max_rank));
        }
    }
    if (metadata.contains(checksum_key)) {
        throw InvalidArgument(fmt::format("{}: metadata key \"{}\" is reserved", path, checksum_key));
    }
}

/// `{"__metadata__":{…},"a":{…},…}`, tensors in file order, padded with spaces as the format allows.
std::string make_header(const Metadata& metadata, const TensorReferences& tensors) {
    std::string header = fmt::format("{{\"{}\":{}", metadata_key, print_json(metadata));
    std::int64_t offset = 0;
    for (const auto& [name, tensor] : tensors) {
        const std::int64_t end = offset + tensor->size() * static_cast<std::int64_t>(sizeof(float));
        header += fmt::format(R"(,{}:{{"dtype":"F32","shape":[{}],"data_offsets":[{},{}]}})",
                              print_json(name), fmt::join(tensor->shape(), ","), offset, end);
        offset = end;
    }
    header += '}';
    const std::size_t length = sizeof(std::uint64_t) + header.size();
    header.append((alignment - length % alignment) % alignment, ' ');
    return header;
}

// --- reading --------------------------------------------------------------------------------------

struct Entry {
    std::string name;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
};

[[noreturn]] void corrupt(const std::string& path, const std::string& what) {
    throw CorruptFile(fmt::format("{}: {}", path, what));
}

std::string_view header_of(const MappedFile& file) {
    const auto bytes = file.bytes();
    std::uint64_t length = 0;
    if (bytes.size() < sizeof(length)) {
        corrupt(file.path(), fmt::format("not a safetensors file: {} bytes found, at least {} expected",
                                         bytes.size(), sizeof(length)));
    }
    std::memcpy(&length, bytes.data(), sizeof(length));
    const std::size_t most = std::min(bytes.size() - sizeof(length), max_safetensors_header);
    if (length > most) {
        corrupt(file.path(),
                fmt::format(
                    "not a safetensors file, or cut short: header of {} bytes stated, at most {} possible",
                    length, most));
    }
    const std::string_view header(reinterpret_cast<const char*>(bytes.data()) + sizeof(length), length);
    if (header.empty() || header.front() != '{') {
        corrupt(file.path(), "not a safetensors file: its header does not begin with {");
    }
    return header;
}

std::uint64_t whole_number(const Json& value, const std::string& path, const std::string& what) {
    if (!value.is_number_unsigned() ||
        value.get<std::uint64_t>() > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        corrupt(path, fmt::format("{}: {} found, a whole number expected", what, print_json(value)));
    }
    return value.get<std::uint64_t>();
}

/// Bytes of a tensor of that shape. Zeros are left out of the bound, so that no product of extents overflows.
std::uint64_t bytes_of(const std::vector<std::int64_t>& shape, const std::string& path,
                       const std::string& what) {
    constexpr auto most =
        static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()) / sizeof(float);
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
    return none ? 0 : bound * sizeof(float);
}

Entry read_entry(const std::string& name, const Json& info, const std::string& path) {
    const std::string what = fmt::format("tensor \"{}\"", name);
    for (const char* key : {"dtype", "shape", "data_offsets"}) {
        if (!info.is_object() || !info.contains(key)) {
            corrupt(path, fmt::format("{}: no {} in the header", what, key));
        }
    }
    if (info["dtype"] != "F32") {
        corrupt(path, fmt::format("{}: dtype {} found, \"F32\" expected", what, print_json(info["dtype"])));
    }
    const Json& shape = info["shape"];
    if (!shape.is_array() || shape.empty() || shape.size() > max_rank) {
        corrupt(path, fmt::format("{}: shape of 1 to {} extents expected", what, max_rank));
    }
    const Json& offsets = info["data_offsets"];
    if (!offsets.is_array() || offsets.size() != 2) {
        corrupt(path, fmt::format("{}: data_offsets of two numbers expected", what));
    }
    Entry entry{name,
                {},
                whole_number(offsets[0], path, what + ", data_offsets"),
                whole_number(offsets[1], path, what + ", data_offsets")};
    for (const Json& extent : shape) {
        entry.shape.push_back(static_cast<std::int64_t>(whole_number(extent, path, what + ", shape")));
    }
    const std::uint64_t bytes = bytes_of(entry.shape, path, what);
    if (entry.end < entry.begin || entry.end - entry.begin != bytes) {
        corrupt(path, fmt::format("{}: data_offsets [{}, {}] found, {} bytes expected for shape [{}]", what,
                                  entry.begin, entry.end, bytes, fmt::join(entry.shape, ", ")));
    }
    return entry;
}

/// In file order, each beginning where the one before ends, the last ending with the file.
std::vector<Entry> read_entries(const Json& header, std::uint64_t data_size, const std::string& path) {
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
    if (end != data_size) {
        corrupt(path,
                fmt::format("{} bytes of data found, {} expected: cut short or added to", data_size, end));
    }
    return entries;
}

Metadata read_metadata(const Json& header, const std::string& path) {
    Metadata metadata;
    const auto found = header.find(metadata_key);
    if (found == header.end()) {
        return metadata;
    }
    if (!found->is_object()) {
        corrupt(path, "metadata: an object of strings expected");
    }
    for (const auto& [key, value] : found->items()) {
        if (!value.is_string()) {
            corrupt(path, fmt::format("metadata \"{}\": a string expected", key));
        }
        metadata.emplace(key, value.get<std::string>());
    }
    return metadata;
}

bool fits(const Tensor& tensor, const std::vector<std::int64_t>& shape) {
    return shape.empty() || std::equal(shape.begin(), shape.end(), tensor.shape().begin(),
                                       tensor.shape().end(), [](std::int64_t wanted, std::int64_t found) {
                                           return wanted == -1 || wanted == found;
                                       });
}

}  // namespace

bool Safetensors::contains(const std::string& name) const {
    return std::any_of(tensors.begin(), tensors.end(),
                       [&](const auto& tensor) { return tensor.first == name; });
}

const Tensor& Safetensors::at(const std::string& name, const std::vector<std::int64_t>& shape) const {
    const auto found = std::find_if(tensors.begin(), tensors.end(),
                                    [&](const auto& tensor) { return tensor.first == name; });
    if (found == tensors.end()) {
        corrupt(path, fmt::format("no tensor \"{}\" in it", name));
    }
    if (!fits(found->second, shape)) {
        corrupt(path, fmt::format("tensor \"{}\": shape [{}] found, [{}] expected", name,
                                  fmt::join(found->second.shape(), ", "), fmt::join(shape, ", ")));
    }
    return found->second;
}

Tensor Safetensors::take(const std::string& name, const std::vector<std::int64_t>& shape) {
    return std::move(const_cast<Tensor&>(at(name, shape)));
}

const std::string& Safetensors::text(const std::string& key) const {
    const auto found = metadata.find(key);
    if (found == metadata.end()) {
        corrupt(path, fmt::format("no \"{}\" in its metadata", key));
    }
    return found->second;
}

void Safetensors::set_kind(const std::string& kind, int version) {
    metadata["format"] = "stackae";
    metadata["kind"] = kind;
    metadata["version"] = std::to_string(version);
}

void Safetensors::check_kind(const std::string& kind, int version) const {
    if (text("format") != "stackae") {
        corrupt(path, fmt::format("is not a file of stackae: format \"{}\" found", text("format")));
    }
    if (text("kind") != kind) {
        corrupt(path, fmt::format("is a stackae {}, not a {}", text("kind"), kind));
    }
    const std::string& found = text("version");
    const bool number = !found.empty() && found.size() < 9 && found.front() != '0' &&
                        found.find_first_not_of("0123456789") == std::string::npos;
    if (!number) {
        corrupt(path, fmt::format("version \"{}\" found, a whole number from 1 expected", found));
    }
    if (std::stoi(found) > version) {
        corrupt(path,
                fmt::format("was written by a newer stackae: version {} of the {} file found, this program "
                            "reads up to {}",
                            found, kind, version));
    }
}

void write_safetensors(const Safetensors& content, const std::string& path) {
    write_safetensors(content.metadata, references(content), path);
}

void write_safetensors(const std::map<std::string, std::string>& metadata, const TensorReferences& tensors,
                       const std::string& path) {
    AtomicFile file(path);
    write_safetensors(metadata, tensors, file);
    file.commit();
}

void write_safetensors(const std::map<std::string, std::string>& metadata, const TensorReferences& tensors,
                       AtomicFile& file) {
    const std::string& path = file.path();
    check_to_write(metadata, tensors, path);
    Metadata written;
    for (const auto& [key, value] : metadata) {
        written.emplace(as_utf8(key), as_utf8(value));
    }
    written.emplace(checksum_key, checksum(written, tensors));
    const std::string header = make_header(written, tensors);
    if (header.size() > max_safetensors_header) {
        throw InvalidArgument(fmt::format("{}: header of {} bytes, the format allows {}", path, header.size(),
                                          max_safetensors_header));
    }
    const std::uint64_t length = header.size();
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(header);
    for (const auto& [name, tensor] : tensors) {
        file.write(std::as_bytes(tensor->values()));
    }
}

Safetensors read_safetensors(const std::string& path) {
    const MappedFile file(path);
    const std::string_view text = header_of(file);
    const auto data = file.bytes().subspan(sizeof(std::uint64_t) + text.size());
    const Json header = parse_json(text, path + ": header", 3);

    Safetensors content;
    content.path = path;
    content.metadata = read_metadata(header, path);
    for (Entry& entry : read_entries(header, data.size(), path)) {
        Tensor tensor(std::move(entry.shape));
        if (!tensor.empty()) {
            std::memcpy(tensor.data(), data.data() + entry.begin, entry.end - entry.begin);
        }
        content.tensors.emplace_back(std::move(entry.name), std::move(tensor));
    }
    const std::string stated = content.text(checksum_key);
    content.metadata.erase(checksum_key);
    const std::string computed = checksum(content.metadata, references(content));
    if (stated != computed) {
        corrupt(path, fmt::format("damaged: checksum {} found, {} expected", computed, stated));
    }
    return content;
}

}  // namespace stackae::core
