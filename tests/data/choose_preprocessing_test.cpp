#include <algorithm>
#include <cmath>
#include <filesystem>

#include "stackae/error.hpp"

#include "data/make.hpp"

namespace stackae {
namespace {

using namespace test;

/// A folder of PNGs of these sizes (height × width), gray or colour.
void put(const TemporaryFolder& folder, const std::vector<cv::Mat>& pictures) {
    for (std::size_t i = 0; i < pictures.size(); ++i) {
        write_text(folder / (std::to_string(i) + ".png"), encode(".png", pictures[i]));
    }
}

}  // namespace

TEST_CASE("The preprocessing is gray when all pictures are, also those stored as colour") {
    const TemporaryFolder folder;
    cv::Mat as_colour;
    cv::merge(std::vector<cv::Mat>(3, gray_ramp(5, 5)), as_colour);
    cv::Mat clear(5, 5, CV_8UC4, cv::Scalar(9, 9, 9, 128));
    clear.at<cv::Vec4b>(2, 2) = cv::Vec4b(1, 2, 3, 0);  // a colour that nobody sees
    put(folder, {gray_ramp(5, 5), as_colour, clear});
    write_text(folder / "g.jpg", encode(".jpg", as_colour));
    CHECK(choose_preprocessing(ImageDataset::open(folder.path()), {}).channels == 1);
    cv::Mat tinted = as_colour.clone();
    tinted.at<cv::Vec3b>(4, 4) = cv::Vec3b(1, 2, 3);
    write_text(folder / "z.png", encode(".png", tinted));
    CHECK(choose_preprocessing(ImageDataset::open(folder.path()), {}).channels == 3);
}

TEST_CASE("The preprocessing has the median size, at most 64 on the longer side") {
    const TemporaryFolder folder;
    put(folder, {gray_ramp(10, 20), gray_ramp(12, 30), gray_ramp(300, 400)});
    Preprocessing preprocessing = choose_preprocessing(ImageDataset::open(folder.path()), {});
    CHECK(preprocessing.height == 12);
    CHECK(preprocessing.width == 30);
    const TemporaryFolder large;
    write_text(large / "a.jpg", encode(".jpg", colour_scene(1000, 500)));
    preprocessing = choose_preprocessing(ImageDataset::open(large.path()), {});
    CHECK(preprocessing.height == 64);
    CHECK(preprocessing.width == 32);
    CHECK(preprocessing.channels == 3);
}

TEST_CASE("What is asked for is kept, the other side follows the proportions") {
    const TemporaryFolder folder;
    put(folder, {gray_ramp(20, 40)});
    PreprocessingOptions options;
    options.height = 10;
    options.channels = 3;
    options.resize = ResizeMode::center;
    options.background = 0.75F;
    options.contrast = true;
    const Preprocessing preprocessing = choose_preprocessing(ImageDataset::open(folder.path()), options);
    CHECK(preprocessing.height == 10);
    CHECK(preprocessing.width == 20);
    CHECK(preprocessing.channels == 3);
    CHECK(preprocessing.resize == ResizeMode::center);
    CHECK(preprocessing.background == 0.75F);
    CHECK(preprocessing.contrast);
    options.height = 0;
    CHECK_THROWS_AS(choose_preprocessing(ImageDataset::open(folder.path()), options), InvalidArgument);
}

TEST_CASE("Long thin pictures never get the height of rows, which would refuse them") {
    const TemporaryFolder folder;
    put(folder, {gray_ramp(3, 600)});
    const ImageDataset pictures = ImageDataset::open(folder.path());
    const Preprocessing preprocessing = choose_preprocessing(pictures, {});
    CHECK(preprocessing.height == 2);
    CHECK(preprocessing.width == 64);
    CHECK(read_all(pictures, preprocessing).skipped.empty());
    PreprocessingOptions options;
    options.height = 1;
    CHECK_THROWS_WITH(choose_preprocessing(pictures, options), contains("pictures of 600 × 3 pixels"));
}

TEST_CASE("When no picture can be read, the first and its reason are named") {
    const TemporaryFolder folder;
    write_text(folder / "a.png", "text");
    write_text(folder / "b.png", "");
    PreprocessingOptions given;
    given.channels = 1;
    given.height = 8;
    given.width = 8;
    for (const PreprocessingOptions& options : {PreprocessingOptions{}, given}) {
        CHECK_THROWS_AS(choose_preprocessing(ImageDataset::open(folder.path()), options), InvalidArgument);
        CHECK_THROWS_WITH(choose_preprocessing(ImageDataset::open(folder.path()), options),
                          contains("none of 2 pictures can be read; the first, " + (folder / "a.png") +
                                   ": no known picture format"));
    }
}

TEST_CASE("Standardised pictures have mean 0 and deviation 1, constant pixels no NaN") {
    constexpr std::int64_t n = 700;
    Tensor values({n, 1, 3});
    for (std::int64_t i = 0; i < n; ++i) {
        values.row(i)[0] = 0.5F;
        values.row(i)[1] = static_cast<float>(i % 7) / 7.0F;
        values.row(i)[2] = i == 3 ? 1.0F : 0.0F;
    }
    const ImageDataset pictures = ImageDataset::from_tensor(std::move(values));
    PreprocessingOptions options;
    options.standardize = true;
    const Preprocessing preprocessing = choose_preprocessing(pictures, options);
    REQUIRE(preprocessing.mean.size() == 3);
    CHECK(preprocessing.deviation[0] == 0.0F);
    CHECK(preprocessing.mean[1] == Approx(3.0 / 7.0));
    CHECK(preprocessing.deviation[1] == Approx(2.0 / 7.0));  // sqrt((7² − 1) / 12) / 7
    CHECK(preprocessing.deviation[2] == Approx(std::sqrt(699.0) / 700.0));
    const PictureBatch batch = read_all(pictures, preprocessing);
    for (std::size_t column = 0; column < 3; ++column) {
        double sum = 0.0;
        double squares = 0.0;
        for (std::int64_t i = 0; i < n; ++i) {
            const double value = batch.pictures.row(i)[column];
            sum += value;
            squares += value * value;
        }
        CHECK(sum / n == Approx(0.0).margin(1e-5));
        CHECK(squares / n == Approx(column == 0 ? 0.0 : 1.0).margin(1e-4));
    }
    CHECK(choose_preprocessing(pictures, options, 1) == choose_preprocessing(pictures, options, 3));
}

TEST_CASE("Rows of numbers are standardised unless asked otherwise, or told to be pictures") {
    const TemporaryFolder folder;
    const std::vector<float> values{-5.0F, 7.0F, 1e9F, 0.0F, 15.0F, 7.0F, 3e9F, 0.0F};
    write_text(folder / "rows.npy", npy("<f4", "(2, 4)", bytes_of(values)));
    const ImageDataset pictures = ImageDataset::open(folder / "rows.npy");
    const Preprocessing preprocessing = choose_preprocessing(pictures, {});
    CHECK(preprocessing.mean == std::vector<float>{5.0F, 7.0F, 2e9F, 0.0F});
    CHECK(preprocessing.deviation == std::vector<float>{10.0F, 0.0F, 1e9F, 0.0F});
    const PictureBatch batch = read_all(pictures, preprocessing);
    const std::vector<float> found(batch.pictures.values().begin(), batch.pictures.values().end());
    CHECK(found == std::vector<float>{-1.0F, 0.0F, -1.0F, 0.0F, 1.0F, 0.0F, 1.0F, 0.0F});
    // What never changed when the preprocessing was chosen says nothing, also where it changes later.
    write_text(folder / "later.npy",
               npy("<f4", "(1, 4)", bytes_of(std::vector<float>{5.0F, 1000.0F, 2e9F, -3e38F})));
    const PictureBatch later = read_all(ImageDataset::open(folder / "later.npy"), preprocessing);
    CHECK(std::all_of(later.pictures.values().begin(), later.pictures.values().end(),
                      [](float value) { return value == 0.0F; }));
    PreprocessingOptions options;
    options.standardize = false;
    CHECK_THROWS_WITH(choose_preprocessing(pictures, options), contains("value -5 found at column 0"));
    options = {};
    options.height = 2;
    options.width = 2;
    CHECK_THROWS_WITH(choose_preprocessing(pictures, options), contains("takes any finite range"));
    options.standardize = true;
    CHECK(choose_preprocessing(pictures, options).mean == preprocessing.mean);
}

TEST_CASE("Rows of one unit, from 0 to 1, share a deviation unless asked otherwise") {
    const TemporaryFolder folder;
    const std::vector<float> values{0.0F, 0.25F, 0.5F, 1.0F, 0.25F, 0.75F};
    write_text(folder / "rows.npy", npy("<f4", "(2, 3)", bytes_of(values)));
    const ImageDataset pictures = ImageDataset::open(folder / "rows.npy");
    const Preprocessing preprocessing = choose_preprocessing(pictures, {});
    CHECK(preprocessing.mean == std::vector<float>{0.5F, 0.25F, 0.625F});
    const float shared = std::sqrt((0.25F + 0.015625F) / 2.0F);  // of the two that vary
    CHECK(preprocessing.deviation == std::vector<float>{shared, 0.0F, shared});
    PreprocessingOptions options;
    options.standardize = true;
    CHECK(choose_preprocessing(pictures, options).deviation == std::vector<float>{0.5F, 0.0F, 0.125F});
    // One value outside, and they are of units of their own.
    write_text(folder / "rows.npy",
               npy("<f4", "(2, 2)", bytes_of(std::vector<float>{0.0F, 0.5F, 1.5F, 1.0F})));
    CHECK(choose_preprocessing(ImageDataset::open(folder / "rows.npy"), {}).deviation ==
          std::vector<float>{0.75F, 0.25F});
}

TEST_CASE("Values far beyond a float's differences and far below 1 are standardised as others are") {
    const TemporaryFolder folder;
    const std::vector<float> values{-3e38F, 1e-12F, 3e38F, 3e-12F};
    write_text(folder / "rows.npy", npy("<f4", "(2, 2)", bytes_of(values)));
    const ImageDataset pictures = ImageDataset::open(folder / "rows.npy");
    const PictureBatch batch = read_all(pictures, choose_preprocessing(pictures, {}));
    for (std::int64_t i = 0; i < 4; ++i) {
        CHECK(batch.pictures.data()[i] == Approx(i < 2 ? -1.0 : 1.0).epsilon(1e-5));
    }
}

TEST_CASE("Pictures of floats outside of 0 to 1 are standardised, their border is the background") {
    const TemporaryFolder folder;
    const std::vector<float> values{-100.0F, 300.0F, 100.0F, 500.0F};  // two pictures of 2 × 1
    write_text(folder / "a.npy", npy("<f4", "(2, 2, 1)", bytes_of(values)));
    const ImageDataset pictures = ImageDataset::open(folder / "a.npy");
    PreprocessingOptions options;
    options.height = 2;
    options.width = 2;
    options.background = 0.5F;
    CHECK_THROWS_WITH(choose_preprocessing(pictures, options),
                      contains("value -100 found at row 0, column 0"));
    options.standardize = true;
    const Preprocessing preprocessing = choose_preprocessing(pictures, options);
    CHECK(preprocessing.mean == std::vector<float>{0.0F, 0.5F, 400.0F, 0.5F});
    CHECK(preprocessing.deviation == std::vector<float>{100.0F, 0.0F, 100.0F, 0.0F});
    const PictureBatch batch = read_all(pictures, preprocessing);
    const std::vector<float> found(batch.pictures.values().begin(), batch.pictures.values().end());
    CHECK(found == std::vector<float>{-1.0F, 0.0F, -1.0F, 0.0F, 1.0F, 0.0F, 1.0F, 0.0F});
}

}  // namespace stackae
