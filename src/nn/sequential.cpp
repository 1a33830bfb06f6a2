#include "nn/sequential.hpp"

#include <fmt/format.h>
#include <utility>

#include "stackae/error.hpp"

#include "linalg/vector_ops.hpp"

namespace stackae::nn {

Sequential::Sequential(linalg::Context& context, Parameters& parameters, std::int64_t n,
                       std::unique_ptr<Loss> loss, const SparsityConfig& sparsity)
    : parameters_(parameters),
      sparse_(sparsity.layer),
      tied_gradient_(parameters.layers().size()),
      loss_(std::move(loss)) {
    const auto& specs = parameters.layers();
    const Activation inner = loss_->inner_activation();
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const LayerSpec& spec = specs[i];
        Activation activation = spec.activation;
        if (inner != Activation::linear && i + 1 == specs.size()) {
            if (activation != inner) {
                throw InvalidArgument(fmt::format("network: a {} output found, a {} one expected by its loss",
                                                  name(activation), name(inner)));
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
    const std::int64_t units = specs[sparse_].oc;
    if (sparsity.weight > 0.0 && sparsity.target > 0.0) {
        kl_.emplace(sparsity.target, sparsity.weight, n, units);
    }
    if (sparsity.lifetime_sparsity > 0.0) {
        winners_.emplace(sparsity.lifetime_sparsity, n, units);
    }
}

void Sequential::run_layers(const float* src, base::Communicator* communicator) {
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        layers_[i].forward(i == 0 ? src : dst_[i - 1].data(), parameters_.weights(i), parameters_.bias(i),
                           dst_[i].data());
        if (i == sparse_ && winners_) {
            winners_->apply(dst_[i].data());
        }
        if (i == sparse_ && communicator != nullptr) {
            penalty_ = kl_ ? kl_->evaluate(dst_[i].data(), *communicator) : 0.0;
        }
    }
}

double Sequential::forward(const float* src, const Batch& target) {
    run_layers(src, nullptr);
    return (*loss_)(dst_.back().data(), target, nullptr);
}

double Sequential::step(const float* src, const Batch& target, base::Communicator& communicator) {
    run_layers(src, &communicator);
    double loss = (*loss_)(dst_.back().data(), target, diff_dst_.back().data());
    backward(src);
    communicator.sum(parameters_.gradient().values());
    communicator.sum(std::span(&loss, 1));
    return loss + penalty_;
}

void Sequential::backward(const float* src) {
    for (std::size_t i = layers_.size(); i-- > 0;) {
        float* diff_dst = diff_dst_[i].data();
        if (i == sparse_) {
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
