#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "stackae/activation.hpp"
#include "stackae/loss_kind.hpp"
#include "stackae/tensor.hpp"

#include "base/row_source.hpp"
#include "linalg/onednn.hpp"

namespace stackae::nn {

/// What a network's output is held against: n rows of d values, row-major.
struct Batch {
    std::int64_t rows = 0;           ///< n
    std::int64_t columns = 0;        ///< d
    const float* values = nullptr;   ///< x, n × d
    const float* weights = nullptr;  ///< w, n, none negative; null: all 1
    /// m, n × d, 0 or 1: 0 where a value does not count, whatever it is, also no number; null: all 1.
    const float* mask = nullptr;
    /// W, what the loss is divided by; 0: the sum of this batch's weights. A part of a larger batch names the
    /// sum over all of it, so that losses and gradients of the parts add up to those of the whole.
    double total_weight = 0.0;
};

/// L = (1/W) Σᵢ wᵢ Σⱼ mᵢⱼ ℓ(x̂ᵢⱼ, xᵢⱼ), W = Σᵢ wᵢ; without weights and a mask (1/n) Σᵢ Σⱼ ℓ(x̂ᵢⱼ, xᵢⱼ). Where
/// W is 0, so are the loss and its gradient. Made once for its shape; a row is summed up in single
/// precision, the rows one after the other in double precision, so that threads do not change a sum.
class Loss {
public:
    Loss() = default;
    Loss(const Loss&) = delete;
    Loss& operator=(const Loss&) = delete;
    virtual ~Loss() = default;

    /// predicted: x̂, or what inner_activation() is of; n × d. diff: ∂L/∂predicted, n × d, or null where no
    /// gradient is asked for. Returns L.
    virtual double operator()(const float* predicted, const Batch& target, float* diff) = 0;
    /// The activation f of the last layer that the loss has taken in: predicted is z where x̂ = f(z).
    [[nodiscard]] virtual Activation inner_activation() const { return Activation::linear; }
};

/// ℓ = (x̂ − x)², ∂ℓ/∂x̂ = 2 (x̂ − x).
class SquaredError final : public Loss {
public:
    explicit SquaredError(std::int64_t rows);
    double operator()(const float* predicted, const Batch& target, float* diff) override;

private:
    std::vector<double> row_loss_;
};

/// From logits z, x̂ = sigmoid(z), x in [0, 1]: ℓ = −x log x̂ − (1 − x) log(1 − x̂) = log(1 + exp z) − x z,
/// ∂ℓ/∂z = sigmoid(z) − x.
class BinaryCrossEntropy final : public Loss {
public:
    BinaryCrossEntropy(linalg::Context& context, std::int64_t rows, std::int64_t columns);
    double operator()(const float* predicted, const Batch& target, float* diff) override;
    [[nodiscard]] Activation inner_activation() const override { return Activation::sigmoid; }

private:
    dnnl::stream& stream_;
    dnnl::memory src_, dst_;
    dnnl::eltwise_forward softplus_, sigmoid_;
    Tensor softplus_values_;
    std::vector<double> row_loss_;
};

/// From logits z, x̂ = softmax(z) over a row, x ≥ 0: the row's loss is −Σⱼ xⱼ log x̂ⱼ, ∂/∂zⱼ = (Σₖ xₖ) x̂ⱼ − xⱼ;
/// masked values are in none of the sums (Liang, Krishnan, Hoffman & Jebara 2018).
class Multinomial final : public Loss {
public:
    Multinomial(linalg::Context& context, std::int64_t rows, std::int64_t columns);
    double operator()(const float* predicted, const Batch& target, float* diff) override;

private:
    dnnl::stream& stream_;
    dnnl::memory src_, dst_;
    dnnl::eltwise_forward exp_;
    Tensor shifted_;  ///< z minus the row's highest
    std::vector<double> row_loss_;
};

/// Squared error where the target is not 0; a mask of the batch's own takes the place of that.
class MaskedSquaredError final : public Loss {
public:
    explicit MaskedSquaredError(std::int64_t rows) : error_(rows) {}
    double operator()(const float* predicted, const Batch& target, float* diff) override;

private:
    SquaredError error_;
};

/// For batches of rows × columns.
[[nodiscard]] std::unique_ptr<Loss> make_loss(LossKind kind, linalg::Context& context, std::int64_t rows,
                                              std::int64_t columns);
/// The row x̂ that is about the best where every row is given the same: the mean of the rows named; of masked
/// squared error that of what was observed, with the mean of all that was observed in it once; of the
/// multinomial logits, of the share that a column has of all. Size columns().
[[nodiscard]] std::vector<double> best_constant(LossKind kind, const base::RowSource& source,
                                                std::span<const std::int64_t> rows);
/// Values that it holds for each of rows × columns.
[[nodiscard]] std::int64_t held_values(LossKind kind);

}  // namespace stackae::nn
