#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fmt/format.h>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include "stackae/error.hpp"

#include "data/make.hpp"
#include "data/read.hpp"
#include "data/source.hpp"

namespace stackae {
namespace {

using namespace test;

/// n pictures of one value, i / n.
ImageDataset counting(std::int64_t n) {
    Tensor values({n, 1, 1});
    for (std::int64_t i = 0; i < n; ++i) {
        values.data()[i] = static_cast<float>(i) / static_cast<float>(n);
    }
    return ImageDataset::from_tensor(std::move(values));
}

/// A picture that takes more memory than there is, for OpenCV or for somebody else.
class Enormous : public ImageDataset::Source {
public:
    explicit Enormous(bool opencv) : opencv_(opencv) {}
    [[nodiscard]] std::int64_t size() const override { return 1; }
    [[nodiscard]] ImageEntry entry(std::int64_t /*i*/) const override { return {path_, std::nullopt}; }
    [[nodiscard]] const std::string& path() const override { return path_; }
    [[nodiscard]] bool labelled() const override { return false; }
    [[nodiscard]] data::Picture load(std::int64_t /*i*/,
                                     const Preprocessing* /*preprocessing*/) const override {
        if (opencv_) {
            CV_Error(cv::Error::StsNoMem, "Failed to allocate 300000000 bytes");
        }
        throw std::bad_alloc();
    }

private:
    bool opencv_;
    std::string path_ = "enormous.png";
};

}  // namespace

TEST_CASE("A picture for which there is no memory is not called damaged") {
    const bool opencv = GENERATE(false, true);
    float out = 0.0F;
    const auto skipped =
        data::read_picture(Enormous(opencv), 0, preprocessing_of(1, 1, 1), {&out, 1}).skipped;
    REQUIRE(skipped);
    CHECK(std::string(name(skipped->status)) == "out_of_memory");
    CHECK_THAT(skipped->reason, contains(opencv ? "300000000 bytes" : "more memory needed"));
}

TEST_CASE("Pictures come in order, each once, at any number of threads and batch size") {
    const ImageDataset pictures = counting(1000);
    for (const int threads : {1, 2, 7}) {
        for (const std::int64_t batch_size : {1, 3, 256, 1000, 5000}) {
            for (const int ahead : {1, 4}) {
                PictureReader reader(pictures, preprocessing_of(1, 1, 1),
                                     {.batch_size = batch_size, .threads = threads, .batches_ahead = ahead});
                std::int64_t next = 0;
                for (PictureBatch batch; reader.next(batch);) {
                    REQUIRE(batch.pictures.rows() == std::min(batch_size, 1000 - next));
                    REQUIRE(batch.skipped.empty());
                    for (std::int64_t row = 0; row < batch.pictures.rows(); ++row, ++next) {
                        REQUIRE(batch.indices[static_cast<std::size_t>(row)] == next);
                        REQUIRE(batch.pictures.row(row)[0] == static_cast<float>(next) / 1000.0F);
                    }
                }
                REQUIRE(next == 1000);
            }
        }
    }
}

TEST_CASE("What is decoded ahead is bounded in bytes, whatever the batch size") {
    const ImageDataset pictures = counting(100);
    const Preprocessing preprocessing = preprocessing_of(1, 8, 8);  // 256 bytes a picture
    const auto largest = [&](std::int64_t memory, std::int64_t batch_size) {
        PictureReader reader(pictures, preprocessing,
                             {.batch_size = batch_size, .threads = 2, .batches_ahead = 4, .memory = memory});
        std::int64_t most = 0;
        std::int64_t next = 0;
        for (PictureBatch batch; reader.next(batch); next += batch.pictures.rows()) {
            REQUIRE(batch.indices.front() == next);
            most = std::max(most, batch.pictures.rows());
        }
        CHECK(next == 100);
        return most;
    };
    CHECK(largest(256 * 4 * 10, 50) == 10);  // 4 batches of 10
    CHECK(largest(256 * 4 * 10, 3) == 3);
    CHECK(largest(256 * 3, 50) == 1);
    CHECK(largest(1, 50) == 1);  // one picture is always held
}

TEST_CASE("A reader that is dropped early does not hang") {
    const ImageDataset pictures = counting(10000);
    for (int taken = 0; taken < 4; ++taken) {
        PictureReader reader(pictures, preprocessing_of(1, 8, 8),
                             {.batch_size = 10, .threads = 3, .batches_ahead = 2});
        PictureBatch batch;
        for (int i = 0; i < taken; ++i) {
            REQUIRE(reader.next(batch));
            REQUIRE(batch.indices.front() == 10 * i);
        }
    }
}

TEST_CASE("The same picture gives the same values alone and in a folder") {
    const TemporaryFolder folder;
    for (int i = 0; i < 30; ++i) {
        write_text(folder / (std::to_string(i) + ".jpg"), encode(".jpg", colour_scene(200 + 10 * i, 300)));
    }
    const ImageDataset all = ImageDataset::open(folder.path());
    const Preprocessing preprocessing = preprocessing_of(3, 20, 20, ResizeMode::border);
    const PictureBatch together = read_all(all, preprocessing);
    REQUIRE(together.pictures.rows() == 30);
    for (std::int64_t i = 0; i < 30; ++i) {
        const PictureBatch alone = read_all(ImageDataset::open(all.entry(i).path), preprocessing);
        const auto row = together.pictures.row(i);
        CHECK(std::equal(row.begin(), row.end(), alone.pictures.values().begin()));
    }
}

TEST_CASE("Options that cannot be are refused") {
    const ImageDataset pictures = counting(3);
    CHECK_THROWS_AS(PictureReader(pictures, preprocessing_of(1, 1, 1), {.batch_size = 0}), InvalidArgument);
    CHECK_THROWS_AS(PictureReader(pictures, preprocessing_of(1, 1, 1), {.batches_ahead = 0}),
                    InvalidArgument);
    CHECK_THROWS_AS(PictureReader(pictures, preprocessing_of(1, 1, 1), {.threads = -1}), InvalidArgument);
    CHECK_THROWS_AS(PictureReader(pictures, preprocessing_of(1, 1, 1), {.memory = 0}), InvalidArgument);
    CHECK_THROWS_AS(PictureReader(pictures, preprocessing_of(2, 1, 1)), InvalidArgument);
}

TEST_CASE("Large pictures are in memory one at a time, and read the same as on one thread") {
    const test::TemporaryFolder folder;
    for (int i = 0; i < 12; ++i) {  // 64 × 64 pixels and 8 × 8
        const std::int64_t side = i % 3 == 0 ? 64 : 8;
        Tensor picture({side, side, 1});
        std::fill_n(picture.data(), picture.size(), static_cast<float>(i) / 12.0F);
        write_png(folder / fmt::format("{:02}.png", i), picture);
    }
    PictureLimits limits;
    limits.max_bytes = 64 * 64;  // of which the small ones take a sixty-fourth, the large ones all
    const ImageDataset pictures = ImageDataset::open(folder.path(), limits);
    const Preprocessing preprocessing = preprocessing_of(1, 4, 4);
    PictureReader reader(pictures, preprocessing, {.threads = 4});
    PictureBatch batch;
    REQUIRE(reader.next(batch));
    REQUIRE(batch.pictures.rows() == 12);
    for (std::int64_t i = 0; i < 12; ++i) {
        CHECK(batch.pictures.row(i)[5] == Approx(static_cast<double>(i) / 12.0).margin(1.0 / 255.0));
    }
    limits.max_bytes = 64 * 64 - 1;
    const PictureBatch fewer = read_all(ImageDataset::open(folder.path(), limits), preprocessing);
    CHECK(fewer.pictures.rows() == 8);
    REQUIRE(fewer.skipped.size() == 4);
    CHECK(fewer.skipped[1].index == 3);
    CHECK(fewer.skipped[1].status == PictureStatus::too_large);

    std::atomic<int> held{0};
    std::atomic<int> most{0};
    std::vector<std::thread> threads;
    for (std::int64_t t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            for (int round = 0; round < 20; ++round) {
                data::with_picture(pictures.source(), 3 * t, nullptr, [&](const data::Picture&) {
                    most = std::max(most.load(), ++held);
                    std::this_thread::yield();
                    --held;
                });
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    CHECK(most == 1);
}

TEST_CASE("A file that is no picture is known by its first bytes, however large it is") {
    const test::TemporaryFolder folder;
    test::write_text(folder / "a.png", "");
    std::filesystem::resize_file(folder / "a.png", std::uintmax_t{1} << 32U);
    const SkippedPicture skipped = test::skipped_at(folder / "a.png");
    CHECK(skipped.status == PictureStatus::unsupported);
    CHECK_THAT(skipped.reason, test::contains("no known picture format"));
}

TEST_CASE("An array in a list of pictures is called one") {
    const test::TemporaryFolder folder;
    test::write_text(folder / "a.npy", test::npy("|u1", "(1, 2, 2)", "abcd"));
    test::write_gzip(folder / "b.gz", "abcd");
    test::write_text(folder / "list.txt", "a.npy\nb.gz\n");
    const PictureBatch batch =
        test::read_all(ImageDataset::open(folder / "list.txt"), test::preprocessing_of(1, 2, 2));
    REQUIRE(batch.skipped.size() == 2);
    CHECK_THAT(batch.skipped[0].reason, test::contains("NumPy array found; "));
    CHECK_THAT(batch.skipped[1].reason, test::contains("gzip found; "));
}

TEST_CASE("A file is read within the bytes that its picture may take, a large one alone") {
    constexpr std::size_t mib = std::size_t{1} << 20U;
    const test::TemporaryFolder folder;
    const std::string path = folder / "a.png";
    test::write_text(path, test::png(1, 1, 8, 0, std::string(2, '\0'),
                                     test::png_chunk("prVt", std::string(3 * mib, 'x'))));
    PictureLimits limits;
    limits.max_bytes = mib;
    const SkippedPicture skipped = test::skipped_at(path, limits);
    CHECK(skipped.status == PictureStatus::too_large);
    CHECK_THAT(skipped.reason, test::contains("file of 31"));
    limits.max_bytes = 3 * mib;
    const ImageDataset pictures = ImageDataset::open(path, limits);
    CHECK_THROWS_AS(pictures.source().load(0, nullptr), data::LargePicture);
    CHECK(pictures.source().load_large(0, nullptr).pixels.total() == 1);
}

TEST_CASE("A subset of nothing gives no batch") {
    const ImageDataset none = counting(3).subset({});
    PictureReader reader(none, preprocessing_of(1, 1, 1));
    PictureBatch batch;
    CHECK_FALSE(reader.next(batch));
    CHECK_THROWS_AS(choose_preprocessing(none, {}), InvalidArgument);
}

}  // namespace stackae
