#pragma once

#include <cstdint>
#include <vector>

#include "stackae/tensor.hpp"

#include "base/communicator.hpp"

namespace stackae::nn {

/// β Σⱼ KL(ρ ‖ ρ̂ⱼ), ρ̂ⱼ = (1/n) Σᵢ hᵢⱼ: pushes each sigmoid unit's mean activation to ρ (Ng 2011, "Sparse
/// autoencoder"). ∂/∂hᵢⱼ = (β/n) (−ρ/ρ̂ⱼ + (1 − ρ)/(1 − ρ̂ⱼ)).
class KlSparsity {
public:
    KlSparsity(double target, double weight, std::int64_t n, std::int64_t d);

    /// codes n × d; of several members each gives its rows. Returns the penalty over the rows of all, and
    /// keeps its gradient.
    double evaluate(const float* codes, base::Communicator& communicator);
    /// diff += gradient of the last evaluate(). diff n × d.
    void add_gradient(float* diff) const;

private:
    double target_;
    double weight_;
    std::int64_t n_;
    std::int64_t d_;
    std::vector<double> sums_;  ///< of each unit over the rows; the number of rows
    Tensor gradient_;           ///< d: the same for every row
};

/// Winner-take-all with lifetime sparsity (Makhzani & Frey 2015): each unit keeps its largest
/// max(1, round(lifetime_sparsity · n)) activations over the batch, all others become 0. Ties at the bound
/// are all kept. The gradient of what was set to 0 is 0.
class WinnerTakeAll {
public:
    WinnerTakeAll(double lifetime_sparsity, std::int64_t n, std::int64_t d);

    /// codes n × d, in place.
    void apply(float* codes);
    /// Sets diff to 0 where codes are 0.
    void mask_gradient(const float* codes, float* diff) const;

private:
    std::int64_t kept_;
    std::int64_t n_;
    std::int64_t d_;
    Tensor columns_;  ///< d × n, the codes transposed
};

}  // namespace stackae::nn
