#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/atomic_file.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/safetensors_format.hpp"

namespace stackae::base {
namespace safetensors {

Part part_of(const std::string& name, const TensorReference& tensor) {
    if (const auto* const* values = std::get_if<const Tensor*>(&tensor)) {
        return {name, &f32, (*values)->shape(), std::as_bytes((*values)->values())};
    }
    const auto* const* text = std::get_if<const std::string*>(&tensor);
    const auto bytes =
        text != nullptr ? std::as_bytes(std::span(**text)) : std::get<std::span<const std::byte>>(tensor);
    return {name, &u8, {std::ssize(bytes)}, bytes};
}

TensorReferences references(const Safetensors& content) {
    TensorReferences tensors;
    for (const auto& [name, tensor] : content.tensors) {
        tensors.emplace_back(name, &tensor);
    }
    for (const auto& [name, bytes] : content.blocks) {
        tensors.emplace_back(name, &bytes);
    }
    return tensors;
}

std::string checksum(const std::map<std::string, std::string>& metadata, const std::vector<Part>& parts) {
    Hash hash;
    hash.add(static_cast<std::int64_t>(metadata.size()));
    for (const auto& [key, value] : metadata) {
        hash.add(key);
        hash.add(value);
    }
    std::map<std::string_view, const Part*> by_name;
    for (const Part& part : parts) {
        by_name.emplace(part.name, &part);
    }
    for (const auto& [name, part] : by_name) {
        hash.add(name);
        hash.add(std::span<const std::int64_t>(part->shape));
        hash.add(part->data);
    }
    return hash.hex();
}

}  // namespace safetensors

namespace {

using namespace safetensors;
using Metadata = std::map<std::string, std::string>;

constexpr std::size_t alignment = 64;

/// The text as a JSON reader will give it back.
std::string as_utf8(const std::string& text) {
    return nlohmann::json::parse(print_json(text)).get<std::string>();
}

void check_to_write(const Metadata& metadata, const std::vector<Part>& parts, const std::string& path) {
    std::set<std::string_view> names{metadata_key};
    for (const Part& part : parts) {
        if (!names.insert(part.name).second) {
            throw InvalidArgument(
                fmt::format("{}: cannot write two entries of the name \"{}\"", path, part.name));
        }
        if (!is_utf8(part.name)) {
            throw InvalidArgument(
                fmt::format("{}: tensor name \"{}\" is not UTF-8", path, to_utf8(part.name)));
        }
        if (part.shape.empty() || part.shape.size() > max_rank) {
            throw InvalidArgument(fmt::format("{}: cannot write tensor \"{}\" of rank {}, 1 to {} expected",
                                              path, part.name, part.shape.size(), max_rank));
        }
    }
    if (metadata.contains(checksum_key)) {
        throw InvalidArgument(fmt::format("{}: metadata key \"{}\" is reserved", path, checksum_key));
    }
}

/// `{"__metadata__":{…},"a":{…},…}`, tensors in file order, padded with spaces as the format allows.
std::string make_header(const Metadata& metadata, const std::vector<Part>& parts) {
    std::string header = fmt::format("{{\"{}\":{}", metadata_key, print_json(metadata));
    std::size_t offset = 0;
    for (const Part& part : parts) {
        const std::size_t end = offset + part.data.size();
        header +=
            fmt::format(R"(,{}:{{"dtype":"{}","shape":[{}],"data_offsets":[{},{}]}})", print_json(part.name),
                        part.type->name, fmt::join(part.shape, ","), offset, end);
        offset = end;
    }
    header += '}';
    const std::size_t length = sizeof(std::uint64_t) + header.size();
    header.append((alignment - length % alignment) % alignment, ' ');
    return header;
}

}  // namespace

void write_safetensors(const Safetensors& content, const std::string& path) {
    write_safetensors(content.metadata, references(content), path);
}

void write_safetensors(const Metadata& metadata, const TensorReferences& tensors, const std::string& path) {
    AtomicFile file(path);
    write_safetensors(metadata, tensors, file);
    file.commit();
}

void write_safetensors(const Metadata& metadata, const TensorReferences& tensors, AtomicFile& file) {
    const std::string& path = file.path();
    std::vector<Part> parts;
    for (const auto& [name, tensor] : tensors) {
        parts.push_back(part_of(name, tensor));
    }
    check_to_write(metadata, parts, path);
    Metadata written;
    for (const auto& [key, value] : metadata) {
        written.emplace(as_utf8(key), as_utf8(value));
    }
    written.emplace(checksum_key, checksum(written, parts));
    const std::string header = make_header(written, parts);
    if (header.size() > max_safetensors_header) {
        throw InvalidArgument(fmt::format("{}: header of {} bytes found, {} at most expected", path,
                                          header.size(), max_safetensors_header));
    }
    const std::uint64_t length = header.size();
    file.write(std::as_bytes(std::span(&length, 1)));
    file.write(header);
    for (const Part& part : parts) {
        file.write(part.data);
    }
}

}  // namespace stackae::base
