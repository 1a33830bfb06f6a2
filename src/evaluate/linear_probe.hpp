#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

#include "linalg/feature_rows.hpp"
#include "linalg/standard_scaler.hpp"

namespace stackae::evaluation {

/// How a classifier is found: suited is what takes less time, by counted work.
enum class ProbeSolver { suited, normal_equations, conjugate_gradients };

struct ProbeOptions {
    // What affects results.
    double c = 0.0;          ///< weight of the loss; 0: chosen
    std::uint64_t seed = 0;  ///< of the folds
    /// Rows a picture: of n rows, i and i + n / views show the same one, and are held out together. Where
    /// there are several, c is measured on all but the first: features may have been learnt from the first,
    /// and then know it better than a picture they never saw.
    std::int64_t views = 1;
    /// Of each row, or none: folds keep groups whole, where there are two or more.
    std::vector<std::int64_t> groups = {};
    /// Most rows × columns × classes for which five folds are held out in turn.
    std::int64_t fold_values = 25'000'000;
    ProbeSolver solver = ProbeSolver::suited;

    // What affects memory and speed.
    std::int64_t memory = std::int64_t{10} << 30;  ///< see LinearProbe::memory_bytes
    int threads = 0;                               ///< 0: one a core; results are the same
};

/// A linear classifier of features, as they are judged in the literature: regularised least squares for each
/// class against the rest (NormalEquations; Rifkin & Klautau 2004, "In defense of one-vs-all
/// classification"). For rows z, standardised by the training rows' mean and deviation, and y = ±1:
///
///     min  ½ (‖w‖² + b²) + c / n · Σ (y − w · z − b)²
///
/// The loss is a mean, not a sum, so that c depends little on n. c is the one of grid() that names most
/// training rows rightly that were held out: five folds in turn where n × d × classes are at most
/// ProbeOptions::fold_values, else one fifth of the rows. Folds are random and stratified. With that c all
/// rows are trained on. Time is in proportion to n × d × m + m² × classes, m = min(n, d). Where m is large
/// for the number of classes (19,200 for 16), conjugate gradients on the rows take its place
/// (FeatureEquations): memory is then in proportion to d, and time to n × d × classes; of the grid they try
/// every other c, up to where more of it names fewer rightly, and the neighbours of the best.
class LinearProbe {
public:
    /// rows: n × d, finite; labels: size n, in [0, classes). A class without rows is never predicted; with
    /// one class alone that is predicted always, and nothing is trained. Throws InvalidArgument when the
    /// shapes do not agree, a value is not finite, or memory_bytes is above options.memory.
    [[nodiscard]] static LinearProbe fit(const linalg::FeatureRows& rows,
                                         std::span<const std::int64_t> labels, std::int64_t classes,
                                         const ProbeOptions& options);
    /// m × d; the class of each row, ties to the smaller.
    [[nodiscard]] std::vector<std::int64_t> predict(const linalg::FeatureRows& rows, int threads = 0) const;

    /// What memory depends on.
    struct Shape {
        std::int64_t rows;
        std::int64_t columns;
        std::int64_t classes;
    };
    /// Most that training holds beside its arguments, in essence: 4 × (m² + 1024 × d + 2944 × m) bytes, m =
    /// min(n, d), and 512 × d floats for each thread and 4 × d for each class. By conjugate gradients in
    /// essence 15 KiB × d.
    [[nodiscard]] static std::int64_t memory_bytes(const Shape& shape, int threads);
    /// Throws InvalidArgument when memory_bytes is above the limit.
    static void check_memory(const Shape& shape, int threads, std::int64_t limit);
    /// 0.01 to 1000, by factors of √10.
    [[nodiscard]] static std::vector<double> grid();

    /// Of a class: d weights of standardised values, then the bias; empty when it had no rows.
    [[nodiscard]] std::span<const float> weights(std::int64_t of_class) const;
    [[nodiscard]] double c() const { return c_; }  ///< 0 where nothing was trained
    /// Parts that were held out in turn; 0 where c was given or there was nothing to choose.
    [[nodiscard]] int folds() const { return folds_; }

private:
    template <class Equations>
    void solve(const linalg::FeatureRows& rows, std::span<const std::int64_t> labels,
               const ProbeOptions& options);

    linalg::StandardScaler scale_;
    Tensor weights_;             // classes × (d + 1)
    std::vector<char> offered_;  // classes that had rows
    double c_ = 0.0;
    int folds_ = 0;
};

}  // namespace stackae::evaluation
