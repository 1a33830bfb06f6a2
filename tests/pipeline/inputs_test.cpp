#include "stackae/inputs.hpp"

#include <filesystem>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae {
namespace {

using namespace test;

constexpr const char* head = "path,row,label,status,reason\n";

/// Keeps what it is told.
class Told : public InputObserver {
public:
    void on_read(std::int64_t done, std::int64_t of) override {
        read = done;
        size = of;
    }
    void on_remark(const ImageEntry& entry, std::string_view text) override {
        remarks.push_back(entry.path + ": " + std::string(text));
    }
    void on_skipped(const ImageEntry& entry, std::string_view status, std::string_view reason) override {
        skipped.push_back(entry.path + ": " + std::string(status) + ": " + std::string(reason));
    }
    void on_end(std::int64_t rows, std::int64_t skips) override { end = {rows, skips}; }
    bool stop() override { return stop_at >= 0 && read >= stop_at; }

    std::int64_t read = -1;
    std::int64_t size = -1;
    std::int64_t stop_at = -1;
    std::vector<std::string> remarks;
    std::vector<std::string> skipped;
    std::pair<std::int64_t, std::int64_t> end{-1, -1};
};

Preprocessing two_by_two() {
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = 2;
    return preprocessing;
}

/// A gray picture of 2 × 2.
void draw(const std::string& path, float gray) {
    Tensor picture({2, 2});
    for (float& value : picture.values()) {
        value = gray;
    }
    write_png(path, picture);
}

}  // namespace

TEST_CASE("A manifest waits for its output, and appears alone where no picture could be used") {
    const TemporaryFolder folder;
    InputObserver nobody;
    {
        OutputFiles files;
        Manifest manifest(nobody, files, folder / "manifest");
        manifest.used({"a.png", std::nullopt});
        manifest.finish();
        CHECK(folder.entries() <= 1);  // a temporary, where the file system needs a name for it
        CHECK_FALSE(std::filesystem::exists(folder / "manifest"));
    }
    CHECK(folder.entries() == 0);
    OutputFiles files;
    (void)files.add(folder / "output");
    Manifest manifest(nobody, files, folder / "manifest");
    manifest.skipped({"a.png", std::nullopt}, "corrupt", "no picture");
    CHECK_THROWS_WITH(manifest.finish(), "none of the one picture could be used");
    CHECK(read_text(folder / "manifest") == std::string(head) + "a.png,,,corrupt,no picture\n");
    CHECK_FALSE(std::filesystem::exists(folder / "output"));
}

TEST_CASE("A bad picture among several inputs never shifts a row, and is told of with its reason") {
    const TemporaryFolder folder;
    std::filesystem::create_directories(folder / "in/cat");
    draw(folder / "in/cat/a.png", 0.2F);
    write_text(folder / "in/cat/b.png", "no picture");
    draw(folder / "in/c.png", 0.6F);
    draw(folder / "d.png", 1.0F);
    const Inputs inputs({folder / "in", folder / "gone.png", folder / "d.png"});
    CHECK(inputs.size() == 5);
    CHECK(inputs.labelled());
    Told told;
    Manifest manifest(told, folder / "manifest");
    const Preprocessing preprocessing = two_by_two();
    InputReader reader(inputs, preprocessing, {.batch_size = 2, .threads = 1}, manifest);
    CHECK(told.read == 0);
    std::vector<float> grays;
    for (InputBatch batch; reader.next(batch);) {
        REQUIRE(batch.pictures.rows() == std::ssize(batch.entries));
        for (std::int64_t i = 0; i < batch.pictures.rows(); ++i) {
            grays.push_back(batch.pictures.row(i)[0]);
        }
    }
    manifest.finish();
    CHECK(told.read == told.size);
    CHECK(told.end == std::pair<std::int64_t, std::int64_t>{3, 2});
    REQUIRE(grays.size() == 3);
    CHECK(grays[0] == Approx(0.6F).margin(0.01));
    CHECK(grays[1] == Approx(0.2F).margin(0.01));
    CHECK(grays[2] == 1.0F);
    REQUIRE(told.skipped.size() == 2);
    CHECK(told.skipped[1].starts_with(folder / "gone.png: missing: "));
    const std::string text = read_text(folder / "manifest");
    CHECK(text.starts_with(std::string(head) + (folder / "in/c.png") + ",0,,ok,\n" +
                           (folder / "in/cat/a.png") + ",1,cat,ok,\n" + (folder / "in/cat/b.png") +
                           ",,cat,"));
    CHECK(text.ends_with((folder / "d.png") + ",2,,ok,\n"));
}

TEST_CASE("Pictures without a label are skipped where one is needed, and a name given goes over their own") {
    const TemporaryFolder folder;
    draw(folder / "a.png", 0.2F);
    const Inputs inputs({folder / "a.png"});
    const Preprocessing preprocessing = two_by_two();
    Told told;
    InputBatch batch;
    {
        Manifest manifest(told);
        InputReader reader(inputs, preprocessing, {.need_label = true}, manifest);
        CHECK_FALSE(reader.next(batch));
        CHECK(told.skipped == std::vector<std::string>{(folder / "a.png") +
                                                       ": unlabelled: no label: the picture lies in no class "
                                                       "folder"});
        CHECK_THROWS_AS(manifest.finish(), IoError);
    }
    Manifest manifest(told);
    InputReader reader(inputs, preprocessing, {.need_label = true, .label = "Zoë"}, manifest);
    REQUIRE(reader.next(batch));
    CHECK(batch.entries.front().label == "Zoë");
}

TEST_CASE("Reading ends where the observer says stop") {
    const TemporaryFolder folder;
    draw(folder / "a.png", 0.2F);
    draw(folder / "b.png", 0.2F);
    const Inputs inputs({folder / "a.png", folder / "b.png"});
    const Preprocessing preprocessing = two_by_two();
    Told told;
    told.stop_at = 1;
    Manifest manifest(told);
    InputReader reader(inputs, preprocessing, {.batch_size = 1, .threads = 1}, manifest);
    InputBatch batch;
    CHECK(reader.next(batch));
    CHECK_FALSE(reader.next(batch));
    CHECK(manifest.rows() == 1);
}

TEST_CASE("An only input that cannot be opened is an error") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(Inputs({folder / "gone.png"}), IoError);
}

}  // namespace stackae
