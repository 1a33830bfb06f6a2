#include "stackae/error.hpp"

#include "data/tiff_writer.hpp"

namespace stackae {
namespace {

using namespace test;

/// Gray TIFF pages, all of one value each: 10, 20, …
void write_pages(const std::string& path, int count, const std::string& mode = "w",
                 const std::vector<int>& reduced = {}) {
    TIFF* tiff = TIFFOpen(path.c_str(), mode.c_str());
    for (int page = 0; page < count; ++page) {
        TiffMade made;
        made.width = 20;
        made.height = 10;
        if (std::find(reduced.begin(), reduced.end(), page) != reduced.end()) {
            made.more = [](TIFF* file) { TIFFSetField(file, TIFFTAG_SUBFILETYPE, FILETYPE_REDUCEDIMAGE); };
        }
        set_tiff_fields(tiff, made);
        write_tiff_pixels(tiff, made,
                          [&](std::uint32_t, std::uint32_t, std::uint32_t) { return 10.0 + 10.0 * page; });
        REQUIRE(TIFFWriteDirectory(tiff) == 1);
    }
    TIFFClose(tiff);
}

std::vector<std::string> names_of(const ImageDataset& pictures) {
    std::vector<std::string> names;
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        names.push_back(std::filesystem::path(pictures.entry(i).path).filename().string());
    }
    return names;
}

std::vector<int> grays_of(const ImageDataset& pictures) {
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 1, 1));
    std::vector<int> grays;
    for (const float value : batch.pictures.values()) {
        grays.push_back(static_cast<int>(std::lround(255.0F * value)));
    }
    return grays;
}

}  // namespace

TEST_CASE("A TIFF of several pages is a picture a page, in folders, in lists and as the input itself") {
    const TemporaryFolder folder;
    std::filesystem::create_directory(folder / "in");
    write_pages(folder / "in/b.TIFF", 3);
    write_pages(folder / "in/a.tif", 1);
    write_pages(folder / "in/c.tif", 2, "w8");
    const ImageDataset all = ImageDataset::open(folder / "in");
    CHECK(names_of(all) ==
          std::vector<std::string>{"a.tif", "b.TIFF#1", "b.TIFF#2", "b.TIFF#3", "c.tif#1", "c.tif#2"});
    CHECK(grays_of(all) == std::vector<int>{10, 10, 20, 30, 10, 20});
    CHECK(all.file(2) == folder / "in/b.TIFF");
    std::vector<ImageEntry> again;  // by their names, where a file's own stands for its first page
    for (const char* name : {"in/b.TIFF#3", "in/c.tif", "in/a.tif", "in/b.TIFF#4"}) {
        again.push_back({folder / name, std::nullopt});
    }
    CHECK(grays_of(ImageDataset::from_entries("again", again)) == std::vector<int>{30, 10, 10});
    CHECK(grays_of(ImageDataset::open(folder / "in/c.tif")) == std::vector<int>{10, 20});
    write_pages(folder / "named-otherwise.bin", 2, "wb");
    CHECK(grays_of(ImageDataset::open(folder / "named-otherwise.bin")) == std::vector<int>{10, 20});
    write_text(folder / "list.txt", "in/b.TIFF\tx\nin/a.tif\n");
    const ImageDataset listed = ImageDataset::open(folder / "list.txt");
    CHECK(names_of(listed) == std::vector<std::string>{"b.TIFF#1", "b.TIFF#2", "b.TIFF#3", "a.tif"});
    CHECK(listed.entry(2).label == "x");
}

TEST_CASE("One page of a TIFF can be named") {
    const TemporaryFolder folder;
    write_pages(folder / "a.tif", 3);
    write_text(folder / "b.tif#1", read_text(folder / "a.tif"));  // a file's own name
    CHECK(grays_of(ImageDataset::open(folder / "a.tif#2")) == std::vector<int>{20});
    CHECK(names_of(ImageDataset::open(folder / "a.tif#2")) == std::vector<std::string>{"a.tif#2"});
    write_text(folder / "list.txt", "a.tif#3\na.tif#1\na.tif#4\na.tif#0\nnone.tif#1\nb.tif#1\n");
    const PictureBatch batch = read_all(ImageDataset::open(folder / "list.txt"), preprocessing_of(1, 1, 1));
    REQUIRE(batch.pictures.rows() == 3);
    CHECK(batch.indices == std::vector<std::int64_t>{0, 1, 5});
    CHECK(255.0F * batch.pictures.values()[0] == Approx(30).margin(0.01));
    REQUIRE(batch.skipped.size() == 3);
    CHECK(batch.skipped[0].status == PictureStatus::missing);
    CHECK(batch.skipped[0].reason == "page 4 named, 3 found");
    CHECK(batch.skipped[1].status == PictureStatus::missing);
    CHECK_THROWS_AS(ImageDataset::open(folder / "none.tif#1"), IoError);
}

TEST_CASE("A page of a file that cannot be looked through says why") {
    const TemporaryFolder folder;
    std::string chain = std::string("II*\0", 4) + le32(8);
    for (std::size_t i = 0; i <= 65'535; ++i) {  // more directories than are followed, of one entry each
        chain += le16(1) + le16(254) + le16(4) + le32(1) + le32(0) + le32(chain.size() + 18);
    }
    write_text(folder / "many.tif", chain);
    write_text(folder / "list.txt", "many.tif#2\nmany.tif\n");
    const PictureBatch batch = read_all(ImageDataset::open(folder / "list.txt"), preprocessing_of(1, 1, 1));
    REQUIRE(batch.skipped.size() == 2);
    for (const SkippedPicture& skipped : batch.skipped) {
        CHECK(skipped.status == PictureStatus::unsupported);
        CHECK_THAT(skipped.reason, contains("TIFF of more than "));
    }
}

TEST_CASE("Where the first page alone is wanted, the others are told of") {
    const TemporaryFolder folder;
    write_pages(folder / "a.tif", 12);
    const ImageDataset pictures = ImageDataset::open(folder / "a.tif", {.pages = PageSelection::first});
    REQUIRE(pictures.size() == 1);
    CHECK(names_of(pictures) == std::vector<std::string>{"a.tif"});
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 1, 1));
    REQUIRE(batch.remarks.size() == 1);
    CHECK(batch.remarks[0].index == 0);
    CHECK(batch.remarks[0].text == "the first of 12 pages used");
    CHECK(read_all(ImageDataset::open(folder / "a.tif"), preprocessing_of(1, 1, 1)).remarks.empty());
}

TEST_CASE("The pages of a TIFF that is gone are missing") {
    const TemporaryFolder folder;
    write_pages(folder / "a.tif", 3);
    const ImageDataset pages = ImageDataset::open(folder / "a.tif");
    CHECK(grays_of(pages) == std::vector<int>{10, 20, 30});
    std::filesystem::remove(folder / "a.tif");
    const PictureBatch again = read_all(pages, preprocessing_of(1, 1, 1));
    REQUIRE(again.skipped.size() == 3);
    CHECK(again.skipped[0].status == PictureStatus::missing);
}

TEST_CASE("Reduced copies of a TIFF's pages are no pages") {
    const TemporaryFolder folder;
    write_pages(folder / "a.tif", 4, "w", {1, 3});
    CHECK(grays_of(ImageDataset::open(folder / "a.tif")) == std::vector<int>{10, 30});
    write_pages(folder / "b.tif", 2, "w", {1});
    CHECK(names_of(ImageDataset::open(folder / "b.tif")) == std::vector<std::string>{"b.tif"});
    write_pages(folder / "c.tif", 1, "w", {0});
    CHECK(grays_of(ImageDataset::open(folder / "c.tif")) == std::vector<int>{10});
}

TEST_CASE("A TIFF whose chain of pages loops or breaks off has the pages that are there") {
    const TemporaryFolder folder;
    TiffKind kind;
    std::string file = tiff(2, 1, "\x20\x20", kind);
    const std::uint64_t directory = 8 + 2;
    REQUIRE(file.substr(4, 4) == le32(directory));
    write_text(folder / "loop.tif", file.substr(0, file.size() - 4) + le32(directory));
    CHECK(grays_of(ImageDataset::open(folder / "loop.tif")) == std::vector<int>{32});
    write_text(folder / "broken.tif", file.substr(0, file.size() - 4) + le32(100'000));
    const PictureBatch batch = read_all(ImageDataset::open(folder / "broken.tif"), preprocessing_of(1, 1, 1));
    CHECK(batch.pictures.rows() == 1);
    REQUIRE(batch.remarks.size() == 1);
    CHECK_THAT(batch.remarks[0].text, contains("a further page is said to lie at byte 100000"));
    // Directories of one entry each, one behind the other, in their thousands.
    std::string many = std::string("II*\0", 4) + le32(8);
    for (std::uint64_t i = 0; i < 70'000; ++i) {
        many += le16(1) + le16(256) + le16(4) + le32(1) + le32(1) + le32(8 + (i + 1) * 18);
    }
    write_text(folder / "many.tif", many);
    CHECK(ImageDataset::open(folder / "many.tif").size() == 1);
    CHECK_THAT(skipped_at(folder / "many.tif").reason, contains("more than 65535 pages"));
}

}  // namespace stackae
