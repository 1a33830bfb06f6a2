#include "stackae/labels.hpp"

#include <filesystem>

#include "stackae/error.hpp"

#include "data/make.hpp"

namespace stackae {
namespace {

using namespace test;

/// Pictures of one pixel at these paths below the folder.
void put(const TemporaryFolder& folder, const std::vector<std::string>& paths) {
    for (const std::string& path : paths) {
        std::filesystem::create_directories(std::filesystem::path(folder / path).parent_path());
        write_text(folder / path, encode(".png", cv::Mat(1, 1, CV_8UC1, cv::Scalar(7))));
    }
}

std::vector<std::string> labels_of(const ImageDataset& pictures) {
    std::vector<std::string> labels;
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        labels.push_back(pictures.entry(i).label.value_or("-") + "/" + pictures.entry(i).group.value_or("-"));
    }
    return labels;
}

std::string refused(const std::string& content) {
    const TemporaryFolder folder;
    write_text(folder / "l.csv", content);
    try {
        const LabelFile file(folder / "l.csv");
    } catch (const InvalidArgument& error) {
        return std::string(error.what()).substr((folder / "l.csv").size() + 2);
    }
    return "";
}

}  // namespace

TEST_CASE("Labels and groups come from a file by paths of every form, in place of folders' names") {
    const TemporaryFolder folder;
    put(folder, {"in/x/a.png", "in/x/b.png", "in/y/c, d.png", "in/y/e.png"});
    const ImageDataset pictures = ImageDataset::open(folder / "in");
    const std::string absolute = folder / "in/x/a.png";
    write_text(folder / "l.csv",
               "\xEF\xBB\xBFscore,Group,path,label\r\n1,p1," + absolute +
                   ",one\r\n2,p1,in/x/../x/b.png,two\r\n3,,\"y/c, d.png\",\"the \"\"3rd\"\"\"\r\n");
    LabelFile file(folder / "l.csv");
    const ImageDataset labelled = file.apply(pictures);
    CHECK(labels_of(labelled) == std::vector<std::string>{"one/p1", "two/p1", "the \"3rd\"/-", "-/-"});
    CHECK(labelled.labelled());
    CHECK(labels_of(labelled.subset(std::vector<std::int64_t>{1})) == std::vector<std::string>{"two/p1"});
    CHECK(labels_of(pictures) == std::vector<std::string>{"x/-", "x/-", "y/-", "y/-"});
    REQUIRE(file.notes().size() == 1);
    CHECK_THAT(file.notes()[0], contains("1 of 4 pictures has no line in it: " + (folder / "in/y/e.png")));
    CHECK(read_all(labelled, preprocessing_of(1, 1, 1)).pictures.rows() == 4);
}

TEST_CASE("A file of groups alone leaves pictures their labels") {
    const TemporaryFolder folder;
    put(folder, {"x/a.png", "y/b.png"});
    write_text(folder / "l.csv", "filename,group\nx/a.png,g\n");
    LabelFile file(folder / "l.csv");
    CHECK(labels_of(file.apply(ImageDataset::open(folder.path()))) == std::vector<std::string>{"x/g", "y/-"});
}

TEST_CASE("Rows of an array and pages are named, or their file for all of them") {
    const TemporaryFolder folder;
    write_text(folder / "a.npy", npy("|u1", "(3, 1, 1)", counting_bytes(3)));
    write_text(folder / "l.csv", "path,label\na.npy,all\na.npy#1,second\n");
    LabelFile file(folder / "l.csv");
    CHECK(labels_of(file.apply(ImageDataset::open(folder / "a.npy"))) ==
          std::vector<std::string>{"all/-", "second/-", "all/-"});
    CHECK(file.notes().empty());
}

TEST_CASE("Lines for pictures of several inputs are not left over; those for none are counted") {
    const TemporaryFolder folder;
    put(folder, {"train/a.png", "test/b.png"});
    write_gzip(folder / "l.csv.gz", "path,label\ntrain/a.png,1\ntest/b.png,2\ngone.png,3\nlost.png,4\n");
    LabelFile file(folder / "l.csv.gz");
    CHECK(labels_of(file.apply(ImageDataset::open(folder / "train"))) == std::vector<std::string>{"1/-"});
    CHECK(labels_of(file.apply(ImageDataset::open(folder / "test"))) == std::vector<std::string>{"2/-"});
    REQUIRE(file.notes().size() == 1);
    CHECK_THAT(file.notes()[0], contains("2 of 4 lines name no picture: line 4, gone.png and others"));
}

TEST_CASE("A file that fits no picture at all is refused with a line and a picture of each") {
    const TemporaryFolder folder;
    put(folder, {"a.png"});
    write_text(folder / "l.csv", "path,label\nelse/a.png,1\n");
    LabelFile file(folder / "l.csv");
    (void)file.apply(ImageDataset::open(folder.path()));
    CHECK_THROWS_WITH(file.notes(), contains("none of 1 pictures found in its 1 lines, of which line 2 names "
                                             "else/a.png; the first picture is " +
                                             (folder / "a.png")));
}

TEST_CASE("Files of labels that cannot be meant are refused with the line") {
    CHECK_THAT(refused(""), contains("an empty file found"));
    CHECK_THAT(refused("a.png,1\n"), contains("a header \"a.png,1\" found, path,label"));
    CHECK_THAT(refused("path,name\na,b\n"), contains("a header \"path,name\" found"));
    CHECK_THAT(refused("path,label\na,1\n,2\n"), contains("line 3: no path found"));
    CHECK_THAT(refused("path,label\na,1\nb,1\n./a,2\n"), contains("line 4: ./a is named in line 2 already"));
    CHECK_THROWS_AS(LabelFile("nowhere.csv"), IoError);
    const ImageDataset pictures = ImageDataset::from_tensor(Tensor({2, 1, 1}));
    CHECK_THROWS_WITH(pictures.with_labels({{"a", {}}}), contains("1 labels found, 2 expected"));
}

}  // namespace stackae
