#include <cmath>
#include <numeric>

#include "stackae/error.hpp"

#include "data/make.hpp"

namespace stackae {
namespace {

using namespace test;

std::vector<double> prepared(const cv::Mat& pixels, const Preprocessing& preprocessing) {
    const TemporaryFolder folder;
    write_text(folder / "a.png", encode(".png", pixels));
    return values_of(folder / "a.png", preprocessing);
}

double mean_of(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

TEST_CASE("A picture of the preprocessing's size is scaled by 1/255 and nothing else") {
    const cv::Mat pixels = gray_ramp(28, 28);
    const std::vector<double> values = prepared(pixels, preprocessing_of(1, 28, 28));
    for (int i = 0; i < 784; ++i) {
        REQUIRE(values[static_cast<std::size_t>(i)] ==
                255.0 * static_cast<double>(static_cast<float>(pixels.data[i]) / 255.0F));
    }
}

TEST_CASE("An IDX picture gives exactly the values of the same picture as a PNG") {
    const TemporaryFolder folder;
    const cv::Mat pixels = gray_ramp(28, 28);
    write_text(folder / "a.idx", idx({1, 28, 28}, {reinterpret_cast<const char*>(pixels.data), 784}));
    write_text(folder / "a.png", encode(".png", pixels));
    for (const int side : {28, 14, 40, 9}) {
        for (const int channels : {1, 3}) {
            Preprocessing preprocessing = preprocessing_of(channels, side, side, ResizeMode::border);
            CHECK(values_of(folder / "a.idx", preprocessing) == values_of(folder / "a.png", preprocessing));
            preprocessing.contrast = true;
            CHECK(values_of(folder / "a.idx", preprocessing) == values_of(folder / "a.png", preprocessing));
        }
    }
}

TEST_CASE("Squash averages areas downwards, also where the other side grows") {
    const cv::Mat stripes = (cv::Mat_<uchar>(1, 8) << 0, 200, 0, 200, 0, 200, 0, 200);
    CHECK(farthest(prepared(stripes, preprocessing_of(1, 1, 2)), {100, 100}) < 1e-3);
    const cv::Mat wide = (cv::Mat_<uchar>(1, 8) << 0, 200, 0, 200, 100, 100, 100, 100);
    CHECK(farthest(prepared(wide, preprocessing_of(1, 3, 2)), {100, 100, 100, 100, 100, 100}) < 1e-3);
}

TEST_CASE("Values of a small range are not rounded to whole steps when a picture shrinks") {
    const TemporaryFolder folder;
    std::string black_and_white = "P5 4 4 1\n";
    std::string bytes = "P5 4 4 255\n";
    for (int i = 0; i < 16; ++i) {
        black_and_white += i == 5 ? '\1' : '\0';
        bytes += i == 5 ? '\xff' : '\0';
    }
    write_text(folder / "a.pgm", black_and_white);
    write_text(folder / "b.pgm", bytes);
    CHECK(farthest(values_of(folder / "a.pgm", preprocessing_of(1, 1, 1)), {255.0 / 16}) < 1e-3);
    CHECK(farthest(values_of(folder / "a.pgm", preprocessing_of(1, 2, 2)),
                   values_of(folder / "b.pgm", preprocessing_of(1, 2, 2))) < 1.0);
}

TEST_CASE("Growing is bilinear") {
    const cv::Mat two = (cv::Mat_<uchar>(1, 2) << 0, 200);
    CHECK(farthest(prepared(two, preprocessing_of(1, 1, 4)), {0, 50, 150, 200}) < 1.0);
}

TEST_CASE("Border keeps proportions and fills with the background") {
    const cv::Mat tall(8, 4, CV_8UC1, cv::Scalar(200));
    Preprocessing preprocessing = preprocessing_of(1, 4, 4, ResizeMode::border);
    preprocessing.background = 0.25F;
    const std::vector<double> values = prepared(tall, preprocessing);
    for (std::size_t i = 0; i < 16; ++i) {
        CHECK(values[i] == Approx(i % 4 == 1 || i % 4 == 2 ? 200.0 : 63.75));
    }
    const cv::Mat thin(1, 3000, CV_8UC1, cv::Scalar(200));  // never less than a pixel high
    CHECK(mean_of(prepared(thin, preprocessing)) == Approx((4 * 200.0 + 12 * 63.75) / 16));
}

TEST_CASE("Center cuts the middle out") {
    cv::Mat wide(4, 12, CV_8UC1, cv::Scalar(0));
    wide.colRange(4, 8) = 200;
    CHECK(farthest(prepared(wide, preprocessing_of(1, 2, 2, ResizeMode::center)), {200, 200, 200, 200}) <
          1e-3);
    CHECK(farthest(prepared(wide.t(), preprocessing_of(1, 2, 2, ResizeMode::center)), {200, 200, 200, 200}) <
          1e-3);
    const cv::Mat thin(1, 30000, CV_8UC1, cv::Scalar(200));
    CHECK(mean_of(prepared(thin, preprocessing_of(1, 64, 64, ResizeMode::center))) == Approx(200.0));
}

TEST_CASE("Gray pictures fill all three channels of colour preprocessing") {
    const cv::Mat two = (cv::Mat_<uchar>(1, 2) << 10, 200);
    CHECK(farthest(prepared(two, preprocessing_of(3, 1, 2)), {10, 10, 10, 200, 200, 200}) < 1e-4);
}

TEST_CASE("Contrast normalisation gives mean 0 and deviation near 1, and no NaN") {
    Preprocessing preprocessing = preprocessing_of(1, 6, 6);
    preprocessing.contrast = true;
    std::vector<double> values = prepared(gray_ramp(6, 6), preprocessing);
    double squares = 0.0;
    for (double& value : values) {
        value /= 255.0;
        squares += value * value;
    }
    CHECK(mean_of(values) == Approx(0.0).margin(1e-6));
    CHECK(squares / 36 == Approx(1.0).margin(0.1));
    CHECK(squares / 36 < 1.0);  // the epsilon
    for (const double value : prepared(cv::Mat(6, 6, CV_8UC1, cv::Scalar(77)), preprocessing)) {
        CHECK(value == Approx(0.0).margin(1e-5));
    }
}

TEST_CASE("Standardisation follows contrast, value by value") {
    const cv::Mat two = (cv::Mat_<uchar>(1, 2) << 51, 255);
    Preprocessing preprocessing = preprocessing_of(1, 1, 2);
    preprocessing.mean = {0.2F, 0.5F};
    preprocessing.deviation = {1.0F, 0.25F};
    CHECK(farthest(prepared(two, preprocessing), {0.0, 2.0 * 255.0}) < 1e-3);
}

TEST_CASE("Preprocessing with a field out of range is refused by the field's name") {
    const auto refused = [](void (*spoil)(Preprocessing&), const std::string& field) {
        Preprocessing preprocessing = preprocessing_of(1, 2, 2);
        REQUIRE_NOTHROW(validate(preprocessing));
        spoil(preprocessing);
        CHECK_THROWS_AS(validate(preprocessing), InvalidArgument);
        CHECK_THROWS_WITH(validate(preprocessing), contains(field));
    };
    refused([](Preprocessing& r) { r.channels = 2; }, "channels: 2 found");
    refused([](Preprocessing& r) { r.height = 0; }, "height: 0 found");
    refused([](Preprocessing& r) { r.width = 4097; }, "width: 4097 found, 1 to 4096 expected");
    refused([](Preprocessing& r) { r.height = 1, r.width = 16777217; },
            "width: 16777217 found, 1 to 16777216");
    refused([](Preprocessing& r) { r.background = -0.5F; }, "background");
    refused([](Preprocessing& r) { r.background = std::nanf(""); }, "background");
    refused([](Preprocessing& r) { r.contrast_epsilon = 0.0F; }, "contrast_epsilon");
    refused([](Preprocessing& r) { r.mean = {1.0F}; }, "1 means and 0 deviations found, 4 or none");
    refused([](Preprocessing& r) { r.deviation = {1, 1, 1, 1}; }, "0 means and 4 deviations");
    refused(
        [](Preprocessing& r) {
            r.mean = {0, 0, 0, 0};
            r.deviation = {1, 1, -1, 1};
        },
        "deviation: -1 found, 0 or more");
    refused([](Preprocessing& r) { r.resize = static_cast<ResizeMode>(9); }, "resize");
}

}  // namespace stackae
