#include "stackae/error.hpp"

#include "core/random.hpp"
#include "image/make.hpp"

namespace stackae {
namespace {

using namespace test;

/// The file with bytes overwritten, and often cut short, by the numbers of one round.
std::string spoilt(std::string file, std::uint32_t round) {
    const core::Random random(2024, core::Stream::corruption, round);
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
void check_rounds(const std::string& name, const std::string& whole, std::uint32_t rounds) {
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
            const Pictures pictures = Pictures::open(path, limits);
            PictureReader reader(pictures, recipe_of(3, 5, 5, ResizeMode::border),
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

}  // namespace

TEST_CASE("spoilt pictures are read or refused, never worse") {
    const cv::Mat scene = colour_scene(24, 20);
    check_rounds("a.jpg", with_exif(encode(".jpg", scene), 6), 400);
    check_rounds("p.jpg", encode(".jpg", scene, {cv::IMWRITE_JPEG_PROGRESSIVE, 1}), 300);
    check_rounds("a.png", encode(".png", scene), 300);
    check_rounds("a.bmp", encode(".bmp", scene), 300);
    check_rounds("a.webp", encode(".webp", scene), 300);
    check_rounds("a.ppm", encode(".ppm", scene), 300);
    check_rounds("a.pgm", "P2 4 3 255\n1 2 3 4\n5 6 7 8\n9 10 11 12\n", 300);
}

TEST_CASE("spoilt arrays are read or refused, never worse") {
    const TemporaryFolder folder;
    const std::string images = idx({20, 6, 5}, std::string(600, 'x'));
    check_rounds("a.idx", images, 400);
    write_gzip(folder / "a.gz", images);
    check_rounds("a.gz", read_text(folder / "a.gz"), 400);
    check_rounds("a.npy", npy("|u1", "(20, 6, 5)", std::string(600, 'x')), 600);
    // Rows of as many values as the recipe has, 5 × 5 × 3, since others are refused unread.
    check_rounds("f.npy", npy("<f4", "(20, 75)", bytes_of(std::vector<float>(1500, 0.5F))), 600);
    check_rounds("list.txt", "# list\na.png\tone\nb.png\ttwo\n", 200);
}

}  // namespace stackae
