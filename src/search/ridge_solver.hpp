#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

#include "nn/principal_axes.hpp"
#include "search/row_products.hpp"

namespace stackae::search {

/// One class against the rest, on all rows but those of the part that is held out.
struct RidgeProblem {
    std::int64_t of_class = 0;
    std::int64_t held_out = -1;  ///< −1: none
    double c = 1.0;
    // What RidgeSolver::describe finds.
    std::int64_t rows = 0;      ///< trained on
    std::int64_t positive = 0;  ///< of the class, among them
};

/// Regularised least squares, several problems on the same rows z at once:
///
///     min  ½ ‖w‖² + C Σ (y − w · z)²,   y = ±1, C = c / rows
///
/// by conjugate gradients, each step of which needs one product with all rows for all problems together.
/// Features of pictures vary far more in some directions than in others, which conjugate gradients are slow
/// to even out. Where the rows' principal axes v with variances s² are given, they are preconditioned with
///
///     M = 1 + a₀ + Σ (a − a₀) v vᵀ,   a = 2 c s²,   a₀: the same of the mean variance along other directions
///
/// Problems that are done are left out of further products, eight at a time. Deterministic; independent of
/// the number of threads.
class RidgeSolver {
public:
    static constexpr std::int64_t most_problems = 64;
    /// Values a row that solve() holds for p problems: scores, and products in and out.
    static constexpr std::int64_t values_a_row(std::int64_t problems) { return 3 * problems; }

    /// labels, parts: size n; problems: at most most_problems; axes: of the rows' width, may be null. All
    /// arguments but `problems` must outlive this.
    RidgeSolver(const RowProducts& rows, std::span<const std::int64_t> labels,
                std::span<const std::int64_t> parts, std::vector<RidgeProblem> problems,
                const nn::PrincipalAxes* axes = nullptr);

    /// Fills in what is found of each problem.
    static void describe(std::span<const std::int64_t> labels, std::span<const std::int64_t> parts,
                         std::span<RidgeProblem> problems);

    /// The weights, problems × width. Ends for each problem where the gradient's length in M⁻¹ has fallen to
    /// the share `tolerance` of what it was with weights of 0, after 200 steps at most.
    [[nodiscard]] Tensor solve(double tolerance);
    /// w · z after solve().
    [[nodiscard]] float score(std::int64_t row, std::int64_t problem) const {
        return scores_.data()[row * scores_.columns() + problem];
    }

private:
    class Preconditioner;
    /// A problem that is not done yet.
    struct Open {
        std::int64_t problem;
        std::int64_t of_class;
        std::int64_t held_out;
        double cost;          ///< C
        double square = 0.0;  ///< of the gradient's length in M⁻¹
        double enough = 0.0;  ///< the square at which it is done

        [[nodiscard]] bool done() const { return square <= enough; }
    };

    void open_all();
    void find_first_rest();
    void multiply_by_hessian();
    void step(Tensor& weights);
    void close_done();
    [[nodiscard]] std::int64_t wide() const;

    const RowProducts& rows_;
    std::span<const std::int64_t> labels_;
    std::span<const std::int64_t> parts_;
    std::vector<RidgeProblem> problems_;
    const nn::PrincipalAxes* axes_;
    Tensor scores_;  ///< padded rows × problems
    // Of what is open, a column or row each, and up to 7 of zeros after them:
    std::vector<Open> open_;
    Tensor rest_;         ///< wide × width: minus the gradient
    Tensor conditioned_;  ///< wide × width: M⁻¹ of it
    Tensor direction_;    ///< wide × width
    Tensor product_;      ///< wide × width: the Hessian's with the direction
    Tensor dots_;         ///< padded rows × wide: of the direction
};

}  // namespace stackae::search
