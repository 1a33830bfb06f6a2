// Trains a stack on pictures that are in memory, and keeps the model: train_in_memory OUT.stackae
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <stackae/image_dataset.hpp>
#include <stackae/model.hpp>
#include <stackae/train.hpp>

namespace {

constexpr std::int64_t side = 16;

/// n × side × side: rings of several radii and places, white on black.
stackae::Tensor draw_rings(std::int64_t n) {
    stackae::Tensor pictures({n, side, side});
    for (std::int64_t i = 0; i < n; ++i) {
        const double radius = 2.0 + static_cast<double>(i % 5);
        const double x0 = 6.0 + static_cast<double>(i % 4);
        const double y0 = 6.0 + static_cast<double>(i % 3);
        for (std::int64_t p = 0; p < side * side; ++p) {
            const double from_centre =
                std::hypot(static_cast<double>(p % side) - x0, static_cast<double>(p / side) - y0);
            pictures.row(i)[static_cast<std::size_t>(p)] =
                static_cast<float>(std::exp(-std::pow(from_centre - radius, 2.0)));
        }
    }
    return pictures;
}

/// Prints a line an epoch. A program that wants to end early overrides stop() as well.
class Printer : public stackae::TrainObserver {
public:
    void on_epoch(const stackae::StageEpoch& epoch) override {
        std::printf("%s, epoch %d: loss %.3f, of the mean picture %.3f\n", epoch.stage.c_str(),
                    static_cast<int>(epoch.epoch), epoch.train_loss.value_or(NAN),
                    epoch.mean_loss.value_or(NAN));
    }
};

}  // namespace

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::fputs("Usage: train_in_memory OUT.stackae\n", stderr);
        return 2;
    }
    const stackae::ImageDataset pictures = stackae::ImageDataset::from_tensor(draw_rings(300));
    const stackae::Preprocessing preprocessing = stackae::choose_preprocessing(pictures, {});

    stackae::TrainConfig config;
    config.stack = stackae::parse_stack("dense:64, dense:8:activation=linear");
    config.epochs = 10;
    config.batch_size = 32;
    config.fine_tune_epochs = 5;

    Printer printer;
    const stackae::Model model = stackae::train(pictures, preprocessing, config, {}, printer);
    stackae::save(model, argv[1]);
    std::printf("%s: %s, codes of %d values\n", argv[1], stackae::to_text(config.stack).c_str(),
                static_cast<int>(model.code_size()));
    return 0;
} catch (const std::exception& error) {
    std::fprintf(stderr, "train_in_memory: %s\n", error.what());
    return 1;
}
