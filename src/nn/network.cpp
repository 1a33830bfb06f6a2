#include "nn/network.hpp"

#include "stackae/error.hpp"

#include "linalg/vector_ops.hpp"

namespace stackae::nn {

Network::Network(linalg::Context& context, Parameters& parameters, std::int64_t n, LossKind loss,
                 const CodePenalty& penalty)
    : parameters_(parameters),
      penalized_(penalty.layer),
      tied_gradient_(parameters.layers().size()),
      loss_(context, loss, n, parameters.layers().back().oc) {
    const auto& specs = parameters.layers();
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const LayerSpec& spec = specs[i];
        Activation activation = spec.activation;
        if (loss == LossKind::cross_entropy && i + 1 == specs.size()) {
            if (activation != Activation::sigmoid) {
                throw InvalidArgument("network: cross-entropy needs a sigmoid output");
            }
            activation = Activation::linear;
        }
        layers_.emplace_back(context, DenseShape{n, spec.ic, spec.oc, activation, spec.tied_to >= 0, true});
        dst_.emplace_back(Tensor({n, spec.oc}));
        diff_dst_.emplace_back(Tensor({n, spec.oc}));
        if (spec.tied_to >= 0) {
            tied_gradient_[i] = Tensor({spec.ic, spec.oc});
        }
    }
    const std::int64_t units = specs[penalized_].oc;
    if (penalty.sparsity_weight > 0.0 && penalty.sparsity_target > 0.0) {
        kl_.emplace(penalty.sparsity_target, penalty.sparsity_weight, n, units);
    }
    if (penalty.winner_share > 0.0) {
        winners_.emplace(penalty.winner_share, n, units);
    }
}

void Network::run_layers(const float* src, bool winners, bool penalties) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        layers_[i].forward(i == 0 ? src : dst_[i - 1].data(), parameters_.weights(i), parameters_.bias(i),
                           dst_[i].data());
        if (i == penalized_ && winners && winners_) {
            winners_->apply(dst_[i].data());
        }
        if (i == penalized_ && penalties) {
            penalty_value_ = kl_ ? kl_->evaluate(dst_[i].data()) : 0.0;
        }
    }
}

double Network::forward(const float* src, const float* target, bool winners) {
    run_layers(src, winners, false);
    return loss_(dst_.back().data(), target, nullptr);
}

double Network::step(const float* src, const float* target) {
    run_layers(src, true, true);
    const double loss = loss_(dst_.back().data(), target, diff_dst_.back().data());
    backward(src);
    return loss + penalty_value_;
}

void Network::backward(const float* src) {
    for (std::size_t i = layers_.size(); i-- > 0;) {
        float* diff_dst = diff_dst_[i].data();
        if (i == penalized_) {
            if (kl_) {
                kl_->add_gradient(diff_dst);
            }
            if (winners_) {
                winners_->mask_gradient(dst_[i].data(), diff_dst);
            }
        }
        const bool tied = !tied_gradient_[i].empty();
        layers_[i].backward(i == 0 ? src : dst_[i - 1].data(), parameters_.weights(i), dst_[i].data(),
                            diff_dst, i == 0 ? nullptr : diff_dst_[i - 1].data(),
                            tied ? tied_gradient_[i].data() : parameters_.diff_weights(i),
                            parameters_.diff_bias(i));
    }
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        if (!tied_gradient_[i].empty()) {
            linalg::add(tied_gradient_[i].data(), tied_gradient_[i].size(), parameters_.diff_weights(i));
        }
    }
}

}  // namespace stackae::nn
