#include "train/corruption.hpp"

#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"
#include "base/random.hpp"

namespace stackae::training {
namespace {

constexpr std::int64_t block_values = 8;  // drawn from one Philox block, 16 bits each

/// Hits with probability level, to 16 bits. salt: a hit becomes 1 where its bits' lowest is set, else 0.
void mask_row(const base::Random& random, double level, bool salt, std::int64_t columns, float* row) {
    const auto bound = static_cast<std::uint32_t>(std::lround(level * 32768.0));
    for (std::int64_t at = 0; at < columns; at += block_values) {
        const auto block = random.block(static_cast<std::uint32_t>(at / block_values));
        const std::int64_t end = std::min(columns, at + block_values);
        for (std::int64_t i = at; i < end; ++i) {
            const auto word = static_cast<std::size_t>(i - at);
            const std::uint32_t bits = (block[word / 2] >> (16U * (word % 2))) & 0xFFFFU;
            const float hit = salt && (bits & 1U) != 0 ? 1.0F : 0.0F;
            row[i] = (bits >> 1U) < bound ? hit : row[i];
        }
    }
}

void add_noise_row(const base::Random& random, double level, std::int64_t columns, float* row) {
    for (std::int64_t at = 0; at < columns; at += 4) {
        const auto block = random.block(static_cast<std::uint32_t>(at / 4));
        const auto first = base::Random::normal(block[0], block[1]);
        const auto second = base::Random::normal(block[2], block[3]);
        const float noise[4] = {first[0], first[1], second[0], second[1]};
        const std::int64_t end = std::min(columns, at + 4);
        for (std::int64_t i = at; i < end; ++i) {
            row[i] += static_cast<float>(level) * noise[i - at];
        }
    }
}

}  // namespace

void corrupt(Corruption kind, double level, const CorruptionPlace& place,
             std::span<const std::int64_t> indices, std::int64_t columns, float* rows) {
    if (kind == Corruption::none || level <= 0.0) {
        return;
    }
    base::parallel_ranges(
        static_cast<std::int64_t>(indices.size()), 8, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const auto picture = static_cast<std::uint32_t>(indices[static_cast<std::size_t>(i)]);
                const base::Random random(place.seed ^ (std::uint64_t{place.layer} << 56U),
                                          base::RandomStream::corruption, place.epoch, picture);
                float* row = rows + i * columns;
                if (kind == Corruption::gaussian) {
                    add_noise_row(random, level, columns, row);
                    continue;
                }
                mask_row(random, level, kind == Corruption::salt_and_pepper, columns, row);
                if (kind == Corruption::dropout) {
                    const auto scale = static_cast<float>(1.0 / (1.0 - level));
                    std::transform(row, row + columns, row, [scale](float value) { return scale * value; });
                }
            }
        });
}

}  // namespace stackae::training
