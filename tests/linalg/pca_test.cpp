#include "linalg/pca.hpp"

#include <Eigen/Eigenvalues>
#include <cmath>
#include <vector>

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "support/catch.hpp"
#include "support/members.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

/// n rows = mean + Σ deviations[i] · g · direction i, g standard normal; directions random, orthonormal.
struct Cloud {
    Tensor rows;
    Tensor directions;
};

Cloud cloud(std::int64_t n, std::int64_t d, const std::vector<double>& deviations, float mean) {
    const auto k = static_cast<std::int64_t>(deviations.size());
    const base::Random random(21, base::RandomStream::plan);
    std::uint32_t at = 0;
    const auto normal = [&] {
        const auto bits = random.block(at++);
        return base::Random::normal(bits[0], bits[1])[0];
    };
    Cloud made{Tensor({n, d}), Tensor({k, d})};
    for (std::int64_t i = 0; i < k; ++i) {
        const auto row = made.directions.row(i);
        for (float& value : row) {
            value = normal();
        }
        for (std::int64_t before = 0; before <= i; ++before) {  // itself last, to length 1
            const auto other = made.directions.row(before);
            double product = 0.0;
            for (std::size_t j = 0; j < row.size(); ++j) {
                product += double{row[j]} * double{other[j]};
            }
            for (std::size_t j = 0; j < row.size(); ++j) {
                row[j] = before == i ? static_cast<float>(double{row[j]} / std::sqrt(product))
                                     : static_cast<float>(double{row[j]} - product * double{other[j]});
            }
        }
    }
    for (std::int64_t i = 0; i < n; ++i) {
        const auto row = made.rows.row(i);
        std::fill(row.begin(), row.end(), mean);
        for (std::int64_t direction = 0; direction < k; ++direction) {
            const double g = deviations[static_cast<std::size_t>(direction)] * double{normal()};
            for (std::size_t j = 0; j < row.size(); ++j) {
                row[j] += static_cast<float>(g * double{made.directions.row(direction)[j]});
            }
        }
    }
    return made;
}

linalg::PcaResult axes_of(const Tensor& rows, std::int64_t count, int threads = 1) {
    const base::ThreadScope scope(threads);
    return linalg::pca(rows.data(), rows.rows(), rows.columns(), count);
}

double product(std::span<const float> a, std::span<const float> b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += double{a[i]} * double{b[i]};
    }
    return sum;
}

/// Orthonormal rows in order of falling variance, and the variance of the rows along each.
void check_axes(const linalg::PcaResult& found, const Tensor& rows) {
    REQUIRE(found.components.rows() == std::ssize(found.variances));
    REQUIRE(found.components.columns() == rows.columns());
    for (std::int64_t i = 0; i < found.components.rows(); ++i) {
        for (std::int64_t j = 0; j <= i; ++j) {
            CAPTURE(i, j);
            REQUIRE(product(found.components.row(i), found.components.row(j)) ==
                    Approx(i == j ? 1.0 : 0.0).margin(1e-3));
        }
        double sum = 0.0;
        double squares = 0.0;
        for (std::int64_t row = 0; row < rows.rows(); ++row) {
            const double along = product(found.components.row(i), rows.row(row)) -
                                 product(found.components.row(i), found.mean.values());
            sum += along;
            squares += along * along;
        }
        const auto n = static_cast<double>(rows.rows());
        const double variance = squares / n - sum / n * sum / n;
        CAPTURE(i);
        const auto at = static_cast<std::size_t>(i);
        REQUIRE(found.variances[at] == Approx(variance).epsilon(0.01).margin(1e-5 * found.variances.front()));
        REQUIRE((i == 0 || found.variances[at] <= found.variances[at - 1]));
    }
}

/// Variances of the rows by an eigenvalue solver, largest first.
std::vector<double> exact_variances(const Tensor& rows) {
    Eigen::MatrixXd matrix(rows.rows(), rows.columns());
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        for (std::int64_t j = 0; j < rows.columns(); ++j) {
            matrix(i, j) = double{rows.row(i)[static_cast<std::size_t>(j)]};
        }
    }
    matrix.rowwise() -= matrix.colwise().mean().eval();
    const bool wide = rows.columns() > rows.rows();
    const Eigen::MatrixXd square =
        (wide ? Eigen::MatrixXd(matrix * matrix.transpose()) : Eigen::MatrixXd(matrix.transpose() * matrix)) /
        static_cast<double>(rows.rows());
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(square, Eigen::EigenvaluesOnly);
    std::vector<double> values(solver.eigenvalues().data(),
                               solver.eigenvalues().data() + solver.eigenvalues().size());
    std::reverse(values.begin(), values.end());
    return values;
}

/// The share of the rows' variance that the axes leave over.
double left_over(const linalg::PcaResult& found) {
    double kept = 0.0;
    for (const double variance : found.variances) {
        kept += variance;
    }
    return (found.total_variance - kept) / found.total_variance;
}

}  // namespace

TEST_CASE("Known directions of a cloud are found, largest first, around its mean") {
    const std::vector<double> deviations = {8.0, 4.0, 2.0, 1.0};
    const Cloud made = cloud(5000, 12, deviations, 3.0F);
    const linalg::PcaResult found = axes_of(made.rows, 3);
    REQUIRE(found.variances.size() == 3);
    check_axes(found, made.rows);
    for (std::size_t i = 0; i < 3; ++i) {
        const auto row = static_cast<std::int64_t>(i);
        CHECK(std::abs(product(found.components.row(row), made.directions.row(row))) > 0.99);
        CHECK(found.variances[i] == Approx(deviations[i] * deviations[i]).epsilon(0.1));
    }
    CHECK(found.total_variance == Approx(64.0 + 16.0 + 4.0 + 1.0).epsilon(0.1));
    for (const float value : found.mean.values()) {
        CHECK(static_cast<double>(value) == Approx(3.0).margin(0.3));
    }
}

TEST_CASE("Rows of whole numbers have the variances that are written down") {
    // (±3, ±1): variances 9 and 1 along the axes.
    Tensor rows({4, 2});
    const float values[] = {3, 1, 3, -1, -3, 1, -3, -1};
    std::copy_n(values, 8, rows.data());
    const linalg::PcaResult found = axes_of(rows, 2);
    REQUIRE(found.variances.size() == 2);
    CHECK(found.variances[0] == Approx(9.0));
    CHECK(found.variances[1] == Approx(1.0));
    CHECK(std::abs(found.components.row(0)[0]) == Approx(1.0F));
    CHECK(std::abs(found.components.row(1)[1]) == Approx(1.0F));
    CHECK(found.total_variance == Approx(10.0));
}

TEST_CASE("Rows that vary in few directions have as few axes, however many are asked for") {
    SECTION("by the whole solver") {
        const Cloud made = cloud(300, 40, {5.0, 2.0, 1.0}, 1.0F);
        const linalg::PcaResult found = axes_of(made.rows, 30);
        CHECK(found.variances.size() == 3);
        check_axes(found, made.rows);
    }
    SECTION("by subspace iteration on the covariance") {
        const Cloud made = cloud(300, 600, {5.0, 2.0, 1.0}, 1.0F);
        const linalg::PcaResult found = axes_of(made.rows, 30);
        CHECK(found.variances.size() == 3);
        check_axes(found, made.rows);
    }
}

TEST_CASE("Fewer rows than axes give no more axes than rows, and rebuild them") {
    const std::int64_t d = GENERATE(30, 600, 6200);
    const Tensor rows = reference::uniform({7, d}, 0, 1, 3);
    const linalg::PcaResult found = axes_of(rows, 20);
    CAPTURE(d, found.variances.size());
    CHECK(found.variances.size() == 6);
    check_axes(found, rows);
    CHECK(std::abs(left_over(found)) < 1e-4);
}

TEST_CASE("Rows without variation have one axis and no variance") {
    const std::int64_t d = GENERATE(9, 600, 6200);
    const std::int64_t n = GENERATE(1, 40);
    Tensor rows({n, d});
    std::fill_n(rows.data(), rows.size(), GENERATE(0.0F, 0.3F));
    const linalg::PcaResult found = axes_of(rows, 5);
    CAPTURE(d, n);
    CHECK(found.variances.size() == 1);
    CHECK(found.variances[0] == Approx(0.0).margin(1e-10));
    for (const float value : found.components.values()) {
        REQUIRE(std::isfinite(value));
    }
}

TEST_CASE("Subspace iteration on the covariance keeps as much variance as the exact axes do") {
    // Variances fall off as those of pictures do.
    std::vector<double> deviations(120);
    for (std::size_t i = 0; i < deviations.size(); ++i) {
        deviations[i] = 4.0 / static_cast<double>(i + 1);
    }
    const Cloud made = cloud(400, 560, deviations, 0.5F);
    constexpr std::int64_t count = 40;
    const linalg::PcaResult found = axes_of(made.rows, count);
    REQUIRE(found.variances.size() == count);
    check_axes(found, made.rows);
    const std::vector<double> exact = exact_variances(made.rows);
    for (std::size_t i = 0; i < count; ++i) {
        CAPTURE(i);
        CHECK(found.variances[i] == Approx(exact[i]).epsilon(0.01));
    }
}

TEST_CASE("Subspace iteration on wide rows keeps as much variance as the exact axes do") {
    std::vector<double> deviations(30);
    for (std::size_t i = 0; i < deviations.size(); ++i) {
        deviations[i] = 4.0 / static_cast<double>(i + 1);
    }
    const Cloud made = cloud(50, 6200, deviations, 0.5F);
    const linalg::PcaResult found = axes_of(made.rows, 20);
    REQUIRE(found.variances.size() == 20);
    check_axes(found, made.rows);
    const std::vector<double> exact = exact_variances(made.rows);
    double total = 0.0;
    for (const double variance : exact) {
        total += variance;
    }
    CHECK(found.total_variance == Approx(total).epsilon(1e-3));
    for (std::size_t i = 0; i < 20; ++i) {
        CAPTURE(i);
        CHECK(found.variances[i] == Approx(exact[i]).epsilon(0.02));
    }
}

TEST_CASE("Of a symmetric matrix, eigenvectors of the largest positive eigenvalues are found") {
    Tensor matrix({3, 3});  // eigenvalues 3 along (1, 1, 0), 1 along (1, -1, 0), -4 along (0, 0, 1)
    const float values[] = {2, 1, 0, 1, 2, 0, 0, 0, -4};
    std::copy_n(values, 9, matrix.data());
    const linalg::EigenResult found = linalg::top_eigenvectors(matrix, 3);
    REQUIRE(found.values.size() == 2);
    CHECK(found.values[0] == Approx(3.0));
    CHECK(found.values[1] == Approx(1.0));
    CHECK(found.vectors.row(0)[0] == Approx(found.vectors.row(0)[1]));
    CHECK(found.vectors.row(1)[0] == Approx(-found.vectors.row(1)[1]));
}

TEST_CASE("More blocks of rows than one give the axes of all of them") {
    // The second block varies in another direction than the first.
    constexpr std::int64_t n = 2048 + 700;
    Tensor rows({n, 3});
    for (std::int64_t i = 0; i < n; ++i) {
        rows.row(i)[i < 2048 ? 0 : 1] = i % 2 == 0 ? 1.0F : -1.0F;
    }
    const linalg::PcaResult found = axes_of(rows, 3);
    REQUIRE(found.variances.size() == 2);
    CHECK(found.variances[0] == Approx(2048.0 / n).epsilon(1e-4));
    CHECK(found.variances[1] == Approx(700.0 / n).epsilon(1e-4));
}

TEST_CASE("Two members that share rows out find the same components, and one member's up to rounding") {
    // By the whole covariance, and by products with the rows.
    const std::int64_t d = GENERATE(9, 6200);
    const Tensor rows = cloud(101, d, {3.0, 2.0, 1.0}, 0.5F).rows;
    const std::vector<double> scale(static_cast<std::size_t>(d), 0.7);
    std::vector<linalg::PcaResult> found(2);
    test::Members(2).run([&](base::Communicator& member) {
        const base::ThreadScope scope(1);
        found[static_cast<std::size_t>(member.rank())] =
            linalg::pca(rows.data(), rows.rows(), rows.columns(), 3, scale, member);
    });
    const base::ThreadScope scope(1);
    const linalg::PcaResult alone = linalg::pca(rows.data(), rows.rows(), rows.columns(), 3, scale);
    REQUIRE(found[0].variances == found[1].variances);
    CHECK(found[0].total_variance == Approx(alone.total_variance).epsilon(1e-4));
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(found[0].variances[i] == Approx(alone.variances[i]).epsilon(1e-4));
        const auto row = static_cast<std::int64_t>(i);
        CHECK(std::equal(found[0].components.row(row).begin(), found[0].components.row(row).end(),
                         found[1].components.row(row).begin()));
        CHECK(std::abs(product(found[0].components.row(row), alone.components.row(row))) ==
              Approx(1.0).epsilon(1e-3));
    }
}
