#include "search/ridge_solver.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "nn/matrix_product.hpp"

namespace stackae::search {
namespace {

constexpr int most_steps = 200;

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

/// Leaves the rows that are named, and zeros up to so many rows.
void keep_rows(Tensor& tensor, const std::vector<std::int64_t>& kept, std::int64_t rows) {
    Tensor to({rows, tensor.columns()});
    for (std::int64_t i = 0; i < std::ssize(kept); ++i) {
        const auto from = std::as_const(tensor).row(kept[at(i)]);
        std::copy(from.begin(), from.end(), to.row(i).begin());
    }
    tensor = std::move(to);
}

}  // namespace

/// M⁻¹ of each problem that is open, as the header tells; without axes M = 1.
class RidgeSolver::Preconditioner {
public:
    Preconditioner(const nn::PrincipalAxes* axes, std::int64_t width) : axes_(axes), width_(width) {
        if (axes_ != nullptr) {
            // One thread, so that sums do not depend on how many there are.
            context_ = std::make_unique<nn::Context>(1);
            const double explained = std::accumulate(axes->variances.begin(), axes->variances.end(), 0.0);
            mean_ = std::max(0.0, axes->total_variance - explained) /
                    static_cast<double>(std::max<std::int64_t>(width - axes->axes.rows(), 1));
        }
    }

    /// For the problems that are open now; doubled_c: 2 c of each.
    void prepare(const std::vector<double>& doubled_c, std::int64_t columns) {
        if (axes_ == nullptr) {
            return;
        }
        const std::int64_t r = axes_->axes.rows();
        in_ =
            std::make_unique<nn::MatrixProduct>(*context_, nn::ProductForm::transposed_b, columns, r, width_);
        out_ = std::make_unique<nn::MatrixProduct>(*context_, nn::ProductForm::plain, columns, width_, r);
        along_ = Tensor({columns, r});
        scale_ = Tensor({columns, r});
        back_ = Tensor({columns, width_});
        others_.clear();
        for (std::int64_t k = 0; k < std::ssize(doubled_c); ++k) {
            const double others = doubled_c[at(k)] * mean_;
            others_.push_back(static_cast<float>(1.0 / (1.0 + others)));
            const auto scale = scale_.row(k);
            std::transform(axes_->variances.begin(), axes_->variances.end(), scale.begin(),
                           [&](double variance) {
                               const double a = doubled_c[at(k)] * variance;
                               return static_cast<float>((others - a) / (1.0 + a));
                           });
        }
    }

    /// to = M⁻¹ from, both columns × width.
    void apply(const Tensor& from, Tensor& to) {
        std::copy_n(from.data(), from.size(), to.data());
        if (axes_ == nullptr) {
            return;
        }
        in_->run(from.data(), axes_->axes.data(), along_.data());
        std::transform(along_.data(), along_.data() + along_.size(), scale_.data(), along_.data(),
                       std::multiplies<>{});
        out_->run(along_.data(), axes_->axes.data(), back_.data());
        for (std::int64_t k = 0; k < std::ssize(others_); ++k) {
            const auto z = to.row(k);
            std::transform(z.begin(), z.end(), back_.row(k).begin(), z.begin(),
                           [scale = others_[at(k)]](float own, float axis) { return scale * (own + axis); });
        }
    }

private:
    const nn::PrincipalAxes* axes_;
    std::int64_t width_;
    double mean_ = 0.0;  // variance along a direction that is no axis
    std::unique_ptr<nn::Context> context_;
    std::unique_ptr<nn::MatrixProduct> in_;
    std::unique_ptr<nn::MatrixProduct> out_;
    Tensor along_;               // columns × axes
    Tensor scale_;               // columns × axes: (a₀ − a) / (1 + a)
    Tensor back_;                // columns × width
    std::vector<float> others_;  // 1 / (1 + a₀)
};

RidgeSolver::RidgeSolver(const RowProducts& rows, std::span<const std::int64_t> labels,
                         std::span<const std::int64_t> parts, std::vector<RidgeProblem> problems,
                         const nn::PrincipalAxes* axes)
    : rows_(rows),
      labels_(labels),
      parts_(parts),
      problems_(std::move(problems)),
      axes_(axes),
      scores_({rows.padded_rows(), std::ssize(problems_)}) {}

void RidgeSolver::describe(std::span<const std::int64_t> labels, std::span<const std::int64_t> parts,
                           std::span<RidgeProblem> problems) {
    for (RidgeProblem& problem : problems) {
        problem.rows = 0;
        problem.positive = 0;
        for (std::size_t i = 0; i < labels.size(); ++i) {
            const float y = sign(problem, labels[i], parts[i]);
            problem.rows += static_cast<std::int64_t>(y != 0.0F);
            problem.positive += static_cast<std::int64_t>(y > 0.0F);
        }
    }
}

std::int64_t RidgeSolver::wide() const {
    return std::min((std::ssize(open_) + 7) / 8 * 8, std::ssize(problems_));
}

void RidgeSolver::open_all() {
    open_.clear();
    for (std::size_t p = 0; p < problems_.size(); ++p) {
        const RidgeProblem& problem = problems_[p];
        const auto n = static_cast<double>(std::max<std::int64_t>(problem.rows, 1));
        open_.push_back({static_cast<std::int64_t>(p), problem.of_class, problem.held_out, problem.c / n});
    }
}

/// 2 C Σ y z: minus the gradient where the weights are 0.
void RidgeSolver::find_first_rest() {
    const std::int64_t columns = wide();
    rest_ = Tensor({columns, rows_.width()});
    const auto signs = [&](std::int64_t first, std::int64_t last, float* to) {
        for (std::int64_t i = first; i < last; ++i, to += columns) {
            for (std::size_t k = 0; k < open_.size(); ++k) {
                to[k] = sign(open_[k], labels_[at(i)], parts_[at(i)]);
            }
        }
    };
    rows_.run(nullptr, nullptr, signs, rest_);
    for (std::int64_t k = 0; k < std::ssize(open_); ++k) {
        const auto scale = static_cast<float>(2.0 * open_[at(k)].cost);
        for (float& value : rest_.row(k)) {
            value *= scale;
        }
    }
}

/// product = direction + 2 C Σ (direction · z) z.
void RidgeSolver::multiply_by_hessian() {
    const std::int64_t columns = wide();
    const auto kept = [&](std::int64_t first, std::int64_t last, float* to) {
        for (std::int64_t i = first; i < last; ++i, to += columns) {
            const auto row = std::as_const(dots_).row(i);
            for (std::size_t k = 0; k < open_.size(); ++k) {
                to[k] = parts_[at(i)] == open_[k].held_out ? 0.0F : row[k];
            }
        }
    };
    rows_.run(&direction_, &dots_, kept, product_);
    for (std::int64_t k = 0; k < std::ssize(open_); ++k) {
        const auto scale = static_cast<float>(2.0 * open_[at(k)].cost);
        const auto to = product_.row(k);
        const auto from = direction_.row(k);
        std::transform(to.begin(), to.end(), from.begin(), to.begin(),
                       [scale](float sum, float own) { return own + scale * sum; });
    }
}

/// Along the direction to where its line is lowest.
void RidgeSolver::step(Tensor& weights) {
    std::vector<float> lengths(open_.size(), 0.0F);
    for (std::int64_t k = 0; k < std::ssize(open_); ++k) {
        if (open_[at(k)].done()) {
            continue;
        }
        const double length = open_[at(k)].square / dot(direction_.row(k), product_.row(k));
        lengths[at(k)] = static_cast<float>(length);
        add(length, direction_.row(k), weights.row(open_[at(k)].problem));
        add(-length, product_.row(k), rest_.row(k));
    }
#pragma omp parallel for num_threads(rows_.threads_for(scores_.size()))
    for (std::int64_t i = 0; i < rows_.size(); ++i) {
        float* const to = scores_.row(i).data();
        const float* const from = dots_.row(i).data();
        for (std::size_t k = 0; k < lengths.size(); ++k) {
            to[open_[k].problem] += lengths[k] * from[k];
        }
    }
}

/// Problems that are done stand still until the block of columns narrows.
void RidgeSolver::close_done() {
    std::vector<Open> left;
    std::vector<std::int64_t> kept;
    for (std::int64_t k = 0; k < std::ssize(open_); ++k) {
        if (!open_[at(k)].done()) {
            left.push_back(open_[at(k)]);
            kept.push_back(k);
        }
    }
    const std::int64_t before = wide();
    std::swap(open_, left);
    if (!open_.empty() && wide() == before) {
        std::swap(open_, left);
    } else if (!open_.empty()) {
        keep_rows(rest_, kept, wide());
        keep_rows(conditioned_, kept, wide());
        keep_rows(direction_, kept, wide());
    }
}

Tensor RidgeSolver::solve(double tolerance) {
    // A context sets OpenMP's thread count, and the preconditioner's is of one thread.
    std::optional<nn::ThreadScope> scope;
    if (axes_ != nullptr) {
        scope.emplace(1);
    }
    Tensor weights({std::ssize(problems_), rows_.width()});
    std::fill_n(scores_.data(), scores_.size(), 0.0F);
    open_all();
    find_first_rest();
    conditioned_ = Tensor({wide(), rows_.width()});
    Preconditioner preconditioner(axes_, rows_.width());
    std::int64_t prepared = 0;
    for (int i = 0; i < most_steps && !open_.empty(); ++i) {
        if (prepared != wide()) {
            prepared = wide();
            std::vector<double> doubled_c;
            for (const Open& open : open_) {
                doubled_c.push_back(2.0 * problems_[at(open.problem)].c);
            }
            preconditioner.prepare(doubled_c, prepared);
            product_ = Tensor({prepared, rows_.width()});
            dots_ = Tensor();
            dots_ = Tensor({rows_.padded_rows(), prepared});
        }
        if (i == 0) {
            preconditioner.apply(rest_, conditioned_);
            direction_ = conditioned_;
            for (std::int64_t k = 0; k < std::ssize(open_); ++k) {
                open_[at(k)].square = dot(rest_.row(k), conditioned_.row(k));
                open_[at(k)].enough = tolerance * tolerance * open_[at(k)].square;
            }
        }
        multiply_by_hessian();
        step(weights);
        preconditioner.apply(rest_, conditioned_);
        for (std::int64_t k = 0; k < std::ssize(open_); ++k) {
            Open& open = open_[at(k)];
            if (open.done()) {
                continue;
            }
            const double before = std::exchange(open.square, dot(rest_.row(k), conditioned_.row(k)));
            const auto turn = static_cast<float>(open.square / before);
            const auto to = direction_.row(k);
            std::transform(to.begin(), to.end(), conditioned_.row(k).begin(), to.begin(),
                           [turn](float old, float now) { return now + turn * old; });
        }
        close_done();
    }
    return weights;
}

}  // namespace stackae::search
