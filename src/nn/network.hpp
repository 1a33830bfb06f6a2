#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nn/dense.hpp"
#include "nn/loss.hpp"
#include "nn/parameters.hpp"
#include "nn/sparsity.hpp"

namespace stackae::nn {

/// What is asked of one layer's output while training.
struct CodePenalty {
    std::size_t layer = 0;
    double sparsity_target = 0.0;  ///< 0: no KL penalty
    double sparsity_weight = 0.0;
    double winner_share = 0.0;  ///< 0: no winner-take-all
};

/// A chain of dense layers with a loss, for batches of n rows. Several networks may share one set of
/// parameters. All buffers are made by the constructor.
class Network {
public:
    /// loss cross_entropy takes the last layer's activation, a sigmoid, into itself.
    Network(linalg::Context& context, Parameters& parameters, std::int64_t n, LossKind loss,
            const CodePenalty& penalty = {});

    /// Runs src (n × ic) through all layers; `winners`: with winner-take-all, where there is one. Returns the
    /// loss without penalties.
    double forward(const float* src, const float* target, bool winners);
    /// forward(), then the gradient of loss and penalties into the parameters. Returns the loss with
    /// penalties.
    double step(const float* src, const float* target);
    /// The output of a layer after forward(); n × oc. Of the last layer, logits where the loss is
    /// cross-entropy.
    [[nodiscard]] const float* output(std::size_t layer) const { return dst_[layer].data(); }

private:
    void run_layers(const float* src, bool winners, bool penalties);
    void backward(const float* src);

    Parameters& parameters_;
    std::size_t penalized_;
    double penalty_value_ = 0.0;
    std::vector<Dense> layers_;
    std::vector<Tensor> dst_;
    std::vector<Tensor> diff_dst_;
    std::vector<Tensor> tied_gradient_;  ///< of tied layers, before it is added to what they are tied to
    LossFunction loss_;
    std::optional<KlSparsity> kl_;
    std::optional<WinnerTakeAll> winners_;
};

}  // namespace stackae::nn
