#include "data/image/decode.hpp"
#include "data/spoil.hpp"

namespace stackae {
namespace {

using namespace test;

/// LZW of single values: the table is cleared before codes grow beyond 9 bits.
std::string lzw(const std::string& indices) {
    constexpr unsigned clear = 256;
    std::string packed;
    unsigned held = 0;
    unsigned bits = 0;
    const auto put = [&](unsigned code) {
        held |= code << bits;
        for (bits += 9; bits >= 8; bits -= 8) {
            packed += static_cast<char>(held & 0xffU);
            held >>= 8U;
        }
    };
    for (std::size_t i = 0; i < indices.size(); ++i) {
        if (i % 200 == 0) {
            put(clear);
        }
        put(static_cast<unsigned char>(indices[i]));
    }
    put(clear + 1);
    packed += static_cast<char>(held);
    std::string blocks(1, '\x08');
    for (std::size_t i = 0; i < packed.size(); i += 255) {
        const std::string block = packed.substr(i, 255);
        blocks += static_cast<char>(block.size()) + block;
    }
    return blocks + '\0';
}

struct Frame {
    int left = 0;
    int top = 0;
    int width = 2;
    int height = 2;
    bool interlaced = false;
    std::string palette{};  ///< its own, of 4 colours
};

std::string frame(const std::string& indices, const Frame& kind) {
    const auto word = [](int value) { return le16(static_cast<std::uint64_t>(value)); };
    const unsigned flags = (kind.interlaced ? 0x40U : 0U) | (kind.palette.empty() ? 0U : 0x81U);
    return "," + word(kind.left) + word(kind.top) + word(kind.width) + word(kind.height) +
           static_cast<char>(flags) + kind.palette + lzw(indices);
}

std::string transparent(char index) {
    return std::string("!\xf9\4\1\0\0", 6) + index + '\0';
}

const std::string four_colours("\1\2\3\x0a\x14\x1e\x64\x6e\x78\xc8\xd2\xdc", 12);

std::string gif(int width, int height, const std::string& frames, const std::string& palette = four_colours) {
    return "GIF89a" + le16(static_cast<std::uint64_t>(width)) + le16(static_cast<std::uint64_t>(height)) +
           static_cast<char>(palette.empty() ? 0 : 0x81) + std::string(2, '\0') + palette + frames + ";";
}

std::vector<double> read_gif(const std::string& file, const Preprocessing& preprocessing) {
    const TemporaryFolder folder;
    write_text(folder / "a.gif", file);
    return values_of(folder / "a.gif", preprocessing);
}

SkippedPicture refused(const std::string& file) {
    const TemporaryFolder folder;
    write_text(folder / "a.gif", file);
    return skipped_at(folder / "a.gif");
}

std::string remark_of(const std::string& file) {
    return data::decode(std::as_bytes(std::span(file)), {PictureLimits{}}).remark;
}

const std::string all_four("\0\1\2\3", 4);
const std::vector<double> square{1, 2, 3, 10, 20, 30, 100, 110, 120, 200, 210, 220};

}  // namespace

TEST_CASE("A GIF has the colours of its palette, or of its frame's own") {
    const Preprocessing preprocessing = preprocessing_of(3, 2, 2);
    CHECK(farthest(read_gif(gif(2, 2, frame(all_four, {})), preprocessing), square) < 1e-3);
    const std::string own = four_colours.substr(6) + four_colours.substr(0, 6);
    const std::string other("\2\3\0\1", 4);
    CHECK(farthest(read_gif(gif(2, 2, frame(other, {.palette = own})), preprocessing), square) < 1e-3);
    CHECK(farthest(read_gif(gif(2, 2, frame(other, {.palette = own}), ""), preprocessing), square) < 1e-3);
    // Without any, it is gray.
    CHECK(farthest(read_gif(gif(2, 2, frame("\x0a\x14\x1e\x28", {}), ""), preprocessing_of(1, 2, 2)),
                   {10, 20, 30, 40}) < 1e-3);
    const SkippedPicture skipped = refused(gif(2, 2, frame("\1\2\3\4", {})));
    CHECK(skipped.status == PictureStatus::corrupt);
    CHECK_THAT(skipped.reason, contains("GIF palette index 4 found, 4 colours expected"));
}

TEST_CASE("An interlaced GIF's rows are put in order") {
    std::string palette;
    for (int i = 0; i < 4; ++i) {
        palette += std::string(3, static_cast<char>(40 * i));
    }
    // Rows 0 and 8, then 4, then 2 and 6, then 1, 3, 5, 7, 9.
    const std::string stored("\0\3\2\1\3\0\1\2\3\0", 10);
    CHECK(
        farthest(read_gif(gif(1, 10, frame(stored, {.width = 1, .height = 10, .interlaced = true}), palette),
                          preprocessing_of(1, 10, 1)),
                 {0, 0, 40, 40, 80, 80, 120, 120, 120, 0}) < 1e-3);
}

TEST_CASE("What a GIF's frame leaves out is background") {
    Preprocessing preprocessing = preprocessing_of(3, 2, 3);
    preprocessing.background = 0.2F;
    const double back = 51;
    CHECK(farthest(read_gif(gif(3, 2, frame("\1\2", {.left = 1, .top = 1, .width = 2, .height = 1})),
                            preprocessing),
                   {back, back, back, back, back, back, back, back, back, back, back, back, 10, 20, 30, 100,
                    110, 120}) < 1e-3);
    preprocessing.width = 2;
    CHECK(farthest(read_gif(gif(2, 2, transparent(2) + frame(all_four, {})), preprocessing),
                   {1, 2, 3, 10, 20, 30, back, back, back, 200, 210, 220}) < 1e-3);
    // A screen that is too small grows with its frame.
    CHECK(farthest(read_gif(gif(0, 0, frame(all_four, {})), preprocessing), square) < 1e-3);
}

TEST_CASE("An animated GIF gives its first frame, and says so") {
    const std::string second = frame(std::string(4, '\3'), {});
    const std::string file = gif(2, 2, frame(all_four, {}) + transparent(0) + second + second);
    CHECK(farthest(read_gif(file, preprocessing_of(3, 2, 2)), square) < 1e-3);
    CHECK(remark_of(file) == "first of 3 frames used");
    CHECK(remark_of(gif(2, 2, frame(all_four, {}))).empty());
}

TEST_CASE("A GIF that is cut short or damaged is refused") {
    const std::string whole = gif(2, 2, frame(all_four, {}));
    for (std::size_t length = 6; length + 1 < whole.size(); ++length) {
        INFO(length);
        CHECK(refused(whole.substr(0, length)).status == PictureStatus::corrupt);
    }
    CHECK(remark_of(whole.substr(0, whole.size() - 1)).empty());  // the end mark alone is missing
    CHECK(refused(gif(2, 2, frame("\1\2\3", {}))).status == PictureStatus::corrupt);
    CHECK(refused(gif(2, 2, "")).status == PictureStatus::corrupt);
    CHECK(refused(gif(65'535, 65'535, frame(all_four, {}))).status == PictureStatus::too_large);
    CHECK(refused(gif(2, 2, frame(all_four, {.width = 65'535, .height = 65'535}))).status ==
          PictureStatus::too_large);
}

TEST_CASE("Spoilt GIFs are read or refused, never worse") {
    check_rounds("a.gif",
                 gif(2, 2, transparent(2) + frame(all_four, {.interlaced = true}) + frame(all_four, {})),
                 600);
}

}  // namespace stackae
