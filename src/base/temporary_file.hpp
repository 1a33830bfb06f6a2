#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/file_io.hpp"

namespace stackae::base {

/// A file without a name: it is gone when this is, however the program ends. Move-only.
class TemporaryFile {
public:
    /// folder: empty for /var/tmp, since /tmp may itself be memory. named: called, where given, with the name
    /// that it has for a moment, for libraries that open files by names. Throws IoError, and what that
    /// throws.
    explicit TemporaryFile(const std::string& folder = {},
                           const std::function<void(const std::string& path)>& named = {});

    /// Makes it at least so long, and takes the place on the disk: a full disk is found here, and not as a
    /// signal where the file is mapped. Throws IoError.
    void grow(std::uint64_t bytes);
    /// Writes at a place below what grow() was given. Throws IoError.
    void write_at(std::uint64_t offset, std::span<const std::byte> bytes);
    /// Bytes that are in it, whoever wrote them. Throws IoError.
    [[nodiscard]] std::uint64_t size_on_disk() const;
    /// Fills `bytes`; safe from several threads. Throws IoError.
    void read_at(std::uint64_t offset, std::span<std::byte> bytes) const;
    /// To map it.
    [[nodiscard]] int descriptor() const { return file_.get(); }

private:
    std::string folder_;
    Descriptor file_;
    std::uint64_t size_ = 0;
};

}  // namespace stackae::base
