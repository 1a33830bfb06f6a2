#include "data/image/bmp_runs.hpp"

#include <algorithm>
#include <fmt/format.h>

namespace stackae::data {
namespace {

constexpr std::uint64_t blank_pixels = 65'536;
constexpr std::uint64_t pixels_a_byte = 128;

class Runs {
public:
    Runs(ByteSpan data, const BmpHeader& header)
        : data_(data),
          compression_(header.compression),
          rows_(static_cast<int>(header.height), static_cast<int>(header.width),
                header.compression == BmpCompression::rle24 ? CV_8UC3 : CV_8UC1, cv::Scalar::all(0)) {}

    cv::Mat read() {
        while (!finished()) {
            const unsigned count = byte();
            if (count > 0) {
                run(count);
            } else if (!escape(byte())) {
                break;
            }
        }
        return rows_;
    }

private:
    [[nodiscard]] bool finished() const {
        return y_ >= rows_.rows || (y_ == rows_.rows - 1 && x_ >= rows_.cols && at_ == data_.size());
    }

    /// False at the end of the picture.
    bool escape(unsigned code) {
        switch (code) {
            case 0:
                x_ = 0;
                ++y_;
                return true;
            case 1:
                return false;
            case 2:
                x_ += static_cast<int>(byte());
                y_ += static_cast<int>(byte());
                if (x_ > rows_.cols || y_ > rows_.rows) {
                    corrupt(fmt::format("BMP runs lead to column {}, row {} of {} × {} pixels", x_, y_,
                                        rows_.cols, rows_.rows));
                }
                return true;
            default:
                literal(code);
                return true;
        }
    }

    void run(unsigned count) {
        if (compression_ == BmpCompression::rle4) {
            const unsigned pair = byte();
            for (unsigned i = 0; i < count; ++i) {
                put({half(pair, i), 0, 0});
            }
        } else {
            const cv::Vec3b colour = pixel();
            for (unsigned i = 0; i < count; ++i) {
                put(colour);
            }
        }
    }

    /// Pixels as they are, padded to an even number of bytes.
    void literal(unsigned count) {
        const std::size_t from = at_;
        unsigned pair = 0;
        for (unsigned i = 0; i < count; ++i) {
            if (compression_ == BmpCompression::rle4) {
                pair = i % 2 == 0 ? byte() : pair;
                put({half(pair, i), 0, 0});
            } else {
                put(pixel());
            }
        }
        // Some programs leave the padding out where the file ends.
        at_ = std::min(data_.size(), at_ + (at_ - from) % 2);
    }

    cv::Vec3b pixel() {
        cv::Vec3b values(0, 0, 0);
        for (int c = 0; c < rows_.channels(); ++c) {
            values[c] = static_cast<std::uint8_t>(byte());
        }
        return values;
    }

    /// The left pixel of a pair is in the high half.
    static std::uint8_t half(unsigned pair, unsigned i) {
        return static_cast<std::uint8_t>(i % 2 == 0 ? pair >> 4U : pair & 0xfU);
    }

    void put(const cv::Vec3b& values) {
        if (x_ < rows_.cols) {
            std::copy_n(values.val, rows_.channels(), rows_.ptr(y_) + std::ptrdiff_t{x_} * rows_.channels());
            ++x_;
        }
    }

    unsigned byte() {
        if (at_ == data_.size()) {
            corrupt(fmt::format("cut short: BMP runs end in row {} of {}", y_ + 1, rows_.rows));
        }
        return std::to_integer<unsigned>(data_[at_++]);
    }

    ByteSpan data_;
    std::size_t at_ = 0;
    BmpCompression compression_;
    cv::Mat rows_;
    int x_ = 0;
    int y_ = 0;
};

}  // namespace

cv::Mat read_bmp_runs(ByteSpan data, const BmpHeader& header) {
    const std::uint64_t most = blank_pixels + pixels_a_byte * data.size();
    if (header.width * header.height > most) {
        corrupt(fmt::format("BMP of {} × {} pixels in {} bytes of runs found, at most {} pixels expected",
                            header.width, header.height, data.size(), most));
    }
    return Runs(data, header).read();
}

}  // namespace stackae::data
