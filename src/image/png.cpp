#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>

#include "stackae/error.hpp"
#include "stackae/pictures.hpp"

#include "core/file_io.hpp"

namespace stackae {

void write_png(const std::string& path, const Tensor& picture) {
    const std::vector<std::int64_t>& shape = picture.shape();
    constexpr std::int64_t most_side = 1 << 20;
    const std::int64_t channels = shape.size() == 3 ? shape[2] : 1;
    if (shape.size() < 2 || shape.size() > 3 || picture.empty() || (channels != 1 && channels != 3) ||
        shape[0] > most_side || shape[1] > most_side) {
        throw InvalidArgument(
            fmt::format("{}: writing a picture: shape {} found, h×w, h×w×1 or h×w×3 expected", path,
                        fmt::join(shape, "×")));
    }
    cv::Mat pixels(static_cast<int>(shape[0]), static_cast<int>(shape[1]),
                   CV_8UC(static_cast<int>(channels)));
    const std::span<const float> values = picture.values();
    const auto step = static_cast<std::size_t>(channels);
    for (std::size_t i = 0; i < values.size(); i += step) {
        for (std::size_t c = 0; c < step; ++c) {
            const float value = values[i + c];  // NaN becomes 0
            const float unit = value > 0.0F ? std::min(value, 1.0F) : 0.0F;
            pixels.data[i + step - 1 - c] = static_cast<uchar>(std::lround(unit * 255.0F));
        }
    }
    std::vector<uchar> encoded;
    try {
        cv::imencode(".png", pixels, encoded);
    } catch (const cv::Exception& error) {
        throw BackendError(fmt::format("{}: encoding PNG: {}", path, error.err));
    }
    core::AtomicFile file(path);
    file.write(std::as_bytes(std::span(encoded)));
    file.commit();
}

}  // namespace stackae
