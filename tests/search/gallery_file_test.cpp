#include <algorithm>
#include <filesystem>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/gallery.hpp"

#include "base/safetensors.hpp"
#include "model/sample_model.hpp"
#include "search/gallery_sample.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae {
namespace {

using test::contains;
using test::line;
using test::table;

/// Changes one metadata entry of a gallery's file; the checksum is made anew.
void rewrite(const std::string& path, const std::string& from, const std::string& to) {
    base::Safetensors file = base::read_safetensors(path);
    std::string& text = file.metadata.at("gallery");
    const auto place = text.find(from);
    REQUIRE(place != std::string::npos);
    text.replace(place, from.size(), to);
    base::write_safetensors(file, path);
}

}  // namespace

TEST_CASE("A gallery comes back from its file as it was") {
    Gallery gallery = line({"Zoë", "a \"b\"\n", "Zoë"}, {1.5F, -2.0F, 1e-20F});
    gallery.metric = Metric::cosine;
    gallery.l2_normalize = true;
    gallery.threshold = 0.1 + 0.2;
    gallery.false_accept_rate = 0.05;
    const test::TemporaryFolder folder;
    const std::string file = folder / "a.gallery";
    save(gallery, file);
    const Gallery loaded = load_gallery(file);
    CHECK(loaded.model_identity == gallery.model_identity);
    CHECK(loaded.model_path == gallery.model_path);
    CHECK(loaded.depth == 2);
    CHECK(loaded.l2_normalize);
    CHECK(loaded.metric == Metric::cosine);
    CHECK(loaded.names == gallery.names);
    CHECK(loaded.paths == gallery.paths);
    CHECK(loaded.threshold == gallery.threshold);
    CHECK(loaded.false_accept_rate == 0.05);
    CHECK(loaded.codes.shape() == gallery.codes.shape());
    CHECK(std::equal(loaded.codes.values().begin(), loaded.codes.values().end(),
                     gallery.codes.values().begin()));
    gallery.threshold.reset();
    save(gallery, file);
    CHECK(!load_gallery(file).threshold);
}

TEST_CASE("A gallery's file that cannot be believed is refused with its reason") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "b.gallery";
    Gallery gallery = line({"a", "b"}, {1, 2});
    gallery.threshold = 0.5;
    save(gallery, file);
    struct Damage {
        std::string from, to, message;
    };
    const auto damage = GENERATE(
        Damage{R"("metric":"l2")", R"("metric":"l3")", "l2 or cosine expected"},
        Damage{R"("pictures":2)", R"("pictures":3)", "tensor \"names\": 2 texts found, 3 expected"},
        Damage{R"("pictures":2)", R"("pictures":-2)", "pictures: -2 found"},
        Damage{R"("pictures":2)", R"("picture":2)", "pictures: missing"},
        Damage{R"("threshold":0.5)", R"("threshold":-2)", "threshold: -2 found"},
        Damage{R"("false_accept_rate":0.01)", R"("false_accept_rate":1)", "false_accept_rate: 1 found"},
        Damage{R"("depth":2)", R"("depth":0)", "depth: 0 layers found"},
        Damage{R"("depth":2)", R"("depth":-2)", "depth: -2 found"}, Damage{"{", "[", "not valid JSON"});
    CAPTURE(damage.to);
    rewrite(file, damage.from, damage.to);
    CHECK_THROWS_AS(load_gallery(file), CorruptFile);
    CHECK_THROWS_WITH(load_gallery(file), contains(damage.message) && contains(file));
}

TEST_CASE("Names and paths of a gallery's file are believed only whole") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "t.gallery";
    save(line({"a", "b"}, {1, 2}), file);
    base::Safetensors content = base::read_safetensors(file);
    REQUIRE(content.blocks.size() == 2);
    const auto message = [&](const std::string& names, const std::string& paths) {
        content.blocks = {{"names", names}, {"paths", paths}};
        base::write_safetensors(content, file);
        try {
            (void)load_gallery(file);
        } catch (const CorruptFile& error) {
            return std::string(error.what());
        }
        return std::string();
    };
    const std::string two("x\0y\0", 4);
    CHECK(message(two, two).empty());
    CHECK_THAT(message(two, two + 'z'), contains("tensor \"paths\": 2 texts found"));
    CHECK_THAT(message(std::string("x\0\xff\0", 4), two), contains("tensor \"names\": text 1 is not UTF-8"));
    CHECK_THAT(message(two, std::string("\0y\0", 3)),
               contains("path 0: nothing found, the path of a picture expected") && contains(file));
}

TEST_CASE("A gallery of an earlier version is refused, and it is said what to do") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "earlier.gallery";
    save(line({"a", "b"}, {1, 2}), file);
    base::Safetensors content = base::read_safetensors(file);
    content.set_kind("gallery", 2);
    base::write_safetensors(content, file);
    CHECK_THROWS_AS(load_gallery(file), CorruptFile);
    CHECK_THROWS_WITH(load_gallery(file),
                      contains("a gallery of version 2 found, 3 expected: enroll its pictures again"));
}

TEST_CASE("A file is read as the model or the gallery that it says it is") {
    const test::TemporaryFolder folder;
    const Model model = test::sample_model("dense:3", {1, 2, 1});
    save(model, folder / "model");
    save(line({"a", "b"}, {1, 2}), folder / "gallery");
    const auto first = load_model_or_gallery(folder / "model");
    REQUIRE(std::holds_alternative<Model>(first));
    CHECK(std::get<Model>(first).identity() == model.identity());
    const auto second = load_model_or_gallery(folder / "gallery");
    REQUIRE(std::holds_alternative<Gallery>(second));
    CHECK(std::get<Gallery>(second).names == std::vector<std::string>{"a", "b"});
}

TEST_CASE("Names and paths may be longer together than a file's header may be") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "long.gallery";
    Gallery gallery;
    gallery.depth = 1;
    const std::size_t n = 40'000;
    gallery.codes = Tensor({static_cast<std::int64_t>(n), 1});
    for (std::size_t i = 0; i < n; ++i) {
        gallery.names.push_back(std::to_string(i) + std::string(200, 'n'));
        gallery.paths.push_back(std::to_string(i) + std::string(300, 'p'));
    }
    save(gallery, file);
    CHECK(std::filesystem::file_size(file) > base::max_safetensors_header);
    const Gallery loaded = load_gallery(file);
    CHECK(loaded.names == gallery.names);
    CHECK(loaded.paths == gallery.paths);
}

TEST_CASE("Codes that do not fit the names, or are no numbers, are refused") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "c.gallery";
    save(line({"a", "b"}, {1, 2}), file);
    base::Safetensors content = base::read_safetensors(file);
    SECTION("too many") {
        content.tensors.at(0).second = table(3, 1, {1, 2, 3});
        base::write_safetensors(content, file);
        CHECK_THROWS_WITH(load_gallery(file), contains("3 codes of 1 values found for 2 names"));
    }
    SECTION("NaN") {
        content.tensors.at(0).second.data()[1] = std::numeric_limits<float>::quiet_NaN();
        base::write_safetensors(content, file);
        CHECK_THROWS_WITH(load_gallery(file), contains("code 1"));
    }
    SECTION("none at all") {
        content.tensors.clear();
        base::write_safetensors(content, file);
        CHECK_THROWS_AS(load_gallery(file), CorruptFile);
    }
}

TEST_CASE("A model given as a gallery is called by its name") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "d.stackae";
    base::Safetensors content;
    content.set_kind("model", 1);
    content.tensors.emplace_back("layers.1.bias", table(1, 1, {0}));
    base::write_safetensors(content, file);
    CHECK_THROWS_WITH(load_gallery(file), contains("model") && contains("gallery"));
    CHECK_THROWS_AS(load_gallery("/nowhere/x.gallery"), IoError);
}

TEST_CASE("A gallery whose parts do not agree is not written") {
    const test::TemporaryFolder folder;
    const std::string file = folder / "e.gallery";
    Gallery gallery = line({"a", "b"}, {1, 2});
    gallery.paths.pop_back();
    CHECK_THROWS_AS(save(gallery, file), InvalidArgument);
    CHECK(!std::filesystem::exists(file));
}

}  // namespace stackae
