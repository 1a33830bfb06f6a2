#include "nn/gradient_loop.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <utility>

#include "stackae/error.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"

namespace stackae::nn {
namespace {

constexpr float alive_range = 1e-4F;  // a unit whose values span less is dead
constexpr double divergence_factor = 10.0;

}  // namespace

GradientLoop::GradientLoop(linalg::Context& context, Parameters& parameters, const TrainingRows& rows,
                           GradientLoopConfig config, base::Communicator& communicator)
    : context_(context),
      parameters_(parameters),
      rows_(rows),
      config_(std::move(config)),
      communicator_(communicator),
      order_(rows.train.size()),
      measured_(rows.validation.begin(), rows.validation.end()),
      state_{Optimizer(config_.optimizer, parameters.size())} {
    if (measured_.empty()) {
        measured_ = base::spread_rows(rows.train, max_measured);
    }
    const auto train_rows = static_cast<std::int64_t>(rows.train.size());
    const std::int64_t held = std::max(std::min(config_.batch_size, train_rows), measuring_batch);
    target_ = Tensor({held, rows.source.columns()});
    if (config_.corrupt) {
        corrupted_ = Tensor({held, rows.source.columns()});
    }
}

bool GradientLoop::ended() const {
    return config_.epochs == 0 || state_.epoch > config_.epochs;
}

bool GradientLoop::learns_next() const {
    return !ended() && state_.epoch > 0 && state_.done < std::ssize(rows_.train);
}

GradientLoop::Progress GradientLoop::progress() const {
    return {std::min(state_.epoch, config_.epochs), config_.epochs, state_.done, std::ssize(rows_.train)};
}

bool GradientLoop::step() {
    if (ended()) {
        return false;
    }
    if (learns_next()) {
        learn_batch();
    } else if (state_.epoch == 0) {
        EpochMetrics before;
        state_.mean_loss = loss_of_mean();
        state_.loss_before = measure(before);
        state_.epoch = 1;
        if (config_.keep_start && !rows_.validation.empty()) {
            state_.best_loss = state_.loss_before;
            state_.best = parameters_.values();
        }
    } else {
        metrics_ = {.epoch = state_.epoch,
                    .train_loss = state_.loss_sum / static_cast<double>(rows_.train.size()),
                    .mean_loss = state_.mean_loss,
                    .learning_rate = state_.learning_rate};
        measured_loss_ = measure(metrics_);
        check_health(measured_loss_);
        finish_epoch();
    }
    return !ended();
}

void GradientLoop::learn_batch() {
    if (order_epoch_ != state_.epoch) {
        std::copy(rows_.train.begin(), rows_.train.end(), order_.begin());
        base::shuffle(order_, base::Random(config_.seed, base::RandomStream::shuffle, config_.stream,
                                           static_cast<std::uint32_t>(state_.epoch)));
        order_epoch_ = state_.epoch;
    }
    const auto rows = static_cast<std::int64_t>(order_.size());
    const std::int64_t n = std::min(config_.batch_size, rows - state_.done);
    const double epochs_done =
        static_cast<double>(state_.epoch - 1) + static_cast<double>(state_.done) / static_cast<double>(rows);
    const double loss =
        learn({order_.data() + state_.done, static_cast<std::size_t>(n)},
              static_cast<std::uint32_t>(state_.epoch), epochs_done / static_cast<double>(config_.epochs));
    if (!std::isfinite(loss)) {
        throw Divergence(
            fmt::format("{}, epoch {}: the loss is not a number after {} rows at a learning rate of {:.3g}; "
                        "try a lower learning rate, gradient clipping, or standardised values",
                        config_.name, state_.epoch, state_.done + n, state_.learning_rate));
    }
    state_.loss_sum += loss * static_cast<double>(n);
    state_.done += n;
}

double GradientLoop::learn(std::span<const std::int64_t> rows, std::uint32_t epoch, double t) {
    const auto batch = static_cast<double>(rows.size());
    const bool shared = communicator_.size() > 1 && std::ssize(rows) >= communicator_.size();
    if (shared) {
        const auto [first, last] = base::share_of(communicator_, std::ssize(rows));
        rows = rows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(last - first));
    }
    const std::int64_t columns = target_.columns();
    const std::span<float> target = target_.values().first(rows.size() * static_cast<std::size_t>(columns));
    rows_.source.gather(rows, target.data());
    if (config_.augment) {
        config_.augment(rows, epoch, target);
    }
    const float* src = target.data();
    if (config_.corrupt) {
        const std::span<float> corrupted = corrupted_.values().first(target.size());
        std::copy(target.begin(), target.end(), corrupted.begin());
        config_.corrupt(rows, epoch, corrupted);
        src = corrupted.data();
    }
    const double loss = network(std::ssize(rows))
                            .step(src, {std::ssize(rows), columns, target.data(), nullptr, nullptr, batch},
                                  shared ? communicator_ : alone_);
    state_.learning_rate =
        config_.optimizer.learning_rate * schedule_factor(config_.schedule, t, config_.epochs);
    state_.optimizer.update(parameters_, state_.learning_rate);
    return loss;
}

void GradientLoop::finish_epoch() {
    ++state_.since_best;
    bool out_of_patience = false;
    if (metrics_.validation_loss < state_.best_loss) {
        state_.best_loss = metrics_.validation_loss;
        state_.best = parameters_.values();
        state_.since_best = 0;
    } else {
        out_of_patience =
            config_.patience > 0 && !rows_.validation.empty() && state_.since_best >= config_.patience;
    }
    state_.epoch = out_of_patience ? config_.epochs + 1 : state_.epoch + 1;
    state_.done = 0;
    state_.loss_sum = 0.0;
}

void GradientLoop::use_best() {
    if (!state_.best.empty()) {
        parameters_.values() = state_.best;
    }
}

bool GradientLoop::rows_alike() const {
    const std::int64_t columns = rows_.source.columns();
    Tensor some({std::min<std::int64_t>(measuring_batch, std::ssize(rows_.train)), columns});
    std::vector<float> first;
    for (std::size_t at = 0; at < rows_.train.size(); at += measuring_batch) {
        const auto part =
            rows_.train.subspan(at, std::min<std::size_t>(measuring_batch, rows_.train.size() - at));
        rows_.source.gather(part, some.data());
        for (std::int64_t i = 0; i < std::ssize(part); ++i) {
            const auto row = some.row(i);
            if (first.empty()) {
                first.assign(row.begin(), row.end());
            }
            if (!std::equal(first.begin(), first.end(), row.begin())) {
                return false;
            }
        }
    }
    return true;
}

Sequential& GradientLoop::network(std::int64_t n) {
    auto& found = networks_[n];
    if (!found) {
        found = std::make_unique<Sequential>(context_, parameters_, n,
                                             make_loss(config_.loss, context_, n, target_.columns()),
                                             config_.sparsity);
    }
    return *found;
}

double GradientLoop::measure(EpochMetrics& metrics) {
    const auto units = static_cast<std::size_t>(parameters_.layers()[config_.code_layer].oc);
    std::vector<float> low(units, std::numeric_limits<float>::infinity());
    std::vector<float> high(units, -std::numeric_limits<float>::infinity());
    const std::span<const std::int64_t> rows = measured_;
    double sum = 0.0;
    for (std::size_t at = 0; at < rows.size();) {
        const std::size_t n = std::min(static_cast<std::size_t>(measuring_batch), rows.size() - at);
        rows_.source.gather(rows.subspan(at, n), target_.data());
        Sequential& measured = network(static_cast<std::int64_t>(n));
        // With winners alone, as the decoder knows codes: all units together would overshoot.
        sum += measured.forward(target_.data(),
                                {static_cast<std::int64_t>(n), target_.columns(), target_.data()}) *
               static_cast<double>(n);
        const float* codes = measured.output(config_.code_layer);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < units; ++j) {
                low[j] = std::min(low[j], codes[i * units + j]);
                high[j] = std::max(high[j], codes[i * units + j]);
            }
        }
        at += n;
    }
    const double loss = sum / static_cast<double>(rows.size());
    metrics.validation_loss = rows_.validation.empty() ? std::numeric_limits<double>::quiet_NaN() : loss;
    std::size_t dead = 0;
    for (std::size_t j = 0; j < units; ++j) {
        dead += high[j] - low[j] < alive_range ? 1U : 0U;
    }
    // A single row does not tell.
    metrics.dead_units = rows.size() < 2 ? std::numeric_limits<double>::quiet_NaN()
                                         : static_cast<double>(dead) / static_cast<double>(units);
    return loss;
}

void GradientLoop::check_health(double loss) const {
    const bool rose = loss > divergence_factor * std::max(state_.mean_loss, state_.loss_before);
    // Rows that are alike have no loss to compare with: their mean predicts them.
    if (!std::isfinite(loss) || (rose && !rows_alike())) {
        throw Divergence(fmt::format(
            "{}, epoch {}: the loss rose to {:.4g} from {:.4g} before training ({:.4g} is that of predicting "
            "the mean); try a lower learning rate than {:.3g}, gradient clipping, or standardised values",
            config_.name, state_.epoch, loss, state_.loss_before, state_.mean_loss,
            config_.optimizer.learning_rate));
    }
}

double GradientLoop::loss_of_mean() const {
    const std::vector<double> mean = best_constant(config_.loss, rows_.source, rows_.train);
    const std::span<const std::int64_t> rows = measured_;
    const std::int64_t most = std::min<std::int64_t>(measuring_batch, std::ssize(rows));
    const std::int64_t columns = rows_.source.columns();
    const auto loss = make_loss(config_.loss, context_, most, columns);
    Tensor predicted({most, columns});
    for (std::int64_t i = 0; i < most; ++i) {
        std::transform(mean.begin(), mean.end(), predicted.row(i).begin(), [&](double value) {
            const double p = std::clamp(value, 1e-6, 1.0 - 1e-6);
            return static_cast<float>(
                loss->inner_activation() == Activation::sigmoid ? std::log(p / (1.0 - p)) : value);
        });
    }
    Tensor some({most, columns});
    double sum = 0.0;
    for (std::size_t first = 0; first < rows.size(); first += measuring_batch) {
        const auto part = rows.subspan(first, std::min<std::size_t>(measuring_batch, rows.size() - first));
        rows_.source.gather(part, some.data());
        sum += (*loss)(predicted.data(), {std::ssize(part), columns, some.data()}, nullptr) *
               static_cast<double>(part.size());
    }
    return sum / static_cast<double>(rows.size());
}

}  // namespace stackae::nn
