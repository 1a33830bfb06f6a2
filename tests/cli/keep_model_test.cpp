#include "cli/keep_model.hpp"

#include <filesystem>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::cli {
namespace {

/// One layer of 4 → 2.
Model small_model() {
    Model model;
    model.recipe.height = 2;
    model.recipe.width = 2;
    model.layers.push_back(
        {Activation::linear, Activation::linear, Tensor({2, 4}), Tensor({2}), Tensor({4, 2}), Tensor({4})});
    model.options.layers = {2};
    model.options.activations = {Activation::linear};
    model.trained_on = "here";
    model.pictures = 1;
    return model;
}

TEST_CASE("a model whose file cannot be written is looked after in a fixed order, and replaces nothing") {
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

TEST_CASE("a model of a training that ended early spares a complete one") {
    const test::TemporaryFolder folder;
    Console console;
    Model model = small_model();
    const std::string path = folder / "model.stackae";
    CHECK_FALSE(standing_model(path));
    model.interrupted = true;
    CHECK(keep_model(console, model, path).path == path);
    CHECK_FALSE(standing_model(path)->complete);
    model.interrupted = false;
    CHECK(keep_model(console, model, path).path == path);
    const auto standing = standing_model(path);
    REQUIRE(standing);
    CHECK(standing->complete);
    CHECK(standing->trained_on == "here");
    CHECK(standing->text == "trained on here, 1 layer");
    model.interrupted = true;
    const KeptModel kept = keep_model(console, model, path);
    CHECK(kept.beside);
    CHECK(kept.path == folder / "model.partial.stackae");
    CHECK(standing_model(path)->complete);
}

TEST_CASE("a model whose folder has gone is kept in the current folder") {
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
