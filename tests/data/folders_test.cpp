#include <filesystem>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "stackae/error.hpp"

#include "data/make.hpp"

namespace stackae {
namespace {

using namespace test;
namespace fs = std::filesystem;

const std::string& small_png() {
    static const std::string file = encode(".png", gray_ramp(3, 4));
    return file;
}

/// Makes picture files, and the folders they are in.
void put(const TemporaryFolder& folder, std::initializer_list<const char*> names) {
    for (const char* name : names) {
        fs::create_directories(fs::path(folder / name).parent_path());
        write_text(folder / name, small_png());
    }
}

/// Paths below the collection's own, and labels: "cat/1.png=cat".
std::vector<std::string> listing(const ImageDataset& pictures) {
    std::vector<std::string> lines;
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        const ImageEntry entry = pictures.entry(i);
        REQUIRE(entry.path.starts_with(pictures.path() + "/"));
        lines.push_back(entry.path.substr(pictures.path().size() + 1) + "=" + entry.label.value_or("-"));
    }
    return lines;
}

}  // namespace

TEST_CASE("A folder is read in byte order, its first level is the label") {
    const TemporaryFolder folder;
    put(folder, {"dog/1.png", "cat/10.PNG", "cat/2.jpg", "cat/1.png", "cat/deep/er/x.bmp", "Zebra/a.tiff",
                 "\xC3\xA4pfel/\xE5\x9B\xBE.png", "root.webp", "cat.png", "cat-2/y.pgm"});
    fs::create_directory(folder / "empty");
    const ImageDataset pictures = ImageDataset::open(folder.path());
    CHECK(listing(pictures) == std::vector<std::string>{"Zebra/a.tiff=Zebra", "cat-2/y.pgm=cat-2",
                                                        "cat.png=-", "cat/1.png=cat", "cat/10.PNG=cat",
                                                        "cat/2.jpg=cat", "cat/deep/er/x.bmp=cat",
                                                        "dog/1.png=dog", "root.webp=-",
                                                        "\xC3\xA4pfel/\xE5\x9B\xBE.png=\xC3\xA4pfel"});
    CHECK(pictures.labelled());
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 3, 4));
    CHECK(batch.pictures.rows() == 10);  // by content: endings only choose
}

TEST_CASE("Hidden files and files that are no pictures are passed over") {
    const TemporaryFolder folder;
    put(folder, {"a/1.png", "a/._1.png", "a/.DS_Store", "a/notes.md", "a/png", "a/2.png.bak", ".hidden/3.png",
                 "Thumbs.db", "a/archive.tar.gz"});
    CHECK(listing(ImageDataset::open(folder.path())) == std::vector<std::string>{"a/1.png=a"});
}

TEST_CASE("Pictures of every format are accounted for, also of those that are not read") {
    const TemporaryFolder folder;
    const std::vector<std::string> names{"a.apng", "b.j2k", "c.jpf", "d.jxl", "e.heif", "f.avif", "g.gif",
                                         "h.qoi",  "i.ico", "j.TGA", "k.psd", "l.exr",  "m.svg",  "n.dds",
                                         "o.dng",  "p.NEF", "q.cr2", "r.arw", "s.pef",  "t.cr3"};
    for (const std::string& name : names) {
        write_text(folder / name, "qoif" + std::string(20, '\0'));
    }
    const ImageDataset pictures = ImageDataset::open(folder.path());
    REQUIRE(pictures.size() == static_cast<std::int64_t>(names.size()));
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 3, 4));
    REQUIRE(batch.skipped.size() == names.size());
    for (const SkippedPicture& skipped : batch.skipped) {
        CHECK(skipped.status == PictureStatus::unsupported);
        CHECK_THAT(skipped.reason, contains("QOI found; PNG, JPEG"));
    }
}

TEST_CASE("A folder named like a picture is a folder, a slash at the end changes nothing") {
    const TemporaryFolder folder;
    put(folder, {"x.png/1.png"});
    const ImageDataset pictures = ImageDataset::open(folder.path() + "/");
    REQUIRE(pictures.size() == 1);
    CHECK(pictures.entry(0).path == folder / "x.png/1.png");
    CHECK(pictures.entry(0).label == "x.png");
}

TEST_CASE("Links are followed, round trips and dead ends are survived") {
    const TemporaryFolder folder;
    put(folder, {"real/1.png"});
    fs::create_directory_symlink(folder / "real", folder / "alias");
    fs::create_directory_symlink("..", folder / "real/up");
    fs::create_symlink("1.png", folder / "real/2.png");
    fs::create_symlink("nowhere.png", folder / "real/3.png");
    fs::create_symlink("self.png", folder / "real/self.png");
    REQUIRE(::mkfifo((folder / "real/pipe.png").c_str(), 0600) == 0);
    const ImageDataset pictures = ImageDataset::open(folder.path());
    CHECK(listing(pictures) == std::vector<std::string>{"alias/1.png=alias", "alias/2.png=alias",
                                                        "alias/3.png=alias", "alias/pipe.png=alias",
                                                        "alias/self.png=alias", "real/1.png=real",
                                                        "real/2.png=real", "real/3.png=real",
                                                        "real/pipe.png=real", "real/self.png=real"});
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 3, 4));
    CHECK(batch.indices == std::vector<std::int64_t>{0, 1, 5, 6});
    REQUIRE(batch.skipped.size() == 6);
    CHECK(batch.skipped[0].index == 2);
    CHECK(batch.skipped[0].status == PictureStatus::missing);
    CHECK_THAT(batch.skipped[0].reason, contains("No such file"));
    CHECK(batch.skipped[1].status == PictureStatus::unreadable);
    CHECK(batch.skipped[1].reason == "a pipe found, a regular file expected");
}

TEST_CASE("A class folder that is a link to nothing is told of, not lost") {
    const TemporaryFolder folder;
    put(folder, {"A/0.png"});
    fs::create_directory_symlink(folder / "gone", folder / "B");
    const ImageDataset pictures = ImageDataset::open(folder.path());
    CHECK(listing(pictures) == std::vector<std::string>{"A/0.png=A", "B=-"});
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 3, 4));
    REQUIRE(batch.skipped.size() == 1);
    CHECK(batch.skipped[0].status == PictureStatus::missing);
}

TEST_CASE("A class folder that is a link to itself is told of, not lost") {
    const TemporaryFolder folder;
    put(folder, {"A/0.png"});
    fs::create_directory_symlink("B", folder / "B");
    const ImageDataset pictures = ImageDataset::open(folder.path());
    CHECK(listing(pictures) == std::vector<std::string>{"A/0.png=A", "B=-"});
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 3, 4));
    REQUIRE(batch.skipped.size() == 1);
    CHECK(batch.skipped[0].status == PictureStatus::unreadable);
    CHECK_THAT(batch.skipped[0].reason, contains("symbolic links"));
}

TEST_CASE("A folder that holds an array, a list or an archive instead of pictures says so") {
    const auto told = [](const char* name) {
        const TemporaryFolder folder;
        write_text(folder / name, "x");
        write_text(folder / "notes.md", "x");
        try {
            (void)ImageDataset::open(folder.path());
        } catch (const InvalidArgument& error) {
            return std::string(error.what()).substr(folder.path().size());
        }
        return std::string();
    };
    for (const char* name : {"train-images-idx3-ubyte.gz", "a.NPY", "b.npz", "c.npy.gz", "list.txt"}) {
        CHECK(told(name) == std::string(": folder without a picture; it holds ") + name + ": name that file");
    }
    CHECK_THAT(told("photos.zip"), contains("it holds photos.zip, which is not read"));
    CHECK_THAT(told("table.csv"), contains("it holds table.csv, which is not read"));
    CHECK(told("other.md") == ": folder without a picture");
}

TEST_CASE("A folder without a picture, and a path that is not there, are told apart") {
    const TemporaryFolder folder;
    fs::create_directory(folder / "empty");
    CHECK_THROWS_AS(ImageDataset::open(folder / "empty"), InvalidArgument);
    CHECK_THROWS_WITH(ImageDataset::open(folder / "empty"), contains("empty: folder without a picture"));
    CHECK_THROWS_AS(ImageDataset::open(folder / "gone"), IoError);
    CHECK_THROWS_WITH(ImageDataset::open(folder / "gone/x.png"),
                      contains("gone/x.png: cannot open: No such"));
    fs::create_symlink("gone", folder / "dangling.png");
    CHECK_THROWS_AS(ImageDataset::open(folder / "dangling.png"), IoError);
}

TEST_CASE("A list keeps its order, takes labels after a tab, and any line ends") {
    const TemporaryFolder folder;
    put(folder, {"lists/b.png", "pics/with space.png", "pics/#odd.png"});
    write_text(folder / "lists/all.txt",
               "\xEF\xBB\xBF# a comment\r\n\r\nb.png\tletter b\r\n../pics/with space.png\n"
               "   \ngone.png\tlost\n../pics/#odd.png\t\n" +
                   (folder / "lists/b.png"));
    const ImageDataset pictures = ImageDataset::open(folder / "lists/all.txt");
    REQUIRE(pictures.size() == 5);
    CHECK(pictures.entry(0).path == folder / "lists/b.png");
    CHECK(pictures.entry(0).label == "letter b");
    CHECK(pictures.entry(1).path == folder / "lists/../pics/with space.png");
    CHECK_FALSE(pictures.entry(1).label.has_value());
    CHECK(pictures.entry(2).label == "lost");
    CHECK_FALSE(pictures.entry(3).label.has_value());
    CHECK(pictures.entry(4).path == folder / "lists/b.png");
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 3, 4));
    CHECK(batch.indices == std::vector<std::int64_t>{0, 1, 3, 4});
    REQUIRE(batch.skipped.size() == 1);
    CHECK(batch.skipped[0].status == PictureStatus::missing);
    CHECK(pictures.notes() ==
          std::vector<std::string>{folder / "lists/all.txt" +
                                   ": a line that begins with # was taken for a comment"});
    write_text(folder / "none.txt", "# nothing\n\n");
    CHECK_THROWS_WITH(ImageDataset::open(folder / "none.txt"), contains("none.txt: list without a path"));
}

TEST_CASE(
    "A line of a list that begins with # is a path where there is such a file, or where no blank follows") {
    const TemporaryFolder folder;
    put(folder, {"#1 front.png", "# 2.png", "3.png"});
    write_text(folder / "all.txt",
               "#1 front.png\tfront\n# 2.png\n3.png\n#gone.png\n# a comment\n#\n## more\n");
    const ImageDataset pictures = ImageDataset::open(folder / "all.txt");
    REQUIRE(pictures.size() == 4);
    CHECK(pictures.entry(0).path == folder / "#1 front.png");
    CHECK(pictures.entry(0).label == "front");
    CHECK(pictures.entry(1).path == folder / "# 2.png");
    const PictureBatch batch = read_all(pictures, preprocessing_of(1, 3, 4));
    CHECK(batch.indices == std::vector<std::int64_t>{0, 1, 2});
    REQUIRE(batch.skipped.size() == 1);
    CHECK(batch.skipped[0].status == PictureStatus::missing);
    REQUIRE(pictures.notes().size() == 1);
    CHECK_THAT(pictures.notes()[0], contains("3 lines that begin with # were taken for comments"));
}

TEST_CASE("A list in UTF-16, and a file that is no text, are refused by that name") {
    const TemporaryFolder folder;
    const std::string path = folder / "list.txt";
    write_text(path, std::string("\xff\xfe"
                                 "a\0.\0p\0n\0g\0",
                                 12));
    CHECK_THROWS_WITH(ImageDataset::open(path), path + ": UTF-16 found, UTF-8 expected");
    write_text(path, std::string("\xfe\xff"
                                 "\0a\0.\0p",
                                 8));
    CHECK_THROWS_WITH(ImageDataset::open(path), path + ": UTF-16 found, UTF-8 expected");
    write_text(path, small_png());
    CHECK_THROWS_AS(ImageDataset::open(path), InvalidArgument);
    CHECK_THROWS_WITH(ImageDataset::open(path), contains("no text found (byte 8 is 0)"));
}

TEST_CASE("Pipes and devices in a list are accounted for and never waited for") {
    const TemporaryFolder folder;
    put(folder, {"a.png"});
    REQUIRE(::mkfifo((folder / "pipe.png").c_str(), 0600) == 0);
    write_text(folder / "all.txt", "pipe.png\n/dev/zero\na.png\n");
    const PictureBatch batch = read_all(ImageDataset::open(folder / "all.txt"), preprocessing_of(1, 3, 4));
    CHECK(batch.indices == std::vector<std::int64_t>{2});
    REQUIRE(batch.skipped.size() == 2);
    for (const SkippedPicture& skipped : batch.skipped) {
        CHECK(skipped.status == PictureStatus::unreadable);
        CHECK_THAT(skipped.reason, contains(" found, a regular file expected"));
    }
}

TEST_CASE("A list or a picture comes through a pipe") {
    const TemporaryFolder folder;
    put(folder, {"a.png"});
    const std::string path = folder / "pipe";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const auto opened = [&](const std::string& content) {
        std::thread writer([&] { write_text(path, content); });
        ImageDataset pictures = ImageDataset::open(path);
        writer.join();
        return pictures;
    };
    const ImageDataset list = opened((folder / "a.png") + "\tfirst\nb.png\n");
    REQUIRE(list.size() == 2);
    CHECK(list.entry(0).label == "first");
    CHECK(list.entry(1).path == "b.png");  // relative to the working folder
    CHECK(read_all(list, preprocessing_of(1, 3, 4)).indices == std::vector<std::int64_t>{0});
    const ImageDataset picture = opened(small_png());
    REQUIRE(picture.size() == 1);
    for (int again = 0; again < 2; ++again) {
        CHECK(read_all(picture, preprocessing_of(1, 3, 4)).pictures.rows() == 1);
    }
}

TEST_CASE("A folder in a list is unreadable, not a crash") {
    const TemporaryFolder folder;
    put(folder, {"a.png"});
    fs::create_directory(folder / "sub.png");
    write_text(folder / "all.txt", "sub.png\na.png\n");
    const PictureBatch batch = read_all(ImageDataset::open(folder / "all.txt"), preprocessing_of(1, 3, 4));
    CHECK(batch.indices == std::vector<std::int64_t>{1});
    REQUIRE(batch.skipped.size() == 1);
    CHECK(batch.skipped[0].status == PictureStatus::unreadable);
    CHECK_THAT(batch.skipped[0].reason, contains("Is a directory"));
}

TEST_CASE("What the system refuses to read is named so") {
    if (::geteuid() == 0) {
        SUCCEED("root may read everything");
        return;
    }
    const TemporaryFolder folder;
    put(folder, {"a/1.png", "a/2.png", "locked/3.png"});
    fs::permissions(folder / "a/1.png", fs::perms::none);
    fs::permissions(folder / "locked", fs::perms::none);
    const PictureBatch batch = read_all(ImageDataset::open(folder.path()), preprocessing_of(1, 3, 4));
    CHECK(batch.indices == std::vector<std::int64_t>{1});
    REQUIRE(batch.skipped.size() == 2);
    CHECK(batch.skipped[0].status == PictureStatus::unreadable);
    CHECK(batch.skipped[1].status == PictureStatus::unreadable);
    CHECK_THAT(batch.skipped[1].reason, contains("cannot read folder: "));
    fs::permissions(folder / "locked", fs::perms::owner_all);
}

TEST_CASE("A subset has the entries asked for, in that order") {
    const TemporaryFolder folder;
    put(folder, {"a/1.png", "b/2.png", "3.png"});
    const ImageDataset all = ImageDataset::open(folder.path());
    const std::vector<std::int64_t> chosen{2, 0, 2};
    const ImageDataset some = all.subset(chosen);
    REQUIRE(some.size() == 3);
    CHECK(some.entry(0).path == folder / "b/2.png");
    CHECK(some.entry(1).path == folder / "3.png");
    CHECK(some.labelled());
    CHECK_FALSE(all.subset(std::vector<std::int64_t>{0}).labelled());
    CHECK(some.subset(std::vector<std::int64_t>{1}).entry(0).path == folder / "3.png");
    CHECK(read_all(some, preprocessing_of(1, 3, 4)).pictures.rows() == 3);
    CHECK_THROWS_AS(all.subset(std::vector<std::int64_t>{3}), InvalidArgument);
    CHECK_THROWS_AS(all.subset(std::vector<std::int64_t>{-1}), InvalidArgument);
}

}  // namespace stackae
