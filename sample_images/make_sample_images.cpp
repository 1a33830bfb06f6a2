// Draws the pictures of sample_images/: digits in OpenCV's Hershey fonts, each bent by a random affine
// change, and two pictures that are no digits. Every picture is a function of the seed and of its own number,
// so a rerun gives the same bytes.

#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <numbers>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <png.h>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace {

namespace fs = std::filesystem;
using stackae::base::Random;

constexpr std::uint64_t seed = 20240501;
constexpr int side = 28;          // of a picture, in pixels
constexpr int oversampling = 12;  // drawn this much larger, then reduced by area: smooth edges
constexpr int canvas = side * oversampling;
constexpr std::uint32_t pictures_a_class = 50;
constexpr std::uint32_t first_unseen = 1000;  // number of the first picture that is not for training

/// Numbers in [low, high), one after the other.
class Draws {
public:
    Draws(std::uint32_t symbol, std::uint32_t number)
        : random_(seed, stackae::base::RandomStream::shuffle, symbol, number) {}

    double between(double low, double high) {
        return low + (high - low) * static_cast<double>(Random::uniform(random_.block(index_++)[0]));
    }
    std::size_t below(std::size_t bound) { return random_.below(index_++, bound); }

private:
    Random random_;
    std::uint32_t index_ = 0;
};

/// The symbol upright in the middle of the canvas, about 0.62 of its height, white on black.
cv::Mat draw_text(const std::string& text, Draws& draws) {
    static constexpr std::array fonts = {cv::FONT_HERSHEY_SIMPLEX,        cv::FONT_HERSHEY_DUPLEX,
                                         cv::FONT_HERSHEY_COMPLEX,        cv::FONT_HERSHEY_TRIPLEX,
                                         cv::FONT_HERSHEY_SCRIPT_SIMPLEX, cv::FONT_HERSHEY_SCRIPT_COMPLEX,
                                         cv::FONT_HERSHEY_PLAIN};
    int font = fonts[draws.below(fonts.size())];
    if (draws.below(3) == 0) {
        font |= cv::FONT_ITALIC;
    }
    const int thickness = static_cast<int>(draws.between(1.7, 2.8) * oversampling);
    int baseline = 0;
    const cv::Size unit = cv::getTextSize(text, font, 10.0, 1, &baseline);
    const double scale = 10.0 * 0.62 * canvas / unit.height;
    const cv::Size size = cv::getTextSize(text, font, scale, 1, &baseline);
    cv::Mat picture = cv::Mat::zeros(canvas, canvas, CV_8UC1);
    cv::putText(picture, text, {(canvas - size.width) / 2, (canvas + size.height) / 2}, font, scale,
                cv::Scalar(255), thickness, cv::LINE_AA);
    return picture;
}

/// A star with five points, filled.
cv::Mat draw_star() {
    std::vector<cv::Point> points;
    for (int i = 0; i < 10; ++i) {
        const double radius = (i % 2 == 0 ? 0.45 : 0.18) * canvas;
        const double angle = std::numbers::pi * (i / 5.0 - 0.5);
        points.emplace_back(cvRound(canvas / 2.0 + radius * std::cos(angle)),
                            cvRound(canvas / 2.0 + radius * std::sin(angle)));
    }
    cv::Mat picture = cv::Mat::zeros(canvas, canvas, CV_8UC1);
    cv::fillPoly(picture, std::vector<std::vector<cv::Point>>{points}, cv::Scalar(255), cv::LINE_AA);
    return picture;
}

/// Rotated, scaled, sheared and shifted about its middle, then brought to side × side.
cv::Mat bend(const cv::Mat& picture, Draws& draws) {
    const double angle = draws.between(-8.0, 8.0) * std::numbers::pi / 180.0;
    const double scale_x = draws.between(0.92, 1.08);
    const double scale_y = draws.between(0.92, 1.08);
    const double shear = draws.between(-0.1, 0.1);
    const double shift_x = draws.between(-1.0, 1.0) * oversampling;
    const double shift_y = draws.between(-1.0, 1.0) * oversampling;
    const double middle = canvas / 2.0;
    // rotation · shear · scale
    const cv::Matx22d linear =
        cv::Matx22d(std::cos(angle), -std::sin(angle), std::sin(angle), std::cos(angle)) *
        cv::Matx22d(1.0, shear, 0.0, 1.0) * cv::Matx22d(scale_x, 0.0, 0.0, scale_y);
    const cv::Vec2d moved = linear * cv::Vec2d(middle, middle);
    const cv::Matx23d affine(linear(0, 0), linear(0, 1), middle - moved[0] + shift_x,  //
                             linear(1, 0), linear(1, 1), middle - moved[1] + shift_y);
    cv::Mat bent;
    cv::warpAffine(picture, bent, affine, picture.size(), cv::INTER_LINEAR);
    cv::Mat small;
    cv::resize(bent, small, {side, side}, 0.0, 0.0, cv::INTER_AREA);
    return small;
}

cv::Mat symbol(const std::string& text, std::uint32_t number) {
    Draws draws(static_cast<unsigned char>(text[0]), number);
    const cv::Mat picture = draw_text(text, draws);
    return bend(picture, draws);
}

/// As an 8-bit gray PNG, packed as small as it goes. An error of libpng's ends the program.
void write(const fs::path& path, const cv::Mat& picture) {
    std::FILE* file = std::fopen(path.c_str(), "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
    png_infop info = png != nullptr ? png_create_info_struct(png) : nullptr;
    if (file == nullptr || info == nullptr) {
        throw std::runtime_error(path.string() + ": cannot be written");
    }
    png_init_io(png, file);
    png_set_compression_level(png, 9);
    png_set_compression_strategy(png, 0);  // zlib's default, whatever the filters
    png_set_IHDR(png, info, static_cast<png_uint_32>(picture.cols), static_cast<png_uint_32>(picture.rows), 8,
                 PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    for (int y = 0; y < picture.rows; ++y) {
        png_write_row(png, picture.ptr(y));
    }
    png_write_end(png, info);
    png_destroy_write_struct(&png, &info);
    if (std::fclose(file) != 0) {
        throw std::runtime_error(path.string() + ": cannot be written");
    }
}

void make(const fs::path& folder) {
    const fs::path recognize = folder / "recognize";
    fs::create_directories(recognize);
    for (int digit = 0; digit < 10; ++digit) {
        const std::string text = std::to_string(digit);
        const fs::path train = folder / "train" / text;
        fs::create_directories(train);
        for (std::uint32_t number = 0; number < pictures_a_class; ++number) {
            std::string name = std::to_string(number);
            name.insert(0, 3 - name.size(), '0');
            write(train / (name + ".png"), symbol(text, number));
        }
        write(recognize / ("digit-" + text + ".png"), symbol(text, first_unseen));
    }
    write(recognize / "letter-W.png", symbol("W", first_unseen));
    Draws draws('*', first_unseen);
    write(recognize / "star.png", bend(draw_star(), draws));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("Usage: make_sample_images FOLDER\n", stderr);
        return 2;
    }
    try {
        make(argv[1]);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "make_sample_images: %s\n", error.what());
        return 1;
    }
    return 0;
}
