#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <zlib.h>

#include "stackae/text.hpp"

#include "export/little_endian.hpp"
#include "export/npy_header.hpp"
#include "export/tables.hpp"

namespace stackae::features {
namespace {

constexpr std::uint64_t most_of_32_bits = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint16_t version = 45;    ///< of ZIP, which has ZIP64
constexpr std::uint16_t first_day = 33;  ///< 1980-01-01: an archive's bytes tell of its content alone

std::uint32_t checksum(std::uint32_t before, std::string_view bytes) {
    return static_cast<std::uint32_t>(
        ::crc32_z(before, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size()));
}

/// A file in the archive, stored as it is.
struct Member {
    std::string name;
    std::uint64_t offset = 0;  ///< of its header
    std::uint64_t size = 0;
    std::uint32_t crc = 0;
};

/// What is said of a member before its content and in the directory.
void put_common(std::string& to, const Member& member) {
    put_number<std::uint16_t>(to, version);
    put_number<std::uint16_t>(to, 0);  // flags
    put_number<std::uint16_t>(to, 0);  // stored
    put_number<std::uint16_t>(to, 0);  // time
    put_number<std::uint16_t>(to, first_day);
    put_number<std::uint32_t>(to, member.crc);
}

/// With sizes of 64 bits, as NumPy writes it, so that it is of one length whatever comes.
std::string local_header(const Member& member) {
    std::string header = "PK\x03\x04";
    put_common(header, member);
    put_number<std::uint32_t>(header, most_of_32_bits);
    put_number<std::uint32_t>(header, most_of_32_bits);
    put_number<std::uint16_t>(header, static_cast<std::uint16_t>(member.name.size()));
    constexpr std::uint16_t zip64_size = 2 * sizeof(std::uint64_t);
    put_number<std::uint16_t>(header, zip64_size + 2 * sizeof(std::uint16_t));
    header += member.name;
    put_number<std::uint16_t>(header, 1);
    put_number<std::uint16_t>(header, zip64_size);
    put_number<std::uint64_t>(header, member.size);
    put_number<std::uint64_t>(header, member.size);
    return header;
}

std::uint32_t in_32_bits(std::uint64_t number) {
    return static_cast<std::uint32_t>(std::min(number, most_of_32_bits));
}

std::string directory_entry(const Member& member) {
    std::string extra;
    if (member.size >= most_of_32_bits) {
        put_number<std::uint64_t>(extra, member.size);
        put_number<std::uint64_t>(extra, member.size);
    }
    if (member.offset >= most_of_32_bits) {
        put_number<std::uint64_t>(extra, member.offset);
    }
    std::string entry = "PK\x01\x02";
    put_number<std::uint16_t>(entry, version);
    put_common(entry, member);
    put_number<std::uint32_t>(entry, in_32_bits(member.size));
    put_number<std::uint32_t>(entry, in_32_bits(member.size));
    put_number<std::uint16_t>(entry, static_cast<std::uint16_t>(member.name.size()));
    put_number<std::uint16_t>(
        entry, static_cast<std::uint16_t>(extra.empty() ? 0 : extra.size() + 2 * sizeof(std::uint16_t)));
    put_number<std::uint16_t>(entry, 0);  // no comment
    put_number<std::uint16_t>(entry, 0);  // on the first disk
    put_number<std::uint16_t>(entry, 0);
    put_number<std::uint32_t>(entry, 0);
    put_number<std::uint32_t>(entry, in_32_bits(member.offset));
    entry += member.name;
    if (!extra.empty()) {
        put_number<std::uint16_t>(entry, 1);
        put_number<std::uint16_t>(entry, static_cast<std::uint16_t>(extra.size()));
        entry += extra;
    }
    return entry;
}

/// The directory, which begins at an offset, and what ends an archive.
std::string directory(const std::vector<Member>& members, std::uint64_t offset) {
    std::string all;
    for (const Member& member : members) {
        all += directory_entry(member);
    }
    const std::uint64_t size = all.size();
    if (offset >= most_of_32_bits) {
        all += "PK\x06\x06";
        put_number<std::uint64_t>(all, 44);  // bytes of the record that follow
        put_number<std::uint16_t>(all, version);
        put_number<std::uint16_t>(all, version);
        put_number<std::uint32_t>(all, 0);
        put_number<std::uint32_t>(all, 0);
        put_number<std::uint64_t>(all, members.size());
        put_number<std::uint64_t>(all, members.size());
        put_number<std::uint64_t>(all, size);
        put_number<std::uint64_t>(all, offset);
        all += "PK\x06\x07";
        put_number<std::uint32_t>(all, 0);
        put_number<std::uint64_t>(all, offset + size);
        put_number<std::uint32_t>(all, 1);
    }
    all += "PK\x05\x06";
    put_number<std::uint16_t>(all, 0);
    put_number<std::uint16_t>(all, 0);
    put_number<std::uint16_t>(all, static_cast<std::uint16_t>(members.size()));
    put_number<std::uint16_t>(all, static_cast<std::uint16_t>(members.size()));
    put_number<std::uint32_t>(all, in_32_bits(size));
    put_number<std::uint32_t>(all, in_32_bits(offset));
    put_number<std::uint16_t>(all, 0);
    return all;
}

/// Of UTF-8.
std::u32string to_utf32(std::string_view text) {
    std::u32string wide;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if ((byte & 0xC0U) == 0x80U) {  // goes on with the one before
            wide.back() = (wide.back() << 6U) | (byte & 0x3FU);
        } else {
            wide.push_back(byte < 0x80U   ? byte
                           : byte < 0xE0U ? byte & 0x1FU
                           : byte < 0xF0U ? byte & 0x0FU
                                          : byte & 0x07U);
        }
    }
    return wide;
}

/// Texts in UTF-8 as NumPy has them, all as long as the longest and in UTF-32: put(bytes) of one after the
/// other.
template <class Put>
void put_texts(const std::vector<std::string>& texts, const Put& put) {
    std::size_t longest = 1;
    for (const std::string& text : texts) {
        longest = std::max(longest, to_utf32(text).size());
    }
    put(npy_header(fmt::format("<U{}", longest), fmt::format("{},", texts.size())));
    for (const std::string& text : texts) {
        std::u32string wide = to_utf32(text);
        wide.resize(longest, U'\0');
        put(std::string_view(reinterpret_cast<const char*>(wide.data()), wide.size() * sizeof(char32_t)));
    }
}

/// libzip takes a member's content when the archive is closed; here rows are written as they come. Arrays
/// `features`, `names` and, where there are labels, `labels`. Names are held until the end.
class NpzTable final : public Table {
public:
    NpzTable(FileOutput& out, const TableOptions& options)
        : out_(out), columns_(options.columns), labelled_(options.labelled) {
        features_.name = "features.npy";
        begin_ = local_header(features_).size() + npy_header_size;
        out_.write(head());
    }

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        const std::string_view bytes(reinterpret_cast<const char*>(code.data()), code.size_bytes());
        out_.write(bytes);
        values_ = checksum(values_, bytes);
        ++rows_;
        names_.push_back(to_utf8(row.path));
        if (labelled_) {
            labels_.push_back(to_utf8(row.label.value_or("")));
        }
    }

    void end() override {
        const auto bytes = static_cast<std::uint64_t>(rows_ * columns_) * sizeof(float);
        features_.size = npy_header_size + bytes;
        features_.crc = static_cast<std::uint32_t>(
            ::crc32_combine(checksum(0, array_header()), values_, static_cast<z_off_t>(bytes)));
        out_.patch(head());
        end_ = begin_ + bytes;
        std::vector<Member> members{features_};
        members.push_back(write_texts("names.npy", names_));
        if (labelled_) {
            members.push_back(write_texts("labels.npy", labels_));
        }
        out_.write(directory(members, end_));
    }

private:
    [[nodiscard]] std::string array_header() const {
        return npy_header("<f4", fmt::format("{}, {}", rows_, columns_));
    }
    [[nodiscard]] std::string head() const { return local_header(features_) + array_header(); }
    Member write_texts(const char* name, const std::vector<std::string>& texts) {
        Member member{name, end_};
        put_texts(texts, [&](std::string_view bytes) {
            member.size += bytes.size();
            member.crc = checksum(member.crc, bytes);
        });
        const std::string header = local_header(member);
        out_.write(header);
        put_texts(texts, [&](std::string_view bytes) { out_.write(bytes); });
        end_ += header.size() + member.size;
        return member;
    }

    FileOutput& out_;
    std::int64_t columns_;
    bool labelled_;
    Member features_;
    std::uint64_t begin_ = 0;  ///< of the values
    std::uint64_t end_ = 0;    ///< of what is written
    std::int64_t rows_ = 0;
    std::uint32_t values_ = 0;  ///< their checksum
    std::vector<std::string> names_;
    std::vector<std::string> labels_;
};

}  // namespace

std::unique_ptr<Table> make_npz_table(FileOutput& out, const TableOptions& options) {
    return std::make_unique<NpzTable>(out, options);
}

}  // namespace stackae::features
