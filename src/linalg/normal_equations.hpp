#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

#include "linalg/pca.hpp"
#include "linalg/standard_scaler.hpp"
#include "linalg/symmetric_matrix.hpp"

namespace stackae::linalg {

/// Ridge regression of each class against the rest, on n standardised rows z with the targets y = 1 for the
/// class and y = −1 for the rest:
///
///     min  ½ ‖w‖² + c / n Σ (y − w · z)²
///
/// It is solved by the normal equations (A + λ) u = b, λ = n / (2 c). The primal form has A = Zᵀ Z, b = Zᵀ y
/// and w = u. Where there are fewer rows than values (of all rows, not of those added), the dual form is
/// smaller: A = Z Zᵀ, b = y and w = Zᵀ u (Saunders, Gammerman & Vovk 1998). A is made once for any number of
/// c and classes. Deterministic; independent of the number of threads.
class NormalEquations {
public:
    /// Starts without rows. labels: of all rows, in [0, classes). rows and labels must outlive this.
    NormalEquations(const StandardisedRows& rows, std::span<const std::int64_t> labels, std::int64_t classes,
                    int threads);

    /// Adds rows to learn from, each once.
    void add(std::span<const std::int64_t> rows);
    /// Weights w, classes × width; zeros for a class that has no rows.
    [[nodiscard]] Tensor solve(double c);
    /// Rows of a class that were added.
    [[nodiscard]] std::int64_t count(std::int64_t of_class) const;

    /// About the most memory that is held with n rows of `width` values, the bias's 1 among them.
    [[nodiscard]] static std::int64_t memory_bytes(std::int64_t n, std::int64_t width, std::int64_t classes,
                                                   int threads);

private:
    void add_products();
    void prepare();
    [[nodiscard]] Tensor right_sides(std::int64_t first, std::int64_t last) const;
    [[nodiscard]] Tensor weights_of(const Tensor& solution) const;

    StandardisedRows rows_;
    std::span<const std::int64_t> labels_;
    int threads_;
    bool dual_;
    std::vector<std::int64_t> added_;
    std::vector<std::int64_t> counts_;  // of added rows, by class
    std::size_t known_ = 0;             // added rows whose products are in the matrix
    SymmetricMatrix matrix_;
    Tensor sums_;                // primal: classes × matrix_.size(), Σ z of the class
    std::vector<double> total_;  // primal: Σ z of all
    std::optional<EigenResult> eigen_;
};

}  // namespace stackae::linalg
