#include "search/linear_probe.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <map>
#include <omp.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"

#include "core/random.hpp"
#include "core/threads.hpp"
#include "nn/principal_axes.hpp"
#include "search/ridge_solver.hpp"

namespace stackae::search {
namespace {

constexpr int most_folds = 5;
constexpr double tolerance = 0.003;  // RidgeSolver's
/// Rows wider than this are trained on with the help of so many principal axes, those of some of the rows.
constexpr std::int64_t most_axes = 512;
constexpr std::int64_t most_axes_rows = 4096;
constexpr std::int64_t widest_covariance = 6144;  // that principal_axes makes
/// Floats of a cache line, of which a standardised row is a multiple.
constexpr std::int64_t line = 16;

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

/// Values of a row with the bias's 1.
std::int64_t padded_width(std::int64_t columns) {
    return (columns + 1 + line - 1) / line * line;
}

/// What RowProducts takes: d standardised values a row, the bias's 1, and zeros.
Tensor standardised(const Tensor& rows, const std::vector<double>& mean, const std::vector<double>& deviation,
                    int threads) {
    const std::int64_t d = rows.columns();
    Tensor to(
        {RowProducts::block_count(rows.rows()) * RowProducts::block_rows(rows.rows()), padded_width(d)});
    std::vector<std::vector<double>> scratch(at(threads), std::vector<double>(at(d)));
#pragma omp parallel for num_threads(threads)
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        std::vector<double>& values = scratch[at(omp_get_thread_num())];
        standardise(rows.row(i), mean, deviation, values);
        const auto row = to.row(i);
        std::transform(values.begin(), values.end(), row.begin(),
                       [](double value) { return static_cast<float>(value); });
        row[at(d)] = 1.0F;
    }
    return to;
}

/// What is trained on.
struct Training {
    RowProducts rows;
    std::span<const std::int64_t> labels;
    std::vector<std::int64_t> part_of;  // size n
    std::optional<nn::PrincipalAxes> axes;
};

/// Those of rows that are spread evenly over all; with one thread, so that they do not depend on how many
/// there are. None where conjugate gradients are quick without.
std::optional<nn::PrincipalAxes> find_axes(const Tensor& values, std::int64_t n) {
    if (values.columns() <= most_axes) {
        return std::nullopt;
    }
    const std::int64_t count = std::min(n, most_axes_rows);
    Tensor some({count, values.columns()});
    for (std::int64_t i = 0; i < count; ++i) {
        const auto row = values.row(i * n / count);
        std::copy(row.begin(), row.end(), some.row(i).begin());
    }
    const nn::ThreadScope scope(1);
    nn::Context context(1);
    return nn::principal_axes(context, some.data(), count, some.columns(), std::min(count - 1, most_axes));
}

using Group = std::vector<RidgeProblem>;  // solved together

/// Of each c and each class that has rows, in their order, without the parts from `first` to `last` in turn.
std::vector<Group> make_groups(const Training& training, const std::vector<double>& cs, std::int64_t classes,
                               std::int64_t first, std::int64_t last) {
    std::vector<char> present(at(classes), 0);
    for (const std::int64_t label : training.labels) {
        present[at(label)] = 1;
    }
    std::vector<Group> groups;
    for (const double c : cs) {
        for (std::int64_t k = 0; k < classes; ++k) {
            for (std::int64_t part = first; present[at(k)] != 0 && part < last; ++part) {
                if (groups.empty() || std::ssize(groups.back()) == RidgeSolver::most_problems) {
                    groups.emplace_back();
                }
                groups.back().push_back({k, part, c});
            }
        }
    }
    for (Group& group : groups) {
        RidgeSolver::describe(training.labels, training.part_of, group);
    }
    return groups;
}

RidgeSolver make_solver(const Training& training, const Group& group) {
    return {training.rows, training.labels, training.part_of, group,
            training.axes ? &*training.axes : nullptr};
}

/// The class of the highest score so far, for each row.
struct Given {
    explicit Given(std::size_t n) : score(n, -std::numeric_limits<float>::infinity()), of_class(n, 0) {}

    std::vector<float> score;
    std::vector<std::int64_t> of_class;
};

/// The c by which most rows of the first `folds` parts are named rightly, each by problems that held it out;
/// the smallest of equals.
double choose_c(const Training& training, std::int64_t classes, std::int64_t folds) {
    const std::vector<double> cs = LinearProbe::grid();
    std::map<double, Given> given;
    for (const double c : cs) {
        given.emplace(c, training.labels.size());
    }
    for (const Group& group : make_groups(training, cs, classes, 0, folds)) {
        RidgeSolver solver = make_solver(training, group);
        static_cast<void>(solver.solve(tolerance));
        for (std::int64_t p = 0; p < std::ssize(group); ++p) {
            const RidgeProblem& problem = group[at(p)];
            Given& best = given.at(problem.c);
            // A class without training rows is not offered.
            for (std::size_t i = 0; problem.positive > 0 && i < training.labels.size(); ++i) {
                const float score = solver.score(static_cast<std::int64_t>(i), p);
                if (problem.held_out == training.part_of[i] && score > best.score[i]) {
                    best.score[i] = score;
                    best.of_class[i] = problem.of_class;
                }
            }
        }
    }
    double chosen = cs.front();
    std::int64_t most = -1;
    for (const auto& [c, best] : given) {
        std::int64_t right = 0;
        for (std::size_t i = 0; i < training.labels.size(); ++i) {
            right += static_cast<std::int64_t>(training.part_of[i] < folds &&
                                               best.of_class[i] == training.labels[i]);
        }
        if (right > most) {
            most = right;
            chosen = c;
        }
    }
    return chosen;
}

/// The class of the highest score, where value(j) is the row's.
template <class Value>
std::int64_t best_class(const std::vector<std::vector<double>>& weights, Value value) {
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

/// The same for all views of a picture.
std::vector<std::int64_t> deal_views(std::span<const std::int64_t> labels, std::int64_t classes,
                                     const ProbeOptions& options) {
    const std::int64_t pictures = std::ssize(labels) / options.views;
    std::vector<std::int64_t> parts =
        deal(labels.first(at(pictures)), classes, std::min<std::int64_t>(most_folds, pictures), options.seed);
    for (std::int64_t i = pictures; i < std::ssize(labels); ++i) {
        parts.push_back(parts[at(i - pictures)]);
    }
    return parts;
}

std::int64_t count_folds(std::int64_t n, std::int64_t columns, std::int64_t classes,
                         const ProbeOptions& options) {
    const double values =
        static_cast<double>(n) * static_cast<double>(columns) * static_cast<double>(classes);
    return values <= static_cast<double>(options.fold_values)
               ? std::min<std::int64_t>(most_folds, n / options.views)
               : 1;
}

void check(const Tensor& rows, std::span<const std::int64_t> labels, std::int64_t classes,
           std::int64_t views) {
    if (rows.empty() || rows.rows() != std::ssize(labels)) {
        throw InvalidArgument(fmt::format("linear classifier: {} rows of {} values and {} labels found",
                                          rows.rows(), rows.columns(), labels.size()));
    }
    if (views < 1 || rows.rows() % views != 0) {
        throw InvalidArgument(fmt::format(
            "linear classifier: {} rows found, {} views of each picture expected", rows.rows(), views));
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
    constexpr std::int64_t problems = RidgeSolver::most_problems;
    // Some of the rows, a block of them, two covariances, and the axes with what they are made of.
    const std::int64_t axes = std::min(rows, most_axes_rows) + std::min(rows, most_axes_rows / 2) +
                              2 * std::min(columns, widest_covariance) + 4 * most_axes;
    const std::int64_t vectors =
        (2 * RowProducts::most_strips + 12) * problems + (columns <= most_axes ? 0 : axes);
    const std::int64_t a_row = columns + line + RidgeSolver::values_a_row(problems);
    return static_cast<std::int64_t>(sizeof(float)) * (rows * a_row + vectors * columns);
}

void LinearProbe::check_memory(std::int64_t rows, std::int64_t columns, std::int64_t limit) {
    constexpr double gib = 1 << 30;
    if (memory_bytes(rows, columns) > limit) {
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
    check(rows, labels, classes, options.views);
    check_memory(rows.rows(), rows.columns(), options.memory);
    const int threads = core::resolve_threads(options.threads);
    LinearProbe probe;
    probe.weights_.resize(at(classes));
    find_scale(rows, probe.mean_, probe.deviation_);
    if (std::adjacent_find(labels.begin(), labels.end(), std::not_equal_to<>{}) == labels.end()) {
        probe.weights_[at(labels[0])].resize(at(rows.columns() + 1));
        return probe;
    }
    const Tensor values = standardised(rows, probe.mean_, probe.deviation_, threads);
    const std::int64_t n = rows.rows();
    const Training training{RowProducts(values, n, threads), labels, deal_views(labels, classes, options),
                            find_axes(values, n)};
    probe.c_ = options.c;
    if (options.c == 0.0) {
        probe.folds_ = static_cast<int>(count_folds(n, rows.columns(), classes, options));
        probe.c_ = choose_c(training, classes, probe.folds_);
    }
    for (const Group& group : make_groups(training, {probe.c_}, classes, -1, 0)) {  // nothing is held out
        const Tensor weights = make_solver(training, group).solve(tolerance);
        for (std::int64_t p = 0; p < std::ssize(group); ++p) {
            const auto row = weights.row(p).first(at(rows.columns() + 1));
            probe.weights_[at(group[at(p)].of_class)].assign(row.begin(), row.end());
        }
    }
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
