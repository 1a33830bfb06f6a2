#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "stackae/train.hpp"

#include "nn/network.hpp"
#include "nn/optimizer.hpp"
#include "train/sample_store.hpp"

namespace stackae::training {

inline constexpr std::int64_t measuring_batch = 256;  ///< rows whose loss is measured at a time

/// Rows to learn from, as their own targets, and rows held out.
struct PhaseData {
    const SampleStore& samples;
    std::span<const std::int64_t> train;
    std::span<const std::int64_t> validation;
};

struct PhaseSettings {
    int layer = 0;  ///< as in EpochRecord
    std::int64_t epochs = 0;
    double learning_rate = 0.0;
    LossKind loss = LossKind::squared_error;
    Corruption corruption = Corruption::none;
    double corruption_level = 0.0;
    /// Absent: the rows are no pictures, or stay as they are.
    std::optional<Recipe> augmented;
    nn::CodePenalty penalty;
    std::size_t code_layer = 0;  ///< whose units are counted as dead or alive
};

/// One phase of training: an autoencoder of the stack, or the unrolled stack.
class Phase {
public:
    Phase(linalg::Context& context, nn::Parameters& parameters, const PhaseData& data,
          const PhaseSettings& settings, const TrainOptions& options);

    struct Result {
        std::int64_t epochs = 0;  ///< that were finished
        bool stopped = false;     ///< by the observer
    };

    /// Leaves the best weights by validation loss (the last without validation) in the parameters.
    /// Throws Divergence.
    Result run(TrainObserver& observer, std::vector<EpochRecord>& history);

    /// Makes the networks for all batches of a phase of so many training and held-out rows, before they are
    /// needed.
    void prepare(std::int64_t train_rows, std::int64_t validation_rows);
    /// One step on the rows given, at a progress t of the phase. Returns its loss.
    double step(std::span<const std::int64_t> rows, std::uint32_t epoch, double t);

private:
    nn::Network& network(std::int64_t n);
    /// False when the observer ended it.
    bool run_epoch(TrainObserver& observer, EpochRecord& record);
    /// The clean loss, without penalties, on the probe; fills in the record's validation loss and dead units.
    double measure(EpochRecord& record);
    /// Throws Divergence when the loss is no number, or far above both the mean's and what it was before
    /// training.
    void check_health(const EpochRecord& record, double loss, double loss_before) const;
    [[nodiscard]] double loss_of_mean() const;

    linalg::Context& context_;
    nn::Parameters& parameters_;
    PhaseData data_;
    PhaseSettings settings_;
    const TrainOptions& options_;
    nn::Optimizer optimizer_;
    std::map<std::int64_t, std::unique_ptr<nn::Network>>
        networks_;  ///< by batch size: full, and what is left over
    std::vector<std::int64_t> order_;
    std::vector<std::int64_t>
        probe_;  ///< rows that are measured: those held out, or some that are trained on
    Tensor target_;
    Tensor corrupted_;
    double mean_loss_ = 0.0;
    double rate_ = 0.0;
};

}  // namespace stackae::training
