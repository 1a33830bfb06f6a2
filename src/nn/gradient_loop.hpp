#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "stackae/loss_kind.hpp"
#include "stackae/optimizer_config.hpp"
#include "stackae/tensor.hpp"

#include "base/communicator.hpp"
#include "base/row_source.hpp"
#include "nn/optimizer.hpp"
#include "nn/sequential.hpp"

namespace stackae::nn {

inline constexpr std::int64_t measuring_batch = 256;  ///< rows whose loss is measured at a time
inline constexpr std::int64_t max_measured = 2000;    ///< rows measured where nothing is held out

/// Changes the values of some rows (rows.size() × columns) in place, anew in every epoch: by the rows'
/// numbers and the epoch alone, so that neither threads nor resuming change what is made.
using RowsTransform =
    std::function<void(std::span<const std::int64_t> rows, std::uint32_t epoch, std::span<float> values)>;

struct GradientLoopConfig {
    std::string name;  ///< of what is trained; messages begin with it
    std::uint64_t seed = 0;
    std::uint32_t stream = 0;  ///< tells loops of one seed apart
    std::int64_t epochs = 0;
    std::int64_t batch_size = 256;
    std::int64_t patience = 0;  ///< epochs without a better validation loss before the loop ends; 0: never
    OptimizerConfig optimizer;
    ScheduleConfig schedule;
    LossKind loss = LossKind::squared_error;
    SparsityConfig sparsity;
    std::size_t code_layer = 0;  ///< whose units are counted as dead or alive
    bool keep_start = false;     ///< whether the weights that it begins with may be the best
    RowsTransform augment;       ///< changes what is rebuilt, and so what is seen; empty: nothing
    RowsTransform corrupt;       ///< changes what is seen alone; empty: nothing
};

/// Rows to learn from, as their own targets, and rows held out.
struct TrainingRows {
    const base::RowSource& source;
    std::span<const std::int64_t> train;
    std::span<const std::int64_t> validation;
};

/// One epoch, as it went.
struct EpochMetrics {
    std::int64_t epoch = 0;        ///< 1-based
    double train_loss = 0.0;       ///< mean over the epoch, of corrupted rows and with penalties
    double validation_loss = 0.0;  ///< clean, without penalties; NaN where no rows are held out
    double mean_loss = 0.0;        ///< loss of predicting the mean row for every row of the same part
    double dead_units = 0.0;       ///< share of the layer's units that give every row the same value
    double learning_rate = 0.0;    ///< at the epoch's end
};

/// Trains an autoencoder by gradients: epochs of shuffled batches, each followed by a measurement on the rows
/// held out (or on some that are trained on), from which the best weights are kept. The same rows, seed and
/// number of members give the same weights.
///
/// Several members work on one loop each, alike but for their communicator: a batch is shared out among them,
/// and their gradients are summed before each update, so that all have the same weights at all times. A batch
/// of fewer rows than members, and every measurement, is worked on by each of them as a whole.
class GradientLoop {
public:
    GradientLoop(linalg::Context& context, Parameters& parameters, const TrainingRows& rows,
                 GradientLoopConfig config, base::Communicator& communicator);

    /// Learns from the next batch, or measures: before the first epoch and at the end of each. Returns
    /// whether there is more to do. Throws Divergence.
    bool step();
    /// Whether the next step() learns from a batch.
    [[nodiscard]] bool learns_next() const;
    /// Puts the best weights by validation loss in place; the last stay where nothing is held out.
    void use_best();

    struct Progress {
        std::int64_t epoch = 0;   ///< under way, 1-based
        std::int64_t epochs = 0;  ///< at most
        std::int64_t done = 0;    ///< rows of it that were learnt from
        std::int64_t rows = 0;    ///< of an epoch
    };
    [[nodiscard]] Progress progress() const;
    /// Of the last epoch that step() has finished; epoch 0: none.
    [[nodiscard]] const EpochMetrics& metrics() const { return metrics_; }
    /// The clean loss, without penalties, of the weights that use_best() puts in place; after the last
    /// step().
    [[nodiscard]] double best_loss() const {
        return rows_.validation.empty() ? measured_loss_ : state_.best_loss;
    }
    /// The same of the weights that it began with; after the first step().
    [[nodiscard]] double loss_before() const { return state_.loss_before; }
    /// Whether all rows that are learnt from have the same values.
    [[nodiscard]] bool rows_alike() const;

    /// Learns from the rows given, at a progress t in [0, 1) of all epochs. Returns the batch's loss.
    double learn(std::span<const std::int64_t> rows, std::uint32_t epoch, double t);

    /// With the parameters' values all that a loop needs to go on, bit for bit, where another was stopped.
    struct State {
        Optimizer optimizer;
        std::int64_t epoch =
            0;  ///< under way; 0: nothing was measured; above the number of epochs: at the end
        std::int64_t done = 0;  ///< rows of it that were learnt from
        double loss_sum = 0.0;  ///< over them
        double learning_rate = 0.0;
        double mean_loss = 0.0;    ///< see EpochMetrics
        double loss_before = 0.0;  ///< measured before training
        double best_loss = std::numeric_limits<double>::infinity();
        std::int64_t since_best = 0;  ///< epochs
        Tensor best{};                ///< values of the parameters

        /// Calls visitor(key, value) for every value: a std::int64_t&, a double& or a Tensor&.
        template <class Visitor>
        void visit(Visitor&& visitor) {
            visitor("optimizer_steps", optimizer.state().steps);
            visitor("moments", optimizer.state().moments);
            visitor("epoch", epoch);
            visitor("done", done);
            visitor("loss_sum", loss_sum);
            visitor("learning_rate", learning_rate);
            visitor("mean_loss", mean_loss);
            visitor("loss_before", loss_before);
            visitor("best_loss", best_loss);
            visitor("since_best", since_best);
            visitor("best", best);
        }
    };
    [[nodiscard]] State& state() { return state_; }

private:
    [[nodiscard]] bool ended() const;
    void learn_batch();
    void finish_epoch();
    Sequential& network(std::int64_t n);
    /// The clean loss, without penalties, on the rows that are measured; fills in the validation loss and the
    /// dead units.
    double measure(EpochMetrics& metrics);
    [[nodiscard]] double loss_of_mean() const;
    /// Throws Divergence when the loss is no number, or far above both the mean's and what it was before
    /// training.
    void check_health(double loss) const;

    linalg::Context& context_;
    Parameters& parameters_;
    TrainingRows rows_;
    GradientLoopConfig config_;
    base::Communicator& communicator_;
    base::OneMember alone_;
    std::map<std::int64_t, std::unique_ptr<Sequential>>
        networks_;                     ///< by batch size: full, and what is left over
    std::vector<std::int64_t> order_;  ///< of the epoch order_epoch_
    std::int64_t order_epoch_ = 0;
    std::vector<std::int64_t> measured_;  ///< rows held out, or some that are trained on
    Tensor target_;
    Tensor corrupted_;
    EpochMetrics metrics_;
    double measured_loss_ = 0.0;  ///< the last that was measured
    State state_;
};

}  // namespace stackae::nn
