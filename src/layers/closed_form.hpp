#pragma once

#include <algorithm>
#include <utility>
#include <vector>

#include "layers/layer_of.hpp"
#include "layers/trainer.hpp"
#include "linalg/pca.hpp"

namespace stackae::layers {

/// Trains a kind that is solved at once from some rows of its input, all of which are held: solve(context,
/// rows) is a member of Kind that gives it its tensors; Kind::changes_rows says whether the rows are others
/// afterwards. A run that is taken up again collects the rows anew.
template <class Kind>
class ClosedFormTrainer : public LayerTrainer {
public:
    ClosedFormTrainer(Kind layer, std::vector<std::int64_t> rows)
        : layer_(std::move(layer)), filler_(std::move(rows)) {}

    bool step(TrainContext& context) override {
        if (!filler_.is_full()) {
            filler_.step(context.input);
            return true;
        }
        layer_.solve(context, filler_.store());
        solved_ = true;
        if constexpr (!Kind::changes_rows) {
            filler_.leave(context.input);
        }
        return false;
    }
    [[nodiscard]] StageProgress progress() const override {
        return solved_ || filler_.is_full() ? StageProgress{1, 1, solved_ ? 1 : 0, 1} : filler_.progress();
    }
    [[nodiscard]] std::shared_ptr<const Layer> finish() override {
        return solved_ ? std::make_shared<const Kind>(std::move(layer_)) : nullptr;
    }

private:
    Kind layer_;
    StoreFiller filler_;
    bool solved_ = false;
};

/// What kinds say alike that are found from some rows of their input, all of which are held. Kind::max_rows:
/// how many, at most.
template <class Kind>
class FoundFromRows : public LayerOf<Kind> {
public:
    [[nodiscard]] bool is_trained() const override { return true; }

protected:
    /// Without what is done to the rows.
    [[nodiscard]] static StageCost cost_of_rows(const PlanContext& context) {
        StageCost cost;
        cost.input_rows = cost.stored_rows = static_cast<double>(std::min(Kind::max_rows, context.train));
        cost.leaves = Kind::changes_rows ? StageCost::Leaves::nothing : StageCost::Leaves::some_rows;
        cost.hold(context.input_floats);
        return cost;
    }
    [[nodiscard]] static std::vector<std::int64_t> rows_of(const TrainContext& context) {
        return sample_rows(context.train, Kind::max_rows, context, 0);
    }
};

/// The same of those that are solved at once.
template <class Kind>
class ClosedForm : public FoundFromRows<Kind> {
public:
    [[nodiscard]] std::unique_ptr<LayerTrainer> trainer(const TrainContext& context) const override {
        return std::make_unique<ClosedFormTrainer<Kind>>(static_cast<const Kind&>(*this),
                                                         this->rows_of(context));
    }

protected:
    /// The cost of principal axes, which become no more than the rows allow.
    [[nodiscard]] StageCost cost_of_axes(const PlanContext& context, std::int64_t& n_components) const {
        StageCost cost = this->cost_of_rows(context);
        const auto n = static_cast<std::int64_t>(cost.stored_rows);
        const std::int64_t inputs = this->input_shape().size();
        // n rows vary in n - 1 directions around their mean.
        n_components = std::min(n_components, std::max<std::int64_t>(1, n - 1));
        cost.multiply_adds = linalg::pca_multiply_adds(n, inputs, n_components);
        cost.hold(linalg::pca_floats(n, inputs, n_components) + static_cast<double>(this->parameters()));
        return cost;
    }
};

}  // namespace stackae::layers
