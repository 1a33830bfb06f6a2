#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/error.hpp"

#include "base/safetensors.hpp"

/// What writing and reading safetensors share.
namespace stackae::base::safetensors {

inline constexpr std::size_t max_rank = 8;
inline constexpr const char* checksum_key = "checksum";
inline constexpr const char* metadata_key = "__metadata__";

[[noreturn]] inline void corrupt(const std::string& path, const std::string& what) {
    throw CorruptFile(path + ": " + what);
}

/// A type of values, by its name in the header.
struct ValueType {
    const char* name;
    std::size_t bytes;  ///< of one value
    std::size_t max_rank;
};
inline constexpr ValueType f32{"F32", sizeof(float), max_rank};
inline constexpr ValueType u8{"U8", 1, 1};

/// A tensor as it lies in the file.
struct Part {
    std::string_view name;
    const ValueType* type;
    std::vector<std::int64_t> shape;
    std::span<const std::byte> data;
};

[[nodiscard]] Part part_of(const std::string& name, const TensorReference& tensor);
[[nodiscard]] TensorReferences references(const Safetensors& content);

/// Parts go in by name, so that a file that another program wrote again in its own order keeps its sum.
[[nodiscard]] std::string checksum(const std::map<std::string, std::string>& metadata,
                                   const std::vector<Part>& parts);

}  // namespace stackae::base::safetensors
