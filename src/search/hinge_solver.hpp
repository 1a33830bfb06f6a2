#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

#include "search/row_products.hpp"

namespace stackae::search {

/// One class against the rest, on all rows but those of the part that is held out.
struct HingeProblem {
    std::int64_t of_class = 0;
    std::int64_t held_out = -1;  ///< −1: none
    // What HingeSolver::describe finds.
    std::int64_t rows = 0;      ///< trained on
    std::int64_t positive = 0;  ///< of the class, among them
    double length = 0.0;        ///< ‖Σ y z‖
};

/// Support vector machines with squared hinge loss, several problems on the same rows z at once:
///
///     min  f(w) = ½ ‖w‖² + C Σ max(0, 1 − y w · z)²,   y = ±1, C = c / rows
///
/// by Newton's method (Keerthi & DeCoste 2005, "A modified finite Newton method for fast solution of large
/// scale linear SVMs"), truncated (Lin, Weng & Keerthi 2008, "Trust region Newton method for large-scale
/// logistic regression"): where I are the rows with y w · z < 1, the generalised Hessian is 1 + 2 C Σ_I z zᵀ,
/// the step comes from conjugate gradients, which need one product with all rows for all problems together,
/// and its length from halving (Armijo). Problems that are done are left out of further products.
/// Deterministic; independent of the number of threads.
class HingeSolver {
public:
    static constexpr std::int64_t most_problems = 64;
    /// Values a row that minimise() holds for p problems: scores, their change along the step, and products.
    static constexpr std::int64_t values_a_row(std::int64_t problems) { return 3 * problems; }

    /// labels, parts: size n. All arguments but the last must outlive this.
    HingeSolver(const RowProducts& rows, std::span<const std::int64_t> labels,
                std::span<const std::int64_t> parts, std::vector<HingeProblem> problems);

    /// Fills in what is found of each problem; takes one pass over the rows. At most most_problems.
    static void describe(const RowProducts& rows, std::span<const std::int64_t> labels,
                         std::span<const std::int64_t> parts, std::span<HingeProblem> problems);

    /// weights, problems × width: from where to start, and what was found. Ends for each problem where
    /// ‖∇f(w)‖ ≤ tolerance · s · ‖∇f(0)‖, or where floats allow no progress; s is the share of the class or
    /// of the rest, whichever is smaller, at least 0.001 (LIBLINEAR's rule, but for the bound).
    void minimise(double c, double tolerance, Tensor& weights);
    /// w · z after minimise().
    [[nodiscard]] float score(std::int64_t row, std::int64_t problem) const {
        return scores_.data()[row * scores_.columns() + problem];
    }

private:
    /// A problem that is not done yet.
    struct Open {
        std::int64_t problem;
        std::int64_t of_class;
        std::int64_t held_out;
        double cost;    ///< C
        double enough;  ///< the gradient's length at which it is done
    };

    void open_all(double c, double tolerance);
    /// The gradient of what is open; with `scores`, those are found anew first.
    void find_gradient(const Tensor& weights, bool scores);
    void close_done();
    void find_step();
    void multiply_by_hessian(const Tensor& v, Tensor& product);
    void walk(Tensor& weights);
    [[nodiscard]] std::vector<double> losses(const std::vector<double>& lengths) const;
    [[nodiscard]] std::int64_t wide() const;

    const RowProducts& rows_;
    std::span<const std::int64_t> labels_;
    std::span<const std::int64_t> parts_;
    std::vector<HingeProblem> problems_;
    Tensor scores_;  ///< padded rows × problems
    // Of what is open, a column or row each, and up to 7 of zeros after them:
    std::vector<Open> open_;
    Tensor gradient_;  ///< wide × width
    Tensor step_;      ///< wide × width
    Tensor dots_;      ///< padded rows × wide: of the direction of conjugate gradients
    Tensor change_;    ///< padded rows × wide: of the scores, along the step
};

}  // namespace stackae::search
