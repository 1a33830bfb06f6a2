#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <jerror.h>
#include <jpeglib.h>
#include <opencv2/imgproc.hpp>

#include "data/image/colours.hpp"
#include "data/image/exif.hpp"
#include "data/image/formats.hpp"

namespace stackae::data {
namespace {

/// A progressive JPEG of a few kB can ask for any number of passes over the whole picture.
constexpr int max_scans = 500;

struct ErrorManager {
    jpeg_error_mgr base;  // first, so that libjpeg's pointer is also ours
    std::jmp_buf on_error;
    std::array<char, JMSG_LENGTH_MAX> message;
    bool damaged;
};

ErrorManager& manager_of(j_common_ptr info) {
    return *reinterpret_cast<ErrorManager*>(info->err);
}

[[noreturn]] void error_exit(j_common_ptr info) {
    ErrorManager& manager = manager_of(info);
    info->err->format_message(info, manager.message.data());
    std::longjmp(manager.on_error, 1);
}

/// Warnings that are common in sound files: stray bytes between segments, odd tags, odd order of scans. All
/// others mean lost picture data.
bool is_harmless(int code) {
    return code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM || code == JWRN_JFIF_MAJOR ||
           code == JWRN_BOGUS_PROGRESSION;
}

/// Sound files of kinds that libjpeg is not built for: 12 bits, lossless, arithmetic coding, odd colours.
bool is_rare(int code) {
    return code == JERR_BAD_PRECISION || code == JERR_SOF_UNSUPPORTED || code == JERR_ARITH_NOTIMPL ||
           code == JERR_CONVERSION_NOTIMPL;
}

void emit_message(j_common_ptr info, int level) {
    ErrorManager& manager = manager_of(info);
    if (level < 0 && !manager.damaged && !is_harmless(info->err->msg_code)) {
        manager.damaged = true;
        info->err->format_message(info, manager.message.data());
    }
}

void output_message(j_common_ptr /*info*/) {}

void check_scans(j_common_ptr info) {
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number > max_scans) {
        ErrorManager& manager = manager_of(info);
        info->err->msg_code = 0;  // of the last warning, maybe
        fmt::format_to_n(manager.message.data(), manager.message.size() - 1, "more than {} scans{}",
                         max_scans, '\0');
        std::longjmp(manager.on_error, 1);
    }
}

/// libjpeg's decompressor. Its errors come by longjmp, so that nothing with a destructor may live
/// between guarded() and the calls inside.
class Decompressor {
public:
    Decompressor() {
        info_.err = jpeg_std_error(&errors_.base);
        errors_.base.error_exit = error_exit;
        errors_.base.emit_message = emit_message;
        errors_.base.output_message = output_message;
        guarded([&] { jpeg_create_decompress(&info_); });
        progress_.progress_monitor = check_scans;
        info_.progress = &progress_;
    }
    Decompressor(const Decompressor&) = delete;
    Decompressor& operator=(const Decompressor&) = delete;
    ~Decompressor() { jpeg_destroy_decompress(&info_); }

    template <class Calls>
    void guarded(const Calls& calls) {
        if (setjmp(errors_.on_error) != 0) {
            const auto status =
                is_rare(errors_.base.msg_code) ? PictureStatus::unsupported : PictureStatus::corrupt;
            throw BadPicture(status, fmt::format("JPEG: {}", errors_.message.data()));
        }
        calls();
    }
    void check_damage() const {
        if (errors_.damaged) {
            corrupt(fmt::format("JPEG cut short or damaged: {}", errors_.message.data()));
        }
    }
    jpeg_decompress_struct& info() { return info_; }

private:
    jpeg_decompress_struct info_{};
    ErrorManager errors_{};
    jpeg_progress_mgr progress_{};
};

/// libjpeg's compressor to memory; see Decompressor.
class Compressor {
public:
    Compressor() {
        info_.err = jpeg_std_error(&errors_.base);
        errors_.base.error_exit = error_exit;
        guarded([&] {
            jpeg_create_compress(&info_);
            jpeg_mem_dest(&info_, &file_, &size_);
        });
    }
    Compressor(const Compressor&) = delete;
    Compressor& operator=(const Compressor&) = delete;
    ~Compressor() {
        jpeg_destroy_compress(&info_);
        std::free(file_);
    }

    template <class Calls>
    void guarded(const Calls& calls) {
        if (setjmp(errors_.on_error) != 0) {
            file_ = nullptr;  // it cannot be told whether libjpeg freed it
            throw Error(fmt::format("JPEG: {}", errors_.message.data()));
        }
        calls();
    }
    jpeg_compress_struct& info() { return info_; }
    /// Once it is finished.
    [[nodiscard]] std::vector<std::byte> file() const {
        const auto* const begin = reinterpret_cast<const std::byte*>(file_);
        return {begin, begin + size_};
    }

private:
    jpeg_compress_struct info_{};
    ErrorManager errors_{};
    unsigned char* file_ = nullptr;  ///< libjpeg's
    unsigned long size_ = 0;
};

int orientation_of(const jpeg_decompress_struct& info) {
    for (const jpeg_marker_struct* marker = info.marker_list; marker != nullptr; marker = marker->next) {
        const ByteSpan data(reinterpret_cast<const std::byte*>(marker->data), marker->data_length);
        if (marker->marker == JPEG_APP0 + 1 && Bytes(data, false).has(0, "Exif")) {
            return exif_orientation(data);
        }
    }
    return 1;
}

/// The largest of 1, 2, 4 and 8 that leaves at least twice what the preprocessing needs.
unsigned reduction_for(double width, double height, const Preprocessing& preprocessing) {
    const double by_width = preprocessing.width / width;
    const double by_height = preprocessing.height / height;
    const double scale = preprocessing.resize == ResizeMode::border ? std::min(by_width, by_height)
                                                                    : std::max(by_width, by_height);
    unsigned reduction = 8;
    while (reduction > 1 && 2.0 * scale * reduction > 1.0) {
        reduction /= 2;
    }
    return reduction;
}

/// What libjpeg keeps of the whole picture until its last scan was read, whatever size it then comes in.
std::uint64_t coefficient_bytes(jpeg_decompress_struct& info) {
    if (jpeg_has_multiple_scans(&info) == FALSE) {
        return 0;
    }
    std::uint64_t blocks = 0;
    for (int i = 0; i < info.num_components; ++i) {
        blocks += std::uint64_t{info.comp_info[i].width_in_blocks} * info.comp_info[i].height_in_blocks;
    }
    return blocks * DCTSIZE2 * sizeof(JCOEF);
}

void choose_output(jpeg_decompress_struct& info, bool gray_will_do) {
    if (info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK) {
        info.out_color_space = JCS_CMYK;
    } else if (info.jpeg_color_space == JCS_GRAYSCALE ||
               (gray_will_do && info.jpeg_color_space == JCS_YCbCr)) {
        info.out_color_space = JCS_GRAYSCALE;  // Y is BT.601's luma
    } else {
        info.out_color_space = JCS_RGB;
    }
}

}  // namespace

Picture decode_jpeg(ByteSpan file, const DecodeOptions& options) {
    const Preprocessing* preprocessing = options.preprocessing;
    Decompressor decompressor;
    jpeg_decompress_struct& info = decompressor.info();
    decompressor.guarded([&] {
        jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(file.data()), file.size());
        jpeg_save_markers(&info, JPEG_APP0 + 1, 0xffff);
        jpeg_read_header(&info, TRUE);
    });
    const auto components = static_cast<std::uint64_t>(info.num_components);
    const std::uint64_t colours = components == 4 ? 3 : 0;  // made of four inks, and held beside them
    check_size(info.image_width, info.image_height, components + colours, options.limits,
               coefficient_bytes(info));
    const int orientation = orientation_of(info);
    choose_output(info, preprocessing != nullptr && preprocessing->channels == 1);
    cv::Size full(static_cast<int>(info.image_width), static_cast<int>(info.image_height));
    if (orientation >= 5) {
        std::swap(full.width, full.height);
    }
    if (preprocessing != nullptr) {
        info.scale_num = 1;
        info.scale_denom = reduction_for(full.width, full.height, *preprocessing);
    }
    decompressor.guarded([&] { jpeg_start_decompress(&info); });
    cv::Mat pixels(static_cast<int>(info.output_height), static_cast<int>(info.output_width),
                   CV_8UC(info.output_components));
    decompressor.guarded([&] {
        while (info.output_scanline < info.output_height) {
            JSAMPROW row = pixels.data + pixels.step[0] * info.output_scanline;
            jpeg_read_scanlines(&info, &row, 1);
        }
        jpeg_finish_decompress(&info);
    });
    decompressor.check_damage();
    if (info.out_color_space == JCS_CMYK) {
        // Adobe's programs store the four inverted, and they wrote nearly all of these files.
        pixels = cmyk_to_rgb(pixels, 255.0, info.saw_Adobe_marker != FALSE);
    }
    turn_upright(pixels, orientation);
    return {pixels, 255.0, false, full};
}

std::vector<std::byte> encode_jpeg(const cv::Mat& gray, int quality) {
    Compressor compressor;
    jpeg_compress_struct& info = compressor.info();
    compressor.guarded([&] {
        info.image_width = static_cast<JDIMENSION>(gray.cols);
        info.image_height = static_cast<JDIMENSION>(gray.rows);
        info.input_components = 1;
        info.in_color_space = JCS_GRAYSCALE;
        jpeg_set_defaults(&info);
        jpeg_set_quality(&info, quality, TRUE);
        jpeg_start_compress(&info, TRUE);
        while (info.next_scanline < info.image_height) {
            JSAMPROW row =
                const_cast<JSAMPROW>(gray.ptr<unsigned char>(static_cast<int>(info.next_scanline)));
            jpeg_write_scanlines(&info, &row, 1);
        }
        jpeg_finish_compress(&info);
    });
    return compressor.file();
}

}  // namespace stackae::data
