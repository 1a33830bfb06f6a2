#include "data/tiff_writer.hpp"

namespace stackae {
namespace {

using namespace test;

TiffMade bands(int samples, int bits = 16) {
    TiffMade made;
    made.samples = samples;
    made.bits = bits;
    made.more = [samples](TIFF* tiff) {
        const std::vector<std::uint16_t> kinds(static_cast<std::size_t>(samples - 1),
                                               EXTRASAMPLE_UNSPECIFIED);
        TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, samples - 1, kinds.data());
    };
    return made;
}

Preprocessing measured_for(const TiffMade& made) {
    Preprocessing preprocessing = preprocessing_for(made, made.samples);
    preprocessing.measured = true;
    return preprocessing;
}

}  // namespace

TEST_CASE("A TIFF of many samples is a picture of as many channels") {
    const TemporaryFolder folder;
    for (const int samples : {2, 3, 5, 13}) {
        for (const bool separate : {false, true}) {
            for (const bool tiled : {false, true}) {
                TiffMade made = bands(samples);
                made.separate = separate;
                made.tiled = tiled;
                write_tiff(folder / "a.tif", made, scattered(made));
                CHECK(farthest(values_of(folder / "a.tif", measured_for(made)),
                               expected_of(made, scattered(made))) < 1e-3);
                const Preprocessing chosen = choose_preprocessing(ImageDataset::open(folder / "a.tif"), {});
                CHECK(chosen.measured);
                CHECK(chosen.channels == samples);
                CHECK(chosen.ranges.size() == static_cast<std::size_t>(samples));
            }
        }
    }
}

TEST_CASE(
    "Red, green, blue and a sample that is no alpha are four channels, and colours to who wants those") {
    const TemporaryFolder folder;
    TiffMade made;
    made.photometric = PHOTOMETRIC_RGB;
    made.samples = 4;
    made.alpha = EXTRASAMPLE_UNSPECIFIED;
    write_tiff(folder / "a.tif", made, scattered(made));
    const Preprocessing chosen = choose_preprocessing(ImageDataset::open(folder / "a.tif"), {});
    CHECK(chosen.channels == 4);
    CHECK(farthest(values_of(folder / "a.tif", measured_for(made)), expected_of(made, scattered(made))) <
          1e-3);
    TiffMade colours = made;
    colours.samples = 3;
    CHECK(farthest(values_of(folder / "a.tif", preprocessing_for(made, 3)),
                   expected_of(colours, scattered(made))) < 1e-3);
    made.alpha = EXTRASAMPLE_UNASSALPHA;
    write_tiff(folder / "a.tif", made, scattered(made));
    CHECK(choose_preprocessing(ImageDataset::open(folder / "a.tif"), {}).channels == 3);
}

TEST_CASE("Whole numbers with a sign come from a TIFF as they are") {
    const TemporaryFolder folder;
    for (const int bits : {8, 16, 32}) {
        TiffMade made = bands(5, bits);
        made.format = SAMPLEFORMAT_INT;
        const TiffValues values = [bits](std::uint32_t x, std::uint32_t y, std::uint32_t sample) {
            const std::int64_t number = std::int64_t{x} + y + sample - 40;
            return static_cast<double>(static_cast<std::uint64_t>(number) & ((std::uint64_t{1} << bits) - 1));
        };
        write_tiff(folder / "a.tif", made, values);
        Preprocessing preprocessing = measured_for(made);
        preprocessing.ranges.assign(5, {-40.0F, 215.0F});
        const std::vector<double> read = values_of(folder / "a.tif", preprocessing);
        std::size_t i = 0;
        for (std::uint32_t y = 0; y < made.height; ++y) {
            for (std::uint32_t x = 0; x < made.width; ++x) {
                for (std::uint32_t s = 0; s < 5; ++s, ++i) {
                    REQUIRE(read[i] == Approx(x + y + s).margin(1e-3));
                }
            }
        }
    }
}

TEST_CASE("The pages of a TIFF are the channels of one picture where that is asked for") {
    const TemporaryFolder folder;
    const PictureLimits limits{.pages = PageSelection::channels};
    TiffMade made;
    made.bits = 16;
    const TiffValues values = scattered(made);
    write_tiff(folder / "a.tif", {made, made, made, made, made}, values);
    const ImageDataset pictures = ImageDataset::open(folder / "a.tif", limits);
    REQUIRE(pictures.size() == 1);
    CHECK(pictures.entry(0).path == folder / "a.tif");
    const Preprocessing chosen = choose_preprocessing(pictures, {});
    CHECK(chosen.channels == 5);
    CHECK(chosen.channel_files == ChannelFiles{true, {}});
    Preprocessing preprocessing = preprocessing_for(made, 5);
    preprocessing.measured = true;
    const PictureBatch batch = read_all(pictures, preprocessing);
    REQUIRE(batch.pictures.rows() == 1);
    const std::vector<double> expected = expected_of(made, values);
    for (std::size_t i = 0; i < expected.size(); ++i) {
        for (std::size_t c = 0; c < 5; ++c) {
            REQUIRE(255.0 * double{batch.pictures.data()[5 * i + c]} == Approx(expected[i]).margin(1e-3));
        }
    }
    const PictureBatch named =
        read_all(ImageDataset::from_entries("gallery", {{folder / "a.tif", {}}}, limits), preprocessing);
    CHECK(named.pictures.rows() == 1);
    CHECK(ImageDataset::open(folder / "a.tif").size() == 5);
}

TEST_CASE("Three pages are measured channels, and no colours") {
    const TemporaryFolder folder;
    const TiffMade made;
    write_tiff(folder / "a.tif", {made, made, made}, scattered(made));
    const PictureLimits limits{.pages = PageSelection::channels};
    const Preprocessing chosen = choose_preprocessing(ImageDataset::open(folder / "a.tif", limits), {});
    CHECK(chosen.channels == 3);
    CHECK(chosen.measured);
}

TEST_CASE("A TIFF whose pages differ in size is skipped, and the page named") {
    const TemporaryFolder folder;
    TiffMade made;
    TiffMade smaller = made;
    smaller.width = 9;
    write_tiff(folder / "a.tif", {made, smaller}, scattered(made));
    Preprocessing preprocessing = preprocessing_for(made, 2);
    preprocessing.measured = true;
    const PictureBatch batch =
        read_all(ImageDataset::open(folder / "a.tif", {.pages = PageSelection::channels}), preprocessing);
    REQUIRE(batch.skipped.size() == 1);
    CHECK(batch.skipped[0].reason == "page 2: 9 × 21 pixels found; 37 × 21 expected, as the first has");
}

TEST_CASE("Pages of different types are the numbers that they hold") {
    const TemporaryFolder folder;
    TiffMade made;
    made.width = made.height = 1;
    TiffMade wide = made;
    wide.bits = 16;
    write_tiff(folder / "a.tif", {made, wide}, [](auto...) { return 200.0; });
    Preprocessing preprocessing = preprocessing_for(made, 2);
    preprocessing.measured = true;
    preprocessing.ranges = {{0.0F, 200.0F}, {0.0F, 400.0F}};
    const PictureBatch batch =
        read_all(ImageDataset::open(folder / "a.tif", {.pages = PageSelection::channels}), preprocessing);
    REQUIRE(batch.pictures.rows() == 1);
    CHECK(batch.pictures.data()[0] == 1.0F);
    CHECK(batch.pictures.data()[1] == 0.5F);
}

TEST_CASE("Pictures of any channels are written as a TIFF of a page a picture and read again") {
    const TemporaryFolder folder;
    for (const int channels : {1, 2, 3, 6}) {
        Tensor pictures({3, 2, 5, channels});
        for (std::int64_t i = 0; i < pictures.size(); ++i) {
            pictures.data()[i] = static_cast<float>(i) / 256.0F;
        }
        OutputFiles files;
        write_tiff(files.add(folder / "a.tif"), pictures);
        files.commit();
        Preprocessing preprocessing = preprocessing_of(channels, 2, 5);
        preprocessing.measured = true;
        const PictureBatch batch = read_all(ImageDataset::open(folder / "a.tif"), preprocessing);
        if (channels == 2) {  // one sample beside gray, of no kind
            CHECK(choose_preprocessing(ImageDataset::open(folder / "a.tif"), {}).measured);
        }
        REQUIRE(batch.pictures.rows() == 3);
        for (std::int64_t i = 0; i < pictures.size(); ++i) {
            REQUIRE(batch.pictures.data()[i] == pictures.data()[i]);
        }
    }
}

}  // namespace stackae
