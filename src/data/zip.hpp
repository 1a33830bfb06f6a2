#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "data/content.hpp"

struct zip;  // of libzip

namespace stackae::data {

/// A ZIP archive, ZIP64 too, by libzip, which is loaded when the first one comes.
class ZipArchive {
public:
    struct Entry {
        std::string name;
        std::uint64_t size = 0;  ///< unpacked, as the archive says
        std::uint64_t index = 0;
    };

    /// Throws CorruptFile, InvalidArgument where libzip is missing or the archive holds more files than
    /// max_entries.
    explicit ZipArchive(const std::string& path);
    ~ZipArchive();

    [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
    /// An entry's bytes; at their end the checksum must fit. No longer than the archive. Throws CorruptFile,
    /// InvalidArgument for entries that are encrypted or packed in a way that libzip does not know.
    [[nodiscard]] std::unique_ptr<ByteStream> open(const Entry& entry);

    static constexpr std::int64_t max_entries = 10'000;

private:
    struct Library;
    class Stream;

    std::string path_;
    std::unique_ptr<Library> library_;
    zip* zip_ = nullptr;
    std::vector<Entry> entries_;
};

}  // namespace stackae::data
