#include <bit>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <string>

#include "stackae/error.hpp"
#include "stackae/image_dataset.hpp"

namespace stackae {
namespace {

static_assert(std::endian::native == std::endian::little, "files are written in this order of bytes");

void check_pictures(const std::string& what, const Tensor& pictures) {
    if (pictures.shape().size() != 4) {
        throw InvalidArgument(
            fmt::format("{}: a tensor of {} extents found, pictures × height × width × "
                        "channels expected",
                        what, pictures.shape().size()));
    }
}

std::string_view bytes_of(const float* values, std::int64_t count) {
    return {reinterpret_cast<const char*>(values), static_cast<std::size_t>(count) * sizeof(float)};
}

/// A directory of TIFF, put together entry by entry.
class Directory {
public:
    enum Type : std::uint16_t { half = 3, whole = 4 };

    /// One value, or where several lie.
    void add(std::uint16_t tag, Type type, std::uint32_t count, std::uint32_t value) {
        put(tag);
        put(static_cast<std::uint16_t>(type));
        put(count);
        put(value);
        ++entries_;
    }
    /// next: where the next directory lies; 0: nowhere.
    [[nodiscard]] std::string bytes(std::uint32_t next) const {
        std::string all(2, '\0');
        std::memcpy(all.data(), &entries_, 2);
        all += text_;
        all.append(reinterpret_cast<const char*>(&next), sizeof next);
        return all;
    }
    static constexpr std::uint64_t size(std::uint64_t entries) { return 2 + 12 * entries + 4; }

private:
    template <class Number>
    void put(Number number) {
        text_.append(reinterpret_cast<const char*>(&number), sizeof number);
    }

    std::string text_;
    std::uint16_t entries_ = 0;
};

/// Numbers of 16 bits, as text.
std::string halves(std::int64_t count, std::uint16_t value) {
    std::string text;
    for (std::int64_t i = 0; i < count; ++i) {
        text.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    return text;
}

/// A page of floats, one strip, without compression. Behind the directory lie the numbers of bits, the kinds
/// of the samples and of those beyond the first, then the values.
std::string page_of(const Tensor& pictures, std::uint32_t begin, bool last) {
    const std::uint64_t entries = pictures.shape()[3] > 1 ? 11 : 10;
    constexpr std::uint16_t bits = 32;
    constexpr std::uint16_t ieee = 3;
    const auto height = static_cast<std::uint32_t>(pictures.shape()[1]);
    const auto width = static_cast<std::uint32_t>(pictures.shape()[2]);
    const std::int64_t samples = pictures.shape()[3];
    const auto count = static_cast<std::uint32_t>(samples);
    const auto bytes = static_cast<std::uint32_t>(height * width * count * sizeof(float));
    const auto bits_at = static_cast<std::uint32_t>(begin + Directory::size(entries));
    const std::uint32_t kinds_at = bits_at + 2 * count;
    const std::uint32_t further_at = kinds_at + 2 * count;
    const std::uint32_t values_at = further_at + 2 * count;
    // Two or one of them lie in the entry itself.
    const auto many = [](std::uint32_t number, std::uint16_t value, std::uint32_t at) {
        return number > 2 ? at : number == 2 ? std::uint32_t{value} * 0x10001U : std::uint32_t{value};
    };
    Directory directory;
    directory.add(256, Directory::whole, 1, width);
    directory.add(257, Directory::whole, 1, height);
    directory.add(258, Directory::half, count, many(count, bits, bits_at));
    directory.add(259, Directory::half, 1, 1);  // no compression
    directory.add(262, Directory::half, 1, 1);  // black is zero
    directory.add(273, Directory::whole, 1, values_at);
    directory.add(277, Directory::half, 1, count);
    directory.add(278, Directory::whole, 1, height);
    directory.add(279, Directory::whole, 1, bytes);
    if (count > 1) {
        directory.add(338, Directory::half, count - 1, many(count - 1, 0, further_at));  // of no kind
    }
    directory.add(339, Directory::half, count, many(count, ieee, kinds_at));
    return directory.bytes(last ? 0 : values_at + bytes) + halves(samples, bits) + halves(samples, ieee) +
           halves(samples, 0);
}

}  // namespace

void write_npy(const OutputFile& file, const Tensor& pictures) {
    check_pictures("write_npy", pictures);
    constexpr std::size_t size = 128;
    constexpr std::size_t prefix = 10;
    std::string header = "\x93NUMPY";
    header += {'\x01', '\x00', static_cast<char>(size - prefix), '\x00'};
    header += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}, {}, {}), }}",
                          pictures.shape()[0], pictures.shape()[1], pictures.shape()[2], pictures.shape()[3]);
    header.resize(size - 1, ' ');
    OutputFile out = file;
    out.write(header + "\n");
    out.write(bytes_of(pictures.data(), pictures.size()));
}

void write_tiff(const OutputFile& file, const Tensor& pictures) {
    check_pictures("write_tiff", pictures);
    constexpr std::int64_t head = 8;
    constexpr std::int64_t most = std::int64_t{1} << 31U;
    const std::int64_t count = pictures.shape()[0];
    const std::int64_t values = pictures.size() / count;
    if (pictures.size() > most / static_cast<std::int64_t>(sizeof(float))) {
        throw InvalidArgument(
            fmt::format("write_tiff: {} values found, at most 2 GiB of them expected", pictures.size()));
    }
    OutputFile out = file;
    constexpr std::uint32_t first = head;
    out.write(std::string("II*\0", 4) + std::string(reinterpret_cast<const char*>(&first), sizeof first));
    std::int64_t at = head;
    for (std::int64_t i = 0; i < count; ++i) {
        const std::string page = page_of(pictures, static_cast<std::uint32_t>(at), i + 1 == count);
        out.write(page);
        out.write(bytes_of(pictures.data() + i * values, values));
        at += std::ssize(page) + values * static_cast<std::int64_t>(sizeof(float));
    }
}

}  // namespace stackae
