#pragma once

#include <cstdint>
#include <string>
#include <vector>
#include <zlib.h>

#include "data/make.hpp"

namespace stackae::test {

struct ZipFile {
    std::string name;
    std::string content;
    bool deflated = false;
    std::uint64_t claimed = 0;  ///< unpacked size that the archive gives; 0: the true one
};

/// Raw deflate, as ZIP has it.
inline std::string raw_deflate(const std::string& content) {
    z_stream stream{};
    deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY);
    std::string packed(deflateBound(&stream, content.size()) + 64, '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(content.data()));
    stream.avail_in = static_cast<uInt>(content.size());
    stream.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    return packed;
}

/// A ZIP archive; zip64 gives every size in 64 bits.
inline std::string zip(const std::vector<ZipFile>& files, bool zip64 = false) {
    std::string archive;
    std::string table;
    for (const ZipFile& file : files) {
        const std::string packed = file.deflated ? raw_deflate(file.content) : file.content;
        const std::uint64_t size = file.claimed > 0 ? file.claimed : file.content.size();
        const auto crc = crc32(0, reinterpret_cast<const Bytef*>(file.content.data()),
                               static_cast<uInt>(file.content.size()));
        const std::string sizes =
            zip64 ? le32(0xffffffff) + le32(0xffffffff) : le32(packed.size()) + le32(size);
        const std::string extra =
            zip64 ? le16(1) + le16(16) + number(size, 8, false) + number(packed.size(), 8, false) : "";
        const std::string common = le16(zip64 ? 45 : 20) + le16(0) + le16(file.deflated ? 8 : 0) + le32(0) +
                                   le32(crc) + sizes + le16(file.name.size()) + le16(extra.size());
        table += "PK\1\2" + le16(45) + common + le16(0) + le16(0) + le16(0) + le32(0) + le32(archive.size()) +
                 file.name + extra;
        archive += "PK\3\4" + common + file.name + extra + packed;
    }
    return archive + table + "PK\5\6" + le16(0) + le16(0) + le16(files.size()) + le16(files.size()) +
           le32(table.size()) + le32(archive.size()) + le16(0);
}

}  // namespace stackae::test
