#include "train/augmentation.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

#include "base/parallel.hpp"
#include "base/random.hpp"

namespace stackae::training {
namespace {

/// Where a pixel of the moved picture comes from: (y, x) ↦ (yy y + yx x + y0, xy y + xx x + x0).
struct Move {
    float yy, yx, y0;
    float xy, xx, x0;
};

Move draw_move(const Augmentation& augmentation, const Preprocessing& preprocessing,
               const base::Random& random) {
    const auto first = random.block(0);
    const auto second = random.block(1);
    const auto within = [](double bound, std::uint32_t bits) {
        return bound * (2.0 * static_cast<double>(base::Random::uniform(bits)) - 1.0);
    };
    const double angle = within(augmentation.rotate, first[0]) * std::numbers::pi / 180.0;
    const double shear = within(augmentation.shear, first[1]);
    const double height = 1.0 + within(augmentation.scale, first[2]);
    const double width = 1.0 + within(augmentation.scale, first[3]);
    // Rotation · shear · scaling: any order would do, all of them being small.
    const double yy = std::cos(angle) / height;
    const double yx = -std::sin(angle) / width;
    const double xy = (std::sin(angle) + shear * std::cos(angle)) / height;
    const double xx = (std::cos(angle) - shear * std::sin(angle)) / width;
    const double middle_y = (preprocessing.height - 1) / 2.0;
    const double middle_x = (preprocessing.width - 1) / 2.0;
    const double y0 = middle_y - yy * middle_y - yx * middle_x +
                      within(augmentation.shift * preprocessing.height, second[0]);
    const double x0 = middle_x - xy * middle_y - xx * middle_x +
                      within(augmentation.shift * preprocessing.width, second[1]);
    return {static_cast<float>(yy), static_cast<float>(yx), static_cast<float>(y0),
            static_cast<float>(xy), static_cast<float>(xx), static_cast<float>(x0)};
}

/// The four pixels of a line about a coordinate, held within the picture, and their weights (Keys 1981, a =
/// −½: bilinear weights would blur, and a stack that learns from blurred pictures rebuilds sharp ones badly).
struct Taps {
    std::array<std::int64_t, 4> at;
    std::array<float, 4> weight;

    Taps(float coordinate, int side) {
        const float inside = std::clamp(coordinate, 0.0F, static_cast<float>(side - 1));
        const auto before = static_cast<std::int64_t>(inside);
        const float t = inside - static_cast<float>(before);
        const float u = 1.0F - t;
        weight = {-0.5F * t * u * u, 1.0F + t * t * (1.5F * t - 2.5F), 1.0F + u * u * (1.5F * u - 2.5F),
                  -0.5F * u * t * t};
        for (std::int64_t k = 0; k < 4; ++k) {
            at[static_cast<std::size_t>(k)] = std::clamp<std::int64_t>(before + k - 1, 0, side - 1);
        }
    }
};

/// Points along a side whose displacements bend a picture; each is in the middle of its share of the side.
constexpr int bend_points = 7;

/// The displacement of every pixel: a bicubic surface through those of bend_points × bend_points points.
class Bend {
public:
    /// A displacement, in pixels.
    struct Displacement {
        float y = 0.0F;
        float x = 0.0F;
    };

    explicit Bend(const Preprocessing& preprocessing)
        : down_(taps_along(preprocessing.height)), right_(taps_along(preprocessing.width)) {}

    void draw(const Augmentation& augmentation, const Preprocessing& preprocessing,
              const base::Random& random) {
        constexpr std::uint32_t first_block = 2;  // see draw_move()
        const auto height = static_cast<float>(augmentation.elastic * preprocessing.height);
        const auto width = static_cast<float>(augmentation.elastic * preprocessing.width);
        for (std::size_t i = 0; i < points_.size(); ++i) {
            const auto bits = random.block(first_block + static_cast<std::uint32_t>(i / 2));
            const auto normal = base::Random::normal(bits[i % 2 * 2], bits[i % 2 * 2 + 1]);
            points_[i] = {height * normal[0], width * normal[1]};
        }
    }

    /// Makes the displacements of a line of pixels.
    void enter_line(int y) {
        const Taps& down = down_[static_cast<std::size_t>(y)];
        line_.fill({});
        for (std::size_t i = 0; i < down.at.size(); ++i) {
            const Displacement* points = points_.data() + down.at[i] * bend_points;
            for (std::size_t j = 0; j < line_.size(); ++j) {
                line_[j].y += down.weight[i] * points[j].y;
                line_[j].x += down.weight[i] * points[j].x;
            }
        }
    }

    /// In that line.
    [[nodiscard]] Displacement at(int x) const {
        const Taps& right = right_[static_cast<std::size_t>(x)];
        Displacement sum;
        for (std::size_t j = 0; j < right.at.size(); ++j) {
            const Displacement& point = line_[static_cast<std::size_t>(right.at[j])];
            sum.y += right.weight[j] * point.y;
            sum.x += right.weight[j] * point.x;
        }
        return sum;
    }

private:
    static std::vector<Taps> taps_along(int side) {
        std::vector<Taps> taps;
        for (int i = 0; i < side; ++i) {
            const float share = (static_cast<float>(i) + 0.5F) / static_cast<float>(side);
            taps.emplace_back(share * bend_points - 0.5F, bend_points);
        }
        return taps;
    }

    std::vector<Taps> down_;
    std::vector<Taps> right_;
    std::array<Displacement, std::size_t{bend_points} * bend_points> points_{};
    std::array<Displacement, bend_points> line_{};
};

/// Bicubic; no value leaves the range of those that the picture has.
void move_picture(const Move& move, Bend& bend, const Preprocessing& preprocessing,
                  std::span<const float> src, float* dst) {
    const std::int64_t channels = preprocessing.channels;
    const auto [low, high] = std::minmax_element(src.begin(), src.end());
    for (int y = 0; y < preprocessing.height; ++y) {
        bend.enter_line(y);
        for (int x = 0; x < preprocessing.width; ++x) {
            const auto dst_y = static_cast<float>(y);
            const auto dst_x = static_cast<float>(x);
            const Bend::Displacement bent = bend.at(x);
            const Taps down(move.yy * dst_y + move.yx * dst_x + move.y0 + bent.y, preprocessing.height);
            const Taps right(move.xy * dst_y + move.xx * dst_x + move.x0 + bent.x, preprocessing.width);
            for (std::int64_t c = 0; c < channels; ++c) {
                float sum = 0.0F;
                for (std::size_t i = 0; i < 4; ++i) {
                    const float* line = src.data() + down.at[i] * preprocessing.width * channels + c;
                    float across = 0.0F;
                    for (std::size_t j = 0; j < 4; ++j) {
                        across += right.weight[j] * line[right.at[j] * channels];
                    }
                    sum += down.weight[i] * across;
                }
                *dst++ = std::clamp(sum, *low, *high);
            }
        }
    }
}

}  // namespace

Augmentation augmentation_of(const TrainConfig& config) {
    return {config.augment_shift, config.augment_rotate, config.augment_scale, config.augment_shear,
            config.augment_elastic};
}

void augment(const Augmentation& augmentation, const Preprocessing& preprocessing,
             const AugmentationPlace& place, std::span<const std::int64_t> indices, float* rows) {
    if (augmentation == Augmentation{}) {
        return;
    }
    base::parallel_ranges(
        static_cast<std::int64_t>(indices.size()), 8, [&](std::int64_t begin, std::int64_t end) {
            std::vector<float> still(static_cast<std::size_t>(preprocessing.size()));
            Bend bend(preprocessing);
            for (std::int64_t i = begin; i < end; ++i) {
                const auto picture = static_cast<std::uint32_t>(indices[static_cast<std::size_t>(i)]);
                const base::Random random(place.seed ^ (std::uint64_t{place.layer} << 56U),
                                          base::RandomStream::augmentation, place.epoch, picture);
                float* row = rows + i * preprocessing.size();
                std::copy_n(row, preprocessing.size(), still.data());
                const bool standardized = !preprocessing.mean.empty();
                for (std::size_t j = 0; standardized && j < still.size(); ++j) {
                    still[j] = static_cast<float>(preprocessing.restored(double{still[j]}, j));
                }
                if (augmentation.elastic > 0.0) {
                    bend.draw(augmentation, preprocessing, random);
                }
                move_picture(draw_move(augmentation, preprocessing, random), bend, preprocessing, still, row);
                for (std::size_t j = 0; standardized && j < still.size(); ++j) {
                    row[j] = static_cast<float>(preprocessing.standardised(double{row[j]}, j));
                }
            }
        });
}

}  // namespace stackae::training
