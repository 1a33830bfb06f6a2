#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "layers/elsa.hpp"
#include "layers/elsa_loss.hpp"
#include "layers/gradient_stage.hpp"
#include "layers/trainer.hpp"
#include "layers/tries.hpp"
#include "nn/optimizer.hpp"

namespace stackae::layers {
namespace {

constexpr std::int64_t grain = 16;  ///< rows of A that a thread takes
constexpr std::int64_t most_steps = std::int64_t{1} << 48;
constexpr double alike = 1e-9;             ///< the mean's loss where all rows have one direction
constexpr std::int64_t max_judged = 2000;  ///< rows learnt from that are measured, where none is held out

/// Updates cost as much as their products, of A alone, however few rows they are of.
std::int64_t suited_batch(std::int64_t rows) {
    return std::clamp<std::int64_t>(rows / 40, 16, 4096);
}

nn::GradientLoopConfig config_of(const Elsa& layer, const PlanContext& context) {
    nn::GradientLoopConfig config = loop_config(context);
    const std::int64_t batch = layer.batch_size.value_or(0);
    config.epochs = layer.epochs.value_or(Elsa::usual_epochs);
    config.batch_size = batch > 0 ? batch : suited_batch(context.train);
    config.optimizer.learning_rate = layer.learning_rate.value_or(Elsa::usual_rate);
    config.optimizer.weight_decay = 0.0;  // lengths are 1
    return config;
}

/// Directions at random.
Tensor initial(const Elsa& layer, std::uint64_t seed, std::uint32_t stage) {
    Tensor weights({layer.input_shape().size(), layer.units});
    const base::Random random(seed, base::RandomStream::weights, stage);
    const auto values = weights.values();
    for (std::size_t i = 0; i < values.size(); i += 4) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 4));
        const auto first = base::Random::normal(bits[0], bits[1]);
        const auto second = base::Random::normal(bits[2], bits[3]);
        const std::array<float, 4> four{first[0], first[1], second[0], second[1]};
        std::copy_n(four.begin(), std::min<std::size_t>(4, values.size() - i),
                    values.begin() + static_cast<std::ptrdiff_t>(i));
    }
    return weights;
}

void normalize_rows(Tensor& weights) {
    base::parallel_ranges(weights.rows(), grain, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
            base::l2_normalize(weights.row(i), weights.row(i));
        }
    });
}

/// Calls body(x, ‖x‖) for the rows of a batch that have entries, x as columns and values.
template <class Body>
void each_row(const base::SparseRows& batch, const Body& body) {
    for (std::int64_t row = 0; row < batch.rows(); ++row) {
        const auto first = base::at(batch.offsets[base::at(row)]);
        const auto size = base::at(batch.offsets[base::at(row + 1)]) - first;
        const auto values = std::span(batch.values).subspan(first, size);
        if (const double length = std::sqrt(base::squared_norm(values)); length > 0.0) {
            body(std::span(batch.columns).subspan(first, size), values, length);
        }
    }
}

/// Epochs of shuffled batches, each followed by a measurement on the rows held out, where there are any; then
/// the best weights by it are what was learnt, and patience may end them early. Where nothing was learnt they
/// are done again, see Tries.
class ElsaTrainer : public LayerTrainer {
public:
    ElsaTrainer(Elsa layer, const TrainContext& context)
        : layer_(std::move(layer)),
          config_(config_of(layer_, context.plan())),
          rows_(std::ssize(context.train)),
          stage_(context.stage),
          tries_(context.plan()),
          optimizer_(config_.optimizer, layer_.input_shape().size() * layer_.units),
          gradient_({layer_.input_shape().size(), layer_.units}) {
        start();
    }

    bool step(TrainContext& context) override {
        if (context.input.hold()) {
            holding_ = context.input.holding();
            return true;
        }
        if (!begun_) {
            begun_ = true;
            loss_of_mean_ = measure_mean(context);
            loss_before_ = measure(context);
        }
        if (epoch_ <= config_.epochs) {
            done_ < rows_ ? learn_batch(context) : finish_epoch(context);
        }
        return epoch_ <= config_.epochs;
    }
    [[nodiscard]] StageProgress progress() const override {
        return begun_ ? StageProgress{std::min(epoch_, config_.epochs), config_.epochs, done_, rows_}
                      : holding_;
    }
    [[nodiscard]] std::shared_ptr<const Layer> finish() override {
        if (epoch_ <= std::min<std::int64_t>(1, config_.epochs)) {
            return nullptr;
        }
        if (!best_.empty()) {
            layer_.weights = std::move(best_);
        }
        return std::make_shared<const Elsa>(std::move(layer_));
    }
    void save_state(TrainerState& state) override;
    void load_state(const TrainerState& state) override;

private:
    /// Weights drawn, nothing learnt.
    void start();
    void learn_batch(TrainContext& context);
    void finish_epoch(TrainContext& context);
    /// How the epochs came out, of which that is the last.
    [[nodiscard]] Outcome came_to(TrainContext& context, const StageEpoch& last) const;
    /// Starts the next try, where there is one, and tells of the one that ends with `epoch`.
    bool try_again(TrainContext& context, const Outcome& outcome, StageEpoch epoch);
    /// Keeps the weights where they are the best. Returns whether patience has run out.
    [[nodiscard]] bool judge(double loss);
    /// Calls body(batch) for some rows.
    template <class Body>
    void each_batch(TrainContext& context, std::span<const std::int64_t> rows, const Body& body) const;
    /// The mean loss of the rows held out, or of some that are learnt from where there are none.
    [[nodiscard]] double measure(TrainContext& context) const;
    /// The same of predicting all rows' mean, each brought to length 1.
    [[nodiscard]] double measure_mean(TrainContext& context) const;

    Elsa layer_;
    nn::GradientLoopConfig config_;
    std::int64_t rows_;
    std::uint32_t stage_;
    Tries tries_;
    nn::Optimizer optimizer_;
    Tensor gradient_;
    std::vector<std::int64_t> order_;  ///< of the epoch order_epoch_
    std::int64_t order_epoch_ = 0;
    bool begun_ = false;
    StageProgress holding_;
    std::int64_t epoch_ = 1;    ///< under way
    std::int64_t done_ = 0;     ///< rows of it that were learnt from
    std::int64_t counted_ = 0;  ///< of them, those that have entries
    double loss_sum_ = 0.0;     ///< over them
    double learning_rate_ = 0.0;
    Tensor best_;  ///< weights by the loss of the rows held out; empty where none were measured
    double best_loss_ = 0.0;
    std::int64_t since_best_ = 0;  ///< epochs
    double loss_before_ = 0.0;
    double loss_of_mean_ = std::numeric_limits<double>::infinity();
};

/// What is measured on.
std::vector<std::int64_t> judged(const TrainContext& context) {
    if (!context.validation.empty()) {
        return {context.validation.begin(), context.validation.end()};
    }
    return base::spread_rows(context.train, max_judged);
}

void ElsaTrainer::start() {
    layer_.weights = initial(layer_, tries_.seed(), stage_);
    normalize_rows(layer_.weights);
    optimizer_ = nn::Optimizer(config_.optimizer, layer_.input_shape().size() * layer_.units);
    best_ = Tensor();
    best_loss_ = 0.0;
    since_best_ = 0;
    order_epoch_ = 0;
    epoch_ = 1;
    done_ = 0;
    counted_ = 0;
    loss_sum_ = 0.0;
}

bool ElsaTrainer::try_again(TrainContext& context, const Outcome& outcome, StageEpoch epoch) {
    if (!tries_.next(context, outcome, config_.optimizer.learning_rate, std::move(epoch))) {
        return false;
    }
    start();
    loss_before_ = measure(context);
    return true;
}

void ElsaTrainer::learn_batch(TrainContext& context) {
    if (order_epoch_ != epoch_) {
        order_.assign(context.train.begin(), context.train.end());
        base::shuffle(order_, base::Random(tries_.seed(), base::RandomStream::shuffle, config_.stream,
                                           static_cast<std::uint32_t>(epoch_)));
        order_epoch_ = epoch_;
    }
    const auto rows = next_rows(order_, done_, config_.batch_size);
    base::SparseRows batch;
    context.input.gather_sparse(rows, batch);
    const double loss = ElsaLoss(layer_.weights).sum(batch, gradient_);
    if (!std::isfinite(loss)) {
        StageEpoch epoch;
        epoch.epoch = epoch_;
        epoch.learning_rate = learning_rate_;
        if (try_again(context, {.ran_away = true}, epoch)) {
            return;
        }
        throw Divergence(
            fmt::format("{}, epoch {}: the loss is not a number after {} rows at a learning rate of {:.3g}; "
                        "try a lower learning rate{}",
                        config_.name, epoch_, done_ + std::ssize(rows), learning_rate_, tries_.count()));
    }
    const double epochs_done =
        static_cast<double>(epoch_ - 1) + static_cast<double>(done_) / static_cast<double>(rows_);
    learning_rate_ = tries_.learning_rate(config_.optimizer.learning_rate) *
                     nn::schedule_factor(config_.schedule, epochs_done / static_cast<double>(config_.epochs),
                                         config_.epochs);
    optimizer_.update(layer_.weights.values(), std::as_const(gradient_).values(), gradient_.size(),
                      learning_rate_);
    normalize_rows(layer_.weights);
    loss_sum_ += loss;
    counted_ += counted_rows(batch);
    done_ += std::ssize(rows);
}

template <class Body>
void ElsaTrainer::each_batch(TrainContext& context, std::span<const std::int64_t> rows,
                             const Body& body) const {
    for (std::int64_t done = 0; done < std::ssize(rows);) {
        const auto some = next_rows(rows, done, config_.batch_size);
        base::SparseRows batch;
        context.input.gather_sparse(some, batch);
        body(batch);
        done += std::ssize(some);
    }
}

double ElsaTrainer::measure(TrainContext& context) const {
    const ElsaLoss of_weights(layer_.weights);
    double sum = 0.0;
    std::int64_t counted = 0;
    each_batch(context, judged(context), [&](const base::SparseRows& batch) {
        sum += of_weights.sum(batch);
        counted += counted_rows(batch);
    });
    return sum / static_cast<double>(std::max<std::int64_t>(1, counted));
}

double ElsaTrainer::measure_mean(TrainContext& context) const {
    std::vector<double> mean(base::at(layer_.input_shape().size()));
    each_batch(context, context.train, [&](const base::SparseRows& batch) {
        each_row(batch, [&](auto columns, auto values, double length) {
            for (std::size_t e = 0; e < values.size(); ++e) {
                mean[base::at(columns[e])] += double{values[e]} / length;
            }
        });
    });
    const double of_mean = std::sqrt(std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0));
    double sum = 0.0;
    std::int64_t counted = 0;
    each_batch(context, judged(context), [&](const base::SparseRows& batch) {
        each_row(batch, [&](auto columns, auto values, double length) {
            double product = 0.0;
            for (std::size_t e = 0; e < values.size(); ++e) {
                product += mean[base::at(columns[e])] * double{values[e]};
            }
            sum += 2.0 - (of_mean > 0.0 ? 2.0 * product / (of_mean * length) : 0.0);
            ++counted;
        });
    });
    return std::max(0.0, sum / static_cast<double>(std::max<std::int64_t>(1, counted)));
}

bool ElsaTrainer::judge(double loss) {
    if (std::isfinite(loss) && (best_.empty() || loss < best_loss_)) {
        best_ = layer_.weights;
        best_loss_ = loss;
        since_best_ = 0;
        return false;
    }
    ++since_best_;
    return config_.patience > 0 && since_best_ >= config_.patience;
}

Outcome ElsaTrainer::came_to(TrainContext& context, const StageEpoch& last) const {
    double loss = best_.empty() ? measure(context) : best_loss_;
    if (!context.validation.empty() && std::ssize(context.validation) < few_rows) {
        loss = std::min(loss, *last.train_loss);
    }
    return {.ran_away = !std::isfinite(loss),
            .loss = loss,
            .loss_before = loss_before_,
            .loss_of_mean = loss_of_mean_};
}

void ElsaTrainer::finish_epoch(TrainContext& context) {
    StageEpoch epoch;
    epoch.epoch = epoch_;
    epoch.train_loss = loss_sum_ / static_cast<double>(std::max<std::int64_t>(1, counted_));
    epoch.learning_rate = learning_rate_;
    if (std::isfinite(loss_of_mean_)) {
        epoch.mean_loss = loss_of_mean_;
    }
    bool ends = false;
    if (!context.validation.empty()) {
        epoch.validation_loss = measure(context);
        ends = judge(*epoch.validation_loss);
    }
    if (ends || epoch_ == config_.epochs) {
        const Outcome outcome = came_to(context, epoch);
        if (loss_of_mean_ < alike) {
            epoch.remark = nothing_to_learn;
        } else if (outcome.is_nothing()) {
            if (try_again(context, outcome, epoch)) {
                return;
            }
            epoch.remark = tries_.given_up(outcome, "another learning_rate= of the layer or other units");
        }
    }
    context.on_epoch(epoch);
    epoch_ = ends ? config_.epochs + 1 : epoch_ + 1;
    done_ = 0;
    counted_ = 0;
    loss_sum_ = 0.0;
}

void ElsaTrainer::save_state(TrainerState& state) {
    if (!begun_) {
        return;
    }
    state.put("weights", layer_.weights);
    state.put("moments", optimizer_.state().moments);
    state.numbers["optimizer_steps"] = optimizer_.state().steps;
    state.numbers["epoch"] = epoch_;
    state.numbers["done"] = done_;
    state.numbers["counted"] = counted_;
    state.numbers["loss_sum"] = std::bit_cast<std::int64_t>(loss_sum_);
    state.numbers["learning_rate"] = std::bit_cast<std::int64_t>(learning_rate_);
    state.put("best", best_);
    state.numbers["best_loss"] = std::bit_cast<std::int64_t>(best_loss_);
    state.numbers["since_best"] = since_best_;
    if (std::isfinite(loss_of_mean_)) {
        state.numbers["loss_before"] = std::bit_cast<std::int64_t>(loss_before_);
        state.numbers["loss_of_mean"] = std::bit_cast<std::int64_t>(loss_of_mean_);
    }
    tries_.save_state(state);
}

void ElsaTrainer::load_state(const TrainerState& state) {
    tries_.load_state(state);
    layer_.weights = state.tensor("weights", layer_.weights.shape());
    optimizer_.state().moments = state.tensor("moments", optimizer_.state().moments.shape());
    optimizer_.state().steps = state.number("optimizer_steps", 0, most_steps);
    epoch_ = state.number("epoch", 1, config_.epochs + 1);
    done_ = state.number("done", 0, rows_);
    counted_ = state.number("counted", 0, done_);
    const auto real = [&](const char* name) {
        const auto value = std::bit_cast<double>(state.number(name));
        if (!std::isfinite(value)) {
            throw InvalidArgument(fmt::format("{}: {} found, a finite number expected", name, value));
        }
        return value;
    };
    loss_sum_ = real("loss_sum");
    learning_rate_ = real("learning_rate");
    if (const Tensor* const best = state.find("best", layer_.weights.shape())) {
        best_ = *best;
    }
    best_loss_ = real("best_loss");
    since_best_ = state.number("since_best", 0, most_steps);
    if (state.numbers.count("loss_of_mean") != 0) {  // versions before this one did not measure it
        loss_before_ = real("loss_before");
        loss_of_mean_ = real("loss_of_mean");
    }
    begun_ = true;
}

}  // namespace

std::unique_ptr<LayerTrainer> Elsa::trainer(const TrainContext& context) const {
    return std::make_unique<ElsaTrainer>(*this, context);
}

StageCost Elsa::plan(const PlanContext& context) {
    const nn::GradientLoopConfig config = config_of(*this, context);
    const auto real = [](std::int64_t value) { return static_cast<double>(value); };
    const double k = real(units);
    const double rows = real(std::max<std::int64_t>(1, context.train + context.validation));
    const double entries = context.input_entries * real(context.train) / rows;
    const double batch = real(std::min(config.batch_size, std::max<std::int64_t>(1, context.train)));
    const double updates = std::ceil(real(context.train) / batch);
    StageCost cost;
    cost.epochs = config.epochs;
    // Of each entry its row of A is read and its row of the gradient written; A's products with itself and
    // with a matrix as wide; an update.
    constexpr double an_entry = 8.0;
    constexpr double an_update = 120.0;  // of a value
    cost.multiply_adds =
        real(config.epochs) * (an_entry * entries * k + updates * matrix_size() * (2.0 * k + an_update));
    // A, the best so far where some rows are held out, its gradient and moments; a batch's rows, also by
    // columns, and what is made of them.
    const double moments = config.optimizer.kind == OptimizerKind::sgd ? 1.0 : 2.0;
    constexpr double of_entry = 6.0;
    const double matrices = 2.0 + moments + (context.validation > 0 ? 1.0 : 0.0);
    const double learning = matrices * matrix_size() + 4.0 * real(input_shape().size()) + 2.0 * rows +
                            2.0 * k * k + batch * (3.0 * k + 2.0 + of_entry * context.input_entries / rows);
    cost.hold(learning);
    if (context.made_anew) {
        cost.input_rows = real(config.epochs) * rows;
        cost.hold(learning + context.input_floats);
    } else if (!context.of_pictures) {
        cost.input_rows = cost.stored_rows = rows;
        cost.leaves = StageCost::Leaves::all_rows;
        cost.hold(context.input_floats);
    }
    return cost;
}

}  // namespace stackae::layers
