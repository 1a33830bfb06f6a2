#include <fmt/format.h>
#include <memory>
#include <openjpeg.h>

#include "data/spoil.hpp"

namespace stackae {
namespace {

using namespace test;

struct Component {
    std::vector<int> values;
    unsigned bits = 8;
    bool is_signed = false;
    unsigned alpha = 0;  ///< 1: opacity
    unsigned step = 1;   ///< pixels a value stands for, either way
};

/// Lossless. boxes: as JP2, else the bare code stream.
std::string jpeg2000(unsigned width, unsigned height, const std::vector<Component>& components,
                     OPJ_COLOR_SPACE colours, bool boxes = true) {
    std::vector<opj_image_cmptparm_t> kinds;
    for (const Component& component : components) {
        opj_image_cmptparm_t kind{};
        kind.dx = kind.dy = component.step;
        kind.w = (width + component.step - 1) / component.step;
        kind.h = (height + component.step - 1) / component.step;
        kind.prec = component.bits;
        kind.sgnd = component.is_signed ? 1 : 0;
        kinds.push_back(kind);
    }
    opj_image_t* image = opj_image_create(static_cast<OPJ_UINT32>(kinds.size()), kinds.data(), colours);
    image->x1 = width;
    image->y1 = height;
    for (std::size_t i = 0; i < components.size(); ++i) {
        std::copy(components[i].values.begin(), components[i].values.end(), image->comps[i].data);
        image->comps[i].alpha = static_cast<OPJ_UINT16>(components[i].alpha);
    }
    opj_cparameters_t parameters;
    opj_set_default_encoder_parameters(&parameters);
    parameters.tcp_numlayers = 1;
    parameters.cp_disto_alloc = 1;
    parameters.numresolution = 1;
    opj_codec_t* codec = opj_create_compress(boxes ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K);
    const TemporaryFolder folder;
    opj_stream_t* stream = opj_stream_create_default_file_stream((folder / "made").c_str(), OPJ_FALSE);
    REQUIRE(opj_setup_encoder(codec, &parameters, image));
    REQUIRE(opj_start_compress(codec, image, stream));
    REQUIRE(opj_encode(codec, stream));
    REQUIRE(opj_end_compress(codec, stream));
    opj_stream_destroy(stream);
    opj_destroy_codec(codec);
    opj_image_destroy(image);
    return read_text(folder / "made");
}

/// The same file with a palette for its only component. bits: of a colour's value; columns: values of a
/// colour, below 10.
std::string with_palette(std::string file, unsigned bits, const std::vector<std::uint32_t>& colours,
                         unsigned columns = 3) {
    const int bytes = static_cast<int>(std::min(4U, (bits + 7) / 8));
    const auto most = static_cast<char>(bits - 1);
    std::string palette =  // how many colours, of how many values, of how many bits each
        number(colours.size() / columns, 2, true) + static_cast<char>(columns) + std::string(columns, most);
    for (const std::uint32_t colour : colours) {
        palette += number(colour, bytes, true);
    }
    std::string mapping;
    for (unsigned column = 0; column < columns; ++column) {
        mapping += number(0, 2, true) + '\1' + static_cast<char>(column);  // the component, by the palette
    }
    const std::string boxes =
        be32(8 + palette.size()) + "pclr" + palette + be32(8 + mapping.size()) + "cmap" + mapping;
    const std::size_t header = file.find("jp2h") - 4;
    const std::size_t size = static_cast<unsigned char>(file.at(header + 3));  // which is below 256
    file.insert(header + size, boxes);
    file.replace(header, 4, be32(size + boxes.size()));
    return file;
}

std::vector<double> read_jpeg2000(const std::string& file, const Preprocessing& preprocessing) {
    const TemporaryFolder folder;
    write_text(folder / "a.jp2", file);
    return values_of(folder / "a.jp2", preprocessing);
}

SkippedPicture refused(const std::string& file, const PictureLimits& limits = {}) {
    const TemporaryFolder folder;
    write_text(folder / "a.jp2", file);
    return skipped_at(folder / "a.jp2", limits);
}

std::string ramp(bool boxes) {
    Component gray;
    for (int i = 0; i < 32 * 32; ++i) {
        gray.values.push_back(i * 37 % 256);
    }
    return jpeg2000(32, 32, {gray}, OPJ_CLRSPC_GRAY, boxes);
}

}  // namespace

TEST_CASE("JPEG 2000 is read in gray and colour, in its boxes and without") {
    const bool boxes = GENERATE(true, false);
    CHECK(farthest(
              read_jpeg2000(jpeg2000(2, 1, {{{10, 200}}}, OPJ_CLRSPC_GRAY, boxes), preprocessing_of(1, 1, 2)),
              {10, 200}) < 1e-3);
    CHECK(farthest(read_jpeg2000(jpeg2000(2, 1, {{{200, 1}}, {{100, 2}}, {{50, 3}}}, OPJ_CLRSPC_SRGB, boxes),
                                 preprocessing_of(3, 1, 2)),
                   {200, 100, 50, 1, 2, 3}) < 1e-3);
}

TEST_CASE("JPEG 2000 of more or less than 8 bits goes from 0 to 1") {
    for (const unsigned bits : {1U, 4U, 9U, 12U, 16U, 20U}) {
        const int most = (1 << bits) - 1;
        INFO(bits);
        CHECK(farthest(read_jpeg2000(jpeg2000(3, 1, {{{0, most / 3, most}, bits}}, OPJ_CLRSPC_GRAY),
                                     preprocessing_of(1, 1, 3)),
                       {0, 255.0 * (most / 3) / most, 255}) < 1e-3);
    }
    CHECK(farthest(read_jpeg2000(jpeg2000(3, 1, {{{-2048, 0, 2047}, 12, true}}, OPJ_CLRSPC_GRAY),
                                 preprocessing_of(1, 1, 3)),
                   {0, 255.0 * 2048 / 4095, 255}) < 1e-3);
    CHECK(farthest(read_jpeg2000(jpeg2000(1, 1, {{{15}, 4}, {{0}, 8}, {{1023}, 10}}, OPJ_CLRSPC_SRGB),
                                 preprocessing_of(3, 1, 1)),
                   {255, 0, 255}) < 1e-3);
}

TEST_CASE("JPEG 2000's alpha channel is blended") {
    CHECK(farthest(read_jpeg2000(jpeg2000(2, 1, {{{200, 200}}, {{255, 51}, 8, false, 1}}, OPJ_CLRSPC_GRAY),
                                 preprocessing_of(1, 1, 2)),
                   {200, 40}) < 1e-3);
    CHECK(farthest(
              read_jpeg2000(jpeg2000(1, 1, {{{200}}, {{100}}, {{50}}, {{51}, 8, false, 1}}, OPJ_CLRSPC_SRGB),
                            preprocessing_of(3, 1, 1)),
              {40, 20, 10}) < 1e-3);
}

TEST_CASE("JPEG 2000 of luma and coarser chroma is brought to RGB") {
    const Component luma{{100, 100, 200, 100}};
    const Component blue{{128}, 8, false, 0, 2};
    const Component red{{158}, 8, false, 0, 2};
    const std::vector<double> values =
        read_jpeg2000(jpeg2000(2, 2, {luma, blue, red}, OPJ_CLRSPC_SYCC), preprocessing_of(3, 2, 2));
    CHECK(farthest({values.begin(), values.begin() + 3}, {100 + 1.402 * 30, 100 - 0.714 * 30, 100}) < 1.0);
    CHECK(farthest({values.begin() + 6, values.begin() + 9}, {200 + 1.402 * 30, 200 - 0.714 * 30, 200}) <
          1.0);
}

TEST_CASE("A JPEG 2000 that is cut short is refused") {
    const std::string whole = ramp(GENERATE(true, false));
    for (std::size_t percent = 5; percent < 100; percent += 5) {
        INFO(percent);
        CHECK(refused(whole.substr(0, whole.size() * percent / 100)).status == PictureStatus::corrupt);
    }
    CHECK_THAT(refused(whole.substr(0, whole.size() / 2)).reason,
               contains("JPEG 2000 cut short or damaged: "));
}

TEST_CASE("A JPEG 2000 that lacks nothing but its end mark is refused") {
    const std::string whole = ramp(GENERATE(true, false));
    CHECK(refused(whole.substr(0, whole.size() - 1)).status == PictureStatus::corrupt);
    CHECK(refused(whole.substr(0, whole.size() - 2)).status == PictureStatus::corrupt);
}

TEST_CASE("A JPEG 2000 whose headers contradict each other is refused") {
    std::string file = jpeg2000(2, 1, {{{200, 1}}, {{100, 2}}, {{50, 3}}}, OPJ_CLRSPC_SRGB);
    const std::size_t depth_of_second = file.find("\xff\x51") + 43;
    REQUIRE(file.at(depth_of_second) == 7);  // bits less one, as the box before says of all
    file[depth_of_second] = 24;
    CHECK(refused(file).status == PictureStatus::corrupt);
    CHECK_THAT(refused(file).reason, contains("JPEG 2000 cut short or damaged: "));
}

TEST_CASE("A JPEG 2000 beyond the limits, or of colours that are not read, is refused") {
    CHECK(refused(ramp(true), {.max_pixels = 1023}).status == PictureStatus::too_large);
    CHECK(refused(ramp(true), {.max_bytes = 32 * 1024 - 1}).status == PictureStatus::too_large);
    std::string huge = ramp(false);
    const std::string sides("\0\1\0\0\0\1\0\0", 8);
    huge.replace(huge.find("\xff\x51") + 6, 8, sides);
    huge.replace(huge.find("\xff\x51") + 22, 8, sides);  // of a tile
    CHECK(refused(huge).status == PictureStatus::too_large);
    CHECK(refused(jpeg2000(1, 1, {{{1}}, {{1}}, {{1}}, {{1}}, {{1}}}, OPJ_CLRSPC_UNSPECIFIED)).status ==
          PictureStatus::unsupported);
}

TEST_CASE("JPEG 2000 with a palette has its colours, and one of more bits than can be held is refused") {
    const std::string plain = jpeg2000(3, 1, {{{0, 2, 1}}}, OPJ_CLRSPC_SRGB);
    CHECK(farthest(read_jpeg2000(with_palette(plain, 8, {250, 1, 2, 30, 40, 50, 7, 8, 9}),
                                 preprocessing_of(3, 1, 3)),
                   {250, 1, 2, 7, 8, 9, 30, 40, 50}) < 1e-3);
    for (const unsigned bits : {32U, 33U, 64U, 101U, 128U}) {
        INFO(bits);
        const SkippedPicture skipped = refused(with_palette(plain, bits, {250, 1, 2, 30, 40, 50, 7, 8, 9}));
        CHECK(skipped.status == PictureStatus::unsupported);
        CHECK(skipped.reason == fmt::format("JPEG 2000 of {} bits found, 1 to 31 expected", bits));
    }
}

TEST_CASE("A JPEG 2000 whose palette makes many components is refused before they are made") {
    const std::string file =
        with_palette(jpeg2000(3, 1, {{{0, 0, 0}}}, OPJ_CLRSPC_SRGB), 8, {1, 2, 3, 4, 5, 6}, 6);
    const SkippedPicture skipped = refused(file.substr(0, file.size() - 2));  // no decoder gets to its end
    CHECK(skipped.status == PictureStatus::unsupported);
    CHECK(skipped.reason == "JPEG 2000 of 6 components found, 1 to 5 expected");
}

TEST_CASE("Spoilt JPEG 2000 files are read or refused, never worse") {
    check_rounds("a.jp2", ramp(true), 300);
    check_rounds("a.j2k", ramp(false), 300);
}

}  // namespace stackae
