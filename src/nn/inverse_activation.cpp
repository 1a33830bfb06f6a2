#include "nn/inverse_activation.hpp"

#include <algorithm>
#include <cmath>

namespace stackae::nn {
namespace {

/// Newton's method on f(z) = value for the increasing part of silu, which begins at −1.278.
double inverse_silu(double value) {
    double z = std::max(value, -0.2) + 0.3;
    for (int i = 0; i < 20; ++i) {
        const double sigmoid = 1.0 / (1.0 + std::exp(-z));
        z -= (z * sigmoid - value) / std::max(0.05, sigmoid * (1.0 + z * (1.0 - sigmoid)));
    }
    return std::max(z, -1.278);
}

}  // namespace

double inverse(Activation activation, double value) {
    switch (activation) {
        case Activation::sigmoid: {
            const double p = std::clamp(value, 1e-3, 1.0 - 1e-3);
            return std::log(p / (1.0 - p));
        }
        case Activation::tanh:
            return std::atanh(std::clamp(value, -0.999, 0.999));
        case Activation::elu:
            return value > 0.0 ? value : std::log1p(std::max(value, -0.999));
        case Activation::silu:
            return inverse_silu(std::max(value, -0.278));
        case Activation::linear:
        case Activation::relu:
            break;
    }
    return value;
}

}  // namespace stackae::nn
