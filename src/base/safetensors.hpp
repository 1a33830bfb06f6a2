#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "stackae/tensor.hpp"

namespace stackae::base {

class AtomicFile;

/// A safetensors file in memory: an 8-byte little-endian header length, a JSON header, raw little-endian
/// tensors. F32 of any shape, and U8 of one dimension are written and read. Metadata is a flat map of
/// strings, as the format asks.
struct Safetensors {
    std::map<std::string, std::string> metadata;          ///< without the checksum
    std::vector<std::pair<std::string, Tensor>> tensors;  ///< F32, in file order
    std::vector<std::pair<std::string, std::string>>
        blocks;        ///< U8, in file order; written after the tensors
    std::string path;  ///< where it was read; for messages, not written

    /// Throws CorruptFile, naming the file, when there is no such tensor or its shape is another. An empty
    /// shape stands for any; an extent of −1 too.
    [[nodiscard]] const Tensor& at(const std::string& name,
                                   const std::vector<std::int64_t>& shape = {}) const;
    /// The same tensor, moved out; an empty one is left behind.
    [[nodiscard]] Tensor take(const std::string& name, const std::vector<std::int64_t>& shape = {});
    /// Texts in UTF-8, in a U8 tensor in which each ends with a zero byte. Throws CorruptFile when there is
    /// no such tensor, when it is no such list, or when it has not `count` texts.
    [[nodiscard]] std::vector<std::string> texts(const std::string& name, std::size_t count) const;
    /// A U8 tensor. Throws CorruptFile when there is none.
    [[nodiscard]] const std::string& bytes(const std::string& name) const;
    /// A metadata entry. Throws CorruptFile when there is none.
    [[nodiscard]] const std::string& text(const std::string& key) const;

    /// Marks the content as a file of stackae: format = "stackae", kind ("model", "gallery"), version.
    void set_kind(const std::string& kind, int version);
    /// Throws CorruptFile that says what the file is, when it is of another program, of another kind, or of
    /// a version above `version`.
    void check_kind(const std::string& kind, int version) const;
};

/// Header bytes that are written and read at most. The format's reference reader takes more, but parsed JSON
/// takes many times its text's memory; what is long goes into a tensor.
inline constexpr std::size_t max_safetensors_header = std::size_t{16} << 20U;

/// What Safetensors::texts() takes apart. A text that is not UTF-8 is written as to_utf8() gives it. Throws
/// InvalidArgument where a text has a zero byte in it.
[[nodiscard]] std::string pack_texts(const std::vector<std::string>& texts);

/// Writes whole or not at all, adding a checksum (XXH3, 64 bits, over metadata, tensor names, shapes and
/// data) to the metadata. Data begins at a multiple of 64 bytes. Metadata that is not UTF-8 gets U+FFFD for
/// what is wrong. Throws IoError, or InvalidArgument for a repeated name, a tensor without a shape, or a
/// header above max_safetensors_header.
void write_safetensors(const Safetensors& content, const std::string& path);

/// Tensors by name, in file order, that stay where they are: F32, or the bytes of a U8 tensor.
using TensorReference = std::variant<const Tensor*, const std::string*, std::span<const std::byte>>;
using TensorReferences = std::vector<std::pair<std::string, TensorReference>>;

/// The same without a copy of the tensors.
void write_safetensors(const std::map<std::string, std::string>& metadata, const TensorReferences& tensors,
                       const std::string& path);

/// Into a file that the caller commits.
void write_safetensors(const std::map<std::string, std::string>& metadata, const TensorReferences& tensors,
                       AtomicFile& file);

/// Every length and offset is checked against the file before it is believed; the checksum must fit. The file
/// may be a pipe; it is not mapped. Throws IoError (also where it becomes shorter meanwhile), CorruptFile.
[[nodiscard]] Safetensors read_safetensors(const std::string& path);
/// The same of a file that is in memory; `path` is for messages.
[[nodiscard]] Safetensors parse_safetensors(std::span<const std::byte> file, const std::string& path);

}  // namespace stackae::base
