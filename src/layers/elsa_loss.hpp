#pragma once

#include "stackae/tensor.hpp"

#include "base/row_source.hpp"

namespace stackae::layers {

/// The loss of the linear autoencoder x̂ = x (A Aᵀ − I) of rows x, A n × k with rows of length 1 (Vančura et
/// al. 2022):
///
///     L = ‖ x / ‖x‖ − x̂ / ‖x̂‖ ‖² = 2 − 2 cos(x, x̂)
///
/// by what has k values a row alone. With s = ‖x‖², h = x A and M = Aᵀ A,
///
///     x · x̂ = ‖h‖² − s,   ‖x̂‖² = h M hᵀ − 2 ‖h‖² + s,
///
/// so that x̂, of n values, is never made. Rows without entries have no loss and count nowhere.
class ElsaLoss {
public:
    /// weights: A, which must outlive it and stay as it is.
    explicit ElsaLoss(const Tensor& weights);

    /// The sum of L over the rows.
    [[nodiscard]] double sum(const base::SparseRows& rows) const;
    /// The same; gradient: of the mean over the rows that have entries, by V, of which A = V with its rows
    /// divided by their lengths, at V = A; size n × k, overwritten. With a = ∂L/∂‖h‖² and b = ∂L/∂(h M hᵀ) of
    /// each row, and H of the batch,
    ///
    ///     G = ∂L/∂A = Xᵀ (2 diag(a) H + 2 diag(b) H M) + 2 A (Hᵀ diag(b) H),   ∂L/∂V_i = G_i − (G_i · A_i)
    ///     A_i.
    ///
    /// The same at any number of threads.
    double sum(const base::SparseRows& rows, Tensor& gradient) const;

private:
    const Tensor& weights_;
    Tensor gram_;  ///< M
};

/// How many rows have entries.
[[nodiscard]] std::int64_t counted_rows(const base::SparseRows& rows);

}  // namespace stackae::layers
