#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/error.hpp"

namespace stackae::core {

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

/// A file, pipe or device opened for reading, never mapped: a file that shrinks while it is read is an error,
/// not a signal. Move-only.
class InputFile {
public:
    /// Throws IoError with the system's reason, also for folders.
    explicit InputFile(const std::string& path);

    [[nodiscard]] const std::string& path() const { return path_; }
    /// Bytes that a regular file had when it was opened; nothing for pipes and devices.
    [[nodiscard]] std::optional<std::uint64_t> size() const { return size_; }
    /// Reads on; returns how many bytes came, 0 at the end only. Throws IoError.
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
};

/// A file mapped for reading. Move-only.
class MappedFile {
public:
    /// Throws IoError with the system's reason, also for folders and pipes.
    explicit MappedFile(const std::string& path);
    MappedFile(MappedFile&& other) noexcept;
    MappedFile& operator=(MappedFile&& other) noexcept;
    ~MappedFile();

    [[nodiscard]] std::span<const std::byte> bytes() const { return bytes_; }
    [[nodiscard]] const std::string& path() const { return path_; }
    /// Lets go of the memory that was read; it comes back from the file where it is read again.
    void release() const;

private:
    std::string path_;
    std::span<const std::byte> bytes_;
};

/// A file has more bytes than were asked for at most.
class FileTooLarge : public IoError {
public:
    using IoError::IoError;
};

/// A file's content. Throws IoError with the system's reason, also for folders, and FileTooLarge before it
/// reads what is above `most` bytes.
[[nodiscard]] std::vector<std::byte> read_file(
    const std::string& path, std::uint64_t most = std::numeric_limits<std::uint64_t>::max());

/// Replaces a file only as a whole: writes beside it, syncs, renames. Without commit() the old file stays
/// and the new one is removed. A path that is no regular file (/dev/null, a pipe) is written straight.
class AtomicFile {
public:
    /// Throws IoError when the folder does not exist or cannot be written.
    explicit AtomicFile(const std::string& path);
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    /// Buffered. Throws IoError (disk full) with the path.
    void write(std::span<const std::byte> bytes);
    void write(std::string_view text);
    /// Overwrites bytes written before, from `offset`; what is written next still goes to the end. Throws
    /// IoError, also where the path is no regular file but a pipe.
    void patch(std::uint64_t offset, std::span<const std::byte> bytes);
    /// Brings everything to the disk, still under the temporary name; of commit() only the renaming is left.
    /// So several files can be made sure of before the first is replaced. Throws IoError.
    void sync();
    void commit();

private:
    void flush();

    std::string path_;
    std::string temporary_;  ///< empty when written straight
    int descriptor_ = -1;
    std::vector<std::byte> buffer_;
};

}  // namespace stackae::core
