#pragma once

#include <cmath>
#include <numeric>
#include <vector>

#include "stackae/train_config.hpp"

#include "base/random.hpp"
#include "nn/parameters.hpp"
#include "support/reference.hpp"

/// Greedy training and fine-tuning once more, in double precision and plain loops, one picture at a time: the
/// trace that the real trainer is held against. Only initial weights and the order of pictures are shared
/// with it.
namespace golden {

using Vector = std::vector<double>;
using Rows = std::vector<Vector>;

struct Layer {
    stackae::Activation activation;
    Rows weights;  ///< oc × ic
    Vector bias;
};

inline double derivative(stackae::Activation f, double z) {
    const double s = 1.0 / (1.0 + std::exp(-z));
    switch (f) {
        case stackae::Activation::linear:
            return 1.0;
        case stackae::Activation::sigmoid:
            return s * (1.0 - s);
        case stackae::Activation::tanh:
            return 1.0 - std::tanh(z) * std::tanh(z);
        case stackae::Activation::relu:
            return z > 0.0 ? 1.0 : 0.0;
        case stackae::Activation::elu:
            return z > 0.0 ? 1.0 : std::exp(z);
        case stackae::Activation::silu:
            return s + z * s * (1.0 - s);
    }
    return 0.0;
}

struct Adam {
    double first = 0.0;
    double second = 0.0;

    double step(double gradient, double rate, int t) {
        first = 0.9 * first + 0.1 * gradient;
        second = 0.999 * second + 0.001 * gradient * gradient;
        return rate * first / (1.0 - std::pow(0.9, t)) /
               (std::sqrt(second / (1.0 - std::pow(0.999, t))) + 1e-8);
    }
};

/// A chain of layers under squared error or, with a sigmoid at its end, cross-entropy; Adam at a constant
/// rate.
class Chain {
public:
    Chain(std::vector<Layer> layers, bool cross_entropy)
        : layers_(std::move(layers)), cross_entropy_(cross_entropy) {
        for (const Layer& layer : layers_) {
            gradient_.push_back(layer);
            moments_.emplace_back(layer.bias.size() * (layer.weights.front().size() + 1));
        }
        clear();
    }

    /// Returns the loss of one picture; with n > 0 adds its gradient over a batch of n.
    double learn(const Vector& x, double n) {
        Rows inputs = {x};
        Rows sums;
        for (const Layer& layer : layers_) {
            Vector z = layer.bias;
            for (std::size_t o = 0; o < z.size(); ++o) {
                z[o] = std::inner_product(inputs.back().begin(), inputs.back().end(),
                                          layer.weights[o].begin(), z[o]);
            }
            Vector h(z.size());
            for (std::size_t o = 0; o < z.size(); ++o) {
                h[o] = reference::activate(layer.activation, z[o]);
            }
            sums.push_back(z);
            inputs.push_back(h);
        }
        double loss = 0.0;
        Vector delta(x.size());
        for (std::size_t o = 0; o < x.size(); ++o) {
            const double p = inputs.back()[o];
            if (cross_entropy_) {
                loss -= x[o] * std::log(p) + (1.0 - x[o]) * std::log(1.0 - p);
                delta[o] = p - x[o];
            } else {
                loss += (p - x[o]) * (p - x[o]);
                delta[o] = 2.0 * (p - x[o]) * derivative(layers_.back().activation, sums.back()[o]);
            }
        }
        if (n > 0.0) {
            backward(inputs, sums, delta, n);
        }
        return loss;
    }

    void update(double rate) {
        ++steps_;
        for (std::size_t l = 0; l < layers_.size(); ++l) {
            std::size_t at = 0;
            for (std::size_t o = 0; o < layers_[l].bias.size(); ++o) {
                layers_[l].bias[o] -= moments_[l][at++].step(gradient_[l].bias[o], rate, steps_);
                for (std::size_t j = 0; j < layers_[l].weights[o].size(); ++j) {
                    layers_[l].weights[o][j] -=
                        moments_[l][at++].step(gradient_[l].weights[o][j], rate, steps_);
                }
            }
        }
        clear();
    }

    [[nodiscard]] const std::vector<Layer>& layers() const { return layers_; }

private:
    void backward(const Rows& inputs, const Rows& sums, Vector delta, double n) {
        for (std::size_t l = layers_.size(); l-- > 0;) {
            Vector below(inputs[l].size());
            for (std::size_t o = 0; o < delta.size(); ++o) {
                gradient_[l].bias[o] += delta[o] / n;
                for (std::size_t j = 0; j < below.size(); ++j) {
                    gradient_[l].weights[o][j] += delta[o] * inputs[l][j] / n;
                    below[j] += delta[o] * layers_[l].weights[o][j];
                }
            }
            if (l > 0) {
                for (std::size_t j = 0; j < below.size(); ++j) {
                    below[j] *= derivative(layers_[l - 1].activation, sums[l - 1][j]);
                }
            }
            delta = below;
        }
    }

    void clear() {
        for (Layer& layer : gradient_) {
            std::fill(layer.bias.begin(), layer.bias.end(), 0.0);
            for (Vector& row : layer.weights) {
                std::fill(row.begin(), row.end(), 0.0);
            }
        }
    }

    std::vector<Layer> layers_;
    bool cross_entropy_;
    std::vector<Layer> gradient_;
    std::vector<std::vector<Adam>> moments_;
    int steps_ = 0;
};

/// One stage, whose number tells its random numbers apart; returns each epoch's mean training loss.
inline Vector run_stage(Chain& chain, const Rows& pictures, const stackae::TrainConfig& config,
                        std::uint32_t stage, std::int64_t epochs) {
    Vector losses;
    for (std::int64_t epoch = 1; epoch <= epochs; ++epoch) {
        std::vector<std::int64_t> order(pictures.size());
        std::iota(order.begin(), order.end(), std::int64_t{0});
        stackae::base::shuffle(order, stackae::base::Random(config.seed, stackae::base::RandomStream::shuffle,
                                                            stage, static_cast<std::uint32_t>(epoch)));
        double sum = 0.0;
        const auto batch = static_cast<std::size_t>(*config.batch_size);
        for (std::size_t at = 0; at < order.size(); at += batch) {
            const std::size_t end = std::min(order.size(), at + batch);
            for (std::size_t i = at; i < end; ++i) {
                sum +=
                    chain.learn(pictures[static_cast<std::size_t>(order[i])], static_cast<double>(end - at));
            }
            chain.update(config.learning_rate);
        }
        losses.push_back(sum / static_cast<double>(order.size()));
    }
    return losses;
}

}  // namespace golden
