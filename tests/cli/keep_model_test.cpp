#include "cli/keep_model.hpp"

#include <filesystem>

#include "stackae/error.hpp"

#include "model/sample_model.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::cli {
namespace {

Model small_model() {
    Model model = test::sample_model("dense:2", {2, 2, 1});
    model.record.data = "0123456789abcdef";
    model.record.pictures = 1234;
    model.record.class_names = {"ann", "bob"};
    return model;
}

TEST_CASE("A model whose file cannot be written is looked after in a fixed order, and replaces nothing") {
    const test::TemporaryFolder folder;
    const std::string here = std::filesystem::current_path().string();
    std::filesystem::create_directory(folder / "home");
    CHECK(spare_places(folder / "model.stackae", folder / "home", folder / "tmp") ==
          std::vector<std::string>{folder / "model.kept.stackae", here + "/model.kept.stackae",
                                   folder / "home/model.kept.stackae", folder / "tmp/model.kept.stackae"});
    test::write_text(folder / "model.kept.stackae", "a model");
    CHECK(spare_places(folder / "model.stackae", "", "").front() == folder / "model.kept-2.stackae");
    CHECK(spare_places("/dev/full", "", folder.path()) ==
          std::vector<std::string>{here + "/full.kept.stackae", folder / "full.kept.stackae"});
}

TEST_CASE("A model of a training that ended early spares a complete one") {
    const test::TemporaryFolder folder;
    Console console;
    Model model = small_model();
    const std::string path = folder / "model.stackae";
    CHECK_FALSE(standing_model(path));
    model.record.interrupted = true;
    CHECK(keep_model(console, model, path).path == path);
    CHECK_FALSE(standing_model(path)->complete);
    model.record.interrupted = false;
    CHECK(keep_model(console, model, path).path == path);
    const auto standing = standing_model(path);
    REQUIRE(standing);
    CHECK(standing->complete);
    CHECK(standing->data == "0123456789abcdef");
    CHECK(standing->text == "trained on 1,234 pictures of 2 classes, dense:2");
    model.record.interrupted = true;
    const KeptModel kept = keep_model(console, model, path);
    CHECK(kept.beside);
    CHECK(kept.path == folder / "model.partial.stackae");
    CHECK(standing_model(path)->complete);
}

TEST_CASE("What stands is told by what it was trained on and how far, or by why it cannot be read") {
    const test::TemporaryFolder folder;
    const std::string path = folder / "model.stackae";
    Model model = small_model();
    model.record.pictures = 1;
    model.record.class_names.clear();
    model.record.interrupted = true;
    save(model, path);
    CHECK(standing_model(path)->text == "trained on 1 picture, dense:2; interrupted");
    model.record.config.stack = parse_stack("dense:2, dense:1");
    save(model, path);
    CHECK(standing_model(path)->text ==
          "trained on 1 picture, dense:2, dense:1; interrupted after 1 of 2 layers");
    test::write_text(path, "no model");
    const auto standing = standing_model(path);
    REQUIRE(standing);
    CHECK(standing->data.empty());
    CHECK_THAT(standing->text, test::contains(path));
    CHECK_FALSE(standing->complete);
}

TEST_CASE("A model whose folder has gone is kept in the current folder") {
    const test::TemporaryFolder folder;
    Console console;
    const KeptModel kept = keep_model(console, small_model(), folder / "gone/stackae-keep-test.stackae");
    CHECK(kept.elsewhere);
    CHECK(kept.path == (std::filesystem::current_path() / "stackae-keep-test.kept.stackae").string());
    CHECK(load_model(kept.path).layers.size() == 1);
    std::filesystem::remove(kept.path);
}

}  // namespace
}  // namespace stackae::cli
