#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

#include "base/file_io.hpp"
#include "data/bytes.hpp"

namespace stackae::data {

/// A file's bytes by their offsets, on the disk or in memory. What it is made of has to stay. Several threads
/// may read at once.
class RandomAccess {
public:
    explicit RandomAccess(ByteSpan bytes) : bytes_(bytes), size_(bytes.size()) {}
    /// A regular file, with the bytes that it had when it was opened.
    explicit RandomAccess(const base::InputFile& file) : file_(&file), size_(file.size().value_or(0)) {}

    [[nodiscard]] std::uint64_t size() const { return size_; }

    /// Fills `bytes` from `offset`. Throws BadPicture (corrupt) where they do not lie in the file, IoError.
    void read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
        check_inside(size_, offset, bytes.size());
        if (file_ != nullptr) {
            file_->read_at(offset, bytes);
        } else if (!bytes.empty()) {
            std::memcpy(bytes.data(), bytes_.data() + offset, bytes.size());
        }
    }
    /// `count` bytes from `offset`; checked before memory is taken. Throws the same.
    [[nodiscard]] std::vector<std::byte> read(std::uint64_t offset, std::uint64_t count) const {
        check_inside(size_, offset, count);
        std::vector<std::byte> bytes(count);
        read_at(offset, bytes);
        return bytes;
    }

private:
    const base::InputFile* file_ = nullptr;  ///< null: in memory
    ByteSpan bytes_;
    std::uint64_t size_;
};

}  // namespace stackae::data
