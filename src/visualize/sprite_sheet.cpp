#include "stackae/sprite_sheet.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

#include "stackae/error.hpp"

namespace stackae {
namespace {

constexpr std::int64_t least_thumbnail = 8;
constexpr std::int64_t colours = 3;

}  // namespace

SpriteSheet::SpriteSheet(std::int64_t n) {
    if (n < 1) {
        throw InvalidArgument(fmt::format("sprite: {} pictures found, 1 or more expected", n));
    }
    columns_ = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(n))));
    thumbnail_ = std::min(max_side / columns_, max_thumbnail);
    if (thumbnail_ < least_thumbnail) {
        thumbnail_ = 0;
    }
    const std::int64_t side = columns_ * thumbnail_;
    sheet_ = Tensor({side, side, colours});
    std::fill(sheet_.values().begin(), sheet_.values().end(), 1.0F);
}

Preprocessing SpriteSheet::preprocessing(const Preprocessing& like) const {
    Preprocessing plain = like;
    plain.height = static_cast<int>(thumbnail_);
    plain.width = plain.height;
    plain.resize = ResizeMode::border;
    plain.contrast = false;
    plain.mean.clear();
    plain.deviation.clear();
    return plain;
}

void SpriteSheet::put(std::int64_t i, std::span<const float> picture, const Preprocessing& preprocessing) {
    const std::int64_t channels = preprocessing.channels;
    const std::int64_t expected = thumbnail_ * thumbnail_ * channels;
    if (i < 0 || i >= columns_ * columns_ || std::ssize(picture) != expected) {
        throw InvalidArgument(
            fmt::format("sprite: picture {} of {} values found, one below {} of {} expected", i,
                        picture.size(), columns_ * columns_, expected));
    }
    const bool coloured = channels == colours && !preprocessing.measured;
    const std::int64_t top = i / columns_ * thumbnail_;
    const std::int64_t left = i % columns_ * thumbnail_;
    for (std::int64_t y = 0; y < thumbnail_; ++y) {
        for (std::int64_t x = 0; x < thumbnail_; ++x) {
            const auto pixel = picture.subspan(static_cast<std::size_t>((y * thumbnail_ + x) * channels),
                                               static_cast<std::size_t>(channels));
            const float gray =
                std::accumulate(pixel.begin(), pixel.end(), 0.0F) / static_cast<float>(channels);
            float* const to = sheet_.data() + ((top + y) * sheet_.shape()[1] + left + x) * colours;
            for (std::int64_t c = 0; c < colours; ++c) {
                to[c] = coloured ? pixel[static_cast<std::size_t>(c)] : gray;
            }
        }
    }
}

}  // namespace stackae
