#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
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

std::string picture_path(const std::string& folder, int i) {
    return folder + (i < 30 ? "/ann/" : "/bob/") + std::to_string(100 + i) + ".png";
}

void draw_picture(const std::string& folder, int i) {
    Tensor picture({3, 3});
    for (std::int64_t j = 0; j < 9; ++j) {
        picture.data()[j] = static_cast<float>((i * 37 + j * 11) % 64) / 64.0F;
    }
    write_png(picture_path(folder, i), picture);
}

/// 60 pictures of 3 × 3 pixels in two folders; every seventh is none.
void draw_pictures(const std::string& folder) {
    for (int i = 0; i < 60; ++i) {
        const std::string path = picture_path(folder, i);
        fs::create_directories(fs::path(path).parent_path());
        if (i % 7 == 6) {
            std::ofstream(path) << "no picture";
        } else {
            draw_picture(folder, i);
        }
    }
}

/// Stops after so many questions.
class Stopper : public InputObserver {
public:
    explicit Stopper(int after = 1'000'000) : left_(after) {}
    bool stop() override { return --left_ < 0; }
    void on_resumed(std::int64_t done, std::int64_t /*of*/) override { resumed = done; }
    void on_remark(const ImageEntry& entry, std::string_view text) override {
        remarks.push_back(entry.path + ": " + std::string(text));
    }
    void on_checkpoint_failed(const std::string& why) override { failures.push_back(why); }
    void on_skipped(const ImageEntry& entry, std::string_view status, std::string_view reason) override {
        skipped.push_back(entry.path + ": " + std::string(status) + ": " + std::string(reason));
    }

    std::int64_t resumed = 0;
    std::vector<std::string> failures;
    std::vector<std::string> skipped;
    std::vector<std::string> remarks;

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

/// meanwhile: called after each batch.
Outcome encode(const EncodeRequest& request, const PipelineOptions& options, InputObserver& observer,
               const TemporaryFolder& folder, const std::function<void()>& meanwhile = {}) {
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
            if (meanwhile) {
                meanwhile();
            }
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
    CHECK(has_encoding_checkpoint(options.checkpoint));
    CHECK(remove_encoding_checkpoint(options.checkpoint));
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
    CHECK_THROWS_WITH(
        run(model, {}),
        contains("100.png found, another name, label, size or time in the checkpoint; remove the folder"));
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

TEST_CASE("A picture that changes after it was encoded is another one to the run that goes on") {
    const TemporaryFolder folder;
    draw_pictures(folder / "pictures");
    const Inputs inputs({folder / "pictures"});
    const Model model = sample_model("dense:3", {3, 3, 1});
    const EncodeRequest request{.inputs = inputs, .model = model};
    const PipelineOptions options{.batch_size = 8,
                                  .threads = 1,
                                  .checkpoint = folder / "codes.ckpt",
                                  .checkpoint_every = 0.0,
                                  .resume = true};
    // Changed before anything of it is written.
    Stopper stopper(4);
    CHECK_FALSE(encode(request, options, stopper, folder, [&] {
                    Tensor picture({3, 3});
                    write_png(folder / "pictures/ann/102.png", picture);
                }).all);
    Stopper nobody;
    CHECK_THROWS_WITH(encode(request, options, nobody, folder),
                      contains("pictures: ") && contains("102.png"));
    // So is one that is gone.
    draw_pictures(folder / "fewer");
    const Inputs more({folder / "fewer"});
    PipelineOptions others = options;
    others.checkpoint = folder / "fewer.ckpt";
    CHECK(encode({.inputs = more, .model = model}, others, nobody, folder).all);
    for (int i = 20; i < 60; ++i) {
        fs::remove(picture_path(folder / "fewer", i));
    }
    const Inputs fewer({folder / "fewer"});
    CHECK_THROWS_WITH(encode({.inputs = fewer, .model = model}, others, nobody, folder),
                      contains("pictures: 20 found, ") && contains(" or more in the checkpoint"));
}

TEST_CASE("A picture that was damaged and is restored before the run goes on gets its row") {
    const TemporaryFolder folder;
    draw_pictures(folder / "pictures");
    const Inputs inputs({folder / "pictures"});
    const Model model = sample_model("dense:3", {3, 3, 1});
    const EncodeRequest request{.inputs = inputs, .model = model};
    PipelineOptions options{.batch_size = 4, .threads = 1};
    options.checkpoint = folder / "codes.ckpt";
    options.checkpoint_every = 0.0;
    options.resume = true;
    Stopper stopper(12);
    CHECK_FALSE(encode(request, options, stopper, folder).all);
    const std::int64_t kept = load_encoding_progress(options.checkpoint).pictures;
    REQUIRE(kept > 30);
    draw_picture(folder / "pictures", 20);
    Stopper resumer;
    const Outcome part = encode(request, options, resumer, folder);
    CHECK(resumer.resumed > 0);
    CHECK(resumer.resumed <= 20);
    REQUIRE(resumer.remarks.size() == 1);
    CHECK_THAT(resumer.remarks.front(), contains("120.png: was skipped and has changed since then"));

    Stopper nobody;
    const Outcome whole = encode(request, {.batch_size = 4, .threads = 1}, nobody, folder);
    REQUIRE(whole.names.size() == 53);
    CHECK(part.names == whole.names);
    CHECK(part.codes == whole.codes);
    CHECK(part.manifest == whole.manifest);
}

TEST_CASE("Files of others in a checkpoint's folder stay and disturb nothing") {
    const TemporaryFolder folder;
    draw_pictures(folder / "pictures");
    const Inputs inputs({folder / "pictures"});
    const Model model = sample_model("dense:3", {3, 3, 1});
    const EncodeRequest request{.inputs = inputs, .model = model};
    const PipelineOptions options{
        .batch_size = 8, .threads = 1, .checkpoint = folder / "codes.ckpt", .checkpoint_every = 0.0};
    fs::create_directory(options.checkpoint);
    const std::vector<std::string> foreign{".DS_Store", "mine.codes", "1234567890123.codes",
                                           "00000000000x.codes"};
    for (const std::string& name : foreign) {
        write_text(options.checkpoint + "/" + name, name);
    }
    write_text(options.checkpoint + "/.stackae-tmp-0123abcd", "left by a run that was killed");
    for (int run = 0; run < 2; ++run) {
        Stopper nobody;
        CHECK(encode(request, options, nobody, folder).all);
        CHECK(nobody.failures.empty());
        CHECK(load_encoding_progress(options.checkpoint).pictures == 60);
    }
    CHECK_FALSE(remove_encoding_checkpoint(options.checkpoint));
    CHECK_FALSE(has_encoding_checkpoint(options.checkpoint));
    for (const std::string& name : foreign) {
        CHECK(read_text(options.checkpoint + "/" + name) == name);
        fs::remove(options.checkpoint + "/" + name);
    }
    CHECK(fs::is_empty(options.checkpoint));
    CHECK(remove_encoding_checkpoint(options.checkpoint));
    CHECK_FALSE(fs::exists(options.checkpoint));
}

TEST_CASE("Two encodings do not share a checkpoint") {
    const TemporaryFolder folder;
    draw_pictures(folder / "pictures");
    const Inputs inputs({folder / "pictures"});
    const Model model = sample_model("dense:3", {3, 3, 1});
    const EncodeRequest request{.inputs = inputs, .model = model};
    const PipelineOptions options{
        .batch_size = 8, .threads = 1, .checkpoint = folder / "codes.ckpt", .checkpoint_every = 0.0};
    PipelineOptions resume = options;
    resume.resume = true;
    int batches = 0;
    Stopper first;
    const TemporaryFolder elsewhere;
    CHECK(encode(request, options, first, folder, [&] {
              if (++batches != 3) {
                  return;
              }
              Stopper second;
              CHECK(encode(request, options, second, elsewhere).all);
              REQUIRE(second.failures.size() == 1);
              CHECK_THAT(second.failures.front(),
                         contains("codes.ckpt: another run that is under way has it"));
              CHECK_THROWS_WITH(encode(request, resume, second, elsewhere),
                                contains("codes.ckpt: another run that is under way has it"));
              CHECK_FALSE(remove_encoding_checkpoint(options.checkpoint));
          }).all);
    CHECK(first.failures.empty());
    CHECK(load_encoding_progress(options.checkpoint).pictures == 60);
}

TEST_CASE("All codes are kept where long work follows, and a run that is over goes on with them") {
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
    Stopper stopper(6);
    CHECK_FALSE(encode(request, options, stopper, folder).all);
    const std::int64_t kept = load_encoding_progress(options.checkpoint).pictures;
    options.checkpoint_every = 1e6;
    Stopper nobody;
    CHECK(encode(request, options, nobody, folder).all);
    CHECK(load_encoding_progress(options.checkpoint).pictures == kept);
    options.keep_all = true;
    const Outcome whole = encode(request, options, nobody, folder);
    CHECK(load_encoding_progress(options.checkpoint).pictures == 60);
    Stopper again;
    CHECK(encode(request, options, again, folder).codes == whole.codes);
    CHECK(again.resumed == 60);
}

}  // namespace stackae
