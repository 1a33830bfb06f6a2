#include <libheif/heif.h>

#include "data/image/decode.hpp"
#include "data/spoil.hpp"

namespace stackae {
namespace {

using namespace test;

heif_error append(heif_context* /*context*/, const void* data, std::size_t size, void* file) {
    static_cast<std::string*>(file)->append(static_cast<const char*>(data), size);
    return {heif_error_Ok, heif_suberror_Unspecified, "fine"};
}

void require_ok(const heif_error& error) {
    INFO(error.message);
    REQUIRE(error.code == heif_error_Ok);
}

struct HeifKind {
    heif_orientation orientation = heif_orientation_normal;
    int pictures = 1;
    int size = 64;
};

/// HEVC inside: the left half of one colour, the right half of another (R, G, B, A).
std::string heif(const std::vector<int>& left, const std::vector<int>& right, const HeifKind& kind) {
    heif_context* context = heif_context_alloc();
    heif_encoder* encoder = nullptr;
    require_ok(heif_context_get_encoder_for_format(context, heif_compression_HEVC, &encoder));
    require_ok(heif_encoder_set_lossy_quality(encoder, 100));
    heif_encoding_options* options = heif_encoding_options_alloc();
    options->image_orientation = kind.orientation;
    const int channels = static_cast<int>(left.size());
    heif_image* image = nullptr;
    require_ok(heif_image_create(kind.size, kind.size, heif_colorspace_RGB,
                                 channels == 4 ? heif_chroma_interleaved_RGBA : heif_chroma_interleaved_RGB,
                                 &image));
    require_ok(heif_image_add_plane(image, heif_channel_interleaved, kind.size, kind.size, 8));
    int stride = 0;
    std::uint8_t* plane = heif_image_get_plane(image, heif_channel_interleaved, &stride);
    for (int y = 0; y < kind.size; ++y) {
        for (int i = 0; i < kind.size * channels; ++i) {
            const std::vector<int>& colour = i / channels < kind.size / 2 ? left : right;
            plane[y * stride + i] = static_cast<std::uint8_t>(colour[static_cast<std::size_t>(i % channels)]);
        }
    }
    for (int i = 0; i < kind.pictures; ++i) {
        require_ok(heif_context_encode_image(context, image, encoder, options, nullptr));
    }
    heif_writer writer{1, append};
    std::string file;
    require_ok(heif_context_write(context, &writer, &file));
    heif_image_release(image);
    heif_encoding_options_free(options);
    heif_encoder_release(encoder);
    heif_context_free(context);
    return file;
}

std::vector<double> read_heif(const std::string& file, const Preprocessing& preprocessing) {
    const TemporaryFolder folder;
    write_text(folder / "a.heic", file);
    return values_of(folder / "a.heic", preprocessing);
}

SkippedPicture refused(const std::string& file, const PictureLimits& limits = {}) {
    const TemporaryFolder folder;
    write_text(folder / "a.heic", file);
    return skipped_at(folder / "a.heic", limits);
}

/// Where libheif's encoder is a plugin, it may be missing.
bool cannot_make_heif() {
    return heif_have_encoder_for_format(heif_compression_HEVC) == 0;
}

const std::vector<int> orange{200, 100, 50};
const std::vector<int> dark{20, 20, 20};

}  // namespace

TEST_CASE("HEIC is read in colour and transparency") {
    if (cannot_make_heif()) {
        return;
    }
    const Preprocessing preprocessing = preprocessing_of(3, 2, 2);
    CHECK(farthest(read_heif(heif(orange, dark, {}), preprocessing),
                   {200, 100, 50, 20, 20, 20, 200, 100, 50, 20, 20, 20}) < 3.0);
    CHECK(farthest(read_heif(heif({200, 100, 50, 255}, {200, 100, 50, 51}, {}), preprocessing),
                   {200, 100, 50, 40, 20, 10, 200, 100, 50, 40, 20, 10}) < 3.0);
}

TEST_CASE("A HEIC is turned as its container says, once") {
    if (cannot_make_heif()) {
        return;
    }
    const Preprocessing preprocessing = preprocessing_of(3, 2, 2);
    CHECK(
        farthest(read_heif(heif(orange, dark, {.orientation = heif_orientation_rotate_90_cw}), preprocessing),
                 {200, 100, 50, 200, 100, 50, 20, 20, 20, 20, 20, 20}) < 3.0);
    CHECK(farthest(read_heif(heif(orange, dark, {.orientation = heif_orientation_flip_horizontally}),
                             preprocessing),
                   {20, 20, 20, 200, 100, 50, 20, 20, 20, 200, 100, 50}) < 3.0);
}

TEST_CASE("A HEIC of several pictures gives its first, and says so") {
    if (cannot_make_heif()) {
        return;
    }
    const std::string file = heif(orange, dark, {.pictures = 3});
    CHECK(data::decode(std::as_bytes(std::span(file)), {PictureLimits{}}).remark ==
          "first of 3 pictures used");
}

TEST_CASE("A HEIC that is cut short, or beyond the limits, is refused") {
    if (cannot_make_heif()) {
        return;
    }
    const std::string whole = heif(orange, dark, {});
    for (std::size_t percent = 5; percent < 100; percent += 5) {
        INFO(percent);
        CHECK(refused(whole.substr(0, whole.size() * percent / 100)).status == PictureStatus::corrupt);
    }
    CHECK(refused(whole, {.max_pixels = 64 * 64 - 1}).status == PictureStatus::too_large);
    CHECK(refused(whole, {.max_bytes = 4096}).status == PictureStatus::too_large);
}

TEST_CASE("Spoilt HEICs are read or refused, never worse") {
    if (cannot_make_heif()) {
        return;
    }
    check_rounds("a.heic", heif(orange, dark, {}), 300);
}

}  // namespace stackae
