#include "stackae/anomaly_maps.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>

#include "stackae/image_dataset.hpp"
#include "stackae/visualize.hpp"

namespace stackae {
namespace {

/// How much of a colour covers the picture, at most.
constexpr float most_cover = 0.65F;

}  // namespace

Tensor draw_anomaly_map(const PatchMemory& memory, std::span<const float> picture, const AnomalyScore& score,
                        double threshold) {
    const Shape shape = memory.preprocessing.shape();
    const Tensor map = enlarge_map(score.map, shape.height, shape.width);
    Tensor one({1, shape.size()});
    std::copy(picture.begin(), picture.end(), one.data());
    const Tensor pixels = to_pixels(memory.preprocessing, one);
    Tensor drawn({shape.height, shape.width, 3});
    // Where the mean over a share of positions decides, single ones of good pictures lie far above it.
    const auto full = static_cast<float>(std::max(threshold, 1.0) * (memory.rule.share > 0.0 ? 2.0 : 1.0));
    for (std::int64_t p = 0; p < shape.height * shape.width; ++p) {
        float gray = 0.0F;
        for (std::int64_t c = 0; c < shape.channels; ++c) {
            gray += pixels.data()[p * shape.channels + c] / static_cast<float>(shape.channels);
        }
        const float odd = std::clamp(map.data()[p] / full, 0.0F, 2.0F);
        const float cover = most_cover * std::clamp(odd - 0.3F, 0.0F, 1.0F);
        const float red = 1.0F;
        const float green = std::clamp(2.0F - odd, 0.0F, 1.0F);
        drawn.data()[3 * p] = gray + cover * (red - gray);
        drawn.data()[3 * p + 1] = gray + cover * (green - gray);
        drawn.data()[3 * p + 2] = gray * (1.0F - cover);
    }
    return drawn;
}

std::optional<std::size_t> anomaly_map_number(const std::string& file_name) {
    constexpr std::size_t digits = 6;
    const std::size_t end = std::min(file_name.find_first_not_of("0123456789"), file_name.size());
    std::size_t number = 0;
    const bool fits = std::from_chars(file_name.data(), file_name.data() + end, number).ec == std::errc();
    if (!fits || end < digits || !file_name.substr(end).starts_with('-') ||
        !(file_name.ends_with(".png") || file_name.ends_with(".npy"))) {
        return std::nullopt;
    }
    return number;
}

std::vector<std::string> anomaly_map_files(const std::string& folder, std::size_t number,
                                           const std::string& path, bool raw) {
    constexpr std::size_t longest = 100;
    std::string stem = std::filesystem::path(path).filename().string();
    std::replace(stem.begin(), stem.end(), '#', '-');
    if (stem.size() > longest) {
        stem.resize(longest);
    }
    const std::string base = (std::filesystem::path(folder) / fmt::format("{:06}-{}", number, stem)).string();
    std::vector<std::string> files{base + ".png"};
    if (raw) {
        files.push_back(base + ".npy");
    }
    return files;
}

void write_anomaly_map(const std::string& folder, std::size_t number, const std::string& path,
                       const PatchMemory& memory, std::span<const float> picture, const AnomalyScore& score,
                       double threshold, bool raw) {
    const std::vector<std::string> names = anomaly_map_files(folder, number, path, raw);
    write_png(names.front(), draw_anomaly_map(memory, picture, score, threshold));
    if (raw) {
        const Shape shape = memory.preprocessing.shape();
        const Tensor map = enlarge_map(score.map, shape.height, shape.width);
        Tensor numbers({1, shape.height, shape.width, 1});
        std::copy_n(map.data(), map.size(), numbers.data());
        OutputFiles files;
        OutputFile file = files.add(names.back());
        write_npy(file, numbers);
        file.commit();
    }
}

}  // namespace stackae
