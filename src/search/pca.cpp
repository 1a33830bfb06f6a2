#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "nn/matrix_product.hpp"
#include "search/eigen.hpp"

namespace stackae {
namespace {

using Eigen::MatrixXd;
using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

constexpr std::int64_t block_rows = 1024;

Tensor mean_row(const Tensor& rows) {
    const auto d = static_cast<std::size_t>(rows.columns());
    std::vector<double> sum(d, 0.0);
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        const auto row = rows.row(i);
        for (std::size_t j = 0; j < d; ++j) {
            sum[j] += double{row[j]};
        }
    }
    Tensor mean({rows.columns()});
    for (std::size_t j = 0; j < d; ++j) {
        mean.data()[j] = static_cast<float>(sum[j] / static_cast<double>(rows.rows()));
    }
    return mean;
}

/// Σ zᵀ z over `rows` rows z of length `columns`, symmetric, columns × columns: float products over blocks
/// of rows, summed up in double. fill(first, count, block) writes count rows from `first` on.
using Fill = std::function<void(std::int64_t, std::int64_t, float*)>;
MatrixXd sum_of_products(nn::Context& context, std::int64_t rows, std::int64_t columns, const Fill& fill) {
    nn::MatrixProduct product(context, nn::ProductForm::transposed_a, columns, columns, block_rows);
    Tensor block({block_rows, columns});
    Tensor part({columns, columns});
    MatrixXd sum = MatrixXd::Zero(columns, columns);
    for (std::int64_t first = 0; first < rows; first += block_rows) {
        const std::int64_t count = std::min(block_rows, rows - first);
        fill(first, count, block.data());
        std::fill(block.data() + count * columns, block.data() + block.size(), 0.0F);
        product.run(block.data(), block.data(), part.data());
        sum += Eigen::Map<const RowMajor>(part.data(), columns, columns).cast<double>();
    }
    return 0.5 * (sum + sum.transpose());
}

/// (rows − mean)ᵀ (rows − mean), d × d.
MatrixXd covariance(nn::Context& context, const Tensor& rows, const Tensor& mean) {
    const std::int64_t d = rows.columns();
    return sum_of_products(context, rows.rows(), d,
                           [&](std::int64_t first, std::int64_t count, float* block) {
                               for (std::int64_t i = 0; i < count; ++i) {
                                   std::transform(rows.row(first + i).begin(), rows.row(first + i).end(),
                                                  mean.data(), block + i * d, std::minus<>{});
                               }
                           });
}

/// (rows − mean) (rows − mean)ᵀ, n × n.
MatrixXd gram(nn::Context& context, const Tensor& rows, const Tensor& mean) {
    const std::int64_t n = rows.rows();
    return sum_of_products(
        context, rows.columns(), n, [&](std::int64_t first, std::int64_t count, float* block) {
            for (std::int64_t j = 0; j < count; ++j) {
                const std::int64_t column = first + j;
                for (std::int64_t i = 0; i < n; ++i) {
                    block[j * n + i] = rows.data()[i * rows.columns() + column] - mean.data()[column];
                }
            }
        });
}

/// Gram's method (Sirovich 1987): the components are (rows − mean)ᵀ u, up to their length. d × c.
MatrixXd components_from_gram(const Tensor& rows, const Tensor& mean, const MatrixXd& vectors) {
    const std::int64_t d = rows.columns();
    MatrixXd components = MatrixXd::Zero(d, vectors.cols());
    const Eigen::Map<const Eigen::RowVectorXf> centre(mean.data(), d);
    for (std::int64_t first = 0; first < rows.rows(); first += block_rows) {
        const std::int64_t count = std::min(block_rows, rows.rows() - first);
        const Eigen::Map<const RowMajor> block(rows.data() + first * d, count, d);
        const MatrixXd centred = (block.rowwise() - centre).cast<double>();
        components.noalias() += centred.transpose() * vectors.middleRows(first, count);
    }
    return components;
}

/// Gram–Schmidt, twice each for safety; a column that vanishes (rows without variance there) is replaced by
/// what is left of a unit vector.
void make_orthonormal(MatrixXd& columns) {
    const double largest = columns.cols() > 0 ? columns.col(0).norm() : 0.0;
    Eigen::Index unit = 0;
    for (Eigen::Index j = 0; j < columns.cols(); ++j) {
        for (int pass = 0; pass < 2; ++pass) {
            columns.col(j) -= columns.leftCols(j) * (columns.leftCols(j).transpose() * columns.col(j)).eval();
        }
        if (columns.col(j).norm() > 1e-6 * largest) {
            columns.col(j).normalize();
            continue;
        }
        do {
            columns.col(j).setZero();
            columns(unit++, j) = 1.0;
            for (int pass = 0; pass < 2; ++pass) {
                columns.col(j) -=
                    columns.leftCols(j) * (columns.leftCols(j).transpose() * columns.col(j)).eval();
            }
        } while (columns.col(j).norm() < 0.5 / std::sqrt(static_cast<double>(columns.rows())));
        columns.col(j).normalize();
    }
}

/// The entry of largest magnitude is positive, so that a component has one sign only.
Tensor signed_rows(const MatrixXd& columns) {
    Tensor components({columns.cols(), columns.rows()});
    for (Eigen::Index j = 0; j < columns.cols(); ++j) {
        Eigen::Index largest = 0;
        columns.col(j).cwiseAbs().maxCoeff(&largest);
        const double sign = columns(largest, j) < 0.0 ? -1.0 : 1.0;
        Eigen::Map<Eigen::VectorXf>(components.row(j).data(), columns.rows()) =
            (sign * columns.col(j)).cast<float>();
    }
    return components;
}

void check_width(const char* operation, const Tensor& rows, std::int64_t expected) {
    if (!rows.empty() && rows.columns() != expected) {
        throw InvalidArgument(fmt::format("principal components, {}: rows of {} values found, {} expected",
                                          operation, rows.columns(), expected));
    }
}

}  // namespace

Pca Pca::fit(const Tensor& rows, std::int64_t components, int threads) {
    const std::int64_t n = rows.rows();
    const std::int64_t d = rows.columns();
    if (components < 1 || components > std::min(n, d)) {
        throw InvalidArgument(
            fmt::format("principal components: {} asked for, 1 to {} possible with {} rows of {} values",
                        components, std::min(n, d), n, d));
    }
    const nn::ThreadScope scope(threads);
    nn::Context context(threads);
    Pca pca;
    pca.mean = mean_row(rows);
    MatrixXd vectors;
    if (d <= n) {
        vectors = search::leading_eigenpairs(covariance(context, rows, pca.mean), components).vectors;
    } else {
        vectors = components_from_gram(
            rows, pca.mean, search::leading_eigenpairs(gram(context, rows, pca.mean), components).vectors);
        make_orthonormal(vectors);
    }
    pca.components = signed_rows(vectors);
    return pca;
}

Tensor Pca::encode(const Tensor& rows, int threads) const {
    const std::int64_t d = mean.size();
    const std::int64_t c = components.rows();
    check_width("encode", rows, d);
    const nn::ThreadScope scope(threads);
    nn::Context context(threads);
    nn::MatrixProduct product(context, nn::ProductForm::transposed_b, block_rows, c, d);
    Tensor centred({block_rows, d});
    Tensor block({block_rows, c});
    Tensor codes({rows.rows(), c});
    for (std::int64_t first = 0; first < rows.rows(); first += block_rows) {
        const std::int64_t count = std::min(block_rows, rows.rows() - first);
        for (std::int64_t i = 0; i < count; ++i) {
            std::transform(rows.row(first + i).begin(), rows.row(first + i).end(), mean.data(),
                           centred.row(i).data(), std::minus<>{});
        }
        product.run(centred.data(), components.data(), block.data());
        std::copy_n(block.data(), count * c, codes.row(first).data());
    }
    return codes;
}

Tensor Pca::decode(const Tensor& codes, int threads) const {
    const std::int64_t d = mean.size();
    const std::int64_t c = components.rows();
    check_width("decode", codes, c);
    const nn::ThreadScope scope(threads);
    nn::Context context(threads);
    nn::MatrixProduct product(context, nn::ProductForm::plain, block_rows, d, c);
    Tensor padded({block_rows, c});
    Tensor block({block_rows, d});
    Tensor rows({codes.rows(), d});
    for (std::int64_t first = 0; first < codes.rows(); first += block_rows) {
        const std::int64_t count = std::min(block_rows, codes.rows() - first);
        std::copy_n(codes.row(first).data(), count * c, padded.data());
        product.run(padded.data(), components.data(), block.data());
        for (std::int64_t i = 0; i < count; ++i) {
            std::transform(block.row(i).begin(), block.row(i).end(), mean.data(), rows.row(first + i).data(),
                           std::plus<>{});
        }
    }
    return rows;
}

}  // namespace stackae
