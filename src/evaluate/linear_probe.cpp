#include "evaluate/linear_probe.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <set>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "base/threads.hpp"
#include "linalg/feature_equations.hpp"
#include "linalg/gemm.hpp"
#include "linalg/normal_equations.hpp"
#include "model/groups.hpp"

namespace stackae::evaluation {
namespace {

using base::at;

constexpr int max_folds = 5;
constexpr std::int64_t scored_rows = 256;  // at a time

/// The class of the highest w · z among those that are offered, ties to the smaller, of the rows in those
/// places; a block of rows at a time.
std::vector<std::int64_t> best_classes(const linalg::StandardisedRows& rows,
                                       std::span<const std::int64_t> places, const Tensor& weights,
                                       const std::vector<char>& offered, int threads) {
    std::vector<std::int64_t> classes(places.size());
    base::parallel_for((std::ssize(places) + scored_rows - 1) / scored_rows, threads, [&] {
        return [&, gemm = linalg::OwnGemm(scored_rows, weights.rows(), weights.columns(), {.trans_b = true}),
                z = Tensor({scored_rows, weights.columns()}),
                scores = Tensor({scored_rows, weights.rows()})](std::int64_t block) mutable {
            const std::int64_t first = block * scored_rows;
            const std::int64_t count = std::min(scored_rows, std::ssize(places) - first);
            for (std::int64_t i = 0; i < count; ++i) {
                rows.copy(places[at(first + i)], z.row(i).data());
            }
            gemm.product.run(z.data(), weights.data(), scores.data());
            for (std::int64_t i = 0; i < count; ++i) {
                float best = -std::numeric_limits<float>::infinity();
                for (std::size_t k = 0; k < offered.size(); ++k) {
                    if (offered[k] != 0 && scores.row(i)[k] > best) {
                        best = scores.row(i)[k];
                        classes[at(first + i)] = static_cast<std::int64_t>(k);
                    }
                }
            }
        };
    });
    return classes;
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
        base::shuffle(rows_of[k],
                      base::Random(seed, base::RandomStream::probe, static_cast<std::uint32_t>(k)));
        for (const std::int64_t row : rows_of[k]) {
            part_of[at(row)] = dealt++ % parts;
        }
    }
    return part_of;
}

/// Of the pictures; 0 where they have none.
std::int64_t count_groups(const ProbeOptions& options, std::int64_t pictures) {
    const auto begin = options.groups.begin();
    return options.groups.empty() ? 0 : std::ssize(std::set<std::int64_t>(begin, begin + pictures));
}

/// The same for all views of a picture.
std::vector<std::int64_t> deal_views(std::span<const std::int64_t> labels, std::int64_t classes,
                                     const ProbeOptions& options) {
    const std::int64_t pictures = std::ssize(labels) / options.views;
    const std::int64_t folds = std::min<std::int64_t>(max_folds, pictures);
    const std::int64_t groups = count_groups(options, pictures);
    std::vector<std::int64_t> parts =
        groups > 1
            ? deal_groups(labels.first(at(pictures)), std::span(options.groups).first(at(pictures)),
                          std::min(folds, groups), base::Random(options.seed, base::RandomStream::probe))
            : deal(labels.first(at(pictures)), classes, folds, options.seed);
    for (std::int64_t i = pictures; i < std::ssize(labels); ++i) {
        parts.push_back(parts[at(i - pictures)]);
    }
    return parts;
}

std::int64_t count_folds(std::int64_t n, std::int64_t columns, std::int64_t classes,
                         const ProbeOptions& options) {
    const double values =
        static_cast<double>(n) * static_cast<double>(columns) * static_cast<double>(classes);
    const std::int64_t groups = count_groups(options, n / options.views);
    const std::int64_t most = std::min<std::int64_t>(max_folds, groups > 1 ? groups : n / options.views);
    return values <= static_cast<double>(options.fold_values) ? most : 1;
}

void check(const linalg::FeatureRows& rows, std::span<const std::int64_t> labels, std::int64_t classes,
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

template <class Equations>
std::vector<char> offered_by(const Equations& equations, std::int64_t classes) {
    std::vector<char> offered(at(classes));
    for (std::int64_t k = 0; k < classes; ++k) {
        offered[at(k)] = static_cast<char>(equations.count(k) > 0);
    }
    return offered;
}

/// Rows that c is measured on, of those held out: pictures themselves where there is one view of each, else
/// their other views.
std::vector<std::int64_t> measured_of(const std::vector<std::int64_t>& held_out, std::int64_t pictures,
                                      std::int64_t views) {
    if (views == 1) {
        return held_out;
    }
    std::vector<std::int64_t> measured;
    std::copy_if(held_out.begin(), held_out.end(), std::back_inserter(measured),
                 [pictures](std::int64_t row) { return row >= pictures; });
    return measured;
}

/// Rows of a part (of_it) or all others.
std::vector<std::int64_t> rows_of(std::span<const std::int64_t> parts, std::int64_t part, bool of_it) {
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < std::ssize(parts); ++i) {
        if ((parts[at(i)] == part) == of_it) {
            rows.push_back(i);
        }
    }
    return rows;
}

/// What is learnt from.
struct Training {
    linalg::StandardisedRows rows;
    std::span<const std::int64_t> labels;
    std::int64_t classes;
    std::int64_t views;
    int threads;
};

/// Rows in those places that are named rightly with a c.
template <class Equations>
std::int64_t count_right(const Training& training, Equations& equations, std::span<const std::int64_t> places,
                         double c) {
    const auto given = best_classes(training.rows, places, equations.solve(c),
                                    offered_by(equations, training.classes), training.threads);
    return std::transform_reduce(given.begin(), given.end(), places.begin(), std::int64_t{0}, std::plus<>{},
                                 [&](std::int64_t of_class, std::int64_t row) {
                                     return static_cast<std::int64_t>(of_class == training.labels[at(row)]);
                                 });
}

/// Adds what each c of the grid names rightly.
void try_grid(const Training& training, linalg::NormalEquations& equations,
              std::span<const std::int64_t> places, std::vector<std::int64_t>& right) {
    const std::vector<double> grid = LinearProbe::grid();
    for (std::size_t i = 0; i < grid.size(); ++i) {
        right[i] += count_right(training, equations, places, grid[i]);
    }
}

/// The same of every other c of the grid, until two in a row name fewer rightly than the best, and of the
/// best one's neighbours: each c takes a time of its own, the longer the larger it is.
void try_grid(const Training& training, linalg::FeatureEquations& equations,
              std::span<const std::int64_t> places, std::vector<std::int64_t>& right) {
    const std::vector<double> grid = LinearProbe::grid();
    std::size_t best = 0;
    for (std::size_t i = 0; i < grid.size() && i < best + 6; i += 2) {
        right[i] += count_right(training, equations, places, grid[i]);
        best = right[i] > right[best] ? i : best;
    }
    for (const std::size_t i : {best - 1, best + 1}) {
        if (i < grid.size()) {
            right[i] += count_right(training, equations, places, grid[i]);
        }
    }
}

/// The c by which most rows of the first `folds` parts are named rightly, each by what was learnt from the
/// other parts; the smallest of equals. Leaves `equations` of all rows.
template <class Equations>
double choose_c(const Training& training, std::span<const std::int64_t> parts, std::int64_t folds,
                std::unique_ptr<Equations>& equations) {
    const std::vector<double> grid = LinearProbe::grid();
    std::vector<std::int64_t> right(grid.size());
    for (std::int64_t part = 0; part < folds; ++part) {
        equations.reset();  // before others take as much memory
        equations =
            std::make_unique<Equations>(training.rows, training.labels, training.classes, training.threads);
        equations->add(rows_of(parts, part, false));
        const std::vector<std::int64_t> held_out = rows_of(parts, part, true);
        try_grid(training, *equations,
                 measured_of(held_out, std::ssize(parts) / training.views, training.views), right);
        if (part + 1 == folds) {
            equations->add(held_out);
        }
    }
    return grid[at(std::max_element(right.begin(), right.end()) - right.begin())];
}

}  // namespace

std::int64_t LinearProbe::memory_bytes(const Shape& shape, int threads) {
    const std::int64_t width = shape.columns + 1;
    const int team = base::resolve_threads(threads);
    return (linalg::FeatureEquations::suits(shape.rows, width, shape.classes)
                ? linalg::FeatureEquations::memory_bytes(width, shape.classes, team)
                : linalg::NormalEquations::memory_bytes(shape.rows, width, shape.classes, team)) +
           static_cast<std::int64_t>(sizeof(float)) * width * (shape.classes + team * scored_rows);
}

void LinearProbe::check_memory(const Shape& shape, int threads, std::int64_t limit) {
    constexpr double gib = 1 << 30;
    const std::int64_t bytes = memory_bytes(shape, threads);
    if (bytes > limit) {
        throw InvalidArgument(
            fmt::format("linear classifier: {} pictures with {} values each, of {} classes, take {:.2f} GiB "
                        "of memory, {:.2f} GiB "
                        "are allowed; take a smaller layer or fewer pictures, or allow more",
                        shape.rows, shape.columns, shape.classes, static_cast<double>(bytes) / gib,
                        static_cast<double>(limit) / gib));
    }
}

std::vector<double> LinearProbe::grid() {
    return {0.01, 0.0316, 0.1, 0.316, 1.0, 3.16, 10.0, 31.6, 100.0, 316.0, 1000.0};
}

LinearProbe LinearProbe::fit(const linalg::FeatureRows& rows, std::span<const std::int64_t> labels,
                             std::int64_t classes, const ProbeOptions& options) {
    check(rows, labels, classes, options.views);
    if (!options.groups.empty() && options.groups.size() != labels.size()) {
        throw InvalidArgument(fmt::format("linear classifier: {} groups and {} labels found",
                                          options.groups.size(), labels.size()));
    }
    check_memory({rows.rows(), rows.columns(), classes}, options.threads, options.memory);
    const int threads = base::resolve_threads(options.threads);
    LinearProbe probe;
    probe.scale_ = linalg::StandardScaler::fit(rows, threads);
    probe.offered_.resize(at(classes));
    if (std::adjacent_find(labels.begin(), labels.end(), std::not_equal_to<>{}) == labels.end()) {
        probe.weights_ = Tensor({classes, probe.scale_.width()});
        probe.offered_[at(labels[0])] = 1;
        return probe;
    }
    if (options.solver == ProbeSolver::conjugate_gradients ||
        (options.solver == ProbeSolver::suited &&
         linalg::FeatureEquations::suits(rows.rows(), probe.scale_.width(), classes))) {
        probe.solve<linalg::FeatureEquations>(rows, labels, options);
    } else {
        probe.solve<linalg::NormalEquations>(rows, labels, options);
    }
    return probe;
}

template <class Equations>
void LinearProbe::solve(const linalg::FeatureRows& rows, std::span<const std::int64_t> labels,
                        const ProbeOptions& options) {
    const std::int64_t classes = std::ssize(offered_);
    const Training training{
        {rows, scale_}, labels, classes, options.views, base::resolve_threads(options.threads)};
    std::unique_ptr<Equations> equations;
    c_ = options.c;
    if (options.c == 0.0) {
        folds_ = static_cast<int>(count_folds(rows.rows(), rows.columns(), classes, options));
        c_ = choose_c(training, deal_views(labels, classes, options), folds_, equations);
    } else {
        std::vector<std::int64_t> all(labels.size());
        std::iota(all.begin(), all.end(), std::int64_t{0});
        equations = std::make_unique<Equations>(training.rows, labels, classes, training.threads);
        equations->add(all);
    }
    weights_ = equations->solve(c_);
    offered_ = offered_by(*equations, classes);
}

std::span<const float> LinearProbe::weights(std::int64_t of_class) const {
    return offered_.at(at(of_class)) != 0 ? weights_.row(of_class) : std::span<const float>();
}

std::vector<std::int64_t> LinearProbe::predict(const linalg::FeatureRows& rows, int threads) const {
    if (!rows.empty() && rows.columns() + 1 != scale_.width()) {
        throw InvalidArgument(fmt::format("linear classifier: rows of {} values found, {} expected",
                                          rows.columns(), scale_.width() - 1));
    }
    std::vector<std::int64_t> places(at(rows.rows()));
    std::iota(places.begin(), places.end(), std::int64_t{0});
    return best_classes({rows, scale_}, places, weights_, offered_, base::resolve_threads(threads));
}

}  // namespace stackae::evaluation
