#include <cmath>
#include <filesystem>
#include <limits>
#include <numeric>

#include "stackae/error.hpp"

#include "data/image/exif.hpp"
#include "data/make.hpp"

namespace stackae {
namespace {

using namespace test;

Preprocessing measured(int channels, int height, int width, ResizeMode mode = ResizeMode::squash) {
    Preprocessing preprocessing = preprocessing_of(channels, height, width, mode);
    preprocessing.measured = true;
    return preprocessing;
}

/// Numbers that are nowhere alike: of n pictures of h × w × c, in steps that fill 16 bits.
std::vector<std::uint16_t> scattered_numbers(std::size_t count, unsigned most = 65535) {
    std::vector<std::uint16_t> numbers;
    for (std::size_t i = 0; i < count; ++i) {
        numbers.push_back(
            static_cast<std::uint16_t>(static_cast<std::uint32_t>(i * 2654435761U) % (most + 1)));
    }
    return numbers;
}

std::string png16(const cv::Mat& pixels) {
    return encode(".png", pixels);
}

std::vector<std::string> paths_of(const ImageDataset& pictures) {
    std::vector<std::string> paths;
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        paths.push_back(pictures.entry(i).path);
    }
    return paths;
}

const PictureLimits two_channels{.channel_suffixes = {"_ch1", "_ch2"}};

}  // namespace

TEST_CASE("An array of any number of channels is read as that many, in the numbers' own ranges") {
    const int channels = GENERATE(2, 5, 13, 256);
    const TemporaryFolder folder;
    const auto size = static_cast<std::size_t>(3 * 4 * 6 * channels);
    const std::vector<std::uint16_t> numbers = scattered_numbers(size, 4095);
    write_text(folder / "a.npy",
               npy("<u2", "(3, 4, 6, " + std::to_string(channels) + ")", bytes_of(numbers)));
    const ImageDataset pictures = ImageDataset::open(folder / "a.npy");
    PreprocessingOptions options;
    options.ranges = {{95.0F, 4095.0F}};
    const Preprocessing preprocessing = choose_preprocessing(pictures, options);
    CHECK(preprocessing.measured);
    REQUIRE(preprocessing.channels == channels);
    REQUIRE(preprocessing.ranges.size() == static_cast<std::size_t>(channels));
    const PictureBatch batch = read_all(pictures, preprocessing);
    REQUIRE(batch.skipped.empty());
    for (std::size_t i = 0; i < size; ++i) {
        REQUIRE(double{batch.pictures.data()[i]} ==
                Approx(std::max(0.0, (numbers[i] - 95.0) / 4000.0)).margin(1e-6));
    }
}

TEST_CASE("Floats outside of [0, 1] and negative numbers are measurements as good as others") {
    const TemporaryFolder folder;
    write_text(folder / "a.npy",
               npy("<f4", "(1, 1, 2, 2)", bytes_of(std::vector<float>{-20.0F, 3.0F, -10.0F, 5.0F})));
    const ImageDataset pictures = ImageDataset::open(folder / "a.npy");
    PreprocessingOptions options;
    options.ranges = {{-20.0F, 0.0F}, {1.0F, 9.0F}};
    const PictureBatch batch = read_all(pictures, choose_preprocessing(pictures, options));
    const std::vector<float> values(batch.pictures.values().begin(), batch.pictures.values().end());
    CHECK(values == std::vector<float>{0.0F, 0.25F, 0.5F, 0.5F});
    options.ranges = {{0.0F, 1.0F}, {0.0F, 1.0F}, {0.0F, 1.0F}};
    CHECK_THROWS_WITH(choose_preprocessing(pictures, options), contains("ranges: 3 found, one for all or 2"));
    options.ranges.clear();
    options.fit_ranges = false;
    CHECK_THROWS_WITH(choose_preprocessing(pictures, options), contains("value -20 found"));
}

TEST_CASE("Four channels are R, G, B and alpha unless four channels are asked for") {
    const TemporaryFolder folder;
    write_text(folder / "a.npy", npy("|u1", "(1, 1, 2, 4)", "\x10\x20\x30\x40\x50\x60\x70\x80"));
    const ImageDataset pictures = ImageDataset::open(folder / "a.npy");
    CHECK(choose_preprocessing(pictures, {}).channels == 3);
    CHECK_FALSE(choose_preprocessing(pictures, {}).measured);
    PreprocessingOptions options;
    options.channels = 4;
    options.fit_ranges = false;
    const Preprocessing four = choose_preprocessing(pictures, options);
    CHECK(four.measured);
    const PictureBatch batch = read_all(pictures, four);
    for (int i = 0; i < 8; ++i) {
        CHECK(batch.pictures.data()[i] == static_cast<float>(16 * (i + 1)) / 255.0F);
    }
    write_text(folder / "b.png", encode(".png", cv::Mat(2, 2, CV_8UC4, cv::Scalar(1, 2, 3, 4))));
    CHECK(choose_preprocessing(ImageDataset::open(folder / "b.png"), options).measured);
}

TEST_CASE("Arrays whose channels seem to come first are refused, with how to move them") {
    const TemporaryFolder folder;
    const auto refused = [&](const std::string& shape, std::size_t size) {
        write_text(folder / "a.npy", npy("|u1", shape, std::string(size, '\1')));
        try {
            (void)ImageDataset::open(folder / "a.npy");
        } catch (const InvalidArgument& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    CHECK_THAT(refused("(2, 3, 32, 32)", 6144), contains("channels seem to come first"));
    CHECK_THAT(refused("(2, 13, 64, 64)", 106496), contains("numpy.moveaxis(a, 1, -1)"));
    CHECK_THAT(refused("(2, 3, 20, 30)", 3600), contains("channels seem to come first"));
    CHECK_THAT(refused("(1, 2, 2, 257)", 1028), contains("1 to 256 channels (last) expected"));
    CHECK(refused("(2, 32, 32, 3)", 6144).empty());
    CHECK(refused("(2, 20, 30, 13)", 15600).empty());
    CHECK(refused("(2, 8, 8, 8)", 1024).empty());
}

TEST_CASE("Pictures of other channels than the model's are skipped, with what was found and expected") {
    const TemporaryFolder folder;
    write_text(folder / "a.png", encode(".png", gray_ramp(4, 4)));
    write_text(folder / "b.png", encode(".png", colour_scene(4, 4)));
    write_text(folder / "c.npy", npy("|u1", "(1, 2, 2, 6)", counting_bytes(24)));
    const auto reason = [&](const char* name, const Preprocessing& preprocessing) {
        const PictureBatch batch = read_all(ImageDataset::open(folder / name), preprocessing);
        REQUIRE(batch.skipped.size() == 1);
        CHECK(batch.skipped[0].status == PictureStatus::unsupported);
        return batch.skipped[0].reason;
    };
    CHECK(reason("a.png", measured(5, 4, 4)) == "1 channel (gray) found; 5 channels expected");
    CHECK(reason("b.png", measured(5, 4, 4)) == "3 channels (R, G, B) found; 5 channels expected");
    CHECK(reason("c.npy", measured(5, 4, 4)) == "6 channels found; 5 channels expected");
    CHECK(reason("c.npy", preprocessing_of(3, 4, 4)) == "6 channels found that are no colours; rgb expected");
    PreprocessingOptions options;
    options.channels = 3;
    CHECK_THROWS_WITH(choose_preprocessing(ImageDataset::open(folder / "c.npy"), options),
                      contains("pictures of 6 channels that are no colours found, rgb expected"));
    options.channels = 5;
    CHECK_THROWS_WITH(choose_preprocessing(ImageDataset::open(folder / "a.png"), options),
                      contains("1 channel (gray) found; 5 channels expected"));
}

TEST_CASE("Each of many channels is resized, cut and bordered as a gray picture is") {
    const TemporaryFolder folder;
    constexpr int channels = 7;
    std::vector<cv::Mat> planes;
    for (int c = 0; c < channels; ++c) {
        cv::Mat plane = gray_ramp(12, 20) + c;
        write_text(folder / (std::to_string(c) + ".png"), encode(".png", plane));
        planes.push_back(plane);
    }
    cv::Mat all;
    cv::merge(planes, all);
    write_text(folder / "a.npy",
               npy("|u1", "(1, 12, 20, 7)", {reinterpret_cast<const char*>(all.data), 12 * 20 * 7}));
    for (const ResizeMode mode : {ResizeMode::squash, ResizeMode::border, ResizeMode::center}) {
        for (const int side : {5, 12, 30}) {
            Preprocessing many = measured(channels, side, side, mode);
            many.background = 0.25F;
            const std::vector<double> values = values_of(folder / "a.npy", many);
            for (int c = 0; c < channels; ++c) {
                Preprocessing one = many;
                one.channels = 1;
                one.measured = false;
                const std::vector<double> gray = values_of(folder / (std::to_string(c) + ".png"), one);
                for (std::size_t i = 0; i < gray.size(); ++i) {
                    REQUIRE(values[i * channels + static_cast<std::size_t>(c)] == gray[i]);
                }
            }
        }
    }
}

TEST_CASE("Pixels of many channels are turned upright") {
    cv::Mat pixels(2, 3, CV_16UC(13));
    for (int i = 0; i < 6 * 13; ++i) {
        pixels.ptr<std::uint16_t>()[i] = static_cast<std::uint16_t>(i);
    }
    for (int orientation = 1; orientation <= 8; ++orientation) {
        cv::Mat all = pixels.clone();
        data::turn_upright(all, orientation);
        for (int c = 0; c < 13; ++c) {
            cv::Mat one;
            cv::extractChannel(pixels, one, c);
            data::turn_upright(one, orientation);
            cv::Mat of_all;
            cv::extractChannel(all, of_all, c);
            REQUIRE(of_all.size() == one.size());
            REQUIRE(cv::norm(of_all, one, cv::NORM_INF) == 0.0);
        }
    }
}

TEST_CASE("Ranges are of each channel, and a few values that stand apart do not press the others") {
    constexpr std::size_t pixels = 64 * 64;
    std::vector<std::uint16_t> numbers;
    for (std::size_t i = 0; i < 2 * pixels; ++i) {
        numbers.push_back(static_cast<std::uint16_t>(100 + i % 500));  // in part of 16 bits
        numbers.push_back(static_cast<std::uint16_t>(i == 7 ? 65535 : i * 37 % 3001));
        numbers.push_back(777);
        numbers.push_back(static_cast<std::uint16_t>(i == 9 ? 50 : 0));  // nearly always 0
        numbers.push_back(static_cast<std::uint16_t>(i % 2));
    }
    const TemporaryFolder folder;
    write_text(folder / "a.npy", npy("<u2", "(2, 64, 64, 5)", bytes_of(numbers)));
    const ImageDataset pictures = ImageDataset::open(folder / "a.npy");
    const Preprocessing preprocessing = choose_preprocessing(pictures, {});
    REQUIRE(preprocessing.ranges.size() == 5);
    CHECK(preprocessing.ranges[0] == ChannelRange{100.0F, 599.0F});
    CHECK(preprocessing.ranges[1].low == Approx(3.0F).margin(2.0));
    CHECK(preprocessing.ranges[1].high == Approx(2998.0F).margin(2.0));
    CHECK(preprocessing.ranges[2].low == 777.0F);
    CHECK(preprocessing.ranges[3] == ChannelRange{0.0F, 50.0F});
    CHECK(preprocessing.ranges[4] == ChannelRange{0.0F, 1.0F});
    const PictureBatch batch = read_all(pictures, preprocessing);
    for (std::size_t i = 0; i < 2 * pixels; ++i) {
        for (std::size_t c = 0; c < 5; ++c) {
            const float value = batch.pictures.data()[5 * i + c];
            REQUIRE(value >= 0.0F);
            REQUIRE(value <= 1.0F);
        }
        REQUIRE(batch.pictures.data()[5 * i + 2] == 0.0F);
    }
    CHECK(batch.pictures.data()[5 * 7 + 1] == 1.0F);
    CHECK(choose_preprocessing(pictures, {}, 1) == choose_preprocessing(pictures, {}, 2));
}

TEST_CASE("Measured channels are standardised each as a whole, gray pictures value by value") {
    const std::vector<std::uint16_t> numbers = scattered_numbers(std::size_t{20} * 3 * 4 * 5);
    const TemporaryFolder folder;
    write_text(folder / "a.npy", npy("<u2", "(20, 3, 4, 5)", bytes_of(numbers)));
    const ImageDataset pictures = ImageDataset::open(folder / "a.npy");
    PreprocessingOptions options;
    options.standardize = true;
    const Preprocessing preprocessing = choose_preprocessing(pictures, options);
    REQUIRE(preprocessing.mean.size() == 60);
    const PictureBatch batch = read_all(pictures, preprocessing);
    for (std::size_t c = 0; c < 5; ++c) {
        double sum = 0.0;
        double squares = 0.0;
        for (std::size_t i = c; i < numbers.size(); i += 5) {
            sum += double{batch.pictures.data()[i]};
            squares += double{batch.pictures.data()[i]} * double{batch.pictures.data()[i]};
        }
        CHECK(sum / 240.0 == Approx(0.0).margin(1e-4));
        CHECK(squares / 240.0 == Approx(1.0).margin(1e-4));
        CHECK(preprocessing.mean[c] == preprocessing.mean[55 + c]);
        CHECK(preprocessing.deviation[c] == preprocessing.deviation[55 + c]);
    }
}

TEST_CASE("A gray picture of 16 bits may have the range of its values") {
    const TemporaryFolder folder;
    cv::Mat dim(8, 8, CV_16UC1);
    for (int i = 0; i < 64; ++i) {
        dim.ptr<std::uint16_t>()[i] = static_cast<std::uint16_t>(200 + i);
    }
    write_text(folder / "a.png", png16(dim));
    PreprocessingOptions options;
    options.fit_ranges = true;
    const ImageDataset pictures = ImageDataset::open(folder / "a.png");
    const Preprocessing preprocessing = choose_preprocessing(pictures, options);
    CHECK_FALSE(preprocessing.measured);
    CHECK(preprocessing.ranges == std::vector<ChannelRange>{{200.0F, 263.0F}});
    const PictureBatch batch = read_all(pictures, preprocessing);
    CHECK(batch.pictures.data()[0] == 0.0F);
    CHECK(batch.pictures.data()[63] == 1.0F);
    CHECK(choose_preprocessing(pictures, {}).ranges.empty());
}

TEST_CASE("Files that are channels are one picture by the name that they have in common") {
    const TemporaryFolder folder;
    cv::Mat one(2, 3, CV_8UC1, cv::Scalar(10));
    cv::Mat two(2, 3, CV_16UC1, cv::Scalar(2000));
    std::filesystem::create_directories(folder / "cat");
    std::filesystem::create_directories(folder / "dog");
    for (const char* const name : {"cat/a", "cat/b", "dog/a"}) {
        write_text(folder / (name + std::string("_ch2.png")), png16(two));
        write_text(folder / (name + std::string("_ch1.png")), encode(".png", one));
    }
    write_text(folder / "cat/overview.png", encode(".png", one));
    const ImageDataset pictures = ImageDataset::open(folder.path(), two_channels);
    CHECK(paths_of(pictures) ==
          std::vector<std::string>{folder / "cat/a", folder / "cat/b", folder / "dog/a"});
    CHECK(pictures.entry(2).label == "dog");
    REQUIRE(pictures.notes().size() == 1);
    CHECK_THAT(pictures.notes()[0], contains("1 picture passed over, since the names end with none of _ch1"));
    PreprocessingOptions options;
    options.ranges = {{0.0F, 100.0F}, {0.0F, 4000.0F}};
    const Preprocessing preprocessing = choose_preprocessing(pictures, options);
    CHECK(preprocessing.channels == 2);
    CHECK(preprocessing.channel_files == ChannelFiles{false, {"_ch1", "_ch2"}});
    const PictureBatch batch = read_all(pictures, preprocessing);
    REQUIRE(batch.pictures.rows() == 3);
    for (std::size_t i = 0; i < 3 * 6 * 2; ++i) {
        CHECK(batch.pictures.data()[i] == (i % 2 == 0 ? 0.1F : 0.5F));
    }
    CHECK(preprocessing == choose_preprocessing(pictures.subset(std::vector<std::int64_t>{0, 2}), options));
}

TEST_CASE("A picture is found by its name, by one of its channels, in a list and again") {
    const TemporaryFolder folder;
    for (const char* const name : {"a_ch1.png", "a_ch2.png", "b_ch1.png", "b_ch2.png"}) {
        write_text(folder / name, encode(".png", gray_ramp(3, 3)));
    }
    for (const char* const name : {"a", "a_ch1.png", "a_ch2.png"}) {
        const ImageDataset picture = ImageDataset::open(folder / name, two_channels);
        CHECK(paths_of(picture) == std::vector<std::string>{folder / "a"});
        CHECK(picture.file(0) == folder / "a_ch1.png");
        CHECK(read_all(picture, measured(2, 3, 3)).pictures.rows() == 1);
    }
    write_text(folder / "list.txt", "b_ch2.png\tx\na\nb_ch1.png\ty\n");
    const ImageDataset list = ImageDataset::open(folder / "list.txt", two_channels);
    CHECK(paths_of(list) == std::vector<std::string>{folder / "b", folder / "a"});
    CHECK(list.entry(0).label == "x");
    CHECK(read_all(list, measured(2, 3, 3)).pictures.rows() == 2);
    const ImageDataset again = ImageDataset::from_entries(
        "gallery", {{folder / "b", "x"}, {folder / "gone", "x"}, {folder / "b", "x"}}, two_channels);
    REQUIRE(again.size() == 3);
    const PictureBatch batch = read_all(again, measured(2, 3, 3));
    CHECK(batch.indices == std::vector<std::int64_t>{0, 2});
    CHECK(batch.skipped[0].status == PictureStatus::missing);
    CHECK_THROWS_AS(ImageDataset::open(folder / "c", two_channels), IoError);
    write_text(folder / "c.png", encode(".png", gray_ramp(3, 3)));
    const PictureBatch other =
        read_all(ImageDataset::open(folder / "c.png", two_channels), measured(2, 3, 3));
    REQUIRE(other.skipped.size() == 1);
    CHECK_THAT(other.skipped[0].reason, contains("whose name ends with none of _ch1, _ch2"));
}

TEST_CASE("A picture without one of its channels, or with channels that differ, is skipped and says why") {
    const TemporaryFolder folder;
    const auto put = [&](const std::string& name, const cv::Mat& pixels) {
        write_text(folder / name, encode(".png", pixels));
    };
    put("lone_ch1.png", gray_ramp(4, 4));
    put("size_ch1.png", gray_ramp(4, 4));
    put("size_ch2.png", gray_ramp(4, 5));
    put("twice_ch1.png", gray_ramp(4, 4));
    put("twice_ch2.png", gray_ramp(4, 4));
    put("twice_ch2.bmp.png", gray_ramp(4, 4));
    std::filesystem::rename(folder / "twice_ch2.bmp.png", folder / "twice_ch2.bmp");
    put("tint_ch1.png", gray_ramp(4, 4));
    put("tint_ch2.png", colour_scene(4, 4));
    put("bad_ch1.png", gray_ramp(4, 4));
    write_text(folder / "bad_ch2.png", "text");
    cv::Mat as_colour;
    cv::merge(std::vector<cv::Mat>(3, gray_ramp(4, 4)), as_colour);
    put("whole_ch1.png", as_colour);
    put("whole_ch2.png", gray_ramp(4, 4));
    const ImageDataset pictures = ImageDataset::open(folder.path(), two_channels);
    REQUIRE(pictures.size() == 6);
    const PictureBatch batch = read_all(pictures, measured(2, 4, 4));
    CHECK(batch.indices == std::vector<std::int64_t>{5});
    REQUIRE(batch.skipped.size() == 5);
    CHECK_THAT(batch.skipped[0].reason, contains("bad_ch2.png: no known picture format"));
    CHECK(batch.skipped[1].reason == "channel _ch2: no file lone_ch2.* found");
    CHECK(batch.skipped[1].status == PictureStatus::missing);
    CHECK(batch.skipped[2].reason == "size_ch2.png: 5 × 4 pixels found; 4 × 4 expected, as the first has");
    CHECK(batch.skipped[3].reason == "tint_ch2.png: 3 channels found; one expected");
    CHECK(batch.skipped[4].reason ==
          "channel _ch2: 2 files found (twice_ch2.bmp, twice_ch2.png), one expected");
    CHECK_THROWS_WITH(ImageDataset::open(folder.path(), {.channel_suffixes = {"_x"}}),
                      contains("no picture found whose name ends with _x before its ending"));
}

TEST_CASE("The longest suffix counts, and a suffix may name the ending") {
    const TemporaryFolder folder;
    for (const char* const name : {"a1.png", "a11.png", "b1.png", "b11.png"}) {
        write_text(folder / name, encode(".png", gray_ramp(2, 2)));
    }
    CHECK(paths_of(ImageDataset::open(folder.path(), {.channel_suffixes = {"1", "11"}})) ==
          std::vector<std::string>{folder / "a", folder / "b"});
    CHECK(paths_of(ImageDataset::open(folder.path(), {.channel_suffixes = {"11.png", "1.png"}})) ==
          std::vector<std::string>{folder / "a", folder / "b"});
}

TEST_CASE("Preprocessing that contradicts itself on its channels is refused") {
    const auto refused = [](const auto& spoil, const std::string& text) {
        Preprocessing preprocessing = measured(5, 2, 2);
        REQUIRE_NOTHROW(validate(preprocessing));
        spoil(preprocessing);
        CHECK_THROWS_WITH(validate(preprocessing), contains(text));
    };
    refused([](Preprocessing& p) { p.measured = false; }, "channels: 5 found, 1 (gray), 3 (RGB) or 2 to 256");
    refused([](Preprocessing& p) { p.channels = 257; }, "channels: 257 found");
    refused([](Preprocessing& p) { p.ranges = {{0.0F, 1.0F}}; }, "ranges: 1 found, 5 or none expected");
    refused([](Preprocessing& p) { p.ranges.assign(5, {1.0F, 1.0F}); }, "ranges: 1 to 1 found");
    refused(
        [](Preprocessing& p) {
            p.ranges.assign(5, {0.0F, std::numeric_limits<float>::infinity()});
        },
        "two finite numbers");
    refused([](Preprocessing& p) { p.channel_files.suffixes = {"_1"}; },
            "channel_files: 1 suffixes found, 5");
    refused([](Preprocessing& p) { p.channel_files = {true, {"1", "2", "3", "4", "5"}}; }, "not both");
}

TEST_CASE("Pictures of any channels are written as NPY and read again") {
    const TemporaryFolder folder;
    Tensor pictures({2, 3, 4, 6});
    std::iota(pictures.data(), pictures.data() + pictures.size(), -5.0F);
    OutputFiles files;
    write_npy(files.add(folder / "a.npy"), pictures);
    files.commit();
    Preprocessing preprocessing = measured(6, 3, 4);
    preprocessing.ranges.assign(6, {-5.0F, 251.0F});
    const PictureBatch batch = read_all(ImageDataset::open(folder / "a.npy"), preprocessing);
    REQUIRE(batch.pictures.rows() == 2);
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        REQUIRE(batch.pictures.data()[i] == static_cast<float>(i) / 256.0F);
    }
    CHECK_THROWS_WITH(write_npy(files.add(folder / "b.npy"), Tensor({2, 3})), contains("2 extents found"));
}

}  // namespace stackae
