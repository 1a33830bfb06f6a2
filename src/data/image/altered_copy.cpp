#include "data/image/altered_copy.hpp"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "base/enum_names.hpp"
#include "data/image/formats.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<data::Alteration> =
    base::names_of<data::Alteration>("alteration", {{data::Alteration::jpeg, "jpeg"},
                                                    {data::Alteration::half, "half"},
                                                    {data::Alteration::crop, "crop"},
                                                    {data::Alteration::blur, "blur"},
                                                    {data::Alteration::brighter, "brighter"},
                                                    {data::Alteration::darker, "darker"},
                                                    {data::Alteration::border, "border"},
                                                    {data::Alteration::text, "text"},
                                                    {data::Alteration::turn, "turn"},
                                                    {data::Alteration::mirror, "mirror"},
                                                    {data::Alteration::rotate90, "rotate90"}});
template const char* name(data::Alteration);

namespace data {
namespace {

constexpr int jpeg_quality = 30;
constexpr double least_crop = 0.8;  ///< of a side
constexpr double most_crop = 0.95;
constexpr double least_turn = 5.0;  ///< degrees
constexpr double most_turn = 25.0;
constexpr double white = 255.0;

cv::Mat cropped(const cv::Mat& picture, const base::Random& random) {
    const double share =
        least_crop + (most_crop - least_crop) * double{base::Random::uniform(random.block(3)[0])};
    const cv::Size size(static_cast<int>(share * picture.cols), static_cast<int>(share * picture.rows));
    const auto room = [](int all, int part) { return static_cast<std::uint64_t>(all - part + 1); };
    const auto x = static_cast<int>(random.below(0, room(picture.cols, size.width)));
    const auto y = static_cast<int>(random.below(1, room(picture.rows, size.height)));
    return picture(cv::Rect(cv::Point(x, y), size)).clone();
}

cv::Mat framed(const cv::Mat& picture, double colour) {
    const int wide = std::max(1, picture.rows / 10);
    cv::Mat out;
    cv::copyMakeBorder(picture, out, wide, wide, wide, wide, cv::BORDER_CONSTANT, cv::Scalar(colour));
    return out;
}

cv::Mat lettered(const cv::Mat& picture) {
    cv::Mat out = picture.clone();
    const double share = picture.cols / 260.0;
    cv::putText(out, "SAMPLE TEXT", {picture.cols / 10, picture.rows / 2}, cv::FONT_HERSHEY_SIMPLEX, share,
                cv::Scalar(white), std::max(1, picture.cols / 80));
    return out;
}

cv::Mat turned(const cv::Mat& picture, double degrees) {
    const cv::Point2f middle(static_cast<float>(picture.cols) / 2.0F,
                             static_cast<float>(picture.rows) / 2.0F);
    cv::Mat out;
    cv::warpAffine(picture, out, cv::getRotationMatrix2D(middle, degrees, 1.0), picture.size());
    return out;
}

cv::Mat altered(const cv::Mat& picture, Alteration alteration, const base::Random& random) {
    cv::Mat out;
    switch (alteration) {
        case Alteration::jpeg: {
            const std::vector<std::byte> file = encode_jpeg(picture, jpeg_quality);
            return decode_jpeg(file, {.limits = {}}).pixels;
        }
        case Alteration::half:
            cv::resize(picture, out, {}, 0.5, 0.5, cv::INTER_AREA);
            return out;
        case Alteration::crop:
            return cropped(picture, random);
        case Alteration::blur:
            cv::GaussianBlur(picture, out, {}, std::max(0.5, picture.cols / 100.0));
            return out;
        case Alteration::brighter:
            cv::convertScaleAbs(picture, out, 1.3);
            return out;
        case Alteration::darker:
            cv::convertScaleAbs(picture, out, 0.7);
            return out;
        case Alteration::border:
            return framed(picture, random.below(2, 2) == 0 ? 0.0 : white);
        case Alteration::text:
            return lettered(picture);
        case Alteration::turn: {
            const double by =
                least_turn + (most_turn - least_turn) * double{base::Random::uniform(random.block(3)[0])};
            return turned(picture, random.below(2, 2) == 0 ? by : -by);
        }
        case Alteration::mirror:
            cv::flip(picture, out, 1);
            return out;
        case Alteration::rotate90:
            cv::rotate(picture, out,
                       random.below(2, 2) == 0 ? cv::ROTATE_90_CLOCKWISE : cv::ROTATE_90_COUNTERCLOCKWISE);
            return out;
    }
    return picture;
}

}  // namespace

std::vector<float> altered_copy(std::span<const float> picture, int side, Alteration alteration,
                                const base::Random& random, int to) {
    cv::Mat bytes(side, side, CV_8U);
    std::transform(picture.begin(), picture.end(), bytes.begin<std::uint8_t>(), [](float value) {
        return static_cast<std::uint8_t>(std::lround(std::clamp(value, 0.0F, 1.0F) * 255.0F));
    });
    const cv::Mat copy = altered(bytes, alteration, random);
    cv::Mat values;
    copy.convertTo(values, CV_32F, 1.0 / white);
    const cv::Size size(to, to);
    cv::Mat out;
    cv::resize(values, out, size, 0.0, 0.0,
               copy.cols >= to && copy.rows >= to ? cv::INTER_AREA : cv::INTER_LINEAR);
    return {out.begin<float>(), out.end<float>()};
}

}  // namespace data
}  // namespace stackae
