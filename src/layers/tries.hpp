#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "layers/trainer.hpp"

namespace stackae::layers {

/// How the epochs of a stage came out, on the rows that it is measured on.
struct Outcome {
    bool ran_away = false;      ///< the rest was not measured then
    double loss = 0.0;          ///< of what was learnt
    double loss_before = 0.0;   ///< what it was before the first epoch
    double loss_of_mean = 0.0;  ///< of predicting the mean
    double dead_units = 0.0;    ///< share of units that give every row the same value

    /// Whether nothing was learnt: the loss ran away; or it is no better than the mean's and worse than
    /// before training, by a thousandth; or all units are dead and it is not better than the mean's by a
    /// thousandth. A loss that fell, however slowly, is none of these.
    [[nodiscard]] bool is_nothing() const;
};

/// The tries of a stage that learns by epochs. One that learnt nothing took steps that were too wide: it is
/// done again at a tenth of the learning rate, from the third try on with other random numbers: in another
/// order of the rows and, where the start is drawn, from another one. A function of the seed, the stage and
/// the try.
class Tries {
public:
    explicit Tries(const PlanContext& context)
        : most_again_(context.config.retries), seed_(context.config.seed), stage_(context.stage) {}

    /// Of this try, where that of the first is `first`.
    [[nodiscard]] double learning_rate(double first) const;
    /// Of this try's start and of the order of its rows.
    [[nodiscard]] std::uint64_t seed() const;
    /// Goes on to the next try; false: there is none.
    bool next();
    /// The same, and tells with `epoch`, the last one, what went wrong and what is done; first: learning rate
    /// of the first try.
    bool next(const TrainContext& context, const Outcome& outcome, double first, StageEpoch epoch);

    /// Of a stage that came to nothing and where next() has been called since: what went wrong at a learning
    /// rate of `rate`, and what is done about it, where the first one's was `first`.
    [[nodiscard]] std::string again(const Outcome& outcome, double rate, double first) const;
    /// The same where no try is left; `help` is what may.
    [[nodiscard]] std::string given_up(const Outcome& outcome, std::string_view help = usual_help) const;
    /// " in 4 tries, …": how many there were; empty: one.
    [[nodiscard]] std::string count() const;

    static constexpr std::string_view usual_help =
        "a lower --lr or --fine-tune-lr, another activation, other units or less --corruption";

    /// Nothing is put there of the first try.
    void save_state(TrainerState& state) const;
    void load_state(const TrainerState& state);

private:
    std::int64_t most_again_;
    std::uint64_t seed_;
    std::uint32_t stage_;
    std::int64_t again_ = 0;  ///< tries after the first
};

/// Rows held out by which alone nothing is judged: fewer may lie far from all others.
inline constexpr std::int64_t few_rows = 20;

/// What is said of a stage whose rows are all alike.
inline constexpr std::string_view nothing_to_learn =
    "nothing to learn: every row of its input has the same values";

}  // namespace stackae::layers
