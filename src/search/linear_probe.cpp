#include "search/linear_probe.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <linear.h>
#include <memory>
#include <mutex>
#include <omp.h>

#include "stackae/error.hpp"

#include "core/random.hpp"
#include "core/threads.hpp"

namespace stackae::search {
namespace {

constexpr int most_folds = 5;
/// LIBLINEAR's tolerance: of the gradient's length, in proportion to that at 0 and to the share of the class.
/// While c is chosen, 0.3 was seen to end in too large a c, and 0.01 takes twice as long.
constexpr double search_tolerance = 0.1;
constexpr double final_tolerance = 0.01;

/// By class: d weights and the bias; empty when the class had no rows.
using Weights = std::vector<std::vector<double>>;

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

void standardise(std::span<const float> row, const std::vector<double>& mean,
                 const std::vector<double>& deviation, std::vector<double>& values) {
    for (std::size_t j = 0; j < row.size(); ++j) {
        values[j] = (double{row[j]} - mean[j]) / deviation[j];
    }
}

/// Mean and deviation of each column. Differences from the first row are summed, so that a constant column
/// has a deviation of exactly 0, which becomes 1.
void find_scale(const Tensor& rows, std::vector<double>& mean, std::vector<double>& deviation) {
    const auto first = rows.row(0);
    const auto n = static_cast<double>(rows.rows());
    mean.assign(first.size(), 0.0);
    deviation.assign(first.size(), 0.0);
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        const auto row = rows.row(i);
        for (std::size_t j = 0; j < first.size(); ++j) {
            mean[j] += double{row[j]} - double{first[j]};
        }
    }
    for (std::size_t j = 0; j < first.size(); ++j) {
        mean[j] = mean[j] / n + double{first[j]};
        if (!std::isfinite(mean[j])) {
            throw InvalidArgument(
                fmt::format("linear classifier: column {} has a value that is not finite", j));
        }
    }
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        const auto row = rows.row(i);
        for (std::size_t j = 0; j < first.size(); ++j) {
            deviation[j] += (double{row[j]} - mean[j]) * (double{row[j]} - mean[j]);
        }
    }
    for (double& value : deviation) {
        value = value > 0.0 ? std::sqrt(value / n) : 1.0;
    }
}

/// Standardised rows as LIBLINEAR takes them: d values, the bias's 1, and an end mark.
class Nodes {
public:
    Nodes(const Tensor& rows, const std::vector<double>& mean, const std::vector<double>& deviation,
          int threads)
        : width_(rows.columns() + 2),
          nodes_(std::make_unique_for_overwrite<feature_node[]>(at(rows.rows() * width_))) {
        const std::int64_t d = rows.columns();
        std::vector<std::vector<double>> scratch(at(threads), std::vector<double>(at(d)));
#pragma omp parallel for num_threads(threads)
        for (std::int64_t i = 0; i < rows.rows(); ++i) {
            std::vector<double>& values = scratch[at(omp_get_thread_num())];
            standardise(rows.row(i), mean, deviation, values);
            feature_node* const to = row(i);
            for (std::int64_t j = 0; j < d; ++j) {
                to[j] = {static_cast<int>(j + 1), values[at(j)]};
            }
            to[d] = {static_cast<int>(d + 1), 1.0};
            to[d + 1] = {-1, 0.0};
        }
    }

    [[nodiscard]] feature_node* row(std::int64_t i) const {
        return nodes_.get() + i * width_;
    }
    [[nodiscard]] std::int64_t weights() const {
        return width_ - 1;
    }  ///< of a class, with the bias

private:
    std::int64_t width_;
    std::unique_ptr<feature_node[]> nodes_;
};

/// Some of the rows.
struct Rows {
    std::int64_t width = 0;  ///< values of a row, the bias's 1 among them
    std::vector<feature_node*> nodes;
    std::vector<std::int64_t> labels;

    void add(feature_node* row, std::int64_t label) {
        nodes.push_back(row);
        labels.push_back(label);
    }
};

/// Newer versions leave the bias unregularised unless told.
template <class Parameter>
void regularise_bias(Parameter& parameter) {
    if constexpr (requires { parameter.regularize_bias; }) {
        parameter.regularize_bias = 1;
    }
}

void ignore(const char* /*text*/) {}

/// LIBLINEAR prints by itself; this is the one switch, for the whole process.
void silence_liblinear() {
    static std::once_flag once;
    std::call_once(once, [] { set_print_string_function(ignore); });
}

/// One class against the rest. weights: from where to start, and what was found; signs: room for a value a
/// row.
void train_class(const Rows& rows, std::int64_t of_class, double c, double tolerance,
                 std::vector<double>& signs, std::vector<double>& weights) {
    const std::size_t n = rows.labels.size();
    std::transform(rows.labels.begin(), rows.labels.end(), signs.begin(),
                   [of_class](std::int64_t label) { return label == of_class ? 1.0 : -1.0; });
    problem data{};
    data.l = static_cast<int>(n);
    data.n = static_cast<int>(weights.size());
    data.y = signs.data();
    // LIBLINEAR reads x only; its interface says so nowhere.
    data.x = const_cast<feature_node**>(rows.nodes.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    data.bias = 1.0;
    parameter how{};
    how.solver_type = L2R_L2LOSS_SVC;
    how.C = c / static_cast<double>(n);
    how.eps = tolerance;
    how.init_sol = weights.data();
    regularise_bias(how);
    model* trained = train(&data, &how);
    // Labels of ±1 come with +1 first, and then the weights are those of +1.
    std::copy_n(trained->w, weights.size(), weights.begin());
    free_and_destroy_model(&trained);
}

/// Every class against the rest on each set of rows. weights: one for each set, as in train_class; empty
/// starts from 0, and becomes empty where the set has no row of the class.
void train_all(const std::vector<Rows>& sets, double c, double tolerance, std::vector<Weights>& weights,
               int threads) {
    const std::int64_t classes = std::ssize(weights.front());
    const auto longest = std::max_element(sets.begin(), sets.end(), [](const Rows& a, const Rows& b) {
        return a.labels.size() < b.labels.size();
    });
    std::vector<std::vector<double>> signs(at(threads), std::vector<double>(longest->labels.size()));
    std::vector<std::int64_t> tasks;
    for (std::int64_t task = 0; task < std::ssize(sets) * classes; ++task) {
        const Rows& rows = sets[at(task / classes)];
        const auto positive = std::count(rows.labels.begin(), rows.labels.end(), task % classes);
        weights[at(task / classes)][at(task % classes)].resize(positive > 0 ? at(rows.width) : 0);
        if (positive > 0 && positive < std::ssize(rows.labels)) {
            tasks.push_back(task);
        }
    }
#pragma omp parallel for schedule(dynamic) num_threads(threads)
    for (std::size_t i = 0; i < tasks.size(); ++i) {
        const std::int64_t set = tasks[i] / classes;
        const std::int64_t of_class = tasks[i] % classes;
        train_class(sets[at(set)], of_class, c, tolerance, signs[at(omp_get_thread_num())],
                    weights[at(set)][at(of_class)]);
    }
}

/// The class of the highest score, where value(j) is the row's.
template <class Value>
std::int64_t best_class(const Weights& weights, Value value) {
    double best = -std::numeric_limits<double>::infinity();
    std::int64_t found = 0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
        if (weights[k].empty()) {
            continue;
        }
        double score = 0.0;
        for (std::size_t j = 0; j < weights[k].size(); ++j) {
            score += weights[k][j] * value(j);
        }
        if (score > best) {
            best = score;
            found = static_cast<std::int64_t>(k);
        }
    }
    return found;
}

std::int64_t count_right(const Weights& weights, const Rows& rows, int threads) {
    std::int64_t right = 0;
#pragma omp parallel for num_threads(threads) reduction(+ : right)
    for (std::int64_t i = 0; i < std::ssize(rows.labels); ++i) {
        const feature_node* const row = rows.nodes[at(i)];
        const auto given = best_class(weights, [row](std::size_t j) { return row[j].value; });
        right += static_cast<std::int64_t>(given == rows.labels[at(i)]);
    }
    return right;
}

/// The part of each row: every class is shuffled and dealt in turn.
std::vector<std::int64_t> deal(std::span<const std::int64_t> labels, std::int64_t classes, std::int64_t parts,
                               std::uint64_t seed) {
    std::vector<std::vector<std::int64_t>> rows_of(at(classes));
    for (std::size_t i = 0; i < labels.size(); ++i) {
        rows_of[at(labels[i])].push_back(static_cast<std::int64_t>(i));
    }
    std::vector<std::int64_t> part_of(labels.size());
    std::int64_t dealt = 0;
    for (std::size_t k = 0; k < rows_of.size(); ++k) {
        core::shuffle(rows_of[k], core::Random(seed, core::Stream::probe, static_cast<std::uint32_t>(k)));
        for (const std::int64_t row : rows_of[k]) {
            part_of[at(row)] = dealt++ % parts;
        }
    }
    return part_of;
}

/// What c is chosen on: rows to train on and rows held out, a pair for each fold.
struct Search {
    std::vector<Rows> trained;
    std::vector<Rows> held_out;
};

/// Each of the parts held out in turn, in the first `folds` folds.
Search hold_out(const Rows& all, std::span<const std::int64_t> part_of, std::int64_t folds) {
    Search search{std::vector<Rows>(at(folds), Rows{all.width, {}, {}}), {}};
    search.held_out = search.trained;
    for (std::size_t i = 0; i < part_of.size(); ++i) {
        for (std::int64_t fold = 0; fold < folds; ++fold) {
            Rows& rows = part_of[i] == fold ? search.held_out[at(fold)] : search.trained[at(fold)];
            rows.add(all.nodes[i], all.labels[i]);
        }
    }
    return search;
}

/// Part 0 held out, part 1 trained on.
Search two_parts(const Rows& all, std::span<const std::int64_t> part_of) {
    Search search{{Rows{all.width, {}, {}}}, {Rows{all.width, {}, {}}}};
    for (std::size_t i = 0; i < part_of.size(); ++i) {
        if (part_of[i] < 2) {
            (part_of[i] == 0 ? search.held_out : search.trained)[0].add(all.nodes[i], all.labels[i]);
        }
    }
    return search;
}

struct Choice {
    double c = 0.0;
    std::vector<Weights> weights;  ///< one a fold
};

/// Climbs the grid from start.c and start.weights on, until `patience` steps in succession are worse than the
/// best.
Choice climb(const Search& search, Choice start, int patience, int threads) {
    Choice best = start;
    std::int64_t most = -1;
    int worse = 0;
    for (const double c : LinearProbe::grid()) {
        if (c < best.c || worse == patience) {
            continue;
        }
        train_all(search.trained, c, search_tolerance, start.weights, threads);
        std::int64_t right = 0;
        for (std::size_t fold = 0; fold < start.weights.size(); ++fold) {
            right += count_right(start.weights[fold], search.held_out[fold], threads);
        }
        worse = right < most ? worse + 1 : 0;
        if (right > most) {
            most = right;
            best = {c, start.weights};
        }
    }
    return best;
}

/// As the header tells.
Choice choose_c(const Rows& all, std::int64_t classes, const ProbeOptions& options, int threads) {
    const std::int64_t n = std::ssize(all.labels);
    const auto fold_of = deal(all.labels, classes, std::min<std::int64_t>(most_folds, n), options.seed);
    const double values =
        static_cast<double>(n) * static_cast<double>(all.width) * static_cast<double>(classes);
    const auto allowed = static_cast<double>(std::max<std::int64_t>(options.search_values, 1));
    if ((most_folds - 1) * values <= allowed) {
        const std::int64_t folds = std::min<std::int64_t>(most_folds, n);
        const Choice start{0.0, std::vector<Weights>(at(folds), Weights(at(classes)))};
        return climb(hold_out(all, fold_of, folds), start, 2, threads);
    }
    const std::int64_t parts =
        std::min(std::max(std::int64_t{2}, static_cast<std::int64_t>(values / allowed) + 1), n);
    const Choice start = climb(two_parts(all, deal(all.labels, classes, parts, options.seed)),
                               Choice{0.0, {Weights(at(classes))}}, 2, threads);
    return climb(hold_out(all, fold_of, 1), start, 1, threads);
}

void check(const Tensor& rows, std::span<const std::int64_t> labels, std::int64_t classes) {
    if (rows.empty() || rows.rows() != std::ssize(labels)) {
        throw InvalidArgument(fmt::format("linear classifier: {} rows of {} values and {} labels found",
                                          rows.rows(), rows.columns(), labels.size()));
    }
    for (const std::int64_t label : labels) {
        if (label < 0 || label >= classes) {
            throw InvalidArgument(
                fmt::format("linear classifier: label {} found among {} classes", label, classes));
        }
    }
}

}  // namespace

std::int64_t LinearProbe::memory_bytes(std::int64_t rows, std::int64_t columns) {
    return static_cast<std::int64_t>(sizeof(feature_node)) * rows * (columns + 2);
}

void LinearProbe::check_memory(std::int64_t rows, std::int64_t columns, std::int64_t limit) {
    constexpr double gib = 1 << 30;
    if (memory_bytes(rows, columns) > limit ||
        std::max(rows, columns) > std::numeric_limits<int>::max() - 2) {
        throw InvalidArgument(fmt::format(
            "linear classifier: {} pictures with {} values each take {:.2f} GiB of memory, {:.2f} GiB are "
            "allowed; take a smaller layer or fewer pictures, or allow more",
            rows, columns, static_cast<double>(memory_bytes(rows, columns)) / gib,
            static_cast<double>(limit) / gib));
    }
}

std::vector<double> LinearProbe::grid() {
    return {0.01, 0.0316, 0.1, 0.316, 1.0, 3.16, 10.0, 31.6, 100.0, 316.0, 1000.0};
}

LinearProbe LinearProbe::fit(const Tensor& rows, std::span<const std::int64_t> labels, std::int64_t classes,
                             const ProbeOptions& options) {
    check(rows, labels, classes);
    check_memory(rows.rows(), rows.columns(), options.memory);
    const int threads = core::resolve_threads(options.threads);
    LinearProbe probe;
    find_scale(rows, probe.mean_, probe.deviation_);
    std::vector<Weights> weights{Weights(at(classes))};
    if (std::adjacent_find(labels.begin(), labels.end(), std::not_equal_to<>{}) == labels.end()) {
        weights[0][at(labels[0])].resize(at(rows.columns() + 1));
        probe.weights_ = std::move(weights[0]);
        return probe;
    }
    silence_liblinear();
    const Nodes nodes(rows, probe.mean_, probe.deviation_, threads);
    std::vector<Rows> all{{rows.columns() + 1, {}, {}}};
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        all[0].add(nodes.row(i), labels[at(i)]);
    }
    probe.c_ = options.c;
    if (options.c == 0.0) {
        Choice choice = choose_c(all[0], classes, options, threads);
        probe.c_ = choice.c;
        probe.folds_ = static_cast<int>(choice.weights.size());
        weights[0] = std::move(choice.weights[0]);
    }
    train_all(all, probe.c_, final_tolerance, weights, threads);
    probe.weights_ = std::move(weights[0]);
    return probe;
}

std::span<const double> LinearProbe::weights(std::int64_t of_class) const {
    return weights_.at(at(of_class));
}

std::vector<std::int64_t> LinearProbe::predict(const Tensor& rows, int threads) const {
    if (!rows.empty() && rows.columns() != std::ssize(mean_)) {
        throw InvalidArgument(fmt::format("linear classifier: rows of {} values found, {} expected",
                                          rows.columns(), mean_.size()));
    }
    threads = core::resolve_threads(threads);
    std::vector<std::int64_t> classes(at(rows.rows()));
    // One more than the row: the bias's 1.
    std::vector<std::vector<double>> scratch(at(threads), std::vector<double>(mean_.size() + 1, 1.0));
#pragma omp parallel for num_threads(threads)
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        std::vector<double>& values = scratch[at(omp_get_thread_num())];
        standardise(rows.row(i), mean_, deviation_, values);
        classes[at(i)] = best_class(weights_, [&values](std::size_t j) { return values[j]; });
    }
    return classes;
}

}  // namespace stackae::search
