#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <memory>
#include <numeric>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/evaluate_ratings.hpp"
#include "stackae/interactions.hpp"

#include "base/json.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "evaluate/mean_error.hpp"

namespace stackae {
namespace {

using base::at;

constexpr std::int64_t held_share = 10;  ///< of how many ratings one is held out
constexpr double item_damping = 25.0;
constexpr double user_damping = 10.0;

double mean_of(std::span<const float> values) {
    return values.empty()
               ? 0.0
               : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// By how much the ratings of each of `count` are above what is expected, drawn towards 0.
template <class Visit>
std::vector<double> biases(std::int64_t count, double damping, const Visit& visit_misses) {
    std::vector<double> sums(at(count));
    std::vector<double> numbers(at(count), damping);
    visit_misses([&](std::int64_t of, double miss) {
        sums[at(of)] += miss;
        numbers[at(of)] += 1.0;
    });
    std::transform(sums.begin(), sums.end(), numbers.begin(), sums.begin(), std::divides<>{});
    return sums;
}

/// Calls visit(user, item, value) for each entry.
template <class Visit>
void each_rating(const Interactions& table, const Visit& visit) {
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        const auto items = table.items_of(user);
        for (std::size_t i = 0; i < items.size(); ++i) {
            visit(user, items[i], table.values_of(user)[i]);
        }
    }
}

std::vector<float> values_of(std::span<const Rating> ratings) {
    std::vector<float> values(ratings.size());
    std::transform(ratings.begin(), ratings.end(), values.begin(),
                   [](const Rating& rating) { return rating.value; });
    return values;
}

nlohmann::json figures(const RatingErrors& errors) {
    nlohmann::json object{{"ratings", errors.ratings}};
    evaluation::put(object, "rmse", errors.rmse);
    evaluation::put(object, "mae", errors.mae);
    return object;
}

/// Collects predictions over the splits.
class RatingRun {
public:
    void add(const Interactions& train, const std::vector<Rating>& test, const FitPredictor& fit) {
        const std::vector<float> held = values_of(test);
        held_.insert(held_.end(), held.begin(), held.end());
        result_.unseen += std::count_if(test.begin(), test.end(), [&](const Rating& rating) {
            return rating.user < 0 || rating.item < 0;
        });
        collect(mean_predictor(train), test, mean_);
        collect(bias_predictor(train), test, biases_);
        if (fit) {
            collect(fit(train), test, model_);
        }
    }
    [[nodiscard]] RatingEvaluation finish(int splits, bool with_model) {
        result_.splits = splits;
        result_.mean = measure_ratings(mean_, held_);
        result_.biases = measure_ratings(biases_, held_);
        if (with_model) {
            result_.model = measure_ratings(model_, held_);
        }
        return result_;
    }

private:
    static void collect(const Predictor& predictor, const std::vector<Rating>& test,
                        std::vector<float>& all) {
        const std::vector<float> predicted = predictor(test);
        all.insert(all.end(), predicted.begin(), predicted.end());
    }

    RatingEvaluation result_;
    std::vector<float> held_, mean_, biases_, model_;
};

}  // namespace

RatingSplit split_ratings(const Interactions& table, std::uint64_t seed, int split) {
    const std::int64_t n = table.entry_count();
    if (n < 2) {
        throw InvalidArgument(fmt::format("split of ratings: {} found, at least 2 expected", n));
    }
    std::vector<std::int64_t> order(at(n));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    base::shuffle(order,
                  base::Random(seed, base::RandomStream::held_ratings, static_cast<std::uint32_t>(split)));
    order.resize(at(std::max<std::int64_t>(1, (n + held_share / 2) / held_share)));
    std::vector<bool> is_test(at(n));
    for (const std::int64_t entry : order) {
        is_test[at(entry)] = true;
    }
    RatingSplit parts;
    parts.train.users = table.users;
    parts.train.items = table.items;
    parts.train.value_mode = table.value_mode;
    std::size_t entry = 0;
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        for (std::size_t i = 0; i < table.items_of(user).size(); ++i, ++entry) {
            const std::int32_t item = table.columns[entry];
            if (is_test[entry]) {
                parts.test.push_back({user, item, table.values[entry]});
            } else {
                parts.train.columns.push_back(item);
                parts.train.values.push_back(table.values[entry]);
            }
        }
        parts.train.offsets.push_back(parts.train.entry_count());
    }
    return parts;
}

GivenRatings matched_ratings(const Interactions& train, const Interactions& test) {
    const std::vector<std::int32_t> users = numbers_among(train.users, test.users);
    const std::vector<std::int32_t> items = numbers_among(train.items, test.items);
    GivenRatings given;
    each_rating(test, [&](std::int64_t from, std::int32_t of, float value) {
        const std::int32_t user = users[at(from)];
        const std::int32_t item = items[at(of)];
        bool known = false;
        if (user >= 0 && item >= 0) {
            const auto others = train.items_of(user);
            known = std::binary_search(others.begin(), others.end(), item);
        }
        if (known) {
            ++given.known;
        } else {
            given.ratings.push_back({user, item, value});
        }
    });
    return given;
}

Predictor mean_predictor(const Interactions& train) {
    return [mean = static_cast<float>(mean_of(train.values))](std::span<const Rating> asked) {
        return std::vector<float>(asked.size(), mean);
    };
}

Predictor bias_predictor(const Interactions& train) {
    const double mean = mean_of(train.values);
    const auto of_items = biases(train.item_count(), item_damping, [&](const auto& add) {
        each_rating(train, [&](std::int64_t /*user*/, std::int32_t item, float value) {
            add(item, double{value} - mean);
        });
    });
    const auto of_users = biases(train.user_count(), user_damping, [&](const auto& add) {
        each_rating(train, [&](std::int64_t user, std::int32_t item, float value) {
            add(user, double{value} - mean - of_items[at(item)]);
        });
    });
    return [=](std::span<const Rating> asked) {
        std::vector<float> predicted;
        for (const Rating& rating : asked) {
            predicted.push_back(static_cast<float>(mean +
                                                   (rating.item < 0 ? 0.0 : of_items[at(rating.item)]) +
                                                   (rating.user < 0 ? 0.0 : of_users[at(rating.user)])));
        }
        return predicted;
    };
}

RatingErrors measure_ratings(std::span<const float> predicted, std::span<const float> held) {
    if (predicted.size() != held.size()) {
        throw InvalidArgument(fmt::format("ratings: {} predictions found, {} expected, one a rating",
                                          predicted.size(), held.size()));
    }
    std::vector<double> squares;
    std::vector<double> magnitudes;
    for (std::size_t i = 0; i < held.size(); ++i) {
        const double miss = double{predicted[i]} - double{held[i]};
        if (!std::isfinite(miss)) {
            throw NotFinite("ratings: a prediction or a rating that is not a number",
                            static_cast<std::int64_t>(i));
        }
        squares.push_back(miss * miss);
        magnitudes.push_back(std::abs(miss));
    }
    const MeanError square = evaluation::mean_error(squares);
    RatingErrors errors{std::ssize(held), {}, evaluation::mean_error(magnitudes)};
    errors.rmse.mean = std::sqrt(square.mean);
    errors.rmse.error = square.mean > 0.0 ? square.error / (2.0 * errors.rmse.mean) : square.error;
    return errors;
}

std::vector<std::string> RatingEvaluation::remarks() const {
    const bool several = mean.ratings > 1;  // of one nothing can be told
    if (several && model && model->rmse.mean + model->rmse.error >= biases.rmse.mean) {
        return {"not better than the biases of users and items on this table"};
    }
    return {};
}

RatingEvaluation evaluate_ratings(const Interactions& table, const FitPredictor& fit, int splits,
                                  std::uint64_t seed) {
    RatingRun run;
    for (int split = 0; split < splits; ++split) {
        const RatingSplit parts = split_ratings(table, seed, split);
        run.add(parts.train, parts.test, fit);
    }
    return run.finish(splits, fit != nullptr);
}

RatingEvaluation evaluate_ratings(const Interactions& train, const GivenRatings& test,
                                  const FitPredictor& fit) {
    if (test.ratings.empty()) {
        throw InvalidArgument(fmt::format(
            "ratings: none found to measure on, at least 1 expected that is not learnt from; {} are",
            test.known));
    }
    RatingRun run;
    run.add(train, test.ratings, fit);
    RatingEvaluation result = run.finish(1, fit != nullptr);
    result.known = test.known;
    return result;
}

JsonObject to_json(const RatingErrors& errors) {
    return base::json_object(figures(errors));
}

JsonObject to_json(const RatingEvaluation& evaluation) {
    nlohmann::json out{{"splits", evaluation.splits},
                       {"unseen", evaluation.unseen},
                       {"known", evaluation.known},
                       {"remarks", evaluation.remarks()},
                       {"model", figures(evaluation.model.value_or(RatingErrors()))}};
    out["baselines"] = {{"mean", figures(evaluation.mean)}, {"biases", figures(evaluation.biases)}};
    return base::json_object(out);
}

}  // namespace stackae
