#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "stackae/tensor.hpp"

namespace stackae::core {

/// A safetensors file in memory: an 8-byte little-endian header length, a JSON header, raw little-endian
/// tensors. Only F32 is written and read. Metadata is a flat map of strings, as the format asks.
struct Safetensors {
    std::map<std::string, std::string> metadata;
    std::vector<std::pair<std::string, Tensor>> tensors;  ///< in file order

    /// Throws CorruptFile, naming the file, when there is no such tensor or its shape is another.
    [[nodiscard]] const Tensor& at(const std::string& name) const;
};

/// Writes whole or not at all, adding a checksum (XXH3, 64 bits, over metadata, tensor names, shapes and
/// data) to the metadata. Data begins at a multiple of 64 bytes. Throws IoError.
void write_safetensors(const Safetensors& content, const std::string& path);

/// Every length and offset is checked against the file before it is believed; the checksum must fit.
/// Throws IoError, CorruptFile.
[[nodiscard]] Safetensors read_safetensors(const std::string& path);

}  // namespace stackae::core
