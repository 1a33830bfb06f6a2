#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "stackae/layer.hpp"

#include "layers/gradient_stage.hpp"
#include "layers/trainer.hpp"

namespace stackae::layers {

/// Fine-tunes layers that are autoencoders end to end, on the reconstruction of the lowest one's input
/// (Hinton & Salakhutdinov 2006): all encoders, then all decoders from the top down, as one network.
class FineTuning {
public:
    /// layers: bottom up, each with an autoencoder().
    FineTuning(Layers layers, const TrainContext& context);

    /// What that takes, of layers that need not have learnt.
    [[nodiscard]] static StageCost plan(const Layers& layers, const PlanContext& context);
    /// Of the layers afterwards: decoders may have weights of their own.
    [[nodiscard]] static std::int64_t parameters(const Layers& layers, const TrainConfig& config);

    bool step(TrainContext& context);
    [[nodiscard]] StageProgress progress() const { return stage_.progress(); }
    /// The layers with what they learnt; as they were where no epoch was finished.
    [[nodiscard]] Layers finish();
    void save_state(TrainerState& state) { stage_.save_state(state); }
    void load_state(const TrainerState& state) { stage_.load_state(state); }

private:
    [[nodiscard]] nn::Parameters start(const TrainContext& context) const;

    Layers layers_;
    nn::GradientLoopConfig config_;
    HeldGradientStage stage_;
};

}  // namespace stackae::layers
