#include "nn/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "base/parallel.hpp"
#include "base/vectorized.hpp"
#include "nn/eltwise.hpp"

namespace stackae::nn {
namespace {

constexpr float nothing = -1e30F;  ///< a logit whose share is 0

/// diff = 2 (predicted − target) · scale; returns Σ (predicted − target)².
STACKAE_VECTORIZED double squared_row(const float* predicted, const float* target, float* diff,
                                      std::int64_t d, float scale) {
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < d; ++i) {
        const float error = predicted[i] - target[i];
        sum += error * error;
        diff[i] = 2.0F * scale * error;
    }
    return static_cast<double>(sum);
}

STACKAE_VECTORIZED double squared_row(const float* predicted, const float* target, std::int64_t d) {
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < d; ++i) {
        const float error = predicted[i] - target[i];
        sum += error * error;
    }
    return static_cast<double>(sum);
}

STACKAE_VECTORIZED double masked_squared_row(const float* predicted, const float* target, const float* mask,
                                             std::int64_t d) {
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < d; ++i) {
        const float error = mask[i] == 0.0F ? 0.0F : predicted[i] - target[i];
        sum += error * error;
    }
    return static_cast<double>(sum);
}

/// Σ softplus(z) − x z.
STACKAE_VECTORIZED double cross_entropy_row(const float* softplus, const float* logits, const float* target,
                                            std::int64_t d) {
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < d; ++i) {
        sum += softplus[i] - target[i] * logits[i];
    }
    return static_cast<double>(sum);
}

STACKAE_VECTORIZED double masked_cross_entropy_row(const float* softplus, const float* logits,
                                                   const float* target, const float* mask, std::int64_t d) {
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < d; ++i) {
        sum += mask[i] == 0.0F ? 0.0F : softplus[i] - target[i] * logits[i];
    }
    return static_cast<double>(sum);
}

/// diff holds sigmoid(z) on entry, (sigmoid(z) − x) · scale on return.
STACKAE_VECTORIZED void cross_entropy_gradient(float* diff, const float* target, std::int64_t d,
                                               float scale) {
#pragma omp simd
    for (std::int64_t i = 0; i < d; ++i) {
        diff[i] = (diff[i] - target[i]) * scale;
    }
}

/// shifted = z − max z, far below 0 where a value is masked; returns Σ x · shifted.
STACKAE_VECTORIZED double multinomial_row(const float* logits, const float* target, const float* mask,
                                          std::int64_t d, float* shifted) {
    const auto counts = [mask](std::int64_t i) { return mask == nullptr || mask[i] != 0.0F; };
    float highest = -std::numeric_limits<float>::infinity();
    for (std::int64_t i = 0; i < d; ++i) {
        highest = counts(i) ? std::max(highest, logits[i]) : highest;
    }
    float sum = 0.0F;
#pragma omp simd reduction(+ : sum)
    for (std::int64_t i = 0; i < d; ++i) {
        shifted[i] = counts(i) ? logits[i] - highest : nothing;
        sum += counts(i) ? target[i] * shifted[i] : 0.0F;
    }
    return static_cast<double>(sum);
}

struct Sums {
    float target = 0.0F;        ///< Σ x
    float exponentials = 0.0F;  ///< Σ exp(z)
};

STACKAE_VECTORIZED Sums sums_of(const float* target, const float* mask, const float* exponentials,
                                std::int64_t d) {
    float targets = 0.0F;
    float sum = 0.0F;
#pragma omp simd reduction(+ : targets, sum)
    for (std::int64_t i = 0; i < d; ++i) {
        targets += mask == nullptr || mask[i] != 0.0F ? target[i] : 0.0F;
        sum += exponentials[i];
    }
    return {targets, sum};
}

/// diff holds exp(z) on entry, (Σ x · softmax(z) − x) · scale on return.
STACKAE_VECTORIZED void multinomial_gradient(const float* target, const float* mask, std::int64_t d,
                                             float scale, Sums sums, float* diff) {
    const float share = sums.target / sums.exponentials;
#pragma omp simd
    for (std::int64_t i = 0; i < d; ++i) {
        const float slope = scale * (share * diff[i] - target[i]);
        diff[i] = mask == nullptr || mask[i] != 0.0F ? slope : 0.0F;
    }
}

STACKAE_VECTORIZED void apply_mask(const float* mask, std::int64_t d, float* diff) {
#pragma omp simd
    for (std::int64_t i = 0; i < d; ++i) {
        diff[i] = mask[i] == 0.0F ? 0.0F : diff[i];
    }
}

/// Calls row(i, scale) for every row on OpenMP's threads, scale = wᵢ / W, for the row's loss before weights;
/// returns the batch's.
template <class Row>
double each_row(const Batch& target, std::vector<double>& losses, const Row& row) {
    const float* weights = target.weights;
    const double sum = weights == nullptr ? static_cast<double>(target.rows)
                                          : std::accumulate(weights, weights + target.rows, 0.0);
    const double total = target.total_weight > 0.0 ? target.total_weight : sum;
    const float share = total > 0.0 ? 1.0F / static_cast<float>(total) : 0.0F;
    base::parallel_ranges(target.rows, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            double& loss = losses[static_cast<std::size_t>(i)];
            loss = row(i, weights == nullptr ? share : weights[i] * share);
            loss *= weights == nullptr ? 1.0 : double{weights[i]};
        }
    });
    const double loss = std::accumulate(losses.begin(), losses.begin() + target.rows, 0.0);
    return total > 0.0 ? loss / total : 0.0;
}

}  // namespace

SquaredError::SquaredError(std::int64_t rows) : row_loss_(static_cast<std::size_t>(rows)) {}

double SquaredError::operator()(const float* predicted, const Batch& target, float* diff) {
    const std::int64_t d = target.columns;
    return each_row(target, row_loss_, [&](std::int64_t row, float scale) {
        const float* y = predicted + row * d;
        const float* x = target.values + row * d;
        const float* mask = target.mask == nullptr ? nullptr : target.mask + row * d;
        if (mask == nullptr) {
            return diff == nullptr ? squared_row(y, x, d) : squared_row(y, x, diff + row * d, d, scale);
        }
        if (diff != nullptr) {
            squared_row(y, x, diff + row * d, d, scale);
            apply_mask(mask, d, diff + row * d);
        }
        return masked_squared_row(y, x, mask, d);
    });
}

BinaryCrossEntropy::BinaryCrossEntropy(linalg::Context& context, std::int64_t rows, std::int64_t columns)
    : stream_(context.stream()),
      softplus_values_({rows, columns}),
      row_loss_(static_cast<std::size_t>(rows)) {
    const auto data = linalg::matrix(rows, columns);
    src_ = dnnl::memory(data, context.engine(), nullptr);
    dst_ = dnnl::memory(data, context.engine(), nullptr);
    softplus_ = dnnl::eltwise_forward(linalg::make_eltwise(context.engine(), data, linalg::eltwise_softplus));
    sigmoid_ =
        dnnl::eltwise_forward(linalg::make_eltwise(context.engine(), data, eltwise_of(Activation::sigmoid)));
}

double BinaryCrossEntropy::operator()(const float* predicted, const Batch& target, float* diff) {
    linalg::point_to(src_, predicted);
    dst_.set_data_handle(softplus_values_.data());
    softplus_.execute(stream_, {{DNNL_ARG_SRC, src_}, {DNNL_ARG_DST, dst_}});
    if (diff != nullptr) {
        dst_.set_data_handle(diff);
        sigmoid_.execute(stream_, {{DNNL_ARG_SRC, src_}, {DNNL_ARG_DST, dst_}});
    }
    const std::int64_t d = target.columns;
    return each_row(target, row_loss_, [&](std::int64_t row, float scale) {
        const std::int64_t at = row * d;
        const float* x = target.values + at;
        if (diff != nullptr) {
            cross_entropy_gradient(diff + at, x, d, scale);
        }
        if (target.mask == nullptr) {
            return cross_entropy_row(softplus_values_.data() + at, predicted + at, x, d);
        }
        if (diff != nullptr) {
            apply_mask(target.mask + at, d, diff + at);
        }
        return masked_cross_entropy_row(softplus_values_.data() + at, predicted + at, x, target.mask + at, d);
    });
}

Multinomial::Multinomial(linalg::Context& context, std::int64_t rows, std::int64_t columns)
    : stream_(context.stream()), shifted_({rows, columns}), row_loss_(static_cast<std::size_t>(rows)) {
    const auto data = linalg::matrix(rows, columns);
    src_ = dnnl::memory(data, context.engine(), nullptr);
    dst_ = dnnl::memory(data, context.engine(), nullptr);
    exp_ = dnnl::eltwise_forward(linalg::make_eltwise(context.engine(), data, linalg::eltwise_exp));
}

double Multinomial::operator()(const float* predicted, const Batch& target, float* diff) {
    const std::int64_t d = target.columns;
    const auto mask_of = [&](std::int64_t row) {
        return target.mask == nullptr ? nullptr : target.mask + row * d;
    };
    base::parallel_ranges(target.rows, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            row_loss_[static_cast<std::size_t>(row)] = multinomial_row(
                predicted + row * d, target.values + row * d, mask_of(row), d, shifted_.data() + row * d);
        }
    });
    float* const exponentials = diff == nullptr ? shifted_.data() : diff;  // they need no room of their own
    linalg::point_to(src_, shifted_.data());
    dst_.set_data_handle(exponentials);
    exp_.execute(stream_, {{DNNL_ARG_SRC, src_}, {DNNL_ARG_DST, dst_}});
    return each_row(target, row_loss_, [&](std::int64_t row, float scale) {
        const float* x = target.values + row * d;
        float* const values = exponentials + row * d;
        const Sums sums = sums_of(x, mask_of(row), values, d);
        if (diff != nullptr) {
            multinomial_gradient(x, mask_of(row), d, scale, sums, values);
        }
        // −Σ x (z − log Σ exp z), of what was shifted.
        return double{sums.target} * std::log(double{sums.exponentials}) -
               row_loss_[static_cast<std::size_t>(row)];
    });
}

double MaskedSquaredError::operator()(const float* predicted, const Batch& target, float* diff) {
    Batch masked = target;
    masked.mask = target.mask == nullptr ? target.values : target.mask;
    return error_(predicted, masked, diff);
}

std::vector<double> best_constant(LossKind kind, const base::RowSource& source,
                                  std::span<const std::int64_t> rows) {
    std::vector<double> constant = source.mean(rows);
    if (kind == LossKind::multinomial) {
        const double all = std::accumulate(constant.begin(), constant.end(), 0.0);
        const double least = all / (2.0 * static_cast<double>(constant.size() * (rows.size() + 1)));
        for (double& value : constant) {
            value = all > 0.0 ? std::log(std::max(value, least) / all) : 0.0;
        }
    }
    if (kind == LossKind::masked_squared_error) {
        const std::vector<double> observed = source.share_of_nonzero(rows);
        const auto count = static_cast<double>(rows.size());
        const double sum = std::accumulate(constant.begin(), constant.end(), 0.0);
        const double all = sum / std::max(1e-30, std::accumulate(observed.begin(), observed.end(), 0.0));
        std::transform(
            constant.begin(), constant.end(), observed.begin(), constant.begin(),
            [&](double mean, double share) { return (count * mean + all) / (count * share + 1.0); });
    }
    return constant;
}

std::int64_t held_values(LossKind kind) {
    return kind == LossKind::cross_entropy || kind == LossKind::multinomial ? 1 : 0;
}

std::unique_ptr<Loss> make_loss(LossKind kind, linalg::Context& context, std::int64_t rows,
                                std::int64_t columns) {
    switch (kind) {
        case LossKind::squared_error:
            return std::make_unique<SquaredError>(rows);
        case LossKind::cross_entropy:
            return std::make_unique<BinaryCrossEntropy>(context, rows, columns);
        case LossKind::multinomial:
            return std::make_unique<Multinomial>(context, rows, columns);
        case LossKind::masked_squared_error:
            return std::make_unique<MaskedSquaredError>(rows);
    }
    return nullptr;
}

}  // namespace stackae::nn
