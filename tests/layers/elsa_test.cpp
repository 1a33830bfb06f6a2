#include <Eigen/Core>
#include <cmath>

#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "layers/chain.hpp"
#include "layers/elsa_loss.hpp"
#include "layers/sample.hpp"
#include "support/catch.hpp"
#include "support/interactions.hpp"

using namespace stackae;

namespace {

base::SparseRows rows_of(const Interactions& table) {
    base::SparseRows rows;
    rows.offsets = table.offsets;
    rows.columns = table.columns;
    rows.values = table.values;
    return rows;
}

Tensor directions(std::int64_t n, std::int64_t k, std::uint32_t seed) {
    Tensor weights = test::random_rows(n, k, seed);
    for (std::int64_t i = 0; i < n; ++i) {
        base::l2_normalize(weights.row(i), weights.row(i));
    }
    return weights;
}

Eigen::MatrixXd matrix_of(const Tensor& tensor) {
    Eigen::MatrixXd matrix(tensor.rows(), tensor.columns());
    for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
        for (Eigen::Index j = 0; j < matrix.cols(); ++j) {
            matrix(i, j) = double{tensor.row(i)[static_cast<std::size_t>(j)]};
        }
    }
    return matrix;
}

/// Of each user that has something, in double, with x̂ as it is written down.
double mean_loss(const Interactions& table, Eigen::MatrixXd v) {
    v.rowwise().normalize();
    double sum = 0.0;
    double counted = 0.0;
    for (std::int64_t u = 0; u < table.user_count(); ++u) {
        Eigen::VectorXd x = Eigen::VectorXd::Zero(table.item_count());
        for (std::size_t e = 0; e < table.items_of(u).size(); ++e) {
            x(table.items_of(u)[e]) = double{table.values_of(u)[e]};
        }
        if (x.squaredNorm() > 0.0) {
            const Eigen::VectorXd rebuilt = v * (v.transpose() * x) - x;
            sum += (x / x.norm() - rebuilt / rebuilt.norm()).squaredNorm();
            counted += 1.0;
        }
    }
    return sum / counted;
}

}  // namespace

TEST_CASE("The loss of rows that are never rebuilt is that of rows that are") {
    const Interactions table = test::random_table(40, 30, 12, 3, GENERATE(1, 5));
    const Tensor weights = directions(30, 7, 4);
    const base::SparseRows rows = rows_of(table);
    const double found =
        layers::ElsaLoss(weights).sum(rows) / static_cast<double>(layers::counted_rows(rows));
    CHECK(found == Approx(mean_loss(table, matrix_of(weights))).epsilon(1e-5));
}

TEST_CASE("The gradient is what the loss changes by, through the lengths of rows that are 1 again") {
    const Interactions table = test::random_table(25, 20, 9, 5, GENERATE(1, 4));
    REQUIRE(layers::counted_rows(rows_of(table)) < table.user_count());  // some have nothing
    const Tensor weights = directions(20, 6, 8);
    Tensor gradient({20, 6});
    (void)layers::ElsaLoss(weights).sum(rows_of(table), gradient);
    constexpr double step = 1e-4;
    double largest = 0.0;
    for (std::int64_t i = 0; i < 20; ++i) {
        for (std::int64_t j = 0; j < 6; ++j) {
            CAPTURE(i, j);
            Eigen::MatrixXd moved = matrix_of(weights);
            moved(i, j) += step;
            const double above = mean_loss(table, moved);
            moved(i, j) -= 2.0 * step;
            const double slope = (above - mean_loss(table, moved)) / (2.0 * step);
            REQUIRE(double{gradient.row(i)[static_cast<std::size_t>(j)]} ==
                    Approx(slope).epsilon(1e-3).margin(2e-6));
            largest = std::max(largest, std::abs(slope));
        }
    }
    CHECK(largest > 1e-3);
}

TEST_CASE("A user of one item, or of none, has a gradient that is a number") {
    const Interactions table = test::table({{2}, {}, {0, 1, 2, 3}}, 4);
    for (const std::int64_t k : {1, 4}) {
        Tensor weights({4, k});
        for (std::int64_t i = 0; i < 4; ++i) {
            weights.row(i)[static_cast<std::size_t>(i % k)] = 1.0F;  // alike, or apart from all others
        }
        Tensor gradient({4, k});
        CHECK(std::isfinite(layers::ElsaLoss(weights).sum(rows_of(table), gradient)));
        CHECK(base::all_finite(gradient.values()));
    }
    Tensor gradient({4, 2});
    CHECK(layers::ElsaLoss(directions(4, 2, 1)).sum({}, gradient) == 0.0);
}

TEST_CASE("Loss and gradient are the same to the last bit at any number of threads") {
    const Interactions table = test::random_table(300, 900, 40, 7);
    const Tensor weights = directions(900, 70, 2);
    const auto found = [&](int threads) {
        const base::ThreadScope scope(threads);
        Tensor gradient({900, 70});
        const double loss = layers::ElsaLoss(weights).sum(rows_of(table), gradient);
        return std::pair(loss, std::move(gradient));
    };
    const auto one = found(1);
    for (const int threads : {2, 5}) {
        const auto several = found(threads);
        CHECK(several.first == one.first);
        CHECK(std::equal(one.second.values().begin(), one.second.values().end(),
                         several.second.values().begin()));
    }
}

TEST_CASE("The factorised linear autoencoder codes by x A and rebuilds by h A^T; inputs are alike by angle") {
    const Stack stack = test::filled_stack("elsa:3", {1, 1, 90});
    const Eigen::MatrixXd a = matrix_of(*layers::tensors_of(stack[0]).begin()->tensor);
    Tensor x = test::random_rows(5, 90, 6);
    for (std::int64_t i = 0; i < x.size(); ++i) {
        x.data()[i] = i % 3 == 0 ? x.data()[i] : 0.0F;
    }
    const Tensor codes = layers::Chain(stack.layers(), layers::Direction::encode, 2).run(x);
    const Eigen::MatrixXd expected = matrix_of(x) * a;
    CHECK((matrix_of(codes) - expected).cwiseAbs().maxCoeff() < 1e-5);
    const Tensor back = layers::Chain(stack.layers(), layers::Direction::decode, 2).run(codes);
    CHECK((matrix_of(back) - expected * a.transpose()).cwiseAbs().maxCoeff() < 1e-4);
    const Tensor alike = stack[0].input_similarity(8);
    for (Eigen::Index i = 0; i < 90; ++i) {
        CHECK(double{alike.data()[i]} ==
              Approx(a.row(8).normalized().dot(a.row(i).normalized())).margin(1e-6));
    }
}
