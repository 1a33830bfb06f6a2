#include <algorithm>
#include <array>
#include <cstring>
#include <fmt/format.h>
#include <gif_lib.h>
#include <memory>
#include <optional>
#include <vector>

#include "data/image/formats.hpp"
#include "data/shared_library.hpp"

namespace stackae::data {
namespace {

struct Giflib {
    SharedLibrary library{STACKAE_gif_SONAME};
    STACKAE_FUNCTION(open, DGifOpen);
    STACKAE_FUNCTION(close, DGifCloseFile);
    STACKAE_FUNCTION(record, DGifGetRecordType);
    STACKAE_FUNCTION(extension, DGifGetExtension);
    STACKAE_FUNCTION(extension_next, DGifGetExtensionNext);
    STACKAE_FUNCTION(image_header, DGifGetImageHeader);
    STACKAE_FUNCTION(line, DGifGetLine);
    STACKAE_FUNCTION(code, DGifGetCode);
    STACKAE_FUNCTION(code_next, DGifGetCodeNext);
    STACKAE_FUNCTION(error_text, GifErrorString);
};

constexpr auto giflib = loaded<Giflib>;

/// A frame as palette indices, and where it stands on the screen.
struct Frame {
    cv::Rect place;
    cv::Mat indices;  ///< 8UC1
    std::vector<cv::Vec3b> palette;
    std::optional<int> transparent;
};

class Reader {
public:
    Reader(ByteSpan file, const PictureLimits& limits) : left_(file), limits_(limits) {
        int error = 0;
        gif_ = giflib().open(this, take, &error);
        if (gif_ == nullptr) {
            corrupt(fmt::format("GIF: {}", text(error)));
        }
    }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader() { giflib().close(gif_, nullptr); }

    Picture read() {
        while (next_record()) {
            if (type_ == EXTENSION_RECORD_TYPE) {
                read_extension();
            } else if (type_ == IMAGE_DESC_RECORD_TYPE) {
                frames_ == 0 ? read_frame() : skip_frame();
                ++frames_;
            }
        }
        if (frames_ == 0) {
            corrupt("GIF without a picture");
        }
        Picture picture = drawn();
        if (frames_ > 1) {
            picture.remark = fmt::format("first of {} frames used", frames_);
        }
        return picture;
    }

private:
    /// False at the end. Behind a first whole frame, a missing end mark, or bytes that are no GIF's, are the
    /// end too.
    bool next_record() {
        if (frames_ > 0 && left_.empty()) {
            return false;
        }
        if (giflib().record(gif_, &type_) != GIF_OK) {
            if (frames_ > 0 && gif_->Error == D_GIF_ERR_WRONG_RECORD) {
                return false;
            }
            fail();
        }
        return type_ != TERMINATE_RECORD_TYPE;
    }

    void read_extension() {
        int function = 0;
        GifByteType* block = nullptr;  // its length, then its bytes
        check(giflib().extension(gif_, &function, &block));
        if (function == GRAPHICS_EXT_FUNC_CODE && block != nullptr && block[0] >= 4 && frames_ == 0) {
            frame_.transparent = (block[1] & 1U) != 0 ? std::optional<int>(block[4]) : std::nullopt;
        }
        while (block != nullptr) {
            check(giflib().extension_next(gif_, &block));
        }
    }

    void read_frame() {
        check(giflib().image_header(gif_));
        const GifImageDesc& image = gif_->Image;
        frame_.place = {image.Left, image.Top, image.Width, image.Height};
        // Some files state no screen, or one that their first frame does not fit in.
        screen_ = {std::max(gif_->SWidth, image.Left + image.Width),
                   std::max(gif_->SHeight, image.Top + image.Height)};
        check_size(static_cast<std::uint64_t>(image.Width), static_cast<std::uint64_t>(image.Height), 1,
                   limits_);
        check_size(static_cast<std::uint64_t>(screen_.width), static_cast<std::uint64_t>(screen_.height),
                   4 + 1, limits_);
        read_palette(image.ColorMap != nullptr ? image.ColorMap : gif_->SColorMap);
        frame_.indices.create(frame_.place.size(), CV_8UC1);
        const auto read_rows = [&](int first, int step) {
            for (int y = first; y < image.Height; y += step) {
                check(giflib().line(gif_, frame_.indices.ptr(y), image.Width));
            }
        };
        if (image.Interlace) {
            read_rows(0, 8);
            read_rows(4, 8);
            read_rows(2, 4);
            read_rows(1, 2);
        } else {
            read_rows(0, 1);
        }
    }

    /// A file without any palette leaves the colours to the program: shades of gray.
    void read_palette(const ColorMapObject* map) {
        for (int i = 0; i < (map != nullptr ? map->ColorCount : 256); ++i) {
            const auto shade = static_cast<GifByteType>(i);
            const GifColorType colour = map != nullptr ? map->Colors[i] : GifColorType{shade, shade, shade};
            frame_.palette.emplace_back(colour.Red, colour.Green, colour.Blue);
        }
    }

    void skip_frame() {
        check(giflib().image_header(gif_));
        int size = 0;
        GifByteType* block = nullptr;
        check(giflib().code(gif_, &size, &block));
        while (block != nullptr) {
            check(giflib().code_next(gif_, &block));
        }
    }

    /// The frame on a transparent screen.
    [[nodiscard]] Picture drawn() const {
        const bool alpha = frame_.transparent.has_value() || frame_.place.size() != screen_;
        const int channels = alpha ? 4 : 3;
        Picture picture;
        picture.pixels = cv::Mat(screen_, CV_8UC(channels), cv::Scalar::all(0));
        cv::Mat part = picture.pixels(frame_.place);
        for (int y = 0; y < part.rows; ++y) {
            const auto* from = frame_.indices.ptr(y);
            auto* to = part.ptr(y);
            for (int x = 0; x < part.cols; ++x, to += channels) {
                if (from[x] == frame_.transparent) {
                    continue;
                }
                if (from[x] >= frame_.palette.size()) {
                    corrupt(fmt::format("GIF palette index {} found, {} colours expected", from[x],
                                        frame_.palette.size()));
                }
                std::copy_n(frame_.palette[from[x]].val, 3, to);
                if (alpha) {
                    to[3] = 255;
                }
            }
        }
        return picture;
    }

    void check(int result) const {
        if (result != GIF_OK) {
            fail();
        }
    }
    [[noreturn]] void fail() const {
        corrupt(fmt::format("GIF cut short or damaged: {}", text(gif_->Error)));
    }
    static const char* text(int error) {
        const char* found = giflib().error_text(error);
        return found != nullptr ? found : "it cannot be read";
    }

    static int take(GifFileType* gif, GifByteType* to, int size) {
        auto& self = *static_cast<Reader*>(gif->UserData);
        const std::size_t taken = std::min(self.left_.size(), static_cast<std::size_t>(size));
        std::memcpy(to, self.left_.data(), taken);
        self.left_ = self.left_.subspan(taken);
        return static_cast<int>(taken);
    }

    ByteSpan left_;
    const PictureLimits& limits_;
    GifFileType* gif_ = nullptr;
    GifRecordType type_ = UNDEFINED_RECORD_TYPE;
    std::int64_t frames_ = 0;
    Frame frame_;
    cv::Size screen_;
};

}  // namespace

Picture decode_gif(ByteSpan file, const DecodeOptions& options) {
    return Reader(file, options.limits).read();
}

}  // namespace stackae::data
