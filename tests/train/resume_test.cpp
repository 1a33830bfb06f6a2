#include <algorithm>
#include <cmath>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "stackae/error.hpp"

#include "base/safetensors.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "train/checkpoint.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

namespace fs = std::filesystem;

/// Stops after so many questions.
class Stopper : public Recorder {
public:
    explicit Stopper(int after) { stop_after_steps = after; }
    void on_resumed(const CheckpointInfo& info) override { resumed.push_back(info); }
    void on_checkpoint(double seconds) override { spent.push_back(seconds); }
    void on_checkpoint_failed(const std::string& why) override { failures.push_back(why); }

    std::vector<CheckpointInfo> resumed;
    std::vector<std::string> failures;
    std::vector<double> spent;  ///< on each checkpoint
};

Model train_with(const TrainConfig& config, const RunOptions& run, TrainObserver& observer,
                 const Tensor& pictures = strokes(260)) {
    return train(ImageDataset::from_tensor(pictures), preprocessing_of(pictures), config, run, observer);
}

RunOptions run_of(const std::string& checkpoint, bool resume) {
    RunOptions run;
    run.threads = 1;
    run.checkpoint = checkpoint;
    run.resume = resume;
    return run;
}

}  // namespace

TEST_CASE("A training that is stopped again and again ends with the bytes of one that is not") {
    const TemporaryFolder folder;
    const std::string whole = folder / "whole.stackae";
    const std::string pieces = folder / "pieces.stackae";
    const std::string checkpoint = folder / "pieces.stackae.ckpt";
    const TrainConfig config = every_training()[GENERATE(range(std::size_t{0}, every_training().size()))];
    CAPTURE(to_text(config.stack));
    Recorder recorder;
    save(train_with(config, run_of("", false), recorder), whole);
    for (const int steps : {1, 4, 13}) {
        CAPTURE(steps);
        fs::remove(checkpoint);
        int runs = 0;
        std::size_t written = 0;
        for (bool done = false; !done; ++runs) {
            REQUIRE(runs < 400);
            // What each goes on with has to be made anew first; stops between show that this harms nothing.
            Stopper stopper(steps + 12 * (runs % 7) + runs);
            const Model model = train_with(config, run_of(checkpoint, true), stopper);
            done = !model.record.interrupted;
            REQUIRE(stopper.failures.empty());
            REQUIRE(std::all_of(stopper.spent.begin(), stopper.spent.end(),
                                [](double seconds) { return seconds > 0.0; }));
            written += stopper.spent.size();
            if (done) {
                save(model, pieces);
            }
        }
        CHECK((runs == 1 || written > 0));
        CHECK((steps > 4 || runs > 1));  // there may be no more than 13 steps
        CHECK(read_text(pieces) == read_text(whole));
    }
}

TEST_CASE("A checkpoint that another training is writing is not taken up") {
    class Beside : public Recorder {
    public:
        Beside(const TrainConfig& config, std::string checkpoint)
            : config_(config), checkpoint_(std::move(checkpoint)) {}
        void on_progress(const StageProgress& /*progress*/) override {
            if (!tried_ && fs::exists(checkpoint_)) {
                tried_ = true;
                Recorder recorder;
                REQUIRE_THROWS_WITH((void)train_with(config_, run_of(checkpoint_, true), recorder),
                                    checkpoint_ + ": another training that is under way has it");
                REQUIRE_THROWS_WITH(remove_training_checkpoint(checkpoint_),
                                    checkpoint_ + ": another training that is under way has it");
            }
        }
        [[nodiscard]] bool tried() const { return tried_; }

    private:
        TrainConfig config_;
        std::string checkpoint_;
        bool tried_ = false;
    };
    const TemporaryFolder folder;
    RunOptions run = run_of(folder / "mine.ckpt", false);
    run.checkpoint_every = 0.0;
    Beside beside(every_training().front(), run.checkpoint);
    const Model model = train_with(every_training().front(), run, beside);
    CHECK(beside.tried());
    CHECK_FALSE(model.record.interrupted);
    remove_training_checkpoint(run.checkpoint);
    CHECK_FALSE(fs::exists(*run.checkpoint));
}

TEST_CASE("A checkpoint that says what cannot be is refused by its name") {
    const TemporaryFolder folder;
    const std::string path = folder / "mine.ckpt";
    const TrainConfig config = every_training().front();
    Stopper stopper(20);
    REQUIRE(train_with(config, run_of(path, false), stopper).record.interrupted);
    const training::Checkpoint whole = training::read_checkpoint(path);
    REQUIRE(whole.trainer.tensors.count("parameters") == 1);
    const auto refused = [&](const auto& change) {
        training::Checkpoint changed = whole;
        change(changed);
        training::write_checkpoint(changed, path);
        Recorder recorder;
        REQUIRE_THROWS_AS((void)train_with(config, run_of(path, true), recorder), CorruptFile);
        REQUIRE_THROWS_WITH((void)train_with(config, run_of(path, true), recorder),
                            Catch::Matchers::StartsWith(path));
    };
    using training::Checkpoint;
    using training::InputEvent;
    refused([](Checkpoint& c) { c.trainer.numbers.erase("epoch"); });
    refused([](Checkpoint& c) { c.trainer.numbers["done"] = -1; });
    refused([](Checkpoint& c) { c.trainer.numbers["optimizer_steps"] = std::int64_t{1} << 62; });
    refused([](Checkpoint& c) { c.trainer.tensors.erase("moments"); });
    refused([](Checkpoint& c) { c.trainer.tensors["parameters"] = Tensor({3}); });
    refused([](Checkpoint& c) { c.trainer.tensors["parameters"].data()[5] = std::nanf(""); });
    refused([](Checkpoint& c) { c.stage = c.stages; });
    refused([&](Checkpoint& c) {
        Recorder recorder;
        c.model.layers = train_with(config, run_of("", false), recorder).layers;
    });
    refused([](Checkpoint& c) { c.inputs.assign(1000, {InputEvent::Kind::below, 0, {}}); });
    refused([](Checkpoint& c) { c.inputs.push_back({InputEvent::Kind::leave, 0, {3, 2}}); });
    refused([](Checkpoint& c) { c.patch_bytes = 0; });
    refused([](Checkpoint& c) { c.model.reconstruction.head = parse_stack("power_norm"); });
}

TEST_CASE("A training that goes on and is killed at once leaves its checkpoint as it was") {
    class Killed : public Recorder {
    public:
        void on_stage(const StageInfo& /*stage*/) override { throw std::runtime_error("killed"); }
    };
    const TemporaryFolder folder;
    const TrainConfig config = every_training().front();
    RunOptions run = run_of(folder / "mine.ckpt", true);
    Stopper stopper(20);
    REQUIRE(train_with(config, run, stopper).record.interrupted);
    const std::string before = read_text(run.checkpoint);
    run.checkpoint_every = 0.0;
    Killed killed;
    REQUIRE_THROWS_AS((void)train_with(config, run, killed), std::runtime_error);
    CHECK(read_text(run.checkpoint) == before);
}
