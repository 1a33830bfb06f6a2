#include "linalg/pca.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "linalg/gemm.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::linalg {
namespace {

using Eigen::MatrixXd;
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::int64_t block_rows = 2048;
constexpr std::int64_t full_solver_columns = 512;
constexpr std::int64_t widest_covariance = 6144;
constexpr int covariance_iterations = 12;
constexpr int row_iterations = 5;
constexpr double min_variance_ratio =
    1e-6;  ///< of an axis, as a share of the first axis'; below, it is rounding

MatrixXd as_double(const Tensor& matrix) {
    return Eigen::Map<const RowMajor>(matrix.data(), matrix.rows(), matrix.columns()).cast<double>();
}

Tensor as_tensor(const MatrixXd& matrix) {
    Tensor tensor({matrix.rows(), matrix.cols()});
    Eigen::Map<RowMajor>(tensor.data(), matrix.rows(), matrix.cols()) = matrix.cast<float>();
    return tensor;
}

/// Rows in blocks of block_rows, their mean subtracted, the last block filled up with zeros.
class CentredRows {
public:
    CentredRows(const float* rows, std::int64_t n, std::int64_t d)
        : rows_(rows), n_(n), d_(d), mean_({d}), block_({std::min(n, block_rows), d}) {
        std::vector<double> sum(static_cast<std::size_t>(d), 0.0);
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t j = 0; j < d; ++j) {
                sum[static_cast<std::size_t>(j)] += double{rows[i * d + j]};
            }
        }
        std::transform(sum.begin(), sum.end(), mean_.data(),
                       [n](double value) { return static_cast<float>(value / static_cast<double>(n)); });
    }

    [[nodiscard]] const Tensor& mean() const { return mean_; }
    [[nodiscard]] std::int64_t block() const { return block_.rows(); }
    [[nodiscard]] std::int64_t rows() const { return n_; }
    [[nodiscard]] std::int64_t columns() const { return d_; }

    template <class Body>
    void each_block(const Body& body) {
        for (std::int64_t first = 0; first < n_; first += block()) {
            const std::int64_t count = std::min(block(), n_ - first);
            base::parallel_ranges(count, 16, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) {
                    const float* row = rows_ + (first + i) * d_;
                    std::transform(row, row + d_, mean_.data(), block_.data() + i * d_, std::minus<>{});
                }
            });
            std::fill(block_.data() + count * d_, block_.data() + block_.size(), 0.0F);
            body(block_.data());
        }
    }

private:
    const float* rows_;
    std::int64_t n_;
    std::int64_t d_;
    Tensor mean_;
    Tensor block_;
};

/// d × d, divided by n.
Tensor covariance(Context& context, CentredRows& rows) {
    const std::int64_t d = rows.columns();
    Gemm product(context, d, d, rows.block(), {.trans_a = true});
    Tensor part({d, d});
    Tensor sum({d, d});
    rows.each_block([&](const float* block) {
        product.run(block, block, part.data());
        add(part.data(), part.size(), sum.data());
    });
    const float scale = 1.0F / static_cast<float>(rows.rows());
    std::for_each(sum.data(), sum.data() + sum.size(), [scale](float& value) { value *= scale; });
    return sum;
}

/// Columns d × w made orthonormal: Cholesky QR, twice (Yamamoto et al. 2015), shifted against columns that
/// depend on one another.
class Orthonormal {
public:
    Orthonormal(Context& context, std::int64_t d, std::int64_t w)
        : gram_(context, w, w, d, {.trans_a = true}),
          solve_(context, d, w, w),
          products_({w, w}),
          result_({d, w}) {}

    void apply(Tensor& columns) {
        int passes = 2;
        for (int pass = 0; pass < passes; ++pass) {
            gram_.run(columns.data(), columns.data(), products_.data());
            const auto [inverse, shift] = inverse_root(as_double(products_));
            solve_.run(columns.data(), as_tensor(inverse).data(), result_.data());
            std::swap(columns, result_);
            if (shift > least_shift && passes < max_passes) {
                ++passes;
            }
        }
    }

private:
    static constexpr double least_shift = 1e-6;  ///< as a share of the largest diagonal element
    static constexpr double max_shift = 1e-2;
    static constexpr int max_passes = 6;

    struct Inverse {
        MatrixXd matrix;
        double shift;
    };

    /// U⁻¹, Uᵀ U = products + shift. Products of columns that all but coincide are no longer positive
    /// definite after rounding: the shift grows until they are.
    static Inverse inverse_root(const MatrixXd& products) {
        const double largest = products.diagonal().maxCoeff();
        for (double shift = least_shift; shift <= max_shift; shift *= 10.0) {
            MatrixXd shifted = products;
            shifted.diagonal().array() += shift * largest + 1e-30;  // columns of zeros stay
            const Eigen::LLT<MatrixXd> decomposition(shifted);
            if (decomposition.info() == Eigen::Success) {
                return {decomposition.matrixU().solve(MatrixXd::Identity(products.rows(), products.cols())),
                        shift};
            }
        }
        throw BackendError("principal axes: values too large or not numbers");
    }

    Gemm gram_;
    Gemm solve_;
    Tensor products_;
    Tensor result_;
};

/// Subspace iteration with image(columns d × w, to d × w), the product with the covariance.
template <class Image>
void iterate(Context& context, std::int64_t d, std::int64_t width, int iterations, const Image& image,
             PcaResult& result) {
    Tensor basis({d, width});
    const base::Random random(0, base::Stream::weights, 0, 1);
    for (std::int64_t i = 0; i < basis.size(); i += 2) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 2));
        const auto normal = base::Random::normal(bits[0], bits[1]);
        basis.data()[i] = normal[0];
        if (i + 1 < basis.size()) {
            basis.data()[i + 1] = normal[1];
        }
    }
    Orthonormal orthonormal(context, d, width);
    orthonormal.apply(basis);
    Tensor next({d, width});
    for (int i = 0; i < iterations; ++i) {
        image(basis, next);
        std::swap(basis, next);
        orthonormal.apply(basis);
    }
    image(basis, next);
    Tensor projected({width, width});
    Gemm(context, width, width, d, {.trans_a = true}).run(basis.data(), next.data(), projected.data());
    MatrixXd square = as_double(projected);
    square = 0.5 * (square + square.transpose()).eval();
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(square);
    const Tensor vectors = as_tensor(solver.eigenvectors().rowwise().reverse().transpose());
    result.components = Tensor({width, d});
    Gemm(context, width, d, width, {.trans_b = true})
        .run(vectors.data(), basis.data(), result.components.data());
    for (std::int64_t i = 0; i < width; ++i) {
        result.variances.push_back(solver.eigenvalues()(width - 1 - i));
    }
}

double total_variance(const Tensor& covariance) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < covariance.rows(); ++i) {
        sum += double{covariance.row(i)[static_cast<std::size_t>(i)]};
    }
    return sum;
}

void solve_whole(const Tensor& covariance, PcaResult& result) {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(as_double(covariance));
    if (solver.info() != Eigen::Success) {
        throw BackendError("principal axes: the eigenvalue solver did not converge");
    }
    result.components = as_tensor(solver.eigenvectors().rowwise().reverse().transpose());
    const auto values = solver.eigenvalues();
    result.variances.assign(values.data(), values.data() + values.size());
    std::reverse(result.variances.begin(), result.variances.end());
}

void solve(Context& context, const Tensor& matrix, std::int64_t width, PcaResult& result) {
    const std::int64_t d = matrix.rows();
    result.total_variance = total_variance(matrix);
    if (d <= full_solver_columns || width > d / 2) {
        solve_whole(matrix, result);
        return;
    }
    Gemm product(context, d, width, d);
    iterate(
        context, d, width, covariance_iterations,
        [&](const Tensor& basis, Tensor& image) { product.run(matrix.data(), basis.data(), image.data()); },
        result);
}

/// Columns that are iterated on, of which `count` are asked for.
std::int64_t with_margin(std::int64_t count, std::int64_t most) {
    return std::min(most, count + std::max<std::int64_t>(16, count / 8));
}

/// Keeps the first axes, at most `count`, that have a variance to speak of; at least one.
void cut(PcaResult& result, std::int64_t count) {
    const double bound = min_variance_ratio * std::max(result.variances.front(), 1e-30);
    std::int64_t kept = 1;
    while (kept < std::min<std::int64_t>(count, std::ssize(result.variances)) &&
           result.variances[static_cast<std::size_t>(kept)] > bound) {
        ++kept;
    }
    result.variances.resize(static_cast<std::size_t>(kept));
    for (double& variance : result.variances) {
        variance = std::max(variance, 0.0);
    }
    Tensor axes({kept, result.components.columns()});
    std::copy_n(result.components.data(), axes.size(), axes.data());
    result.components = std::move(axes);
}

}  // namespace

PcaResult pca(Context& context, const float* rows, std::int64_t n, std::int64_t d, std::int64_t count) {
    PcaResult result;
    CentredRows centred(rows, n, d);
    result.mean = centred.mean();
    const std::int64_t width = with_margin(count, std::min(d, n));
    if (d > widest_covariance) {
        Gemm forth(context, centred.block(), width, d);
        Gemm back(context, d, width, centred.block(), {.trans_a = true});
        Tensor codes({centred.block(), width});
        Tensor part({d, width});
        const float scale = 1.0F / static_cast<float>(n);
        iterate(
            context, d, width, row_iterations,
            [&](const Tensor& basis, Tensor& image) {
                std::fill_n(image.data(), image.size(), 0.0F);
                centred.each_block([&](const float* block) {
                    forth.run(block, basis.data(), codes.data());
                    std::for_each(codes.data(), codes.data() + codes.size(), [&](float& v) { v *= scale; });
                    back.run(block, codes.data(), part.data());
                    add(part.data(), part.size(), image.data());
                });
            },
            result);
        centred.each_block([&](const float* block) {
            result.total_variance += squared_norm(block, centred.block() * d) / static_cast<double>(n);
        });
    } else {
        solve(context, covariance(context, centred), width, result);
    }
    cut(result, count);
    return result;
}

double pca_floats(std::int64_t n, std::int64_t d, std::int64_t count) {
    const auto columns = static_cast<double>(d);
    const auto width = static_cast<double>(with_margin(count, std::min(d, n)));
    const double block = columns * static_cast<double>(std::min(n, block_rows));
    // Basis, image, product and result, and the products of basis vectors with one another in double
    // precision.
    const double subspace = 5.0 * columns * width + 8.0 * width * width;
    if (d > widest_covariance) {
        return block + columns * width + subspace;
    }
    const double covariances = 2.0 * columns * columns;
    return block + covariances +
           (d <= full_solver_columns || width > columns / 2.0 ? 6.0 * columns * columns : subspace);
}

PcaResult top_eigenvectors(Context& context, const Tensor& matrix, std::int64_t count) {
    PcaResult result;
    const std::int64_t d = matrix.rows();
    solve(context, matrix, with_margin(count, d), result);
    cut(result, count);
    return result;
}

PcaResult top_eigenvectors(Context& context, std::int64_t d, std::int64_t count, double trace, int iterations,
                           const std::function<void(const Tensor&, Tensor&)>& image) {
    PcaResult result;
    result.total_variance = trace;
    iterate(context, d, with_margin(count, d), iterations, image, result);
    cut(result, count);
    return result;
}

}  // namespace stackae::linalg
