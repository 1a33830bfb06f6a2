#include "nn/loss.hpp"

#include <numeric>

#include "base/parallel.hpp"
#include "base/vectorized.hpp"

namespace stackae::nn {
namespace {

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

/// diff holds sigmoid(z) on entry, (sigmoid(z) − x) · scale on return.
STACKAE_VECTORIZED void cross_entropy_gradient(float* diff, const float* target, std::int64_t d,
                                               float scale) {
#pragma omp simd
    for (std::int64_t i = 0; i < d; ++i) {
        diff[i] = (diff[i] - target[i]) * scale;
    }
}

}  // namespace

LossFunction::LossFunction(linalg::Context& context, LossKind loss, std::int64_t n, std::int64_t d)
    : loss_(loss), n_(n), d_(d), stream_(context.stream()), row_loss_(static_cast<std::size_t>(n)) {
    if (loss_ == LossKind::cross_entropy) {
        const auto data = linalg::matrix(n, d);
        src_ = dnnl::memory(data, context.engine(), nullptr);
        dst_ = dnnl::memory(data, context.engine(), nullptr);
        softplus_ = dnnl::eltwise_forward(linalg::make_softplus(context.engine(), data));
        sigmoid_ =
            dnnl::eltwise_forward(linalg::make_activation(context.engine(), data, Activation::sigmoid));
        softplus_values_ = Tensor({n, d});
    }
}

double LossFunction::operator()(const float* predicted, const float* target, float* diff) {
    if (loss_ == LossKind::cross_entropy) {
        src_.set_data_handle(const_cast<float*>(predicted));
        dst_.set_data_handle(softplus_values_.data());
        softplus_.execute(stream_, {{DNNL_ARG_SRC, src_}, {DNNL_ARG_DST, dst_}});
        if (diff != nullptr) {
            dst_.set_data_handle(diff);
            sigmoid_.execute(stream_, {{DNNL_ARG_SRC, src_}, {DNNL_ARG_DST, dst_}});
        }
    }
    const float scale = 1.0F / static_cast<float>(n_);
    base::parallel_ranges(n_, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t row = begin; row < end; ++row) {
            const std::int64_t at = row * d_;
            double& sum = row_loss_[static_cast<std::size_t>(row)];
            if (loss_ == LossKind::cross_entropy) {
                sum = cross_entropy_row(softplus_values_.data() + at, predicted + at, target + at, d_);
                if (diff != nullptr) {
                    cross_entropy_gradient(diff + at, target + at, d_, scale);
                }
            } else if (diff != nullptr) {
                sum = squared_row(predicted + at, target + at, diff + at, d_, scale);
            } else {
                sum = squared_row(predicted + at, target + at, d_);
            }
        }
    });
    return std::accumulate(row_loss_.begin(), row_loss_.end(), 0.0) / static_cast<double>(n_);
}

}  // namespace stackae::nn
