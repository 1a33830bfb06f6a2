#include "train/phase.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <numeric>

#include "stackae/error.hpp"

#include "base/random.hpp"
#include "train/augmentation.hpp"
#include "train/corruption.hpp"
#include "train/stack.hpp"

namespace stackae::training {
namespace {

constexpr std::size_t probe_rows = 2000;  // measured where nothing is held out
constexpr float alive_range = 1e-4F;      // a unit whose values span less is dead
constexpr double divergence_factor = 10.0;

/// Spread evenly: folders are sorted by class.
std::vector<std::int64_t> some_of(std::span<const std::int64_t> rows) {
    std::vector<std::int64_t> some(std::min(rows.size(), probe_rows));
    for (std::size_t i = 0; i < some.size(); ++i) {
        some[i] = rows[i * rows.size() / some.size()];
    }
    return some;
}

std::string phase_name(int layer) {
    return layer == 0 ? "fine-tuning" : fmt::format("layer {}", layer);
}

}  // namespace

Phase::Phase(linalg::Context& context, nn::Parameters& parameters, const PhaseData& data,
             const PhaseSettings& settings, const TrainOptions& options)
    : context_(context),
      parameters_(parameters),
      data_(data),
      settings_(settings),
      options_(options),
      optimizer_(optimizer_of(options), parameters.size()),
      order_(data.train.begin(), data.train.end()),
      probe_(data.validation.begin(), data.validation.end()) {
    if (probe_.empty()) {
        probe_ = some_of(data.train);
    }
    const auto train_rows = static_cast<std::int64_t>(data.train.size());
    const std::int64_t rows = std::max(std::min(options.batch_size, train_rows), measuring_batch);
    target_ = Tensor({rows, data.samples.columns()});
    if (settings.corruption != Corruption::none && settings.corruption_level > 0.0) {
        corrupted_ = Tensor({rows, data.samples.columns()});
    }
}

nn::Network& Phase::network(std::int64_t n) {
    auto& found = networks_[n];
    if (!found) {
        found = std::make_unique<nn::Network>(context_, parameters_, n, settings_.loss, settings_.penalty);
    }
    return *found;
}

void Phase::prepare(std::int64_t train_rows, std::int64_t validation_rows) {
    for (const std::int64_t n :
         {std::min(options_.batch_size, train_rows), train_rows % options_.batch_size,
          std::min(measuring_batch, validation_rows), validation_rows % measuring_batch}) {
        if (n > 0) {
            network(n);
        }
    }
}

Phase::Result Phase::run(TrainObserver& observer, std::vector<EpochRecord>& history) {
    Result result;
    if (settings_.epochs == 0) {
        return result;
    }
    mean_loss_ = loss_of_mean();
    EpochRecord before;
    const double loss_before = measure(before);
    Tensor best;
    double best_loss = std::numeric_limits<double>::infinity();
    std::int64_t since_best = 0;
    for (std::int64_t epoch = 1; epoch <= settings_.epochs; ++epoch) {
        EpochRecord record{settings_.layer, epoch, 0.0, 0.0, mean_loss_, 0.0, 0.0, 0.0};
        const auto start = std::chrono::steady_clock::now();
        if (!run_epoch(observer, record)) {
            result.stopped = true;
            break;
        }
        check_health(record, measure(record), loss_before);
        record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        history.push_back(record);
        observer.on_epoch(record);
        result.epochs = epoch;
        ++since_best;
        if (record.validation_loss < best_loss) {
            best_loss = record.validation_loss;
            best = parameters_.values();
            since_best = 0;
        } else if (options_.patience > 0 && !data_.validation.empty() && since_best >= options_.patience) {
            break;
        }
    }
    if (!best.empty()) {
        parameters_.values() = std::move(best);
    }
    return result;
}

bool Phase::run_epoch(TrainObserver& observer, EpochRecord& record) {
    const auto epoch = static_cast<std::uint32_t>(record.epoch);
    std::copy(data_.train.begin(), data_.train.end(), order_.begin());
    base::shuffle(order_, base::Random(options_.seed, base::Stream::shuffle,
                                       static_cast<std::uint32_t>(settings_.layer), epoch));
    const auto rows = static_cast<std::int64_t>(order_.size());
    double sum = 0.0;
    for (std::int64_t done = 0; done < rows;) {
        if (observer.stop()) {
            return false;
        }
        const std::int64_t n = std::min(options_.batch_size, rows - done);
        const double progress =
            static_cast<double>(record.epoch - 1) + static_cast<double>(done) / static_cast<double>(rows);
        const double loss = step({order_.data() + done, static_cast<std::size_t>(n)}, epoch,
                                 progress / static_cast<double>(settings_.epochs));
        if (!std::isfinite(loss)) {
            throw Divergence(
                fmt::format("{}, epoch {}: the loss is not a number after {} pictures at a learning rate of "
                            "{:.3g}; try a lower "
                            "learning rate, gradient clipping, or standardised pictures",
                            phase_name(settings_.layer), record.epoch, done + n, rate_));
        }
        sum += loss * static_cast<double>(n);
        done += n;
        observer.on_batch(settings_.layer, record.epoch, settings_.epochs, done, rows);
    }
    record.train_loss = sum / static_cast<double>(rows);
    record.learning_rate = rate_;
    return true;
}

double Phase::step(std::span<const std::int64_t> rows, std::uint32_t epoch, double t) {
    const auto n = static_cast<std::int64_t>(rows.size());
    data_.samples.gather(rows, target_.data());
    const auto layer = static_cast<std::uint32_t>(settings_.layer);
    if (settings_.augmented) {
        augment(options_.augmentation, *settings_.augmented, {options_.seed, layer, epoch}, rows,
                target_.data());
    }
    const float* src = target_.data();
    if (!corrupted_.empty()) {
        std::copy_n(target_.data(), n * target_.columns(), corrupted_.data());
        corrupt(settings_.corruption, settings_.corruption_level, {options_.seed, layer, epoch}, rows,
                target_.columns(), corrupted_.data());
        src = corrupted_.data();
    }
    const double loss = network(n).step(src, target_.data());
    rate_ = settings_.learning_rate * nn::schedule_factor(schedule_of(options_), t, settings_.epochs);
    optimizer_.update(parameters_, rate_);
    return loss;
}

double Phase::measure(EpochRecord& record) {
    const auto units = static_cast<std::size_t>(parameters_.layers()[settings_.code_layer].oc);
    std::vector<float> low(units, std::numeric_limits<float>::infinity());
    std::vector<float> high(units, -std::numeric_limits<float>::infinity());
    const std::span<const std::int64_t> rows = probe_;
    double sum = 0.0;
    for (std::size_t at = 0; at < rows.size();) {
        const std::size_t n = std::min(static_cast<std::size_t>(measuring_batch), rows.size() - at);
        data_.samples.gather(rows.subspan(at, n), target_.data());
        nn::Network& measured = network(static_cast<std::int64_t>(n));
        // With winners alone, as the decoder knows codes: all units together would overshoot.
        sum += measured.forward(target_.data(), target_.data(), true) * static_cast<double>(n);
        const float* codes = measured.output(settings_.code_layer);
        for (std::size_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < units; ++j) {
                low[j] = std::min(low[j], codes[i * units + j]);
                high[j] = std::max(high[j], codes[i * units + j]);
            }
        }
        at += n;
    }
    const double loss = sum / static_cast<double>(rows.size());
    record.validation_loss = data_.validation.empty() ? std::numeric_limits<double>::quiet_NaN() : loss;
    std::size_t dead = 0;
    for (std::size_t j = 0; j < units; ++j) {
        dead += high[j] - low[j] < alive_range ? 1U : 0U;
    }
    record.dead_units = static_cast<double>(dead) / static_cast<double>(units);
    return loss;
}

void Phase::check_health(const EpochRecord& record, double loss, double loss_before) const {
    if (!std::isfinite(loss) || loss > divergence_factor * std::max(record.mean_loss, loss_before)) {
        throw Divergence(fmt::format(
            "{}, epoch {}: the loss rose to {:.4g} from {:.4g} before training ({:.4g} is that of predicting "
            "the "
            "mean); try a lower learning rate than {:.3g}, gradient clipping, or standardised pictures",
            phase_name(settings_.layer), record.epoch, loss, loss_before, record.mean_loss,
            settings_.learning_rate));
    }
}

double Phase::loss_of_mean() const {
    const std::vector<double> mean = data_.samples.mean(data_.train);
    const std::span<const std::int64_t> rows = probe_;
    double sum = 0.0;
    if (settings_.loss == LossKind::cross_entropy) {
        // Linear in the target: the mean target tells it.
        const std::vector<double> target = data_.samples.mean(rows);
        for (std::size_t j = 0; j < mean.size(); ++j) {
            const double p = std::clamp(mean[j], 1e-6, 1.0 - 1e-6);
            sum -= target[j] * std::log(p) + (1.0 - target[j]) * std::log(1.0 - p);
        }
        return sum;
    }
    Tensor some({std::min<std::int64_t>(measuring_batch, std::ssize(rows)), data_.samples.columns()});
    for (std::size_t first = 0; first < rows.size(); first += measuring_batch) {
        const auto part = rows.subspan(first, std::min<std::size_t>(measuring_batch, rows.size() - first));
        data_.samples.gather(part, some.data());
        for (std::int64_t i = 0; i < std::ssize(part); ++i) {
            sum += std::transform_reduce(mean.begin(), mean.end(), some.row(i).begin(), 0.0, std::plus<>{},
                                         [](double expected, float value) {
                                             const double error = static_cast<double>(value) - expected;
                                             return error * error;
                                         });
        }
    }
    return sum / static_cast<double>(rows.size());
}

}  // namespace stackae::training
