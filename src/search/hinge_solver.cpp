#include "search/hinge_solver.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <utility>

namespace stackae::search {
namespace {

constexpr int most_newton_steps = 100;
constexpr int most_gradient_steps = 25;
constexpr double residual = 0.1;  // of the gradient's length, left by conjugate gradients
constexpr double descent = 0.01;  // Armijo's share of the slope
constexpr int most_halvings = 20;
constexpr double least_share = 0.001;
constexpr std::int64_t range_rows = 1024;  // whose loss is summed up by itself

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

double dot(std::span<const float> a, std::span<const float> b) {
    return std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>{},
                                 [](float x, float y) { return double{x} * double{y}; });
}

/// y += a x
void add(double a, std::span<const float> x, std::span<float> y) {
    std::transform(x.begin(), x.end(), y.begin(), y.begin(),
                   [a = static_cast<float>(a)](float from, float to) { return to + a * from; });
}

/// +1 and −1; 0 where the row is held out.
template <class Problem>
float sign(const Problem& problem, std::int64_t label, std::int64_t part) {
    const float y = label == problem.of_class ? 1.0F : -1.0F;
    return part == problem.held_out ? 0.0F : y;
}

/// A tensor of zeros of that shape, in place where it has it.
void reset(Tensor& tensor, std::int64_t rows, std::int64_t columns) {
    if (tensor.rows() == rows && tensor.columns() == columns) {
        std::fill_n(tensor.data(), tensor.size(), 0.0F);
    } else {
        tensor = Tensor();
        tensor = Tensor({rows, columns});
    }
}

}  // namespace

HingeSolver::HingeSolver(const RowProducts& rows, std::span<const std::int64_t> labels,
                         std::span<const std::int64_t> parts, std::vector<HingeProblem> problems)
    : rows_(rows),
      labels_(labels),
      parts_(parts),
      problems_(std::move(problems)),
      scores_({rows.padded_rows(), std::ssize(problems_)}) {}

void HingeSolver::describe(const RowProducts& rows, std::span<const std::int64_t> labels,
                           std::span<const std::int64_t> parts, std::span<HingeProblem> problems) {
    for (HingeProblem& problem : problems) {
        problem.rows = 0;
        problem.positive = 0;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const float y = sign(problem, labels[i], parts[i]);
            problem.rows += static_cast<std::int64_t>(y != 0.0F);
            problem.positive += static_cast<std::int64_t>(y > 0.0F);
        }
    }
    Tensor sums({std::ssize(problems), rows.width()});
    const auto signs = [&](std::int64_t first, std::int64_t last, float* to) {
        for (std::int64_t i = first; i < last; ++i) {
            for (const HingeProblem& problem : problems) {
                *to++ = sign(problem, labels[at(i)], parts[at(i)]);
            }
        }
    };
    rows.run(nullptr, nullptr, signs, sums);
    for (std::int64_t p = 0; p < std::ssize(problems); ++p) {
        problems[at(p)].length = std::sqrt(dot(sums.row(p), sums.row(p)));
    }
}

std::int64_t HingeSolver::wide() const {
    return std::min((std::ssize(open_) + 7) / 8 * 8, std::ssize(problems_));
}

void HingeSolver::open_all(double c, double tolerance) {
    open_.clear();
    for (std::size_t p = 0; p < problems_.size(); ++p) {
        const HingeProblem& problem = problems_[p];
        const auto n = static_cast<double>(std::max<std::int64_t>(problem.rows, 1));
        const auto smaller = static_cast<double>(std::min(problem.positive, problem.rows - problem.positive));
        const double share = std::max(smaller / n, least_share);
        open_.push_back({static_cast<std::int64_t>(p), problem.of_class, problem.held_out, c / n,
                         tolerance * share * 2.0 * c / n * problem.length});
    }
}

void HingeSolver::find_gradient(const Tensor& weights, bool scores) {
    const std::int64_t columns = wide();
    reset(gradient_, columns, rows_.width());
    const auto slopes = [&](std::int64_t first, std::int64_t last, float* to) {
        for (std::int64_t i = first; i < last; ++i, to += columns) {
            const auto score_row = std::as_const(scores_).row(i);
            for (std::size_t k = 0; k < open_.size(); ++k) {
                const float y = sign(open_[k], labels_[at(i)], parts_[at(i)]);
                to[k] = y * std::max(0.0F, 1.0F - y * score_row[at(open_[k].problem)]);
            }
        }
    };
    rows_.run(scores ? &weights : nullptr, scores ? &scores_ : nullptr, slopes, gradient_);
    for (std::int64_t k = 0; k < std::ssize(open_); ++k) {
        const auto w = weights.row(open_[at(k)].problem);
        const auto scale = static_cast<float>(-2.0 * open_[at(k)].cost);
        const auto g = gradient_.row(k);
        std::transform(w.begin(), w.end(), g.begin(), g.begin(),
                       [scale](float weight, float sum) { return weight + scale * sum; });
    }
}

void HingeSolver::close_done() {
    std::vector<Open> left;
    for (std::int64_t k = 0; k < std::ssize(open_); ++k) {
        const auto g = gradient_.row(k);
        if (std::sqrt(dot(g, g)) > open_[at(k)].enough) {
            std::copy(g.begin(), g.end(), gradient_.row(std::ssize(left)).begin());
            left.push_back(open_[at(k)]);
        }
    }
    open_ = std::move(left);
}

void HingeSolver::multiply_by_hessian(const Tensor& v, Tensor& product) {
    const std::int64_t columns = wide();
    const auto within = [&](std::int64_t first, std::int64_t last, float* to) {
        for (std::int64_t i = first; i < last; ++i, to += columns) {
            const auto score_row = std::as_const(scores_).row(i);
            const auto dot_row = std::as_const(dots_).row(i);
            for (std::size_t k = 0; k < open_.size(); ++k) {
                const float y = sign(open_[k], labels_[at(i)], parts_[at(i)]);
                to[k] = y * score_row[at(open_[k].problem)] < y * y ? dot_row[k] : 0.0F;
            }
        }
    };
    rows_.run(&v, &dots_, within, product);
    for (std::int64_t k = 0; k < std::ssize(open_); ++k) {
        const auto scale = static_cast<float>(2.0 * open_[at(k)].cost);
        const auto to = product.row(k);
        const auto from = v.row(k);
        std::transform(from.begin(), from.end(), to.begin(), to.begin(),
                       [scale](float own, float sum) { return own + scale * sum; });
    }
}

/// Conjugate gradients for H step = −gradient. Problems that are near enough stand still, direction 0.
void HingeSolver::find_step() {
    const std::int64_t columns = wide();
    const std::int64_t count = std::ssize(open_);
    reset(step_, columns, rows_.width());
    reset(dots_, rows_.padded_rows(), columns);
    reset(change_, rows_.padded_rows(), columns);
    Tensor rest({columns, rows_.width()});
    Tensor direction({columns, rows_.width()});
    Tensor product({columns, rows_.width()});
    std::vector<double> square(at(count));
    std::vector<double> enough(at(count));
    std::vector<float> lengths(at(columns));
    for (std::int64_t k = 0; k < count; ++k) {
        add(-1.0, gradient_.row(k), rest.row(k));
        add(-1.0, gradient_.row(k), direction.row(k));
        square[at(k)] = dot(rest.row(k), rest.row(k));
        enough[at(k)] = residual * residual * square[at(k)];
    }
    for (int step = 0; step < most_gradient_steps; ++step) {
        multiply_by_hessian(direction, product);
        std::int64_t left = 0;
#pragma omp parallel for num_threads(rows_.threads_for(product.size())) reduction(+ : left)
        for (std::int64_t k = 0; k < count; ++k) {
            lengths[at(k)] = 0.0F;
            if (square[at(k)] <= enough[at(k)]) {
                continue;
            }
            const double length = square[at(k)] / dot(direction.row(k), product.row(k));
            lengths[at(k)] = static_cast<float>(length);
            add(length, direction.row(k), step_.row(k));
            add(-length, product.row(k), rest.row(k));
            const double before = std::exchange(square[at(k)], dot(rest.row(k), rest.row(k)));
            const bool near = square[at(k)] <= enough[at(k)];
            const auto turn = near ? 0.0F : static_cast<float>(square[at(k)] / before);
            const auto to = direction.row(k);
            std::transform(to.begin(), to.end(), rest.row(k).begin(), to.begin(),
                           [=](float old, float now) { return near ? 0.0F : now + turn * old; });
            left += static_cast<std::int64_t>(!near);
        }
#pragma omp parallel for num_threads(rows_.threads_for(change_.size()))
        for (std::int64_t i = 0; i < rows_.size(); ++i) {
            float* const to = change_.row(i).data();
            const float* const from = dots_.row(i).data();
            for (std::int64_t k = 0; k < columns; ++k) {
                to[k] += lengths[at(k)] * from[k];
            }
        }
        if (left == 0) {
            return;
        }
    }
}

/// Σ max(0, 1 − y (s + length · change))² of what is open.
std::vector<double> HingeSolver::losses(const std::vector<double>& lengths) const {
    const std::int64_t ranges = (rows_.size() + range_rows - 1) / range_rows;
    std::vector<std::vector<double>> parts(at(ranges), std::vector<double>(open_.size(), 0.0));
#pragma omp parallel for num_threads(rows_.threads_for(change_.size()))
    for (std::int64_t range = 0; range < ranges; ++range) {
        for (std::int64_t i = range * range_rows; i < std::min((range + 1) * range_rows, rows_.size()); ++i) {
            const auto score_row = scores_.row(i);
            const auto change_row = change_.row(i);
            for (std::size_t k = 0; k < open_.size(); ++k) {
                const double y = sign(open_[k], labels_[at(i)], parts_[at(i)]);
                const double score =
                    double{score_row[at(open_[k].problem)]} + lengths[k] * double{change_row[k]};
                const double margin = std::max(0.0, y * y - y * score);
                parts[at(range)][k] += margin * margin;
            }
        }
    }
    std::vector<double> sums(open_.size(), 0.0);
    for (const auto& part : parts) {
        std::transform(part.begin(), part.end(), sums.begin(), sums.begin(), std::plus<>{});
    }
    return sums;
}

/// Goes along the step of each problem as far as it pays. One for which it never pays, which only rounding
/// can cause, is done.
void HingeSolver::walk(Tensor& weights) {
    const std::size_t count = open_.size();
    const std::vector<double> before = losses(std::vector<double>(count, 0.0));
    std::vector<double> lengths(count, 1.0);
    std::vector<char> found(count, 0);
    for (int halving = 0; halving < most_halvings && std::count(found.begin(), found.end(), 0) > 0;
         ++halving) {
        const std::vector<double> after = losses(lengths);
        for (std::size_t k = 0; k < count; ++k) {
            if (found[k] != 0) {
                continue;
            }
            const auto row = static_cast<std::int64_t>(k);
            const auto step = std::as_const(step_).row(row);
            const auto w = std::as_const(weights).row(open_[k].problem);
            const double gained = lengths[k] * dot(w, step) +
                                  0.5 * lengths[k] * lengths[k] * dot(step, step) +
                                  open_[k].cost * (after[k] - before[k]);
            found[k] = static_cast<char>(gained <= descent * lengths[k] * dot(gradient_.row(row), step));
            lengths[k] *= found[k] != 0 ? 1.0 : 0.5;
        }
    }
    for (std::size_t k = 0; k < count; ++k) {
        if (found[k] == 0) {
            lengths[k] = 0.0;
            open_[k].enough = std::numeric_limits<double>::infinity();
        }
        add(lengths[k], step_.row(static_cast<std::int64_t>(k)), weights.row(open_[k].problem));
    }
#pragma omp parallel for num_threads(rows_.threads_for(change_.size()))
    for (std::int64_t i = 0; i < rows_.size(); ++i) {
        const auto score_row = scores_.row(i);
        const auto change_row = change_.row(i);
        for (std::size_t k = 0; k < count; ++k) {
            score_row[at(open_[k].problem)] += static_cast<float>(lengths[k]) * change_row[k];
        }
    }
}

void HingeSolver::minimise(double c, double tolerance, Tensor& weights) {
    open_all(c, tolerance);
    find_gradient(weights, true);
    close_done();
    for (int step = 0; step < most_newton_steps && !open_.empty(); ++step) {
        find_step();
        walk(weights);
        find_gradient(weights, false);
        close_done();
    }
}

}  // namespace stackae::search
