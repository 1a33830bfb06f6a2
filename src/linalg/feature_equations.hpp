#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

#include "linalg/feature_products.hpp"
#include "linalg/pca.hpp"
#include "linalg/standard_scaler.hpp"

namespace stackae::linalg {

/// What NormalEquations solves, by conjugate gradients on the rows themselves: Zᵀ Z, which takes memory and
/// time with the square of the width, is never made. Its leading eigenvectors, by which solve_ridge() is
/// quick, are those of a sample of the rows. Deterministic; independent of the number of threads.
class FeatureEquations {
public:
    /// Starts without rows. labels: of all rows, in [0, classes). rows and labels must outlive this.
    FeatureEquations(const StandardisedRows& rows, std::span<const std::int64_t> labels, std::int64_t classes,
                     int threads);

    /// Adds rows to learn from, each once.
    void add(std::span<const std::int64_t> rows);
    /// Weights w, classes × width, found from those of the last call on: c is best raised from call to call.
    /// Zeros for a class that has no rows.
    [[nodiscard]] Tensor solve(double c);
    /// Rows of a class that were added.
    [[nodiscard]] std::int64_t count(std::int64_t of_class) const;

    /// About the most memory that is held with rows of `width` values, the bias's 1 among them.
    [[nodiscard]] static std::int64_t memory_bytes(std::int64_t width, std::int64_t classes, int threads);
    /// Whether it is quicker than NormalEquations with n rows, by counted work.
    [[nodiscard]] static bool suits(std::int64_t n, std::int64_t width, std::int64_t classes);

private:
    void find_eigenvectors();

    FeatureProducts products_;
    std::span<const std::int64_t> labels_;
    std::vector<std::int64_t> added_;
    std::vector<std::int64_t> counts_;  // of added rows, by class
    Tensor sides_;                      // width × classes, Σ y z of the rows that were added
    Tensor solution_;                   // width × classes
    EigenResult eigen_;                 // of a row in the mean
};

}  // namespace stackae::linalg
