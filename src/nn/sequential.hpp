#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/communicator.hpp"
#include "nn/dense.hpp"
#include "nn/loss.hpp"
#include "nn/parameters.hpp"
#include "nn/sparsity.hpp"

namespace stackae::nn {

/// What keeps the activations of one layer sparse in training.
struct SparsityConfig {
    std::size_t layer = 0;
    double target = 0.0;  ///< ρ of the KL penalty; 0: no penalty
    double weight = 0.0;  ///< β of the KL penalty; 0: no penalty
    /// Share of a batch for which a unit of a winner-take-all layer is kept; 0: no winner-take-all.
    double lifetime_sparsity = 0.0;
};

/// Dense layers in a row with a loss, for batches of n rows. Several networks may share one set of
/// parameters. All buffers are made by the constructor.
class Sequential {
public:
    /// loss: for n rows. The last layer's activation is the one that the loss has taken in, where there is
    /// one.
    Sequential(linalg::Context& context, Parameters& parameters, std::int64_t n, std::unique_ptr<Loss> loss,
               const SparsityConfig& sparsity = {});

    /// Runs src (n × ic) through all layers, with winner-take-all where there is one. Returns the loss
    /// without penalties.
    double forward(const float* src, const Batch& target);
    /// forward(), then the gradient of loss and penalties into the parameters. Returns the loss with
    /// penalties. Of several members each gives its part of a batch, with the total weight of all parts: loss
    /// and gradient are those of the whole batch, but for winners, which are taken among the member's rows.
    double step(const float* src, const Batch& target, base::Communicator& communicator);
    /// The output of a layer after forward(); n × oc. Of the last layer, before an activation that the loss
    /// has taken in.
    [[nodiscard]] const float* output(std::size_t layer) const { return dst_[layer].data(); }

private:
    /// communicator: null where no penalty is worked out.
    void run_layers(const float* src, base::Communicator* communicator);
    void backward(const float* src);

    Parameters& parameters_;
    std::size_t sparse_;  ///< the layer that is kept sparse
    double penalty_ = 0.0;
    std::vector<Dense> layers_;
    std::vector<Tensor> dst_;
    std::vector<Tensor> diff_dst_;
    std::vector<Tensor> tied_gradient_;  ///< of tied layers, before it is added to what they are tied to
    std::unique_ptr<Loss> loss_;
    std::optional<KlSparsity> kl_;
    std::optional<WinnerTakeAll> winners_;
};

}  // namespace stackae::nn
