#include <fcntl.h>
#include <unistd.h>

#include "data/tiff_writer.hpp"

namespace stackae {
namespace {

using namespace test;

/// What is written to the process's stderr while it lives.
class Stderr {
public:
    Stderr() : saved_(::dup(STDERR_FILENO)) {
        const int file = ::open((folder_ / "stderr").c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        ::dup2(file, STDERR_FILENO);
        ::close(file);
    }
    Stderr(const Stderr&) = delete;
    Stderr& operator=(const Stderr&) = delete;
    ~Stderr() {
        ::dup2(saved_, STDERR_FILENO);
        ::close(saved_);
    }
    [[nodiscard]] std::string text() const { return read_text(folder_ / "stderr"); }

private:
    TemporaryFolder folder_;
    int saved_;
};

/// The same TIFF with the data of its only strip changed.
void write_changed(const std::string& path, const TiffMade& made,
                   const std::function<void(std::string&)>& change) {
    write_tiff(path + ".whole", made, scattered(made));
    TIFF* whole = TIFFOpen((path + ".whole").c_str(), "rc");  // c: the strip as it is stored
    std::string data(static_cast<std::size_t>(TIFFGetStrileByteCount(whole, 0)), '\0');
    REQUIRE(TIFFReadRawStrip(whole, 0, data.data(), static_cast<tmsize_t>(data.size())) ==
            static_cast<tmsize_t>(data.size()));
    change(data);
    TIFF* changed = TIFFOpen(path.c_str(), "w");
    set_tiff_fields(changed, made);
    std::uint32_t tables = 0;
    void* table = nullptr;
    if (made.compression == COMPRESSION_JPEG &&
        TIFFGetField(whole, TIFFTAG_JPEGTABLES, &tables, &table) == 1) {
        TIFFSetField(changed, TIFFTAG_JPEGTABLES, tables, table);
    }
    REQUIRE(TIFFWriteRawStrip(changed, 0, data.data(), static_cast<tmsize_t>(data.size())) > 0);
    TIFFClose(changed);
    TIFFClose(whole);
}

TiffMade one_strip(int compression) {
    const bool fax = compression == COMPRESSION_CCITTRLE || compression == COMPRESSION_CCITTFAX3 ||
                     compression == COMPRESSION_CCITTFAX4;
    TiffMade made;
    made.width = 64;
    made.height = 48;
    made.bits = fax ? 1 : 8;
    made.samples = fax ? 1 : 3;
    made.photometric = fax ? PHOTOMETRIC_MINISWHITE : PHOTOMETRIC_RGB;
    made.compression = compression;
    made.one_strip = true;
    return made;
}

constexpr std::array compressions{COMPRESSION_NONE,     COMPRESSION_LZW,      COMPRESSION_ADOBE_DEFLATE,
                                  COMPRESSION_DEFLATE,  COMPRESSION_PACKBITS, COMPRESSION_LZMA,
                                  COMPRESSION_ZSTD,     COMPRESSION_WEBP,     COMPRESSION_LERC,
                                  COMPRESSION_JPEG,     COMPRESSION_CCITTRLE, COMPRESSION_CCITTFAX3,
                                  COMPRESSION_CCITTFAX4};

SkippedPicture skipped_tiff(const std::string& content, const PictureLimits& limits = {}) {
    const TemporaryFolder folder;
    write_text(folder / "a.tif", content);
    return skipped_at(folder / "a.tif", limits);
}

}  // namespace

TEST_CASE("A TIFF whose data end early is refused, whatever its compression, and nothing else is printed") {
    for (const int compression : compressions) {
        if (!has_compression(compression)) {
            continue;
        }
        INFO("compression " << compression);
        const TemporaryFolder folder;
        const std::string path = folder / "a.tif";
        write_changed(path, one_strip(compression), [](std::string&) {});
        CHECK_FALSE(values_of(path, preprocessing_of(3, 4, 4)).empty());
        for (const double part : {0.0, 0.3, 0.6, 0.9}) {
            INFO("part " << part);
            write_changed(path, one_strip(compression), [&](std::string& data) {
                data.resize(static_cast<std::size_t>(static_cast<double>(data.size()) * part) + 1);
            });
            const Stderr printed;
            CHECK(skipped_at(path).status == PictureStatus::corrupt);
            CHECK(printed.text().empty());
        }
    }
}

TEST_CASE("A TIFF whose data are partly lost is refused where its compression can tell") {
    for (const int compression : compressions) {
        if (!has_compression(compression) || compression == COMPRESSION_NONE ||
            compression == COMPRESSION_LZW || compression == COMPRESSION_PACKBITS ||
            compression == COMPRESSION_WEBP) {
            continue;
        }
        INFO("compression " << compression);
        const TemporaryFolder folder;
        write_changed(folder / "a.tif", one_strip(compression), [](std::string& data) {
            std::fill(data.begin() + std::ssize(data) / 2, data.end(), '\0');  // as broken downloads leave it
        });
        const Stderr printed;
        CHECK(skipped_at(folder / "a.tif").status == PictureStatus::corrupt);
        CHECK(printed.text().empty());
    }
}

TEST_CASE("A TIFF with too few strips, or strips that lie outside of it, is refused") {
    TiffKind kind;
    kind.a_row_a_strip = true;
    const std::string data(16, '\x40');
    std::string whole = tiff(4, 4, data, kind);
    CHECK(skipped_tiff(whole.substr(0, whole.size() - 30)).status == PictureStatus::corrupt);
    const auto gray = [&](const std::vector<std::uint64_t>& offsets,
                          const std::vector<std::uint64_t>& counts) {
        return skipped_tiff(tiff_of(data, {{256, 4, {4}},
                                           {257, 4, {4}},
                                           {258, 3, {8}},
                                           {259, 3, {1}},
                                           {262, 3, {1}},
                                           {273, 4, offsets},
                                           {277, 3, {1}},
                                           {278, 4, {1}},
                                           {279, 4, counts}}));
    };
    CHECK_THAT(gray({8}, {4}).reason, contains("no data for strip or tile 1"));
    CHECK(gray({8, 12, 16, 1000}, {4, 4, 4, 4}).status == PictureStatus::corrupt);
    CHECK_THAT(gray({8, 12, 16, 1000}, {4, 4, 4, 4}).reason, contains("cut short"));
    CHECK(gray({8, 12, 16, 20}, {4, 4, 4, 3}).status == PictureStatus::corrupt);
    CHECK(gray({8, 12, 16, 20}, {4, 4, 4, 0}).status == PictureStatus::corrupt);
    CHECK(gray({8, 12, 16, 20}, {4, 4, 4, 0xffffffff}).status == PictureStatus::corrupt);
}

TEST_CASE("A TIFF of a kind that is not read is named") {
    TiffMade made;
    const auto refused = [&made] {
        const TemporaryFolder folder;
        write_tiff(folder / "a.tif", made, scattered(made));
        const SkippedPicture skipped = skipped_at(folder / "a.tif");
        CHECK(skipped.status == PictureStatus::unsupported);
        return skipped.reason;
    };
    made.format = SAMPLEFORMAT_INT;
    made.bits = 24;
    CHECK_THAT(refused(), contains("signed whole numbers of 24 bits found"));
    made.format = SAMPLEFORMAT_UINT;
    made.bits = 8;
    made.photometric = PHOTOMETRIC_MINISWHITE;
    made.samples = 5;
    CHECK_THAT(refused(),
               contains("TIFF of 5 samples a pixel found; 1 for its colours, and one for alpha at most"));
    made.photometric = PHOTOMETRIC_MINISBLACK;
    made.samples = 257;
    CHECK_THAT(refused(), contains("TIFF of 257 samples a pixel found; 256 at most expected"));
    made.samples = 3;
    made.photometric = PHOTOMETRIC_ICCLAB;
    CHECK_THAT(refused(), contains("photometric interpretation 9 found"));
    made.photometric = PHOTOMETRIC_CIELAB;
    made.bits = 4;
    CHECK_THAT(refused(), contains("CIELab in 4 bits found; 8 or 16 expected"));
    TiffKind kind;
    std::string unknown = tiff(4, 1, "abcd", kind);
    unknown[unknown.find(le16(259) + le16(3)) + 8] = '\x63';
    CHECK_THAT(skipped_tiff(unknown).reason, contains("compression 99 found"));
}

TEST_CASE("A camera's raw picture is named, its thumbnail is not taken for it") {
    const std::vector<Tag> thumbnail{{256, 4, {2}}, {257, 4, {1}}, {258, 3, {8}},
                                     {259, 3, {1}}, {262, 3, {1}}, {273, 4, {12}},
                                     {277, 3, {1}}, {278, 4, {1}}, {279, 4, {2}}};
    const auto with = [&](std::vector<Tag> more) {
        more.insert(more.begin(), thumbnail.begin(), thumbnail.end());
        return more;
    };
    const auto directory = [](std::uint64_t photometric) {  // of one tag
        return le16(1) + le16(262) + le16(3) + le32(1) + le32(photometric) + le32(0);
    };
    const std::string pixels("\0\0\0\0\x10\x20\0\0", 8);
    const std::uint64_t below = 8 + pixels.size();
    const std::string plain = tiff_of(pixels + directory(2), with({{330, 4, {below}}}));
    const TemporaryFolder folder;
    write_text(folder / "plain.tif", plain);
    CHECK(farthest(values_of(folder / "plain.tif", preprocessing_of(1, 1, 2)), {0x10, 0x20}) < 1e-3);
    std::vector<Tag> sensor = thumbnail;
    sensor[4].values = {32803};
    for (const std::string& raw :
         {tiff_of(pixels, with({{50706, 1, {0x0401}}})),                  // DNG
          tiff_of(pixels, sensor),                                        // TIFF/EP
          tiff_of(pixels + directory(32803), with({{330, 4, {below}}})),  // NEF, ARW
          tiff_of(pixels + directory(34892), with({{330, 4, {below}}})),  // DNG without filters
          tiff_of("CR\2" + pixels.substr(3), thumbnail)}) {               // CR2
        const SkippedPicture skipped = skipped_tiff(raw);
        CHECK(skipped.status == PictureStatus::unsupported);
        CHECK_THAT(skipped.reason, contains("camera's raw picture found"));
    }
}

TEST_CASE("A TIFF is refused by all the bytes that it takes, not by its samples alone") {
    const TemporaryFolder folder;
    const std::string path = folder / "a.tif";
    const auto fits = [&](const TiffMade& made, std::int64_t bytes) {
        write_tiff(path, made, [](std::uint32_t, std::uint32_t, std::uint32_t) { return 0.0; });
        const auto read = [&](std::int64_t most) {
            return read_all(ImageDataset::open(path, {.max_bytes = most}), preprocessing_of(1, 4, 4))
                .pictures.rows();
        };
        return read(bytes) == 1 && read(bytes - 1) == 0;
    };
    TiffMade made;
    made.width = 64;
    made.height = 32;
    CHECK(fits(made, 64 * (32 + 8)));  // its pixels, and a strip of 8 rows
    made.one_strip = true;
    CHECK(fits(made, 64 * (32 + 32)));
    TiffMade palette = made;
    palette.photometric = PHOTOMETRIC_PALETTE;
    palette.more = [](TIFF* tiff) {
        const std::vector<std::uint16_t> map(256, 999);
        TIFFSetField(tiff, TIFFTAG_COLORMAP, map.data(), map.data(), map.data());
    };
    CHECK(fits(palette, 64 * 32 * (1 + 6 + 1)));
    TiffMade inks = made;
    inks.photometric = PHOTOMETRIC_SEPARATED;
    inks.samples = 4;
    CHECK(fits(inks, 64 * 32 * (4 + 3 + 4)));
    TiffMade fax = made;
    fax.bits = 1;
    fax.compression = COMPRESSION_CCITTFAX4;
    CHECK(fits(fax, 64 * 32 + 2 * 8 * 32));
}

TEST_CASE("A small TIFF cannot ask for much memory or time") {
    const auto gray = [](std::vector<Tag> more, std::uint64_t width, std::uint64_t height) {
        std::vector<Tag> tags{
            {256, 4, {width}}, {257, 4, {height}}, {258, 3, {8}}, {259, 3, {5}}, {262, 3, {1}}};
        tags.insert(tags.end(), more.begin(), more.end());
        return tiff_of(std::string(64, '\x2a'), tags);
    };
    const std::vector<Tag> strip{{273, 4, {8}}, {277, 3, {1}}, {278, 4, {0xffffffff}}, {279, 4, {64}}};
    CHECK(skipped_tiff(gray(strip, 60'000, 60'000)).status == PictureStatus::too_large);
    CHECK(skipped_tiff(gray(strip, 0xffffffff, 0xffffffff)).status != PictureStatus::ok);
    CHECK(skipped_tiff(gray(strip, 100'000, 1'001)).status == PictureStatus::too_large);
    CHECK(skipped_tiff(gray(strip, 10'000, 10'000)).status == PictureStatus::corrupt);
    CHECK(skipped_tiff(gray(strip, 100, 100), {.max_bytes = 9'999}).status == PictureStatus::too_large);
    const std::vector<Tag> tile{
        {277, 3, {1}}, {322, 4, {0x7ffffff0}}, {323, 4, {0x7ffffff0}}, {324, 4, {8}}, {325, 4, {64}}};
    CHECK(skipped_tiff(gray(tile, 5, 5)).status == PictureStatus::too_large);
    const std::vector<Tag> samples{{273, 4, {8}}, {277, 3, {65535}}, {278, 4, {5}}, {279, 4, {64}}};
    CHECK(skipped_tiff(gray(samples, 5, 5)).status == PictureStatus::unsupported);
    // Rows of one pixel that all share their data.
    const std::vector<Tag> rows{{273, 4, {8}}, {277, 3, {1}}, {278, 4, {1}}, {279, 4, {64}}};
    CHECK(skipped_tiff(gray(rows, 1, 99'000'000)).status == PictureStatus::corrupt);
}

}  // namespace stackae
