#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "layers/trainer.hpp"
#include "layers/tries.hpp"
#include "nn/gradient_loop.hpp"
#include "nn/parameters.hpp"

namespace stackae::layers {

/// What the configuration says of learning by gradients, for one stage; the rest is for the trainer to set.
[[nodiscard]] nn::GradientLoopConfig loop_config(const PlanContext& context);
/// What learning those maps takes, of so many rows. corrupts: whether what is seen is not what is rebuilt.
[[nodiscard]] StageCost gradient_cost(const std::vector<nn::LayerSpec>& specs,
                                      const nn::GradientLoopConfig& config, std::int64_t train,
                                      std::int64_t validation, bool corrupts);
/// The same of all that a layer or several see of the pictures.
[[nodiscard]] StageCost held_gradient_cost(const std::vector<nn::LayerSpec>& specs,
                                           const nn::GradientLoopConfig& config, const PlanContext& context,
                                           bool corrupts);
[[nodiscard]] std::int64_t parameters_of(const std::vector<nn::LayerSpec>& specs);

/// Cross-entropy where it is asked for or nothing is, and where both the target and the decoder's values lie
/// in [0, 1]; a loss of observations where it is asked for and nothing below learns; else squared error.
/// Throws InvalidArgument where one is asked for of the lowest layer and cannot be.
[[nodiscard]] LossKind suited_loss(std::optional<LossKind> asked, const PlanContext& context,
                                   Activation output);
/// The decoder's activation where the layer does not say it: by its loss, or by what it rebuilds.
[[nodiscard]] Activation suited_output(const PlanContext& context);

/// The weights that a stage begins with, which another seed may make others.
using Start = std::function<nn::Parameters(std::uint64_t seed)>;

/// The part of a trainer that learns by gradients: a loop that reports its epochs, and another where it
/// learnt nothing.
class GradientStage {
public:
    /// start: the weights to begin with; rows: what is learnt from, which must outlive it; else as
    /// GradientLoop.
    GradientStage(const TrainContext& context, const Start& start, const nn::TrainingRows& rows,
                  nn::GradientLoopConfig config);

    /// A batch or a measurement; false: done, with the best weights in place. Where nothing was learnt, the
    /// next of the stage's tries begins. Throws Divergence where the last of them ran away.
    bool step(TrainContext& context, const Start& start);
    [[nodiscard]] StageProgress progress() const;
    /// That were finished.
    [[nodiscard]] std::int64_t epochs() const { return reported_; }
    /// The best so far.
    [[nodiscard]] const nn::Parameters& best();
    void save_state(TrainerState& state);
    void load_state(const TrainerState& state);

private:
    /// The loop of the try at hand, before its first step.
    void begin();
    /// What came of a loop that has ended.
    [[nodiscard]] Outcome outcome() const;
    /// Where a try came to nothing and there is another: says so of an epoch, and begins the next.
    bool try_again(TrainContext& context, const Start& start, const Outcome& outcome, StageEpoch epoch);

    linalg::Context& backend_;
    base::Communicator& communicator_;
    nn::TrainingRows rows_;
    nn::GradientLoopConfig config_;  ///< of the first try
    Tries tries_;
    nn::Parameters parameters_;
    std::optional<nn::GradientLoop> loop_;  ///< there always; its parameters are those above
    std::int64_t reported_ = 0;
};

/// A gradient stage on the whole input of a layer, which is worked out first.
class HeldGradientStage {
public:
    /// Some more of the input, a batch or a measurement; false: done. initial(): the weights to begin with.
    bool step(TrainContext& context, const Start& initial, const nn::GradientLoopConfig& config);
    [[nodiscard]] StageProgress progress() const { return stage_ ? stage_->progress() : holding_; }
    /// Null while the input is worked out.
    [[nodiscard]] GradientStage* begun() { return stage_ ? &*stage_ : nullptr; }
    void save_state(TrainerState& state);
    void load_state(const TrainerState& state) { loaded_ = state; }

private:
    StageProgress holding_;
    std::optional<GradientStage> stage_;
    std::optional<TrainerState> loaded_;
};

}  // namespace stackae::layers
