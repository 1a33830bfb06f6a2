#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "stackae/image_dataset.hpp"

#include "base/file_io.hpp"
#include "base/temporary_file.hpp"
#include "data/bytes.hpp"

struct z_stream_s;  // of zlib

namespace stackae::data {

/// Bytes that come one after the other.
class ByteStream {
public:
    ByteStream() = default;
    ByteStream(const ByteStream&) = delete;
    ByteStream& operator=(const ByteStream&) = delete;
    virtual ~ByteStream() = default;
    /// Fills `bytes`; returns how many came, fewer at the end only. Throws IoError, CorruptFile.
    virtual std::size_t read(std::span<std::byte> bytes) = 0;
};

/// A part of a file.
class PartStream : public ByteStream {
public:
    /// The file must outlive it, and have so many bytes.
    PartStream(const base::InputFile& file, std::uint64_t begin, std::uint64_t size)
        : file_(file), at_(begin), end_(begin + size) {}
    std::size_t read(std::span<std::byte> bytes) override;

private:
    const base::InputFile& file_;
    std::uint64_t at_;
    std::uint64_t end_;
};

/// A whole file, pipe or device.
class FileStream : public ByteStream {
public:
    explicit FileStream(const std::string& path) : file_(path) {}
    /// The first `count` bytes, or fewer where it ends before; read() gives them again. To be called before
    /// read().
    [[nodiscard]] ByteSpan first(std::size_t count);
    std::size_t read(std::span<std::byte> bytes) override;

private:
    base::InputFile file_;
    std::vector<std::byte> head_;  ///< what was looked at and is still to be read
};

/// What gzip data holds, be it of several members. Damaged and cut short data throw CorruptFile. What stands
/// behind a member and begins none is passed over, as gzip does.
class GzipStream : public ByteStream {
public:
    /// packed must outlive it; path: what errors call it.
    GzipStream(ByteStream& packed, std::string path);
    ~GzipStream() override;
    std::size_t read(std::span<std::byte> bytes) override;

private:
    /// Reads packed bytes where there are none left; false at their end.
    bool fill();
    /// Begins the next member, if there is one.
    bool begin_member();
    [[noreturn]] void fail(const char* reason) const;

    ByteStream& packed_;
    std::string path_;
    std::unique_ptr<z_stream_s> inflater_;
    std::vector<std::byte> buffer_;
    bool inside_ = false;  ///< a member that has begun and not ended
    std::uint64_t done_ = 0;
};

/// The beginning of a stream, as far as it was looked at.
class StreamHead {
public:
    explicit StreamHead(ByteStream& stream) : stream_(stream) {}
    /// The first `count` bytes, or fewer where the stream ends before.
    [[nodiscard]] ByteSpan first(std::size_t count);
    [[nodiscard]] std::uint64_t size() const { return bytes_.size(); }

private:
    ByteStream& stream_;
    std::vector<std::byte> bytes_;
};

/// Bytes that were made while an input was opened: in memory, or in a temporary file where they are more than
/// PictureLimits::memory. They take what was written, not what a header claims.
class ByteStore {
public:
    /// bytes: how many there will be. Throws IoError.
    ByteStore(std::uint64_t bytes, const PictureLimits& limits);
    /// Adds to the end. Throws IoError.
    void append(ByteSpan bytes);
    /// Adds `bytes` bytes of a stream, or fewer where it ends.
    void append(ByteStream& stream, std::uint64_t bytes);
    void read_at(std::uint64_t offset, std::span<std::byte> bytes) const;
    [[nodiscard]] std::uint64_t size() const { return size_; }

private:
    std::variant<std::vector<std::byte>, base::TemporaryFile> bytes_;
    std::uint64_t expected_;
    std::uint64_t size_ = 0;
};

/// The bytes of an array. Small neighbouring pieces of a file are read in blocks; several threads may read at
/// once.
class Content {
public:
    /// `size` bytes of a file from `begin` on.
    Content(base::InputFile file, std::uint64_t begin, std::uint64_t size);
    explicit Content(ByteStore store);
    Content(Content&&) noexcept;
    Content& operator=(Content&&) noexcept;
    ~Content();

    [[nodiscard]] std::uint64_t size() const { return size_; }
    /// Fills `bytes` from `offset`. Throws IoError, also for bytes beyond size(), and where a file ends
    /// before, since it became shorter.
    void read_at(std::uint64_t offset, std::span<std::byte> bytes) const;

private:
    class Blocks;

    void read_piece(std::uint64_t offset, std::span<std::byte> bytes) const;

    struct FilePart {
        base::InputFile file;
        std::uint64_t begin;
    };
    std::variant<FilePart, ByteStore> source_;
    std::uint64_t size_;
    std::unique_ptr<Blocks> blocks_;
};

}  // namespace stackae::data
