#include "linalg/pca.hpp"

#include <Eigen/Cholesky>
#include <Eigen/Eigenvalues>
#include <algorithm>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "linalg/tiled_product.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::linalg {
namespace {

using Eigen::MatrixXd;
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::int64_t block_rows = 2048;
constexpr std::int64_t full_solver_columns = 512;
constexpr std::int64_t max_covariance_columns = 6144;
constexpr int covariance_iterations = 12;
constexpr int row_iterations = 5;
/// Eigenvalues below this share of the largest are mere rounding.
constexpr double min_variance_ratio = 1e-6;

MatrixXd as_double(const Tensor& matrix) {
    return Eigen::Map<const RowMajor>(matrix.data(), matrix.rows(), matrix.columns()).cast<double>();
}

Tensor as_tensor(const MatrixXd& matrix) {
    Tensor tensor({matrix.rows(), matrix.cols()});
    Eigen::Map<RowMajor>(tensor.data(), matrix.rows(), matrix.cols()) = matrix.cast<float>();
    return tensor;
}

/// Gives a member's share of the rows in blocks of block_rows, scaled and the mean of all subtracted, the
/// last block filled up with zeros.
class CentredRows {
public:
    CentredRows(const float* rows, std::int64_t n, std::int64_t d, std::span<const double> scale,
                base::Communicator& communicator)
        : rows_(rows),
          n_(n),
          d_(d),
          scale_(scale),
          communicator_(communicator),
          share_(base::share_of(communicator, n)),
          mean_({d}),
          block_({std::min(n, block_rows), d}) {
        std::vector<double> sum(static_cast<std::size_t>(d), 0.0);
        std::vector<float> row(sum.size());
        for (std::int64_t i = share_.first; i < share_.last; ++i) {
            put_scaled(i, row.data());
            std::transform(sum.begin(), sum.end(), row.begin(), sum.begin(),
                           [](double part, float value) { return part + double{value}; });
        }
        communicator.sum(sum);
        std::transform(sum.begin(), sum.end(), mean_.data(),
                       [n](double value) { return static_cast<float>(value / static_cast<double>(n)); });
    }

    [[nodiscard]] const Tensor& mean() const { return mean_; }
    [[nodiscard]] std::int64_t block() const { return block_.rows(); }
    [[nodiscard]] std::int64_t rows() const { return n_; }
    [[nodiscard]] std::int64_t columns() const { return d_; }

    template <class Body>
    void each_block(const Body& body) {
        for (std::int64_t first = share_.first; first < share_.last; first += block()) {
            const std::int64_t count = std::min(block(), share_.last - first);
            base::parallel_ranges(count, 16, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i) {
                    float* row = block_.data() + i * d_;
                    put_scaled(first + i, row);
                    std::transform(row, row + d_, mean_.data(), row, std::minus<>{});
                }
            });
            std::fill(block_.data() + count * d_, block_.data() + block_.size(), 0.0F);
            body(block_.data());
        }
    }
    /// Of what each member has made of its share.
    void sum(std::span<float> values) const { communicator_.sum(values); }
    [[nodiscard]] double sum(double value) const {
        communicator_.sum(std::span<double>(&value, 1));
        return value;
    }

private:
    void put_scaled(std::int64_t i, float* dst) const {
        const float* row = rows_ + i * d_;
        if (scale_.empty()) {
            std::copy_n(row, d_, dst);
            return;
        }
        std::transform(row, row + d_, scale_.begin(), dst,
                       [](float value, double factor) { return static_cast<float>(double{value} * factor); });
    }

    const float* rows_;
    std::int64_t n_;
    std::int64_t d_;
    std::span<const double> scale_;
    base::Communicator& communicator_;
    base::Share share_;
    Tensor mean_;
    Tensor block_;
};

/// The covariance matrix, d × d, divided by n.
Tensor covariance(CentredRows& rows) {
    const std::int64_t d = rows.columns();
    Tensor sum({d, d});
    rows.each_block([&](const float* block) { add_gram(block, rows.block(), d, sum.data()); });
    rows.sum(sum.values());
    mirror_upper(sum, base::current_threads());
    const float scale = 1.0F / static_cast<float>(rows.rows());
    std::for_each(sum.data(), sum.data() + sum.size(), [scale](float& value) { value *= scale; });
    return sum;
}

/// Makes columns, d × w, orthonormal: Cholesky QR, twice (Yamamoto et al. 2015), shifted against columns that
/// depend on one another.
class Orthonormal {
public:
    Orthonormal(std::int64_t d, std::int64_t w) : products_({w, w}), result_({d, w}) {}

    void apply(Tensor& columns) {
        int passes = 2;
        for (int pass = 0; pass < passes; ++pass) {
            std::fill_n(products_.data(), products_.size(), 0.0F);
            add_gram(columns.data(), columns.rows(), columns.columns(), products_.data());
            mirror_upper(products_, base::current_threads());
            const auto [inverse, shift] = inverse_factor(as_double(products_));
            TiledProduct{.m = columns.rows(), .n = columns.columns(), .k = columns.columns()}.run(
                columns.data(), as_tensor(inverse).data(), result_.data());
            std::swap(columns, result_);
            if (shift > min_shift && passes < max_passes) {
                ++passes;
            }
        }
    }

private:
    static constexpr double min_shift = 1e-6;  ///< as a share of the largest diagonal element
    static constexpr double max_shift = 1e-2;
    static constexpr int max_passes = 6;

    struct Inverse {
        MatrixXd matrix;
        double shift;
    };

    /// U⁻¹ of the Cholesky decomposition Uᵀ U = products + shift. Products of columns that all but coincide
    /// are no longer positive definite after rounding: the shift grows until they are.
    static Inverse inverse_factor(const MatrixXd& products) {
        const double largest = products.diagonal().maxCoeff();
        for (double shift = min_shift; shift <= max_shift; shift *= 10.0) {
            MatrixXd shifted = products;
            shifted.diagonal().array() += shift * largest + 1e-30;  // columns of zeros stay
            const Eigen::LLT<MatrixXd> decomposition(shifted);
            if (decomposition.info() == Eigen::Success) {
                return {decomposition.matrixU().solve(MatrixXd::Identity(products.rows(), products.cols())),
                        shift};
            }
        }
        throw BackendError("PCA: values too large or not numbers");
    }

    Tensor products_;
    Tensor result_;
};

/// w random directions, d × w, orthonormal.
Tensor random_basis(std::int64_t d, std::int64_t w, Orthonormal& orthonormal) {
    Tensor basis({d, w});
    const base::Random random(0, base::RandomStream::weights, 0, 1);
    for (std::int64_t i = 0; i < basis.size(); i += 2) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 2));
        const auto normal = base::Random::normal(bits[0], bits[1]);
        basis.data()[i] = normal[0];
        if (i + 1 < basis.size()) {
            basis.data()[i + 1] = normal[1];
        }
    }
    orthonormal.apply(basis);
    return basis;
}

/// Subspace iteration by multiply(x, y), y = A x, both d × w. It ends with the eigenvectors of A within the
/// subspace (Rayleigh-Ritz).
template <class Multiply>
void iterate(std::int64_t d, std::int64_t w, int iterations, Multiply&& multiply, EigenResult& result) {
    Orthonormal orthonormal(d, w);
    Tensor basis = random_basis(d, w, orthonormal);
    Tensor next({d, w});
    for (int i = 0; i < iterations; ++i) {
        multiply(basis, next);
        std::swap(basis, next);
        orthonormal.apply(basis);
    }
    multiply(basis, next);
    Tensor projected({w, w});
    TiledProduct{.m = w, .n = w, .k = d, .trans_a = true}.run(basis.data(), next.data(), projected.data());
    MatrixXd square = as_double(projected);
    square = 0.5 * (square + square.transpose()).eval();
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(square);
    const Tensor vectors = as_tensor(solver.eigenvectors().rowwise().reverse().transpose());
    result.vectors = Tensor({w, d});
    TiledProduct{.m = w, .n = d, .k = w, .trans_b = true}.run(vectors.data(), basis.data(),
                                                              result.vectors.data());
    for (std::int64_t i = 0; i < w; ++i) {
        result.values.push_back(solver.eigenvalues()(w - 1 - i));
    }
}

double trace_of(const Tensor& matrix) {
    double sum = 0.0;
    for (std::int64_t i = 0; i < matrix.rows(); ++i) {
        sum += double{matrix.row(i)[static_cast<std::size_t>(i)]};
    }
    return sum;
}

void solve_whole(const Tensor& matrix, EigenResult& result) {
    const Eigen::SelfAdjointEigenSolver<MatrixXd> solver(as_double(matrix));
    if (solver.info() != Eigen::Success) {
        throw BackendError("PCA: the eigenvalue solver did not converge");
    }
    result.vectors = as_tensor(solver.eigenvectors().rowwise().reverse().transpose());
    const auto& values = solver.eigenvalues();
    result.values.assign(values.data(), values.data() + values.size());
    std::reverse(result.values.begin(), result.values.end());
}

void solve(const Tensor& matrix, std::int64_t width, EigenResult& result) {
    const std::int64_t d = matrix.rows();
    result.trace = trace_of(matrix);
    if (d <= full_solver_columns || width > d / 2) {
        solve_whole(matrix, result);
        return;
    }
    const TiledProduct product{.m = d, .n = width, .k = d};
    iterate(
        d, width, covariance_iterations,
        [&](const Tensor& x, Tensor& y) { product.run(matrix.data(), x.data(), y.data()); }, result);
}

/// Multiplies by the covariance without making it: y = Zᵀ (Z x) / n for the centred rows Z.
class CovarianceProduct {
public:
    CovarianceProduct(CentredRows& rows, std::int64_t width)
        : rows_(rows),
          forth_{.m = rows.block(), .n = width, .k = rows.columns()},
          back_{.m = rows.columns(), .n = width, .k = rows.block(), .trans_a = true},
          codes_({rows.block(), width}) {}

    void operator()(const Tensor& x, Tensor& y) {
        const float scale = 1.0F / static_cast<float>(rows_.rows());
        std::fill_n(y.data(), y.size(), 0.0F);
        rows_.each_block([&](const float* block) {
            forth_.run(block, x.data(), codes_.data());
            std::for_each(codes_.data(), codes_.data() + codes_.size(), [&](float& v) { v *= scale; });
            back_.add(block, codes_.data(), y.data());
        });
        rows_.sum(y.values());
    }

private:
    CentredRows& rows_;
    TiledProduct forth_;
    TiledProduct back_;
    Tensor codes_;
};

/// How many columns are iterated on when `count` are asked for: some more, since the last converge slowly.
std::int64_t with_margin(std::int64_t count, std::int64_t most) {
    return std::min(most, count + std::max<std::int64_t>(16, count / 8));
}

/// Keeps the first vectors, at most `count`, whose eigenvalues are not mere rounding; at least one.
void truncate(EigenResult& result, std::int64_t count) {
    const double bound = min_variance_ratio * std::max(result.values.front(), 1e-30);
    std::int64_t kept = 1;
    while (kept < std::min<std::int64_t>(count, std::ssize(result.values)) &&
           result.values[static_cast<std::size_t>(kept)] > bound) {
        ++kept;
    }
    result.values.resize(static_cast<std::size_t>(kept));
    for (double& value : result.values) {
        value = std::max(value, 0.0);
    }
    Tensor vectors({kept, result.vectors.columns()});
    std::copy_n(result.vectors.data(), vectors.size(), vectors.data());
    result.vectors = std::move(vectors);
}

}  // namespace

PcaResult pca(const float* rows, std::int64_t n, std::int64_t d, std::int64_t n_components,
              std::span<const double> scale, base::Communicator& communicator) {
    CentredRows centred(rows, n, d, scale, communicator);
    const std::int64_t width = with_margin(n_components, std::min(d, n));
    EigenResult eigen;
    if (d > max_covariance_columns) {
        iterate(d, width, row_iterations, CovarianceProduct(centred, width), eigen);
        centred.each_block([&](const float* block) {
            eigen.trace += squared_norm(block, centred.block() * d) / static_cast<double>(n);
        });
        eigen.trace = centred.sum(eigen.trace);
    } else {
        solve(covariance(centred), width, eigen);
    }
    truncate(eigen, n_components);
    return {centred.mean(), std::move(eigen.vectors), std::move(eigen.values), eigen.trace};
}

double pca_floats(std::int64_t n, std::int64_t d, std::int64_t n_components) {
    const auto columns = static_cast<double>(d);
    const auto width = static_cast<double>(with_margin(n_components, std::min(d, n)));
    const double block = columns * static_cast<double>(std::min(n, block_rows));
    // Basis, image, product and result, and the products of basis vectors with one another in double
    // precision.
    const double subspace = 5.0 * columns * width + 8.0 * width * width;
    if (d > max_covariance_columns) {
        return block + subspace;
    }
    const double covariance = columns * columns;
    return block + covariance +
           (d <= full_solver_columns || width > columns / 2.0 ? 6.0 * columns * columns : subspace);
}

double pca_multiply_adds(std::int64_t n, std::int64_t d, std::int64_t n_components) {
    // By time: a step of the solver in double precision on one core, and of the triangular matrices between
    // two products of a subspace.
    constexpr double solving = 220.0;
    constexpr double orthonormalizing = 40.0;
    const auto rows = static_cast<double>(n);
    const auto columns = static_cast<double>(d);
    const auto width = static_cast<double>(with_margin(n_components, std::min(d, n)));
    const double basis = 4.0 * columns * width * width + orthonormalizing * width * width * width;
    if (d > max_covariance_columns) {
        return (row_iterations + 1) * (2.0 * rows * columns * width + basis) +
               solving * width * width * width;
    }
    const double covariance = 0.7 * rows * columns * columns;
    return covariance + (d <= full_solver_columns || width > columns / 2.0
                             ? solving * columns * columns * columns
                             : (covariance_iterations + 1) * (columns * columns * width + basis) +
                                   solving * width * width * width);
}

EigenResult top_eigenvectors(const Tensor& matrix, std::int64_t count) {
    EigenResult result;
    solve(matrix, with_margin(count, matrix.rows()), result);
    truncate(result, count);
    return result;
}

EigenResult top_eigenvectors(std::int64_t d, std::int64_t count, double trace, int iterations,
                             const std::function<void(const Tensor& x, Tensor& y)>& multiply) {
    EigenResult result;
    result.trace = trace;
    iterate(d, with_margin(count, d), iterations, multiply, result);
    truncate(result, count);
    return result;
}

Tensor whitening(const PcaResult& pca, double epsilon) {
    Tensor whitening = pca.components;
    const double added = epsilon * pca.total_variance / static_cast<double>(whitening.columns());
    for (std::int64_t i = 0; i < whitening.rows(); ++i) {
        const double scale = 1.0 / std::sqrt(pca.variances[static_cast<std::size_t>(i)] + added + 1e-12);
        for (float& value : whitening.row(i)) {
            value = static_cast<float>(scale * double{value});
        }
    }
    return whitening;
}

}  // namespace stackae::linalg
