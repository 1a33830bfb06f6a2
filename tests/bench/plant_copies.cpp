// Fills a folder with pictures and with copies of some of them, to measure with.
//
//   plant_copies FOLDER PICTURES EVERY KINDS SOURCE|SIDE
//
// PICTURES originals, `00000012.jpg`, of each `EVERY`th copies of all KINDS, `00000012.crop.jpg`. KINDS: a
// list such as crop,mirror of the names below. SOURCE: a folder of pictures of which as many as there are
// become the originals, spread evenly; SIDE: they are drawn, so many pixels a side: spots and edges. The same
// arguments give the same files.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/threads.hpp"
#include "support/scenes.hpp"

namespace {

namespace fs = std::filesystem;
using stackae::base::Random;
using stackae::base::RandomStream;

cv::Mat draw(std::uint64_t seed, int side) {
    const auto gray = stackae::test::Scene(seed).draw(side, side);
    cv::Mat picture(side, side, CV_8UC1);
    std::transform(gray.data(), gray.data() + gray.size(), picture.data,
                   [](float value) { return static_cast<std::uint8_t>(std::lround(255.0F * value)); });
    return picture;
}

/// In its frame; what comes in from outside is white.
cv::Mat turned(const cv::Mat& picture, double degrees) {
    const cv::Point2f middle(static_cast<float>(picture.cols - 1) / 2.0F,
                             static_cast<float>(picture.rows - 1) / 2.0F);
    cv::Mat result;
    cv::warpAffine(picture, result, cv::getRotationMatrix2D(middle, degrees, 1.0), picture.size(),
                   cv::INTER_LINEAR, cv::BORDER_CONSTANT, cv::Scalar::all(255.0));
    return result;
}

/// share: of each side that is left; right, down: of what is cut off, how much on the left and above.
cv::Mat cut(const cv::Mat& picture, double share, double right, double down) {
    const int width = std::max(1, static_cast<int>(std::lround(share * picture.cols)));
    const int height = std::max(1, static_cast<int>(std::lround(share * picture.rows)));
    const cv::Rect inside(static_cast<int>(right * (picture.cols - width)),
                          static_cast<int>(down * (picture.rows - height)), width, height);
    return picture(inside).clone();
}

cv::Mat resized(const cv::Mat& picture, double across, double down) {
    cv::Mat result;
    cv::resize(picture, result, {}, across, down, cv::INTER_AREA);
    return result;
}

cv::Mat flipped(const cv::Mat& picture, int axis) {
    cv::Mat result;
    cv::flip(picture, result, axis);
    return result;
}

cv::Mat lit(const cv::Mat& picture, double by) {
    cv::Mat result;
    picture.convertTo(result, -1, by);
    return result;
}

/// What is done to a picture; random: two numbers in [0, 1).
using Alter = cv::Mat (*)(const cv::Mat& picture, const std::array<float, 2>& random);
using Random2 = const std::array<float, 2>&;

const std::map<std::string, Alter>& alterations() {
    static const std::map<std::string, Alter> all{
        {"jpeg30", [](const cv::Mat& picture, Random2 /*random*/) { return picture; }},
        {"half", [](const cv::Mat& picture, Random2 /*random*/) { return resized(picture, 0.5, 0.5); }},
        {"wide", [](const cv::Mat& picture, Random2 /*random*/) { return resized(picture, 0.9, 0.6); }},
        {"crop",
         [](const cv::Mat& picture, Random2 at) { return cut(picture, std::sqrt(0.8), at[0], at[1]); }},
        {"crop_sides", [](const cv::Mat& picture, Random2 at) { return cut(picture, 0.8, at[0], at[1]); }},
        {"mirror", [](const cv::Mat& picture, Random2 /*random*/) { return flipped(picture, 1); }},
        {"flip", [](const cv::Mat& picture, Random2 /*random*/) { return flipped(picture, 0); }},
        {"turn90",
         [](const cv::Mat& picture, Random2 /*random*/) {
             cv::Mat result;
             cv::rotate(picture, result, cv::ROTATE_90_CLOCKWISE);
             return result;
         }},
        {"turn25",
         [](const cv::Mat& picture, Random2 way) { return turned(picture, way[0] < 0.5F ? -25 : 25); }},
        {"brighter", [](const cv::Mat& picture, Random2 /*random*/) { return lit(picture, 1.3); }},
        {"darker", [](const cv::Mat& picture, Random2 /*random*/) { return lit(picture, 0.7); }},
        {"blur",
         [](const cv::Mat& picture, Random2 /*random*/) {
             cv::Mat result;
             cv::GaussianBlur(picture, result, {}, std::min(picture.cols, picture.rows) / 120.0 + 0.5);
             return result;
         }},
        {"border",
         [](const cv::Mat& picture, Random2 colour) {
             cv::Mat result;
             const int wide = std::max(1, std::min(picture.cols, picture.rows) / 15);
             cv::copyMakeBorder(picture, result, wide, wide, wide, wide, cv::BORDER_CONSTANT,
                                cv::Scalar::all(colour[0] < 0.5F ? 0.0 : 255.0));
             return result;
         }},
        {"text", [](const cv::Mat& picture, Random2 at) {
             cv::Mat result = picture.clone();
             const double height = picture.rows / 220.0;
             cv::putText(result, "COPY 2024",
                         {picture.cols / 20, static_cast<int>((0.3 + 0.5 * at[0]) * picture.rows)},
                         cv::FONT_HERSHEY_SIMPLEX, 1.2 * height, cv::Scalar::all(255.0),
                         std::max(1, static_cast<int>(2.5 * height)));
             return result;
         }}};
    return all;
}

std::vector<std::string> pictures_in(const std::string& folder) {
    std::vector<std::string> paths;
    for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
        if (entry.is_regular_file()) {
            paths.push_back(entry.path().string());
        }
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

void write(const fs::path& path, const cv::Mat& picture, int quality) {
    if (!cv::imwrite(path.string(), picture, {cv::IMWRITE_JPEG_QUALITY, quality})) {
        throw std::runtime_error(path.string() + ": cannot be written");
    }
}

void plant(const fs::path& folder, std::int64_t count, std::int64_t every,
           const std::vector<std::string>& kinds, const std::vector<std::string>& source, int side) {
    if (!source.empty()) {
        count = std::min(count, static_cast<std::int64_t>(source.size()));
    }
    stackae::base::parallel_for(count, stackae::base::resolve_threads(0), [&] {
        return [&](std::int64_t i) {
            const cv::Mat picture = source.empty()
                                        ? draw(static_cast<std::uint64_t>(i) + 1, side)
                                        : cv::imread(source[static_cast<std::size_t>(
                                              i * static_cast<std::int64_t>(source.size()) / count)]);
            if (picture.empty()) {
                return;
            }
            const std::string name = fmt::format("{:08}", i);
            write(folder / (name + ".jpg"), picture, 90);
            for (std::size_t k = 0; i % every == 0 && k < kinds.size(); ++k) {
                const Random random(0, RandomStream::plan, static_cast<std::uint32_t>(i), 1);
                const auto block = random.block(static_cast<std::uint32_t>(k));
                const std::array<float, 2> numbers{Random::uniform(block[0]), Random::uniform(block[1])};
                const int quality = kinds[k] == "jpeg30" ? 30 : 70 + static_cast<int>(block[2] % 25);
                write(folder / fmt::format("{}.{}.jpg", name, kinds[k]),
                      alterations().at(kinds[k])(picture, numbers), quality);
            }
        };
    });
}

}  // namespace

int main(int count, char** arguments) {
    try {
        if (count != 6) {
            throw std::runtime_error("plant_copies FOLDER PICTURES EVERY KINDS SOURCE|SIDE");
        }
        std::vector<std::string> kinds;
        const std::string list = arguments[4];
        for (std::size_t from = 0; from <= list.size();
             from = std::min(list.find(',', from), list.size()) + 1) {
            kinds.push_back(list.substr(from, list.find(',', from) - from));
            if (!alterations().contains(kinds.back())) {
                throw std::runtime_error("no kind of copy: " + kinds.back());
            }
        }
        fs::create_directories(arguments[1]);
        const bool drawn = !fs::is_directory(arguments[5]);
        plant(arguments[1], std::stoll(arguments[2]), std::stoll(arguments[3]), kinds,
              drawn ? std::vector<std::string>() : pictures_in(arguments[5]),
              drawn ? std::stoi(arguments[5]) : 0);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "plant_copies: %s\n", error.what());
        return 1;
    }
    return 0;
}
