#include "layers/tries.hpp"

#include <cmath>
#include <fmt/format.h>

#include "base/random.hpp"

namespace stackae::layers {
namespace {

constexpr double margin = 1e-3;  ///< a share of a loss
/// A try from the same start and in the same order tells whether the rate alone was to blame.
constexpr std::int64_t same_start = 1;

std::string fault(const Outcome& outcome) {
    return outcome.ran_away ? "the loss ran away"
                            : fmt::format("nothing was learnt: a loss of {:.4g} where the mean's is {:.4g}",
                                          outcome.loss, outcome.loss_of_mean);
}

}  // namespace

bool Outcome::is_nothing() const {
    const bool rose = loss >= loss_of_mean && loss > loss_before + margin * std::abs(loss_before);
    const bool died = dead_units == 1.0 && loss >= loss_of_mean - margin * std::abs(loss_of_mean);
    return ran_away || rose || died;
}

double Tries::learning_rate(double first) const {
    return first * std::pow(0.1, static_cast<double>(again_));
}

std::uint64_t Tries::seed() const {
    if (again_ <= same_start) {
        return seed_;
    }
    const base::Random random(seed_, base::RandomStream::tries, stage_, static_cast<std::uint32_t>(again_));
    const auto bits = random.block(0);
    return (std::uint64_t{bits[0]} << 32U) | bits[1];
}

bool Tries::next() {
    if (again_ >= most_again_) {
        return false;
    }
    ++again_;
    return true;
}

bool Tries::next(const TrainContext& context, const Outcome& outcome, double first, StageEpoch epoch) {
    const double rate = learning_rate(first);
    if (!next()) {
        return false;
    }
    epoch.remark = again(outcome, rate, first);
    context.on_epoch(epoch);
    return true;
}

std::string Tries::again(const Outcome& outcome, double rate, double first) const {
    return fmt::format("{} at a learning rate of {:.3g}; tried again at {:.3g}{}", fault(outcome), rate,
                       learning_rate(first), again_ > same_start ? " with other random numbers" : "");
}

std::string Tries::given_up(const Outcome& outcome, std::string_view help) const {
    return fmt::format("{}{}; {} may help", fault(outcome), count(), help);
}

std::string Tries::count() const {
    return again_ == 0 ? ""
                       : fmt::format(" (in {} tries, at lower learning rates{})", again_ + 1,
                                     again_ > same_start ? " and with other random numbers" : "");
}

void Tries::save_state(TrainerState& state) const {
    if (again_ > 0) {
        state.numbers["tried_again"] = again_;
    }
}

void Tries::load_state(const TrainerState& state) {
    if (state.numbers.count("tried_again") != 0) {
        again_ = state.number("tried_again", 1, most_again_);
    }
}

}  // namespace stackae::layers
