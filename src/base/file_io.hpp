#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stackae::base {

/// Closes a file descriptor when it goes. Move-only.
class Descriptor {
public:
    explicit Descriptor(int value = -1) : value_(value) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    Descriptor(Descriptor&& other) noexcept;
    Descriptor& operator=(Descriptor&& other) noexcept;
    ~Descriptor();
    [[nodiscard]] int get() const { return value_; }

private:
    int value_;
};

/// Throws IoError "{path}: cannot {operation}: {the system's reason}". error: of errno.
[[noreturn]] void fail(std::string_view operation, const std::string& path, int error);

/// Reads or writes all bytes at a place of a file; returns how many, fewer at a file's end, with an errno of
/// 0, or where errno says why.
[[nodiscard]] std::size_t read_at(int file, std::uint64_t offset, std::span<std::byte> bytes);
[[nodiscard]] std::size_t write_at(int file, std::uint64_t offset, std::span<const std::byte> bytes);
/// Writes all of it, however often write(2) stops before the end. Throws IoError with the path.
void write_all(int file, std::span<const std::byte> bytes, const std::string& path);

/// What may be opened for reading: a pipe waits for whoever writes it, and a device may have no end.
enum class Readable { regular_files, anything };

/// A file, pipe or device opened for reading, never mapped: a file that shrinks while it is read is an error,
/// not a signal. Opening does not wait, reading a pipe does. Move-only.
class InputFile {
public:
    /// Throws IoError with the system's reason, also for folders and for what is not `readable`.
    explicit InputFile(const std::string& path, Readable readable = Readable::anything);

    [[nodiscard]] const std::string& path() const { return path_; }
    /// Bytes that a regular file had when it was opened; nothing for pipes and devices.
    [[nodiscard]] std::optional<std::uint64_t> size() const { return size_; }
    /// Reads on; returns how many bytes came, 0 at the end only. Throws IoError with the offset.
    std::size_t read_some(std::span<std::byte> bytes);
    /// Reads on and fills `bytes`. Throws IoError, also where the file or pipe ends before.
    void read(std::span<std::byte> bytes);
    /// Fills `bytes` from `offset` of a regular file; reading on is not touched, and several threads may call
    /// it at once. Throws IoError, also where the file ends before.
    void read_at(std::uint64_t offset, std::span<std::byte> bytes) const;

private:
    std::string path_;
    Descriptor file_;
    std::optional<std::uint64_t> size_;
    std::uint64_t offset_ = 0;  ///< of what read_some() gives next
};

/// A file's content. Throws as InputFile does, and IoError before it reads what is above `most` bytes.
[[nodiscard]] std::vector<std::byte> read_file(
    const std::string& path, std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

}  // namespace stackae::base
