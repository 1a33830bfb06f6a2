#include "data/spoil.hpp"

namespace stackae {

using namespace test;

TEST_CASE("Spoilt pictures are read or refused, never worse") {
    const cv::Mat scene = colour_scene(24, 20);
    check_rounds("a.jpg", with_exif(encode(".jpg", scene), 6), 400);
    check_rounds("p.jpg", encode(".jpg", scene, {.progressive = true}), 300);
    check_rounds("a.png", encode(".png", scene), 300);
    check_rounds("a.bmp", encode(".bmp", scene), 300);
    check_rounds("a.webp", encode(".webp", scene), 300);
    check_rounds("a.ppm", encode(".ppm", scene), 300);
    check_rounds("a.pam", "P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\nabcdefgh",
                 300);
    check_rounds("a.pgm", "P2 4 3 255\n1 2 3 4\n5 6 7 8\n9 10 11 12\n", 300);
}

TEST_CASE("Spoilt arrays are read or refused, never worse") {
    const TemporaryFolder folder;
    const std::string images = idx({20, 6, 5}, std::string(600, 'x'));
    check_rounds("a.idx", images, 400);
    write_gzip(folder / "a.gz", images);
    check_rounds("a.gz", read_text(folder / "a.gz"), 400);
    check_rounds("a.npy", npy("|u1", "(20, 6, 5)", std::string(600, 'x')), 600);
    // Rows of as many values as the preprocessing has, 5 × 5 × 3, since others are refused unread.
    check_rounds("f.npy", npy("<f4", "(20, 75)", bytes_of(std::vector<float>(1500, 0.5F))), 600);
    check_rounds("list.txt", "# list\na.png\tone\nb.png\ttwo\n", 200);
}

}  // namespace stackae
