#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "stackae/tensor.hpp"

#include "base/random.hpp"

namespace stackae::test {

/// A picture as a function of the place, in [0, 1], that stands for a photograph: spots and edges at random,
/// the same for the same seed. It goes on outside of the unit square.
class Scene {
public:
    explicit Scene(std::uint64_t seed) {
        const base::Random random(seed, base::RandomStream::plan);
        for (std::uint32_t i = 0; i < spots; ++i) {
            const auto a = random.block(2 * i);
            const auto b = random.block(2 * i + 1);
            const auto number = [](std::uint32_t bits) { return double{base::Random::uniform(bits)}; };
            spots_.push_back({1.6 * number(a[0]) - 0.3, 1.6 * number(a[1]) - 0.3, 0.03 + 0.2 * number(a[2]),
                              0.03 + 0.2 * number(a[3]), 2.0 * number(b[0]) - 1.0, b[1] % 2 == 0});
        }
    }

    [[nodiscard]] float operator()(double x, double y) const {
        double value = 0.5;
        for (const Spot& spot : spots_) {
            const double u = (x - spot.x) / spot.width;
            const double v = (y - spot.y) / spot.height;
            const double distance = spot.square ? std::max(std::abs(u), std::abs(v)) : std::hypot(u, v);
            value += 0.5 * spot.strength / (1.0 + std::exp(12.0 * (distance - 1.0)));
        }
        return static_cast<float>(std::clamp(value, 0.0, 1.0));
    }

    /// height × width × 1. map(x, y): the place that a pixel's middle shows.
    template <class Map>
    [[nodiscard]] Tensor draw(std::int64_t height, std::int64_t width, const Map& map) const {
        Tensor picture({height, width, 1});
        for (std::int64_t y = 0; y < height; ++y) {
            for (std::int64_t x = 0; x < width; ++x) {
                const auto [u, v] = map((static_cast<double>(x) + 0.5) / static_cast<double>(width),
                                        (static_cast<double>(y) + 0.5) / static_cast<double>(height));
                picture.data()[y * width + x] = (*this)(u, v);
            }
        }
        return picture;
    }
    [[nodiscard]] Tensor draw(std::int64_t height, std::int64_t width) const {
        return draw(height, width, [](double x, double y) { return std::pair(x, y); });
    }

private:
    static constexpr std::uint32_t spots = 40;
    struct Spot {
        double x, y, width, height, strength;
        bool square;
    };
    std::vector<Spot> spots_;
};

}  // namespace stackae::test
