#include <webp/encode.h>

#include "data/spoil.hpp"

namespace stackae {
namespace {

using namespace test;

/// R, G, B, A of a picture that is nowhere the same; its right part lets the background through.
std::string pixels_of(int width, int height) {
    std::string pixels;
    for (int y = 0; y < height; ++y) {
        for (int x = 0; x < width; ++x) {
            pixels += static_cast<char>(10 + 9 * x);
            pixels += static_cast<char>(20 + 11 * y);
            pixels += static_cast<char>(200 - 5 * x - 3 * y);
            pixels += static_cast<char>(2 * x < width ? 255 : 100 + x + y);
        }
    }
    return pixels;
}

/// quality: of a lossy file; none for one without loss.
std::string webp(int width, int height, const std::string& rgba, std::optional<float> quality = {}) {
    const auto* pixels = reinterpret_cast<const std::uint8_t*>(rgba.data());
    std::uint8_t* made = nullptr;
    const std::size_t size = quality ? WebPEncodeRGBA(pixels, width, height, 4 * width, *quality, &made)
                                     : WebPEncodeLosslessRGBA(pixels, width, height, 4 * width, &made);
    REQUIRE(size > 0);
    std::string file(reinterpret_cast<const char*>(made), size);
    WebPFree(made);
    return file;
}

std::string chunk(const std::string& name, const std::string& content) {
    return name + le32(content.size()) + content + (content.size() % 2 == 1 ? std::string(1, '\0') : "");
}

std::string riff(const std::string& chunks) {
    return "RIFF" + le32(chunks.size() + 4) + "WEBP" + chunks;
}

/// flags: 2 for an animation, 8 for EXIF, 16 for alpha.
std::string extended(int flags, int width, int height) {
    return chunk("VP8X", le32(static_cast<std::uint64_t>(flags)) +
                             number(static_cast<std::uint64_t>(width - 1), 3, false) +
                             number(static_cast<std::uint64_t>(height - 1), 3, false));
}

/// A frame of a still WebP's bits, at an even place on the canvas.
std::string frame(int x, int y, int width, int height, const std::string& still) {
    const auto three = [](int value) { return number(static_cast<std::uint64_t>(value), 3, false); };
    return chunk("ANMF", three(x / 2) + three(y / 2) + three(width - 1) + three(height - 1) + three(100) +
                             '\0' + still.substr(12));
}

/// Three channels on a background of a quarter.
std::vector<double> blended(const std::string& rgba) {
    std::vector<double> values;
    for (std::size_t i = 0; i < rgba.size(); i += 4) {
        const auto byte = [&](std::size_t c) {
            return static_cast<double>(static_cast<unsigned char>(rgba[i + c]));
        };
        for (std::size_t c = 0; c < 3; ++c) {
            values.push_back(byte(c) * byte(3) / 255 + 0.25 * (255 - byte(3)));
        }
    }
    return values;
}

Preprocessing preprocessing_on_gray(int height, int width) {
    Preprocessing preprocessing = preprocessing_of(3, height, width);
    preprocessing.background = 0.25F;
    return preprocessing;
}

}  // namespace

TEST_CASE("A WebP without loss has its colours and its alpha") {
    const TemporaryFolder folder;
    const std::string pixels = pixels_of(13, 9);
    write_text(folder / "a.webp", webp(13, 9, pixels));
    CHECK(farthest(values_of(folder / "a.webp", preprocessing_on_gray(9, 13)), blended(pixels)) < 1e-3);
}

TEST_CASE("A lossy WebP has nearly its colours, and exactly its alpha") {
    const TemporaryFolder folder;
    std::string pixels;
    for (int i = 0; i < 32 * 32; ++i) {
        pixels += std::string("\x50\x78\xa0", 3) + static_cast<char>(i % 32 < 16 ? 255 : 0);
    }
    write_text(folder / "a.webp", webp(32, 32, pixels, 95.0F));
    CHECK(farthest(values_of(folder / "a.webp", preprocessing_on_gray(32, 32)), blended(pixels)) < 4.0);
}

TEST_CASE("The smallest WebP is read") {
    const TemporaryFolder folder;
    const std::string file = webp(1, 1, "\x10\x20\x30\xff");
    CHECK(file.size() < 40);
    write_text(folder / "a.webp", file);
    CHECK(farthest(values_of(folder / "a.webp", preprocessing_of(3, 1, 1)), {16, 32, 48}) < 1e-3);
}

TEST_CASE("A WebP is turned as its EXIF block says") {
    const TemporaryFolder folder;
    const std::string pixels("\x10\x20\x30\xff\x40\x50\x60\xff", 8);
    write_text(folder / "a.webp",
               riff(extended(8, 2, 1) + webp(2, 1, pixels).substr(12) + chunk("EXIF", exif_block(3))));
    CHECK(farthest(values_of(folder / "a.webp", preprocessing_of(3, 1, 2)), {64, 80, 96, 16, 32, 48}) < 1e-3);
}

TEST_CASE("Of an animated WebP the first frame is used, on its canvas") {
    const TemporaryFolder folder;
    const std::string small = pixels_of(4, 3);
    write_text(folder / "a.webp",
               riff(extended(2 + 16, 8, 7) + chunk("ANIM", le32(0xff0000ff) + le16(0)) +
                    frame(2, 4, 4, 3, webp(4, 3, small)) + frame(0, 0, 8, 7, webp(8, 7, pixels_of(8, 7)))));
    std::string canvas(8 * 7 * 4, '\0');
    for (std::size_t y = 0; y < 3; ++y) {
        canvas.replace(((y + 4) * 8 + 2) * 4, 16, small, y * 16, 16);
    }
    CHECK(farthest(values_of(folder / "a.webp", preprocessing_on_gray(7, 8)), blended(canvas)) < 1e-3);
}

TEST_CASE("A WebP that is cut short or damaged is refused") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.webp";
    const std::string animation = riff(extended(2, 13, 9) + chunk("ANIM", le32(0) + le16(0)) +
                                       frame(0, 0, 13, 9, webp(13, 9, pixels_of(13, 9))));
    for (const std::string& whole :
         {webp(13, 9, pixels_of(13, 9)), webp(13, 9, pixels_of(13, 9), 80.0F), animation}) {
        for (std::size_t size = 12; size + 1 < whole.size(); size += 5) {
            INFO(size << " of " << whole.size() << " bytes");
            write_text(path, whole.substr(0, size));
            CHECK(skipped_at(path).status == PictureStatus::corrupt);
            std::string honest = whole.substr(0, size);  // its header says where it ends
            honest.replace(4, 4, le32(size - 8));
            write_text(path, honest);
            CHECK(skipped_at(path).status == PictureStatus::corrupt);
        }
    }
    std::string outside = animation;
    outside.replace(animation.find("ANMF") + 8, 3, number(400, 3, false));
    write_text(path, outside);
    CHECK(skipped_at(path).status == PictureStatus::corrupt);
    write_text(path, riff(extended(2, 1 << 24, 1 << 24) + chunk("ANIM", le32(0) + le16(0)) +
                          frame(0, 0, 13, 9, webp(13, 9, pixels_of(13, 9)))));
    CHECK(skipped_at(path).status != PictureStatus::ok);
}

TEST_CASE("Spoilt WebP files are read or refused, never worse") {
    check_rounds("a.webp", webp(13, 9, pixels_of(13, 9)), 300);
    check_rounds("b.webp", webp(13, 9, pixels_of(13, 9), 80.0F), 300);
    check_rounds("c.webp",
                 riff(extended(2, 13, 9) + chunk("ANIM", le32(0) + le16(0)) +
                      frame(0, 0, 13, 9, webp(13, 9, pixels_of(13, 9)))),
                 300);
}

}  // namespace stackae
