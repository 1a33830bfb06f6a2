#pragma once

#include <utility>

#include "layers/trainer.hpp"

namespace stackae::layers {

/// Trains a kind that is solved at once from some rows of its input, all of which are held: solve(context,
/// rows) is a member of Kind that gives it its tensors. A run that is taken up again collects the rows anew.
template <class Kind>
class ClosedFormTrainer : public LayerTrainer {
public:
    ClosedFormTrainer(Kind layer, std::vector<std::int64_t> rows)
        : layer_(std::move(layer)), filler_(std::move(rows)) {}

    bool step(TrainContext& context) override {
        if (!filler_.is_full()) {
            filler_.step(context);
            return true;
        }
        solved_ = layer_.solve(context, filler_.store());
        return false;
    }
    [[nodiscard]] StageProgress progress() const override {
        return filler_.is_full() ? StageProgress{1, 1, solved_ ? 1 : 0, 1} : filler_.progress();
    }
    [[nodiscard]] std::shared_ptr<const Layer> finish() override {
        return solved_ ? std::make_shared<const Kind>(std::move(layer_)) : nullptr;
    }
    void save_state(TrainerState& /*state*/) override {}
    void load_state(const TrainerState& /*state*/) override {}

private:
    Kind layer_;
    StoreFiller filler_;
    bool solved_ = false;
};

}  // namespace stackae::layers
