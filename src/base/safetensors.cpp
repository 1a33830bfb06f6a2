#include "base/safetensors.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stackae/error.hpp"
#include "stackae/resources.hpp"
#include "stackae/text.hpp"

#include "base/safetensors_format.hpp"

namespace stackae::base {

using safetensors::corrupt;

namespace {

bool fits(const Tensor& tensor, const std::vector<std::int64_t>& shape) {
    return shape.empty() || std::equal(shape.begin(), shape.end(), tensor.shape().begin(),
                                       tensor.shape().end(), [](std::int64_t wanted, std::int64_t found) {
                                           return wanted == -1 || wanted == found;
                                       });
}

}  // namespace

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

const std::string& Safetensors::bytes(const std::string& name) const {
    const auto found =
        std::find_if(blocks.begin(), blocks.end(), [&](const auto& block) { return block.first == name; });
    if (found == blocks.end()) {
        corrupt(path, fmt::format("no tensor \"{}\" of bytes in it", name));
    }
    return found->second;
}

std::vector<std::string> Safetensors::texts(const std::string& name, std::size_t count) const {
    const std::string& bytes = this->bytes(name);
    const auto ends = static_cast<std::size_t>(std::count(bytes.begin(), bytes.end(), '\0'));
    if (ends != count || (!bytes.empty() && bytes.back() != '\0')) {
        corrupt(path, fmt::format("tensor \"{}\": {} texts found, {} expected, each ended by a zero byte",
                                  name, ends, count));
    }
    std::vector<std::string> result;
    result.reserve(count);
    for (std::size_t begin = 0; begin < bytes.size();) {
        const std::size_t end = bytes.find('\0', begin);
        result.push_back(bytes.substr(begin, end - begin));
        if (!is_utf8(result.back())) {
            corrupt(path, fmt::format("tensor \"{}\": text {} is not UTF-8", name, result.size() - 1));
        }
        begin = end + 1;
    }
    return result;
}

std::string pack_texts(const std::vector<std::string>& texts) {
    std::string bytes;
    for (const std::string& text : texts) {
        if (text.find('\0') != std::string::npos) {
            throw InvalidArgument(fmt::format("text \"{}\": a zero byte found in it", text.c_str()));
        }
        bytes += to_utf8(text);
        bytes += '\0';
    }
    return bytes;
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
        corrupt(path, fmt::format(
                          "was written by a newer stackae: version {} of the {} file found, stackae {} reads "
                          "up to {}; update stackae to open it",
                          found, kind, stackae::version(), version));
    }
}

}  // namespace stackae::base
