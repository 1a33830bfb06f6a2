#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/pipeline.hpp"

#include "model/sample_model.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae {
namespace {

using namespace test;
namespace fs = std::filesystem;

/// 60 pictures of 3 × 3 pixels in two folders; every seventh is none.
void draw_pictures(const std::string& folder) {
    for (int i = 0; i < 60; ++i) {
        const std::string name = folder + (i < 30 ? "/ann" : "/bob");
        fs::create_directories(name);
        const std::string path = name + "/" + std::to_string(100 + i) + ".png";
        if (i % 7 == 6) {
            std::ofstream(path) << "no picture";
            continue;
        }
        Tensor picture({3, 3});
        for (std::int64_t j = 0; j < 9; ++j) {
            picture.data()[j] = static_cast<float>((i * 37 + j * 11) % 64) / 64.0F;
        }
        write_png(path, picture);
    }
}

/// Stops after so many questions.
class Stopper : public InputObserver {
public:
    explicit Stopper(int after = 1'000'000) : left_(after) {}
    bool stop() override { return --left_ < 0; }
    void on_resumed(std::int64_t done, std::int64_t /*of*/) override { resumed = done; }
    void on_checkpoint_failed(const std::string& why) override { failures.push_back(why); }
    void on_skipped(const ImageEntry& entry, std::string_view status, std::string_view reason) override {
        skipped.push_back(entry.path + ": " + std::string(status) + ": " + std::string(reason));
    }

    std::int64_t resumed = 0;
    std::vector<std::string> failures;
    std::vector<std::string> skipped;

private:
    int left_;
};

/// All that came out of a run.
struct Outcome {
    bool all = false;
    std::vector<std::string> names;
    std::vector<float> codes;
    std::string manifest;
};

Outcome encode(const EncodeRequest& request, const PipelineOptions& options, InputObserver& observer,
               const TemporaryFolder& folder) {
    Outcome outcome;
    const std::string path = folder / "manifest.csv";
    fs::remove(path);
    Manifest manifest(observer, path);
    outcome.all =
        encode_inputs(request, options, manifest, [&](const InputBatch& batch, const Tensor& codes) {
            REQUIRE(std::ssize(batch.entries) == codes.rows());
            for (const ImageEntry& entry : batch.entries) {
                outcome.names.push_back(entry.path + " " + entry.label.value_or("-"));
            }
            outcome.codes.insert(outcome.codes.end(), codes.values().begin(), codes.values().end());
        });
    if (outcome.all) {
        manifest.finish();
        outcome.manifest = read_text(path);
    }
    return outcome;
}

}  // namespace

TEST_CASE("An encoding that is stopped again and again gives every row once, with the same values") {
    const TemporaryFolder folder;
    draw_pictures(folder / "pictures");
    const Inputs inputs({folder / "pictures", folder / "nowhere", folder / "pictures/ann"});
    const Model model = sample_model("dense:5, dense:3", {3, 3, 1});
    const bool label_needed = GENERATE(false, true);
    const EncodeRequest request{.inputs = inputs,
                                .model = model,
                                .encode = {.l2_normalize = label_needed},
                                .need_label = label_needed};
    PipelineOptions options{.batch_size = GENERATE(1, 4, 7), .threads = GENERATE(1, 3)};
    Stopper nobody;
    const Outcome whole = encode(request, options, nobody, folder);
    REQUIRE(whole.names.size() == (label_needed ? 52U : 78U));

    options.checkpoint = folder / "codes.ckpt";
    options.checkpoint_every = 0.0;
    options.resume = true;
    std::int64_t last = 0;
    int taken_up = 0;
    for (int steps = 1;; ++steps) {
        REQUIRE(steps < 200);
        Stopper stopper(2 * steps);  // it is asked before each file of the checkpoint, too
        const Outcome part = encode(request, options, stopper, folder);
        CHECK(stopper.failures.empty());
        taken_up += stopper.resumed > last ? 1 : 0;
        last = std::max(last, stopper.resumed);
        if (part.all) {
            CHECK(part.names == whole.names);
            CHECK(part.codes == whole.codes);
            CHECK(part.manifest == whole.manifest);
            CHECK(stopper.skipped == nobody.skipped);
            break;
        }
    }
    CHECK(taken_up > 2);
    CHECK(has_checkpoint(options.checkpoint));
    remove_checkpoint(options.checkpoint);
    CHECK_FALSE(fs::exists(options.checkpoint));
}

TEST_CASE("Codes of another run are not gone on with, and what differs is named") {
    const TemporaryFolder folder;
    draw_pictures(folder / "pictures");
    const Model model = sample_model("dense:5, dense:3", {3, 3, 1});
    const Model other = sample_model("dense:5, dense:3:activation=tanh", {3, 3, 1});
    PipelineOptions options{.batch_size = 8,
                            .threads = 1,
                            .checkpoint = folder / "codes.ckpt",
                            .checkpoint_every = 0.0,
                            .resume = true};
    const auto run = [&](const Model& by, const EncodeOptions& encode_options,
                         std::optional<std::string> label = {}) {
        const Inputs inputs({folder / "pictures"});
        Stopper stopper(4);
        return encode({.inputs = inputs, .model = by, .encode = encode_options, .label = std::move(label)},
                      options, stopper, folder);
    };
    CHECK_FALSE(run(model, {}).all);
    const std::string first = options.checkpoint + "/000000000000.codes";
    const std::string before = read_text(first);
    CHECK_THROWS_WITH(run(other, {}), contains("codes.ckpt: the checkpoint is of another run: model: "));
    CHECK_THROWS_WITH(run(model, {.output = "1"}), contains("layer: 1 found, 2 in the checkpoint"));
    CHECK_THROWS_WITH(run(model, {.l2_normalize = true}),
                      contains("normalize: l2 found, none in the checkpoint"));
    CHECK_THROWS_WITH(run(model, {}, "eve"), contains("label: 'eve' found, as it is in the checkpoint"));
    Tensor picture({3, 3});
    write_png(folder / "pictures/ann/100.png", picture);
    CHECK_THROWS_WITH(run(model, {}), contains("pictures: others by name, label, size or time found"));
    CHECK(read_text(first) == before);
    // Whoever does not ask to go on begins anew.
    options.resume = false;
    CHECK_FALSE(run(model, {.l2_normalize = true}).all);
    CHECK(read_text(first) != before);
}

TEST_CASE("A damaged checkpoint of codes is told, and one that cannot be written costs nothing else") {
    const TemporaryFolder folder;
    draw_pictures(folder / "pictures");
    const Inputs inputs({folder / "pictures"});
    const Model model = sample_model("dense:3", {3, 3, 1});
    const EncodeRequest request{.inputs = inputs, .model = model};
    PipelineOptions options{.batch_size = 8,
                            .threads = 1,
                            .checkpoint = folder / "codes.ckpt",
                            .checkpoint_every = 0.0,
                            .resume = true};
    Stopper stopper(4);
    CHECK_FALSE(encode(request, options, stopper, folder).all);
    const std::string first = options.checkpoint + "/000000000000.codes";
    std::string bytes = read_text(first);
    bytes[bytes.size() - 5] ^= 1;
    std::ofstream(first, std::ios::binary) << bytes;
    Stopper nobody;
    CHECK_THROWS_WITH(encode(request, options, nobody, folder), contains("000000000000.codes: "));

    write_text(folder / "file", "");
    options.checkpoint = folder / "file/codes.ckpt";
    options.resume = false;
    Stopper failing;
    CHECK(encode(request, options, failing, folder).all);
    CHECK(failing.failures.size() == 1);
}

}  // namespace stackae
