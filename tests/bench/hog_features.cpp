// Writes histograms of oriented gradients (HOG; Dalal & Triggs 2005) of pictures, to measure beside a model's
// features.
//
//   hog_features PICTURES OUT.npy
//
// Pictures are read as `stackae` reads them, in its order. Each is made gray and brought to 64 x 64 pixels;
// cells are of 8 x 8 pixels with 9 directions, blocks of 2 x 2 cells, one cell apart: 7 x 7 x 4 x 9 = 1,764
// numbers. OUT.npy.csv names the rows as `stackae evaluate OUT.npy --labels OUT.npy.csv` takes them.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <opencv2/objdetect.hpp>
#include <stackae/features.hpp>
#include <stackae/image_dataset.hpp>
#include <string>
#include <vector>

namespace {

constexpr int side = 64;
constexpr int cell = 8;
constexpr int directions = 9;

stackae::Preprocessing gray_squares() {
    stackae::Preprocessing preprocessing;
    preprocessing.channels = 1;
    preprocessing.height = side;
    preprocessing.width = side;
    preprocessing.resize = stackae::ResizeMode::squash;
    return preprocessing;
}

/// n × 1,764, of pictures of side × side values from 0 to 1.
stackae::Tensor features_of(const cv::HOGDescriptor& hog, const stackae::Tensor& pictures) {
    const auto size = static_cast<std::int64_t>(hog.getDescriptorSize());
    stackae::Tensor features({pictures.rows(), size});
    cv::Mat pixels(side, side, CV_8UC1);
    std::vector<float> values;
    for (std::int64_t i = 0; i < pictures.rows(); ++i) {
        const auto picture = pictures.row(i);
        std::transform(picture.begin(), picture.end(), pixels.begin<std::uint8_t>(),
                       [](float value) { return static_cast<std::uint8_t>(255.0F * value + 0.5F); });
        hog.compute(pixels, values);
        std::copy_n(values.begin(), size, features.row(i).begin());
    }
    return features;
}

void write_features(const std::string& folder, const std::string& path) {
    const cv::HOGDescriptor hog({side, side}, {2 * cell, 2 * cell}, {cell, cell}, {cell, cell}, directions);
    const auto pictures = stackae::ImageDataset::open(folder);
    stackae::PictureReader reader(pictures, gray_squares());
    stackae::FeatureWriter writer(path, stackae::FeatureFormat::npy,
                                  static_cast<std::int64_t>(hog.getDescriptorSize()), pictures.labelled());
    const std::string name = std::filesystem::path(path).filename().string();
    std::int64_t row = 0;
    for (stackae::PictureBatch batch; reader.next(batch);) {
        std::vector<stackae::FeatureRow> rows;
        for (const std::int64_t i : batch.indices) {
            rows.push_back({fmt::format("{}#{}", name, row++), pictures.entry(i).label});
        }
        writer.write(rows, features_of(hog, batch.pictures));
        for (const stackae::SkippedPicture& skipped : batch.skipped) {
            fmt::print(stderr, "skipped {}: {}\n", pictures.entry(skipped.index).path, skipped.reason);
        }
    }
    writer.finish();
}

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 3) {
        std::fputs("Usage: hog_features PICTURES OUT.npy\n", stderr);
        return 2;
    }
    write_features(argv[1], argv[2]);
    return 0;
} catch (const std::exception& error) {
    fmt::print(stderr, "hog_features: {}\n", error.what());
    return 1;
}
