#include "data/image/tiff_file.hpp"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <fmt/format.h>
#include <memory>
#include <string_view>
#include <zlib.h>

#if !defined(TIFFLIB_AT_LEAST)
#error "libtiff 4.5 or later expected: earlier ones know one handler of errors for all threads"
#endif

namespace stackae::data {
namespace {

/// libtiff's smallest own needs, whatever the picture.
constexpr std::int64_t min_memory = std::int64_t{16} << 20U;

bool contains_any(std::string_view text, std::initializer_list<std::string_view> parts) {
    return std::any_of(parts.begin(), parts.end(),
                       [&](std::string_view part) { return text.find(part) != std::string_view::npos; });
}

/// The header with another directory for the first. libtiff opens a file there, and newer versions follow the
/// whole chain to any other.
std::vector<std::byte> header_for(const TiffHeader& header, std::uint64_t directory) {
    std::vector<std::byte> bytes = header.bytes;
    const std::size_t at = header.big ? 8 : 4;
    const std::size_t width = header.big ? 8 : 4;
    bytes.resize(at + width);
    for (std::size_t i = 0; i < width; ++i) {
        const std::size_t shift = 8 * (header.big_endian ? width - 1 - i : i);
        bytes[at + i] = static_cast<std::byte>(directory >> shift);
    }
    return bytes;
}

/// Warnings while decoding that cost no pixel. All others do: "Premature EOL", "Corrupt JPEG data" and so on.
bool is_harmless(std::string_view warning) {
    return contains_any(
        warning, {"Old-style LZW codes", "old-style JPEG compression mode", "Discarding",
                  "extraneous bytes before marker", "unknown JFIF revision", "Unknown Adobe color transform",
                  "Inconsistent progression sequence", "Decompressor will try",
                  "Try to decode (read) fax Group 3 data without EOL"});
}

/// Errors of sound files that libtiff cannot decode. Words without their first letter stand at the beginning
/// of some ("Sorry, can not handle") and within others ("not supported", "No support for").
bool is_lack_of_support(std::string_view error) {
    return contains_any(error, {"upport", "orry", "not configured", "per-sample values", "not implemented"});
}

}  // namespace

/// The callbacks that libtiff reads the file with.
struct TiffClient {
    /// No exception may pass through libtiff's frames.
    static tmsize_t read(thandle_t client, void* to, tmsize_t size) noexcept {
        auto& file = *static_cast<TiffFile*>(client);
        const std::uint64_t end = file.end();
        const std::uint64_t left = end - std::min(file.position_, end);
        const std::uint64_t count = std::min(static_cast<std::uint64_t>(std::max<tmsize_t>(size, 0)), left);
        const std::span bytes(static_cast<std::byte*>(to), count);
        if (count == 0) {
            return 0;
        }
        try {
            file.file_.read_at(file.position_ + file.further_, bytes);
        } catch (...) {
            if (!file.failure_) {
                file.failure_ = std::current_exception();
            }
            return 0;
        }
        for (std::uint64_t i = 0; i < count && file.position_ + i < file.header_.size(); ++i) {
            bytes[i] = file.header_[file.position_ + i];
        }
        file.position_ += count;
        return static_cast<tmsize_t>(count);
    }
    static tmsize_t write(thandle_t /*client*/, void* /*from*/, tmsize_t /*size*/) { return 0; }
    static toff_t seek(thandle_t client, toff_t offset, int origin) {
        auto& file = *static_cast<TiffFile*>(client);
        const std::uint64_t base = origin == SEEK_SET ? 0 : origin == SEEK_CUR ? file.position_ : file.end();
        file.position_ = base + offset;
        return file.position_;
    }
    static int close(thandle_t /*client*/) { return 0; }
    static toff_t size(thandle_t client) { return static_cast<TiffFile*>(client)->end(); }
};

void TiffFile::Complaint::keep(const char* module, const char* format, va_list arguments) {
    if (text[0] != '\0') {
        return;
    }
    const int length = module != nullptr ? std::snprintf(text.data(), text.size(), "%s: ", module) : 0;
    const auto start = std::min(static_cast<std::size_t>(std::max(length, 0)), text.size() - 1);
    std::vsnprintf(text.data() + start, text.size() - start, format, arguments);
    std::replace_if(
        text.begin(), text.end(), [](char c) { return c == '\n' || c == '\r'; }, ' ');
}

int TiffFile::on_error(TIFF* /*tiff*/, void* self, const char* module, const char* format,
                       va_list arguments) {
    static_cast<TiffFile*>(self)->error_.keep(module, format, arguments);
    return 1;  // and so to no other handler
}

int TiffFile::on_warning(TIFF* /*tiff*/, void* self, const char* module, const char* format,
                         va_list arguments) {
    Complaint warning;
    warning.keep(module, format, arguments);
    Complaint& kept = static_cast<TiffFile*>(self)->warning_;
    if (kept.text[0] == '\0' && !is_harmless(warning.text.data())) {
        kept = warning;
    }
    return 1;
}

TiffFile::TiffFile(const RandomAccess& file, const TiffHeader& header, const Page& page,
                   std::int64_t max_bytes)
    : library_(loaded<TiffLibrary>()),
      file_(file),
      max_bytes_(static_cast<std::uint64_t>(std::max(max_bytes, min_memory))),
      header_(header_for(header, page.directory)) {
    const std::unique_ptr<TIFFOpenOptions, decltype(TIFFOpenOptionsFree)*> options(library_.options_alloc(),
                                                                                   library_.options_free);
    if (options == nullptr) {
        throw std::bad_alloc();
    }
    library_.set_error_handler(options.get(), on_error, this);
    library_.set_warning_handler(options.get(), on_warning, this);
    library_.set_max_memory(options.get(), static_cast<tmsize_t>(max_bytes_));
    // M: nothing mapped, as there is no procedure for that.
    tiff_ = library_.open("TIFF", "rM", this, TiffClient::read, TiffClient::write, TiffClient::seek,
                          TiffClient::close, TiffClient::size, nullptr, nullptr, options.get());
    if (tiff_ == nullptr) {
        check(false);
    }
    if (failure_) {
        library_.close(tiff_);
        check_input();
    }
    forget();  // of tags that are unknown, or of a chain that breaks off later
    header_.clear();
    further_ = page.further;
}

TiffFile::~TiffFile() {
    library_.close(tiff_);
}

std::uint64_t TiffFile::end() const {
    return file_.size() - std::min(further_, file_.size());
}

void TiffFile::check_input() const {
    if (failure_) {
        std::rethrow_exception(failure_);
    }
}

void TiffFile::check(bool done) const {
    check_input();
    const Complaint& complaint = error_.text[0] != '\0' ? error_ : warning_;
    const std::string_view text = complaint.text.data();
    if (done && text.empty()) {
        return;
    }
    const auto status = is_lack_of_support(text) ? PictureStatus::unsupported : PictureStatus::corrupt;
    throw BadPicture(status, text.empty() ? "TIFF that cannot be decoded" : fmt::format("TIFF: {}", text));
}

void TiffFile::check_data(std::uint32_t piece, std::uint64_t plain_bytes) const {
    const std::uint64_t offset = library_.piece_offset(tiff_, piece);
    const std::uint64_t bytes = library_.piece_bytes(tiff_, piece);
    check_input();
    if (offset == 0 || bytes == 0) {
        corrupt(fmt::format("TIFF: no data for strip or tile {}", piece));
    }
    if (bytes < plain_bytes) {
        corrupt(fmt::format("TIFF: {} bytes of data found for strip or tile {}, {} expected", bytes, piece,
                            plain_bytes));
    }
    if (offset > end() || bytes > end() - offset) {
        corrupt(fmt::format("cut short: {} bytes found, picture data at {} + {} expected", file_.size(),
                            offset + further_, bytes));
    }
    if (plain_bytes == 0 && bytes > max_bytes_) {
        throw BadPicture(PictureStatus::too_large,
                         fmt::format("TIFF: {} bytes of compressed data found for strip or tile {}, at most "
                                     "{} expected",
                                     bytes, piece, max_bytes_));
    }
}

void TiffFile::check_deflate(std::uint32_t piece, std::uint64_t needed) const {
    constexpr std::uint64_t part_bytes = 65536;
    std::uint64_t at = library_.piece_offset(tiff_, piece);
    std::uint64_t left = library_.piece_bytes(tiff_, piece);
    std::vector<std::byte> part(std::min(left, part_bytes));
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK) {
        throw std::bad_alloc();
    }
    const std::unique_ptr<z_stream, decltype(inflateEnd)*> end(&stream, inflateEnd);
    std::array<Bytef, 32768> dropped;
    std::uint64_t inflated = 0;
    int state = Z_OK;
    while (state == Z_OK && inflated <= needed + dropped.size()) {
        if (stream.avail_in == 0) {
            part.resize(std::min<std::uint64_t>(left, part.size()));
            file_.read_at(at, part);
            at += part.size();
            left -= part.size();
            stream.next_in = reinterpret_cast<Bytef*>(part.data());
            stream.avail_in = static_cast<uInt>(part.size());
        }
        stream.next_out = dropped.data();
        stream.avail_out = static_cast<uInt>(dropped.size());
        state = inflate(&stream, Z_NO_FLUSH);
        inflated += dropped.size() - stream.avail_out;
    }
    // Some programs leave the end and the checksum out, which libtiff takes; but then the data end with the
    // pixels.
    if (state == Z_DATA_ERROR || (state != Z_STREAM_END && inflated > needed)) {
        corrupt(fmt::format("TIFF: Deflate data of strip or tile {}: {}", piece,
                            stream.msg != nullptr ? stream.msg : "more than its pixels"));
    }
}

void TiffFile::forget() {
    error_ = {};
    warning_ = {};
}

}  // namespace stackae::data
