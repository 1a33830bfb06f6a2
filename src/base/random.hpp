#pragma once

#include <Random123/philox.h>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <utility>

namespace stackae::base {

/// What a random number is for; part of its counter, so that no two uses share a stream.
enum class RandomStream : std::uint32_t {
    weights = 1,
    shuffle,
    validation,
    corruption,
    splits,
    plan,
    patches,
    clusters,
    augmentation,
    probe,
    held_users,
    held_items,
    held_ratings,
    tries,
    planted,
};

/// Counter-based random numbers (Philox4x32-10, Salmon et al. 2011): a number is a function of
/// (seed, stream, a, b, index) and of nothing else, so neither threads nor resuming change it.
class Random {
public:
    using Block = std::array<std::uint32_t, 4>;

    /// a and b name the place: layer and epoch, or picture.
    Random(std::uint64_t seed, RandomStream stream, std::uint32_t a = 0, std::uint32_t b = 0)
        : key_{{static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32U)}},
          stream_(static_cast<std::uint32_t>(stream)),
          a_(a),
          b_(b) {}

    /// Four numbers of 32 bits.
    [[nodiscard]] Block block(std::uint32_t index) const {
        const auto r = r123::Philox4x32{}({{index, b_, a_, stream_}}, key_);
        return {r[0], r[1], r[2], r[3]};
    }

    /// In [0, 1), 24 bits.
    [[nodiscard]] static float uniform(std::uint32_t bits) {
        return static_cast<float>(bits >> 8U) * 0x1p-24F;
    }

    /// Two standard normal numbers (Box & Muller 1958).
    [[nodiscard]] static std::array<float, 2> normal(std::uint32_t bits0, std::uint32_t bits1) {
        const float radius = std::sqrt(-2.0F * std::log(1.0F - uniform(bits0)));
        const float angle = 2.0F * std::numbers::pi_v<float> * uniform(bits1);
        return {radius * std::cos(angle), radius * std::sin(angle)};
    }

    /// In [0, bound), bound ≥ 1 (bias below 2⁻³² · bound).
    [[nodiscard]] std::uint64_t below(std::uint32_t index, std::uint64_t bound) const {
        const Block r = block(index);
        const std::uint64_t bits = (std::uint64_t{r[0]} << 32U) | r[1];
        __extension__ using Wide = unsigned __int128;
        return static_cast<std::uint64_t>((static_cast<Wide>(bits) * bound) >> 64U);
    }

private:
    r123::Philox4x32::key_type key_;
    std::uint32_t stream_;
    std::uint32_t a_;
    std::uint32_t b_;
};

/// Shuffles in place (Fisher & Yates), the same way for the same numbers.
template <class Vector>
void shuffle(Vector& values, const Random& random) {
    for (std::size_t i = values.size(); i > 1; --i) {
        const auto j = static_cast<std::size_t>(random.below(static_cast<std::uint32_t>(i), i));
        std::swap(values[i - 1], values[j]);
    }
}

}  // namespace stackae::base
