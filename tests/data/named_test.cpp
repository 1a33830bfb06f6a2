#include <algorithm>
#include <filesystem>

#include "data/make.hpp"
#include "data/make_zip.hpp"

namespace stackae {
namespace {

using namespace test;

/// A picture of one pixel.
std::string pixel(unsigned char gray) {
    return "P5\n1 1\n255\n" + std::string(1, static_cast<char>(gray));
}

/// Pictures of one pixel each, by its value.
std::vector<int> grays_of(const ImageDataset& pictures) {
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 1, 1));
    std::vector<int> grays;
    for (const float value : batch.pictures.values()) {
        grays.push_back(static_cast<int>(255.0F * value + 0.5F));
    }
    return grays;
}

ImageDataset named(const std::vector<std::string>& names) {
    std::vector<ImageEntry> entries;
    for (const std::string& name : names) {
        entries.push_back({name, "of " + name});
    }
    return ImageDataset::from_entries("people", std::move(entries));
}

}  // namespace

TEST_CASE("Pictures are found again by the names that they had, in the order asked for") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "in");
    write_text(folder / "in/a.pgm", pixel(1));
    write_text(folder / "in/b#1.pgm", pixel(2));
    write_text(folder / "in/b.pgm#1", pixel(3));  // a file whose name looks like a page's
    write_text(folder / "x.npy", npy("|u1", "(2, 1, 1)", "\x0a\x0b"));
    write_text(folder / "x.npz", zip({{"p.npy", npy("|u1", "(2, 1, 1)", "\x14\x15"), true}}, false));
    write_gzip(folder / "t10k-images-idx3-ubyte.gz", idx({2, 1, 1}, "\x1e\x1f"));
    std::vector<std::string> names{folder / "in/b.pgm#1"};
    for (const char* input : {"in", "x.npy", "x.npz", "x.npz#p", "t10k-images-idx3-ubyte.gz"}) {
        const ImageDataset opened = ImageDataset::open(folder / input);
        for (std::int64_t i = 0; i < opened.size(); ++i) {
            names.push_back(opened.entry(i).path);
        }
    }
    std::reverse(names.begin(), names.end());
    const ImageDataset pictures = named(names);
    CHECK(pictures.path() == "people");
    CHECK(pictures.labelled());
    CHECK(grays_of(pictures) == std::vector<int>{31, 30, 21, 20, 21, 20, 11, 10, 2, 1, 3});
    REQUIRE(pictures.size() == std::ssize(names));
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        const std::string& name = names[static_cast<std::size_t>(i)];
        CHECK(pictures.entry(i).path == name);
        CHECK(pictures.entry(i).label == "of " + name);
        CHECK(std::filesystem::exists(pictures.file(i)));
    }
}

TEST_CASE("A picture that is not found again by its name is skipped with the reason, and no other") {
    const TemporaryFolder folder;
    write_text(folder / "a.pgm", pixel(1));
    write_text(folder / "x.npy", npy("|u1", "(2, 1, 1)", "\x0a\x0b"));
    write_text(folder / "rows.npy", npy("<f4", "(1, 3)", bytes_of(std::vector<float>{0.0F, 0.5F, 1.0F})));
    write_text(folder / "cut.npy", npy("|u1", "(9, 1, 1)", "\x0a"));
    const ImageDataset pictures = named({folder / "a.pgm", folder / "gone.pgm", folder / "x.npy#2",
                                         folder / "x.npy#1", folder / "rows.npy#0", folder / "cut.npy#0",
                                         folder / "a.pgm#1", "/dev/stdin", "/dev/stdin#2"});
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 1, 1));
    CHECK(batch.indices == std::vector<std::int64_t>{0, 3});
    struct Reason {
        PictureStatus status;
        std::string text;
    };
    const std::vector<Reason> reasons{{PictureStatus::missing, "No such file"},
                                      {PictureStatus::missing, "row 2 named, 2 rows found"},
                                      {PictureStatus::unsupported, "a row of 3 values found, 1 expected"},
                                      {PictureStatus::corrupt, "cut.npy: "},
                                      {PictureStatus::missing, "No such file"},
                                      {PictureStatus::unreadable, "came through a pipe or device"},
                                      {PictureStatus::unreadable, "came through a pipe or device"}};
    REQUIRE(batch.skipped.size() == reasons.size());
    for (std::size_t i = 0; i < reasons.size(); ++i) {
        CHECK(batch.skipped[i].status == reasons[i].status);
        CHECK_THAT(batch.skipped[i].reason, contains(reasons[i].text));
    }
}

}  // namespace stackae
