#include <string>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

/// The bytes of the model's file.
std::string trained(const TrainConfig& config, const Tensor& pictures, int threads) {
    const TemporaryFolder folder;
    const std::string path = folder / "m.stackae";
    save(train_on(pictures, config, on_threads(threads)), path);
    return read_text(path);
}

}  // namespace

TEST_CASE("A model has the same bytes at any number of threads, whatever it is made of") {
    const TrainConfig config = every_training()[GENERATE(range(std::size_t{0}, every_training().size()))];
    CAPTURE(to_text(config.stack));
    const Tensor pictures = strokes(260);
    const auto one = trained(config, pictures, 1);
    for (const int threads : {2, 3, 4}) {
        CAPTURE(threads);
        CHECK(trained(config, pictures, threads) == one);
    }
}

TEST_CASE(
    "A model of large batches, many patches and all options has the same bytes at any number of threads") {
    TrainConfig config = config_of(GENERATE(
        "dense:70:activation=sigmoid, dense:6:activation=sigmoid:tied",
        "conv2d:40:kernel=5:patches=6000:epochs=1:activation=crelu, pool2d:2:mode=maximum, power_norm, "
        "conv2d:30:slow_offset=1:kernel=3:pad=1:patches=5000, pool2d:grid=2, pca:20, dense:8",
        "whiten, pca:130, nystroem:200"));
    config.epochs = 2;
    config.batch_size = 1000;
    config.fine_tune_epochs = 1;
    config.clip_norm = 1.0;
    config.corruption = Corruption::gaussian;
    config.corruption_level = 0.1;
    if (config.stack.size() == 2) {
        config.sparsity_target = 0.1;
        config.sparsity_weight = 0.01;
    }
    CAPTURE(to_text(config.stack));
    const Tensor pictures = strokes(1300);
    const auto one = trained(config, pictures, 1);
    for (const int threads : {2, 3, 4}) {
        CAPTURE(threads);
        CHECK(trained(config, pictures, threads) == one);
    }
}
