#include "nn/sparsity.hpp"

#include <algorithm>
#include <cmath>

#include "base/parallel.hpp"

namespace stackae::nn {
namespace {

/// Not-a-number comes last: the order must hold for codes of weights that have blown up, too.
bool larger_first(float a, float b) {
    return a > b || (std::isnan(b) && !std::isnan(a));
}

}  // namespace

KlSparsity::KlSparsity(double target, double weight, std::int64_t n, std::int64_t d)
    : target_(target),
      weight_(weight),
      n_(n),
      d_(d),
      sums_(static_cast<std::size_t>(d + 1)),
      gradient_({d}) {}

double KlSparsity::evaluate(const float* codes, base::Communicator& communicator) {
    base::parallel_ranges(d_, 64, [&](std::int64_t begin, std::int64_t end) {
        std::fill(sums_.begin() + begin, sums_.begin() + end, 0.0);
        for (std::int64_t i = 0; i < n_; ++i) {
            for (std::int64_t j = begin; j < end; ++j) {
                sums_[static_cast<std::size_t>(j)] += static_cast<double>(codes[i * d_ + j]);
            }
        }
    });
    sums_.back() = static_cast<double>(n_);
    communicator.sum(sums_);
    double penalty = 0.0;
    const double n = sums_.back();
    for (std::int64_t j = 0; j < d_; ++j) {
        // A sigmoid that has saturated in single precision would put the logarithm at infinity.
        const double mean = std::clamp(sums_[static_cast<std::size_t>(j)] / n, 1e-6, 1.0 - 1e-6);
        penalty +=
            target_ * std::log(target_ / mean) + (1.0 - target_) * std::log((1.0 - target_) / (1.0 - mean));
        gradient_.data()[j] =
            static_cast<float>(weight_ / n * (-target_ / mean + (1.0 - target_) / (1.0 - mean)));
    }
    return weight_ * penalty;
}

void KlSparsity::add_gradient(float* diff) const {
    const float* gradient = gradient_.data();
    base::parallel_ranges(n_, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            for (std::int64_t j = 0; j < d_; ++j) {
                diff[i * d_ + j] += gradient[j];
            }
        }
    });
}

WinnerTakeAll::WinnerTakeAll(double lifetime_sparsity, std::int64_t n, std::int64_t d)
    : kept_(std::max<std::int64_t>(1, std::llround(lifetime_sparsity * static_cast<double>(n)))),
      n_(n),
      d_(d),
      columns_({d, n}) {}

void WinnerTakeAll::apply(float* codes) {
    if (kept_ >= n_) {
        return;
    }
    base::parallel_ranges(d_, 16, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = 0; i < n_; ++i) {
            for (std::int64_t j = begin; j < end; ++j) {
                columns_.data()[j * n_ + i] = codes[i * d_ + j];
            }
        }
        for (std::int64_t j = begin; j < end; ++j) {
            float* column = columns_.data() + j * n_;
            std::nth_element(column, column + kept_ - 1, column + n_, larger_first);
            column[0] = column[kept_ - 1];  // the bound, read by rows below
        }
        for (std::int64_t i = 0; i < n_; ++i) {
            for (std::int64_t j = begin; j < end; ++j) {
                float& code = codes[i * d_ + j];
                code = code < columns_.data()[j * n_] ? 0.0F : code;
            }
        }
    });
}

void WinnerTakeAll::mask_gradient(const float* codes, float* diff) const {
    base::parallel_ranges(n_ * d_, 4096, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t i = begin; i < end; ++i) {
            diff[i] = codes[i] == 0.0F ? 0.0F : diff[i];
        }
    });
}

}  // namespace stackae::nn
