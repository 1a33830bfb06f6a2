#pragma once

#include "stackae/error.hpp"

#include "base/random.hpp"
#include "data/make.hpp"

/// Files with bytes overwritten, fed to the readers.
namespace stackae::test {

/// The file with bytes overwritten, and often cut short, by the numbers of one round.
inline std::string spoilt(std::string file, std::uint32_t round) {
    const base::Random random(2024, base::RandomStream::corruption, round);
    std::uint32_t at = 0;
    const auto below = [&](std::size_t bound) { return static_cast<std::size_t>(random.below(at++, bound)); };
    for (std::size_t flips = below(6) + 1; flips > 0; --flips) {
        // Headers are where it hurts, so half of the hits go there.
        const std::size_t place =
            below(2) == 0 ? below(std::min<std::size_t>(64, file.size())) : below(file.size());
        file[place] = static_cast<char>(below(3) == 0 ? 0xff : below(256));
    }
    if (below(3) == 0) {
        file.resize(below(file.size() + 1));
    }
    return file;
}

/// Every round ends in pictures, in skipped pictures, or in an Error, and never in anything else.
inline void check_rounds(const std::string& name, const std::string& whole, std::uint32_t rounds) {
    const TemporaryFolder folder;
    const std::string path = folder / name;
    PictureLimits limits;
    limits.max_pixels = 1'000'000;
    std::int64_t refused = 0;
    for (std::uint32_t round = 0; round < rounds; ++round) {
        INFO(name << ", round " << round);
        std::filesystem::remove(path);  // a file written over is flushed to the disk by some file systems
        write_text(path, spoilt(whole, round));
        try {
            const ImageDataset pictures = ImageDataset::open(path, limits);
            PictureReader reader(pictures, preprocessing_of(3, 5, 5, ResizeMode::border),
                                 {.batch_size = 8, .threads = 1});
            std::int64_t seen = 0;
            for (PictureBatch batch; seen < 64 && reader.next(batch);) {
                seen += batch.pictures.rows() + static_cast<std::int64_t>(batch.skipped.size());
                refused += static_cast<std::int64_t>(batch.skipped.size());
                for (const float value : batch.pictures.values()) {
                    REQUIRE((value >= 0.0F && value <= 1.0F));
                }
            }
            REQUIRE(seen >= std::min<std::int64_t>(64, pictures.size()));
        } catch (const Error& error) {
            ++refused;
            REQUIRE_FALSE(std::string(error.what()).empty());
        }
    }
    CHECK(refused > 0);
}

}  // namespace stackae::test
