#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stackae/train.hpp"

#include "base/random.hpp"

/// Pictures to learn from, and trainings that are watched.
namespace stackae::test {

/// Bright bars on dark ground, at one of eight columns or rows, with some noise: easy to learn, far from
/// their mean.
inline Tensor bars(std::int64_t n = 300) {
    constexpr int side = 8;
    Tensor tensor({n, side, side});
    const base::Random random(4, base::RandomStream::plan);
    std::uint32_t at = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        const auto place = static_cast<int>(random.below(at++, side));
        const bool upright = random.below(at++, 2) == 1;
        for (int y = 0; y < side; ++y) {
            for (int x = 0; x < side; ++x) {
                const float noise = 0.1F * base::Random::uniform(random.block(at++)[0]);
                tensor.row(i)[static_cast<std::size_t>(y * side + x)] =
                    noise + ((upright ? x : y) == place ? 0.9F : 0.0F);
            }
        }
    }
    return tensor;
}

/// Strokes of one of four slopes at a random place, on dark ground with some noise; 12 × 12.
inline Tensor strokes(std::int64_t n, int channels = 1) {
    constexpr int side = 12;
    Tensor tensor({n, side, side, channels});
    const base::Random random(41, base::RandomStream::plan);
    std::uint32_t at = 0;
    for (std::int64_t i = 0; i < n; ++i) {
        const auto row = tensor.row(i);
        for (float& value : row) {
            value = 0.1F * base::Random::uniform(random.block(at++)[0]);
        }
        constexpr int slopes[4][2] = {{0, 1}, {1, 0}, {1, 1}, {1, -1}};
        const auto& slope = slopes[random.below(at++, 4)];
        const auto y = static_cast<int>(random.below(at++, side));
        const auto x = static_cast<int>(random.below(at++, side));
        for (int step = -4; step <= 4; ++step) {
            const int to_y = y + step * slope[0];
            const int to_x = x + step * slope[1];
            for (int c = 0; to_y >= 0 && to_y < side && to_x >= 0 && to_x < side && c < channels; ++c) {
                row[static_cast<std::size_t>((to_y * side + to_x) * channels + c)] =
                    1.0F - 0.3F * static_cast<float>(c);
            }
        }
    }
    return tensor;
}

/// As an encoder takes them.
inline Tensor as_rows(const Tensor& pictures) {
    Tensor rows({pictures.rows(), pictures.columns()});
    std::copy_n(pictures.data(), rows.size(), rows.data());
    return rows;
}

/// Of pictures n × height × width, or n × height × width × channels.
inline Preprocessing preprocessing_of(const Tensor& pictures) {
    Preprocessing preprocessing;
    preprocessing.height = static_cast<int>(pictures.shape()[1]);
    preprocessing.width = static_cast<int>(pictures.shape()[2]);
    preprocessing.channels = pictures.shape().size() > 3 ? static_cast<int>(pictures.shape()[3]) : 1;
    return preprocessing;
}

inline TrainConfig config_of(const std::string& stack) {
    TrainConfig config;
    config.stack = parse_stack(stack);
    return config;
}

inline RunOptions on_threads(int threads) {
    RunOptions run;
    run.threads = threads;
    return run;
}

/// Keeps what it was told. Stops after so many steps of training, or epochs.
class Recorder : public TrainObserver {
public:
    void on_read(std::int64_t done, std::int64_t of) override { read = done == of; }
    void on_stage(const StageInfo& stage) override { stages.push_back(stage); }
    void on_progress(const StageProgress& /*progress*/) override { ++steps; }
    void on_epoch(const StageEpoch& epoch) override { epochs.push_back(epoch); }
    void on_alike(std::int64_t pictures) override { alike = pictures; }
    void on_failure(Model model) override { finished = std::move(model); }
    bool stop() override { return read && (steps >= stop_after_steps || epochs.size() >= stop_after_epochs); }

    std::int64_t stop_after_steps = std::int64_t{1} << 60;
    std::size_t stop_after_epochs = std::size_t{1} << 60;
    bool read = false;  ///< all pictures
    std::vector<StageInfo> stages;
    std::int64_t steps = 0;
    std::vector<StageEpoch> epochs;
    std::int64_t alike = 0;
    std::optional<Model> finished;
};

inline Model train_on(Tensor pictures, const TrainConfig& config, TrainObserver& observer,
                      const RunOptions& run = {}) {
    const Preprocessing preprocessing = preprocessing_of(pictures);
    return train(ImageDataset::from_tensor(std::move(pictures)), preprocessing, config, run, observer);
}

inline Model train_on(Tensor pictures, const TrainConfig& config, const RunOptions& run = {}) {
    TrainObserver nobody;
    return train_on(std::move(pictures), config, nobody, run);
}

inline Tensor encode(const Model& model, const Tensor& pictures, const std::string& output = {},
                     int threads = 1) {
    return Encoder(model, {output, false, threads}).encode(pictures);
}

/// Mean over the rows of Σ (a − b)².
inline double squared_error(const Tensor& a, const Tensor& b) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < a.size(); ++i) {
        sum += std::pow(double{a.data()[i]} - double{b.data()[i]}, 2.0);
    }
    return sum / static_cast<double>(a.rows());
}

/// Of dense layers, trained greedily and then end to end.
inline TrainConfig dense_config(
    const std::string& stack = "dense:24:activation=sigmoid, dense:12:activation=sigmoid") {
    TrainConfig config = config_of(stack);
    config.epochs = 40;
    config.batch_size = 32;
    config.learning_rate = 1e-2;
    config.validation = 0.2;
    config.fine_tune_epochs = 60;
    return config;
}

/// Every kind that learns, each below another that sees what it makes, in ways that inputs are kept.
inline std::vector<TrainConfig> every_training() {
    std::vector<TrainConfig> all;
    for (const char* stack :
         {"dense:20, dense:10, dense:4",
          "conv2d:12:kernel=3:patches=3000, pool2d:2, conv2d:8:kernel=3:patches=3000, pool2d:grid=2, "
          "power_norm, pca:12, l2_norm, nystroem:40",
          "conv2d:8:patches=3000:epochs=2, pool2d:grid=2, dense:6",
          "conv2d:8:patches=3000, pool2d:2, conv2d:6:kernel=2:patches=3000, pool2d:grid=2, "
          "group_pool:rotate90, pca:6, l2_norm, nystroem:20",
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

/// Of pictures as a model rebuilds them.
inline double reconstruction_error(const Model& model, const Tensor& pictures) {
    return squared_error(Encoder(model, {{}, false, 1}).reconstruct(pictures), pictures);
}

/// Of rows as an output's code is decoded, by the layers in turn.
inline double decoding_error(const Model& model, const Tensor& pictures, const std::string& output) {
    Encoder encoder(model, {output, false, 1});
    return squared_error(encoder.decode(encoder.encode(pictures)), pictures);
}

/// Of the mean row, for every row.
inline double error_of_mean(const Tensor& rows) {
    Tensor mean({rows.rows(), rows.columns()});
    for (std::int64_t j = 0; j < rows.columns(); ++j) {
        double sum = 0.0;
        for (std::int64_t i = 0; i < rows.rows(); ++i) {
            sum += double{rows.row(i)[static_cast<std::size_t>(j)]};
        }
        for (std::int64_t i = 0; i < rows.rows(); ++i) {
            mean.row(i)[static_cast<std::size_t>(j)] =
                static_cast<float>(sum / static_cast<double>(rows.rows()));
        }
    }
    return squared_error(mean, rows);
}

inline bool all_finite(const Tensor& tensor) {
    return std::all_of(tensor.values().begin(), tensor.values().end(),
                       [](float value) { return std::isfinite(value); });
}

inline bool same_values(const Tensor& a, const Tensor& b) {
    return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

/// The last epoch of a stage in a model's history.
inline StageEpoch last_of(const Model& model, const std::string& stage) {
    const auto& history = model.record.history;
    return *std::find_if(history.rbegin(), history.rend(),
                         [&](const StageEpoch& epoch) { return epoch.stage == stage; });
}

}  // namespace stackae::test
