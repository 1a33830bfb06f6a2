#include "golden/golden_files.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <set>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/gallery.hpp"
#include "stackae/model.hpp"

#include "base/safetensors.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace stackae;
using nlohmann::json;

namespace {

namespace fs = std::filesystem;

constexpr const char* root = STACKAE_GOLDEN_FOLDER;

std::vector<std::string> files_of(const std::string& folder, const std::string& ending) {
    std::vector<std::string> files;
    for (const auto& item : fs::directory_iterator(folder)) {
        if (item.path().extension() == ending) {
            files.push_back(item.path().string());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

/// A folder for each version that wrote some.
std::vector<std::string> versions() {
    std::vector<std::string> folders;
    for (const auto& item : fs::directory_iterator(root)) {
        if (item.is_directory()) {
            folders.push_back(item.path().string());
        }
    }
    return folders;
}

json expected_of(const std::string& file) {
    return json::parse(test::read_text(file + ".json"));
}

Model model_of(const std::string& folder, const Gallery& gallery) {
    return load_model(folder + "/" + gallery.model_path);
}

/// Holds that every file of a folder gives what stands beside it.
void check_files(const std::string& folder) {
    for (const std::string& file : files_of(folder, ".stackae")) {
        CAPTURE(file);
        CHECK(golden::deviation(expected_of(file), golden::results(load_model(file))) <= golden::tolerance);
    }
    for (const std::string& file : files_of(folder, ".gallery")) {
        CAPTURE(file);
        const Gallery gallery = load_gallery(file);
        CHECK(golden::deviation(expected_of(file), golden::results(gallery, model_of(folder, gallery))) <=
              golden::tolerance);
    }
}

/// How far what a changed file gives is from what is expected; infinite where it is refused.
double deviation_after(const std::string& file, const std::function<void(base::Safetensors&)>& change) {
    const test::TemporaryFolder folder;
    base::Safetensors content = base::read_safetensors(file);
    change(content);
    base::write_safetensors(content, folder / "changed");
    try {
        if (fs::path(file).extension() == ".stackae") {
            return golden::deviation(expected_of(file), golden::results(load_model(folder / "changed")));
        }
        const Gallery gallery = load_gallery(folder / "changed");
        const Model model = model_of(fs::path(file).parent_path().string(), gallery);
        return golden::deviation(expected_of(file), golden::results(gallery, model));
    } catch (const Error&) {
        return std::numeric_limits<double>::infinity();
    }
}

/// Not by a constant, which what has a mean of 0 would not see.
void spoil(Tensor& tensor) {
    for (std::int64_t i = 0; i < tensor.size(); ++i) {
        tensor.data()[i] += 0.05F * static_cast<float>(i % 3 + 1);
    }
}

}  // namespace

TEST_CASE("Files of every version from 0.2 on open and give what they gave when they were written") {
    const std::vector<std::string> folders = versions();
    REQUIRE(std::count(folders.begin(), folders.end(), std::string(root) + "/0.2") == 1);
    for (const std::string& folder : folders) {
        REQUIRE(files_of(folder, ".stackae").size() >= 3);
        REQUIRE(files_of(folder, ".gallery").size() >= 5);
        check_files(folder);
    }
}

TEST_CASE("Files of version 0.2 are of all that it could write") {
    const std::string folder = std::string(root) + "/0.2";
    std::set<std::string> kinds;
    for (const std::string& file : files_of(folder, ".stackae")) {
        const base::Safetensors content = base::read_safetensors(file);
        CHECK(content.text("version") == "5");
        const Model model = load_model(file);
        for (const Stack* const stack : {&model.layers, &model.reconstruction.head}) {
            for (std::size_t i = 0; i < stack->size(); ++i) {
                kinds.emplace((*stack)[i].type());
            }
        }
        CHECK(model.record.pictures > 0);
        CHECK(model.record.data.size() == 16);
        CHECK(model.record.class_names == std::vector<std::string>{"column", "row"});
        CHECK(!model.record.history.empty());
    }
    CHECK(kinds == std::set<std::string>{"conv2d", "pool2d", "dense", "pca", "whiten", "nystroem",
                                         "power_norm", "l2_norm", "contrast_norm", "ridge_decoder"});
    const TrainConfig config = load_model(folder + "/dense.stackae").record.config;
    CHECK(config.optimizer == OptimizerKind::adamw);
    CHECK((*config.fine_tune_learning_rate).value() == 0.002);
    CHECK(config.patience == 5);
    CHECK(!load_model(folder + "/measurements.stackae").preprocessing.deviation.empty());
    CHECK(load_model(folder + "/maps.stackae").preprocessing.contrast);

    const auto gallery = [&](const std::string& name) {
        CHECK(base::read_safetensors(fmt::format("{}/{}.gallery", folder, name)).text("version") == "3");
        return load_gallery(fmt::format("{}/{}.gallery", folder, name));
    };
    CHECK(gallery("people").metric == Metric::l2);
    CHECK(gallery("people").threshold.value() > 0.0);
    CHECK(gallery("people").false_accept_rate == 0.25);
    CHECK(gallery("people").names[1] == "Zoë, \"Z\"");
    CHECK(gallery("people").paths[3] == "pictures/李/3.png");
    CHECK(gallery("wide").metric == Metric::cosine);
    CHECK(gallery("wide").l2_normalize);
    CHECK(!gallery("one-name").threshold);
    CHECK(!gallery("pair").rate_known);
    CHECK(gallery("twins").threshold == Gallery::reject_all);
}

TEST_CASE("What the files hold is what is compared: a change of any of it is noticed") {
    const std::string folder = std::string(root) + "/0.2";
    std::size_t tensors = 0;
    for (const std::string& file : files_of(folder, ".stackae")) {
        const bool head = !load_model(file).reconstruction.head.empty();
        const base::Safetensors whole = base::read_safetensors(file);
        for (const auto& tensor : whole.tensors) {
            const std::string& name = tensor.first;
            // Where a head rebuilds pictures, the layers' own decoders do not.
            const bool unused = head && name.starts_with("layers.") &&
                                (name.find("decoder") != name.npos || name.ends_with(".gain") ||
                                 name.ends_with(".offset") || name.ends_with(".length"));
            CAPTURE(file, name);
            CHECK((unused || deviation_after(file, [&](base::Safetensors& content) {
                                 spoil(const_cast<Tensor&>(content.at(name)));
                             }) > golden::tolerance));
            tensors += unused ? 0 : 1;
        }
    }
    CHECK(tensors >= 20);
    for (const char* const ending : {".stackae", ".gallery"}) {
        for (const std::string& file : files_of(folder, ending)) {
            const std::string key = std::string(ending) == ".stackae" ? "model" : "gallery";
            const json description = json::parse(base::read_safetensors(file).text(key));
            for (const auto& item : description.items()) {
                const std::string& field = item.key();
                if (field == "rate_known") {  // left out where it is true
                    continue;
                }
                CAPTURE(file, field);
                CHECK(deviation_after(file, [&](base::Safetensors& content) {
                          json changed = description;
                          changed[field + "_renamed"] = changed[field];
                          changed.erase(field);
                          content.metadata[key] = changed.dump();
                      }) > golden::tolerance);
            }
            CHECK(deviation_after(file, [](base::Safetensors&) {}) <= golden::tolerance);
        }
    }
}

TEST_CASE("A version's files are written once, and are of the format that the version writes") {
    const test::TemporaryFolder folder;
    golden::write_files(folder / "new");
    check_files(folder / "new");
    const std::string kept = std::string(root) + "/" STACKAE_GOLDEN_VERSION;
    INFO("a new minor version brings its files, by make_golden_files; only then a format may change");
    REQUIRE(fs::is_directory(kept));
    for (const char* const name : {"dense.stackae", "people.gallery"}) {
        CHECK(base::read_safetensors(kept + "/" + name).text("version") ==
              base::read_safetensors(folder / (std::string("new/") + name)).text("version"));
    }
    const std::string before = test::read_text(folder / "new/dense.stackae");
    CHECK_THROWS_WITH(golden::write_files(folder / "new"), test::contains("never written again"));
    CHECK(test::read_text(folder / "new/dense.stackae") == before);
}
