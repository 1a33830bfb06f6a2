#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "stackae/error.hpp"

#include "base/safetensors.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

namespace fs = std::filesystem;

/// Every kind that learns, each below another that sees what it makes, in ways that inputs are kept.
std::vector<TrainConfig> trainings() {
    std::vector<TrainConfig> all;
    for (const char* stack :
         {"dense:20, dense:10, dense:4",
          "conv2d:12:kernel=3:patches=3000, pool2d:2, conv2d:8:kernel=3:patches=3000, pool2d:grid=2, "
          "power_norm, pca:12, l2_norm, nystroem:40",
          "conv2d:8:patches=3000:epochs=2, pool2d:grid=2, dense:6",
          "conv2d:6:slow_offset=2:patches=3000, pool2d:2",
          "contrast_norm, whiten:20, power_norm, dense:9, pca:5:std_shrinkage=0.3",
          "pca:14, dense:9, ridge_decoder:12:width=12"}) {
        TrainConfig config = config_of(stack);
        config.epochs = 3;
        config.batch_size = 37;
        config.validation = 0.1;
        all.push_back(config);
    }
    TrainConfig& dense = all.front();
    dense.fine_tune_epochs = 3;
    dense.corruption = Corruption::masking;
    dense.corruption_level = 0.2;
    dense.augment_shift = 0.1;
    dense.patience = 1;
    return all;
}

/// Stops after so many questions.
class Stopper : public Recorder {
public:
    explicit Stopper(int after) { stop_after_steps = after; }
    void on_resumed(const CheckpointInfo& info) override { resumed.push_back(info); }
    void on_checkpoint_failed(const std::string& why) override { failures.push_back(why); }

    std::vector<CheckpointInfo> resumed;
    std::vector<std::string> failures;
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
    const std::vector<TrainConfig> all = trainings();
    const TrainConfig& config = all[GENERATE(range(std::size_t{0}, std::size_t{6}))];
    CAPTURE(to_text(config.stack));
    Recorder recorder;
    save(train_with(config, run_of("", false), recorder), whole);
    for (const int steps : {1, 4, 13}) {
        CAPTURE(steps);
        fs::remove(checkpoint);
        int runs = 0;
        for (bool done = false; !done; ++runs) {
            REQUIRE(runs < 400);
            // What each goes on with has to be made anew first; stops between show that this harms nothing.
            Stopper stopper(steps + 12 * (runs % 7) + runs);
            const Model model = train_with(config, run_of(checkpoint, true), stopper);
            done = !model.record.interrupted;
            REQUIRE(stopper.failures.empty());
            if (done) {
                save(model, pieces);
            }
        }
        CHECK((steps > 4 || runs > 1));  // there may be no more than 13 steps
        CHECK(read_text(pieces) == read_text(whole));
    }
}
