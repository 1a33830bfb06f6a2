#include "evaluate/linear_probe.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <omp.h>
#include <random>
#include <vector>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/tensor.hpp"

namespace {

using stackae::Tensor;
using stackae::evaluation::LinearProbe;
using stackae::evaluation::ProbeOptions;
using stackae::test::contains;

using Labels = std::vector<std::int64_t>;

struct Data {
    Tensor rows;
    Labels labels;
};

/// Normal clouds around (4 cos, 4 sin) of an angle a class, with further columns of noise alone.
Data clouds(std::int64_t n, std::int64_t classes, std::int64_t columns, float deviation, unsigned seed) {
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.0F, deviation);
    Data data{Tensor({n, columns}), {}};
    for (std::int64_t i = 0; i < n; ++i) {
        // Class 0 has twice the rows of any other.
        const std::int64_t label = i % (classes + 1) % classes;
        const float angle = 6.2831853F * static_cast<float>(label) / static_cast<float>(classes);
        const auto row = data.rows.row(i);
        std::generate(row.begin(), row.end(), [&] { return normal(generator); });
        row[0] += 4.0F * std::cos(angle);
        row[1] += 4.0F * std::sin(angle);
        data.labels.push_back(label);
    }
    return data;
}

/// Fills two columns with two close lines that differ in a direction of small variance: small weights cannot
/// tell them apart.
void draw_close_lines(Tensor& rows, const Labels& labels) {
    std::mt19937 generator(11);
    std::normal_distribution<float> normal;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const float place = normal(generator);
        const auto row = rows.row(static_cast<std::int64_t>(i));
        row[0] = place;
        row[1] = place + (labels[i] == 0 ? 0.02F : -0.02F) + 0.005F * normal(generator);
    }
}

double accuracy(const LinearProbe& probe, const Data& data) {
    const Labels given = probe.predict(data.rows);
    double right = 0.0;
    for (std::size_t i = 0; i < given.size(); ++i) {
        right += given[i] == data.labels[i] ? 1.0 : 0.0;
    }
    return right / static_cast<double>(given.size());
}

/// Standardised in double, with the bias's 1.
std::vector<std::vector<double>> standardised(const Tensor& rows) {
    const auto n = static_cast<std::size_t>(rows.rows());
    const auto d = static_cast<std::size_t>(rows.columns());
    std::vector<std::vector<double>> z(n, std::vector<double>(d + 1, 1.0));
    for (std::size_t j = 0; j < d; ++j) {
        double mean = 0.0;
        double square = 0.0;
        for (std::size_t i = 0; i < n; ++i) {
            mean += double{rows.data()[i * d + j]} / static_cast<double>(n);
        }
        for (std::size_t i = 0; i < n; ++i) {
            z[i][j] = double{rows.data()[i * d + j]} - mean;
            square += z[i][j] * z[i][j] / static_cast<double>(n);
        }
        for (std::size_t i = 0; i < n; ++i) {
            z[i][j] /= std::sqrt(square);
        }
    }
    return z;
}

/// ½ ‖w‖² + c / n Σ (y − w·z)², and its gradient.
double objective(const std::vector<std::vector<double>>& z, const Labels& labels, std::int64_t of_class,
                 double c, const std::vector<double>& w, std::vector<double>& gradient) {
    double value = 0.0;
    for (std::size_t j = 0; j < w.size(); ++j) {
        value += 0.5 * w[j] * w[j];
        gradient[j] = w[j];
    }
    const double each = c / static_cast<double>(z.size());
    for (std::size_t i = 0; i < z.size(); ++i) {
        const double y = labels[i] == of_class ? 1.0 : -1.0;
        double score = 0.0;
        for (std::size_t j = 0; j < w.size(); ++j) {
            score += w[j] * z[i][j];
        }
        const double miss = y - score;
        value += each * miss * miss;
        for (std::size_t j = 0; j < w.size(); ++j) {
            gradient[j] -= 2.0 * each * miss * z[i][j];
        }
    }
    return value;
}

}  // namespace

TEST_CASE("Folds that keep groups whole do not take what is known of a group for what is known of a class") {
    // Eight rows of each group that are next to alike, and classes that are chance.
    constexpr std::int64_t groups = 24;
    Data data = clouds(8 * groups, 2, 30, 1.0F, 3);
    ProbeOptions parted;
    ProbeOptions whole;
    for (std::int64_t i = 0; i < 8 * groups; ++i) {
        const std::int64_t first = i / 8 * 8;
        std::copy_n(data.rows.row(first).data(), 30, data.rows.row(i).data());
        data.labels[static_cast<std::size_t>(i)] = i / 8 * 7 % 5 % 2;
        whole.groups.push_back(i / 8);
    }
    CHECK(LinearProbe::fit(data.rows, data.labels, 2, whole).c() <
          LinearProbe::fit(data.rows, data.labels, 2, parted).c());
    whole.groups.pop_back();
    CHECK_THROWS_AS(LinearProbe::fit(data.rows, data.labels, 2, whole), stackae::InvalidArgument);
}

TEST_CASE("The linear classifier names separable classes without a slip, seen and unseen") {
    const Data train = clouds(200, 4, 3, 0.5F, 1);
    const LinearProbe probe = LinearProbe::fit(train.rows, train.labels, 4, {});
    CHECK(accuracy(probe, train) == 1.0);
    CHECK(accuracy(probe, clouds(200, 4, 3, 0.5F, 2)) == 1.0);
    CHECK(probe.folds() == 5);
}

TEST_CASE("The linear classifier is the minimum that gradient descent finds") {
    const Data train = clouds(60, 3, 4, 2.0F, 3);
    const double c = GENERATE(0.1, 2.0, 20.0);
    ProbeOptions options;
    options.c = c;
    const LinearProbe probe = LinearProbe::fit(train.rows, train.labels, 3, options);
    CHECK(probe.c() == c);
    CHECK(probe.folds() == 0);
    const auto z = standardised(train.rows);
    for (std::int64_t k = 0; k < 3; ++k) {
        CAPTURE(c, k);
        std::vector<double> w(5, 0.0);
        std::vector<double> gradient(5);
        double least = 0.0;
        // The gradient's Lipschitz constant is at most 1 + 2 c · mean ‖z‖² = 1 + 10 c.
        for (int step = 0; step < 20000; ++step) {
            least = objective(z, train.labels, k, c, w, gradient);
            for (std::size_t j = 0; j < w.size(); ++j) {
                w[j] -= gradient[j] / (1.0 + 10.0 * c);
            }
        }
        const auto found = probe.weights(k);
        REQUIRE(found.size() == 5);
        const std::vector<double> copy(found.begin(), found.end());
        CHECK(objective(z, train.labels, k, c, copy, gradient) == Approx(least).epsilon(1e-3));
        for (std::size_t j = 0; j < w.size(); ++j) {
            CHECK(copy[j] == Approx(w[j]).margin(0.02));
        }
    }
}

TEST_CASE("The scale and place of a feature make no difference to the linear classifier") {
    const Data train = clouds(150, 3, 4, 2.5F, 4);
    const Data test = clouds(150, 3, 4, 2.5F, 5);
    const auto moved = [](Data data) {
        for (std::int64_t i = 0; i < data.rows.rows(); ++i) {
            data.rows.row(i)[0] = data.rows.row(i)[0] * 4096.0F;
            data.rows.row(i)[1] = data.rows.row(i)[1] / 4096.0F;
            data.rows.row(i)[2] += 16.0F;
        }
        return data;
    };
    const LinearProbe plain = LinearProbe::fit(train.rows, train.labels, 3, {});
    const LinearProbe other = LinearProbe::fit(moved(train).rows, train.labels, 3, {});
    CHECK(other.c() == plain.c());
    CHECK(other.predict(moved(test).rows) == plain.predict(test.rows));
    CHECK(accuracy(plain, test) > 0.7);
}

TEST_CASE("A constant feature does no harm to the linear classifier, even where it changes later") {
    Data train = clouds(100, 2, 3, 0.5F, 6);
    Data test = clouds(100, 2, 3, 0.5F, 7);
    for (std::int64_t i = 0; i < 100; ++i) {
        train.rows.row(i)[2] = 0.1F;
        test.rows.row(i)[2] = 1000.0F;
    }
    const LinearProbe probe = LinearProbe::fit(train.rows, train.labels, 2, {});
    CHECK(probe.weights(0)[2] == 0.0F);
    CHECK(accuracy(probe, test) == 1.0);
}

TEST_CASE("The linear classifier is the same at any number of threads, and the next time") {
    const Data train = clouds(300, 5, 6, 2.5F, 8);
    ProbeOptions options;
    options.fold_values = GENERATE(200'000'000, 3000);  // with folds, and with one part
    options.threads = 1;
    const LinearProbe one = LinearProbe::fit(train.rows, train.labels, 5, options);
    options.threads = 2;
    const LinearProbe two = LinearProbe::fit(train.rows, train.labels, 5, options);
    CHECK(one.c() == two.c());
    for (std::int64_t k = 0; k < 5; ++k) {
        CHECK(std::equal(one.weights(k).begin(), one.weights(k).end(), two.weights(k).begin()));
    }
    CHECK(one.predict(train.rows, 1) == two.predict(train.rows, 2));
}

TEST_CASE("Choosing c takes a part of the rows where there are many, folds of all where there are few") {
    const Data train = clouds(1000, 3, 4, 3.0F, 9);
    ProbeOptions options;
    options.fold_values = 1000 * 4 * 3;
    const LinearProbe all = LinearProbe::fit(train.rows, train.labels, 3, options);
    CHECK(all.folds() == 5);
    --options.fold_values;
    const LinearProbe part = LinearProbe::fit(train.rows, train.labels, 3, options);
    CHECK(part.folds() == 1);
    // Either way it is trained on all rows in the end.
    CHECK(accuracy(part, train) == Approx(accuracy(all, train)).margin(0.03));
}

TEST_CASE("Little and noisy data ask for a small c, many clean rows for a larger one") {
    const Data noisy = clouds(60, 2, 40, 6.0F, 10);
    Data clean{Tensor({2000, 2}), Labels(2000)};
    for (std::size_t i = 0; i < clean.labels.size(); i += 2) {
        clean.labels[i] = 1;
    }
    draw_close_lines(clean.rows, clean.labels);
    const LinearProbe small = LinearProbe::fit(noisy.rows, noisy.labels, 2, {});
    const LinearProbe large = LinearProbe::fit(clean.rows, clean.labels, 2, {});
    CHECK(small.c() <= 1.0);
    CHECK(large.c() >= 30.0);
    CHECK(accuracy(large, clean) > 0.95);
}

TEST_CASE("Views of one picture are held out together: what is known of one says nothing of the other") {
    const Data once = clouds(60, 2, 40, 6.0F, 10);
    Data twice{Tensor({120, 40}), once.labels};
    std::copy_n(once.rows.data(), once.rows.size(), twice.rows.data());
    std::copy_n(once.rows.data(), once.rows.size(), twice.rows.data() + once.rows.size());
    twice.labels.insert(twice.labels.end(), once.labels.begin(), once.labels.end());
    ProbeOptions options;
    const double apart = LinearProbe::fit(twice.rows, twice.labels, 2, options).c();
    options.views = 2;
    CHECK(LinearProbe::fit(twice.rows, twice.labels, 2, options).c() ==
          LinearProbe::fit(once.rows, once.labels, 2, {}).c());
    CHECK(LinearProbe::fit(twice.rows, twice.labels, 2, options).c() < apart);
    options.views = 7;
    CHECK_THROWS_WITH(LinearProbe::fit(twice.rows, twice.labels, 2, options), contains("7 views"));
}

TEST_CASE("The choice of c is measured on views that features were not learnt from: all but the first") {
    // First views ask for a large c, and gain much by it; second views for a small one.
    const Data noisy = clouds(300, 2, 40, 6.0F, 10);
    Data both{Tensor({600, 42}), noisy.labels};
    draw_close_lines(both.rows, both.labels);
    for (std::int64_t i = 0; i < 300; ++i) {
        std::copy_n(noisy.rows.row(i).data(), 40, both.rows.row(300 + i).data() + 2);
    }
    both.labels.insert(both.labels.end(), noisy.labels.begin(), noisy.labels.end());
    ProbeOptions options;
    CHECK(LinearProbe::fit(both.rows, both.labels, 2, options).c() >= 30.0);
    options.views = 2;
    CHECK(LinearProbe::fit(both.rows, both.labels, 2, options).c() <= 3.2);
}

TEST_CASE("Rows wide enough for principal axes are told apart, the same at any number of threads") {
    const std::int64_t columns = GENERATE(600, 800);  // fewer than rows, and more
    const Data train = clouds(700, 3, columns, 1.0F, 23);
    ProbeOptions options;
    options.threads = 1;
    const int before = omp_get_max_threads();
    const LinearProbe one = LinearProbe::fit(train.rows, train.labels, 3, options);
    CHECK(omp_get_max_threads() == before);
    options.threads = 2;
    const LinearProbe two = LinearProbe::fit(train.rows, train.labels, 3, options);
    CHECK(one.c() == two.c());
    for (std::int64_t k = 0; k < 3; ++k) {
        CHECK(std::equal(one.weights(k).begin(), one.weights(k).end(), two.weights(k).begin()));
    }
    CHECK(accuracy(one, clouds(400, 3, columns, 1.0F, 24)) > 0.7);
}

TEST_CASE("Conjugate gradients on wide rows name them as the normal equations do") {
    const Data train = clouds(600, 4, 30, 2.5F, 31);
    const Data test = clouds(400, 4, 30, 2.5F, 32);
    stackae::linalg::Bfloat16Rows halves(600, 30);
    halves.center(train.rows);
    for (std::int64_t i = 0; i < 600; ++i) {
        halves.set(i, train.rows.row(i));
    }
    ProbeOptions options;
    options.fold_values = 1;
    options.solver = stackae::evaluation::ProbeSolver::normal_equations;
    const LinearProbe expected = LinearProbe::fit(train.rows, train.labels, 5, options);
    options.solver = stackae::evaluation::ProbeSolver::conjugate_gradients;
    options.threads = 1;
    const LinearProbe found = LinearProbe::fit(halves, train.labels, 5, options);
    options.threads = 2;
    const LinearProbe again = LinearProbe::fit(halves, train.labels, 5, options);
    CHECK(found.folds() == 1);
    CHECK(found.c() == again.c());
    CHECK(found.weights(4).empty());
    for (std::int64_t k = 0; k < 4; ++k) {
        CHECK(std::equal(found.weights(k).begin(), found.weights(k).end(), again.weights(k).begin()));
    }
    CHECK(accuracy(expected, test) > 0.7);
    CHECK(accuracy(found, test) == Approx(accuracy(expected, test)).margin(0.02));
    options.c = expected.c();
    const LinearProbe same = LinearProbe::fit(halves, train.labels, 5, options);
    CHECK(same.folds() == 0);
    const Labels given = same.predict(test.rows);
    const Labels wanted = expected.predict(test.rows);
    std::int64_t alike = 0;
    for (std::size_t i = 0; i < given.size(); ++i) {
        alike += given[i] == wanted[i] ? 1 : 0;
    }
    CHECK(alike >= 396);
}

TEST_CASE("A class without training rows is never named by the linear classifier") {
    const Data train = clouds(90, 3, 2, 0.5F, 12);
    Labels labels = train.labels;
    std::replace(labels.begin(), labels.end(), 2, 4);
    const LinearProbe probe = LinearProbe::fit(train.rows, labels, 6, {});
    CHECK(probe.predict(train.rows) == labels);
    CHECK(probe.weights(2).empty());
    CHECK(probe.weights(5).empty());
}

TEST_CASE("There may be more classes than are trained together") {
    std::mt19937 generator(15);
    std::normal_distribution<float> normal;
    Data train{Tensor({700, 70}), {}};
    for (std::int64_t i = 0; i < 700; ++i) {
        std::generate(train.rows.row(i).begin(), train.rows.row(i).end(), [&] { return normal(generator); });
        train.rows.row(i)[static_cast<std::size_t>(i % 70)] += 12.0F;
        train.labels.push_back(i % 70);
    }
    ProbeOptions options;
    options.fold_values = GENERATE(100'000'000, 1);
    CHECK(accuracy(LinearProbe::fit(train.rows, train.labels, 70, options), train) == 1.0);
}

TEST_CASE("A class that a fold or a part has no rows of costs the others nothing") {
    // Class 2 has one row: it is missing from all parts but one.
    Data train = clouds(300, 2, 3, 0.5F, 14);
    train.labels[7] = 2;
    train.rows.row(7)[2] = 40.0F;
    ProbeOptions options;
    options.fold_values = GENERATE(200'000'000, 300);
    const LinearProbe probe = LinearProbe::fit(train.rows, train.labels, 3, options);
    CHECK(accuracy(probe, train) == 1.0);
}

TEST_CASE("Classes of one row, and fewer rows than folds, are trained all the same") {
    const Tensor rows = stackae::test::tensor({3, 1}, {-1.0F, 0.0F, 5.0F});
    const LinearProbe probe = LinearProbe::fit(rows, Labels{0, 0, 1}, 2, {});
    CHECK(probe.folds() == 3);
    CHECK(LinearProbe::fit(stackae::test::tensor({2, 1}, {-1.0F, 1.0F}), Labels{1, 0}, 2, {})
              .predict(stackae::test::tensor({2, 1}, {-2.0F, 3.0F})) == Labels{1, 0});
}

TEST_CASE("With one class alone, the linear classifier names that one") {
    const Tensor rows = stackae::test::tensor({3, 1}, {1.0F, 2.0F, 3.0F});
    const LinearProbe probe = LinearProbe::fit(rows, Labels{1, 1, 1}, 3, {});
    CHECK(probe.predict(stackae::test::tensor({2, 1}, {-9.0F, 9.0F})) == Labels{1, 1});
    CHECK(probe.c() == 0.0);
    CHECK(probe.folds() == 0);
}

TEST_CASE("The linear classifier refuses what does not fit, and says what it would take") {
    Data train = clouds(64, 2, 1022, 1.0F, 13);
    // 64 × 64 products; rows for two threads to make them and to find classes by; weights of two classes.
    const std::int64_t needed =
        4 * (64 * 64 + 3 * 256 * 1023 + 2 * 256 * 1023 + 3 * 1023 * 2 + 64 * (2 + 6 * 64));
    CHECK(LinearProbe::memory_bytes({64, 1022, 2}, 2) == needed);
    // Of many rows, 1023 × 1023 products, filled up, and 512 axes with what they are made of.
    CHECK(LinearProbe::memory_bytes({5000, 1022, 2}, 1) ==
          4 * (1024 * 1024 + 1024 * 1023 + 256 * 1023 + 3 * 1023 * 2 + 1023 * (2 + 6 * 64 + 5 * 512)));
    ProbeOptions options;
    options.c = 1.0;
    options.threads = 2;
    options.memory = needed;
    CHECK_NOTHROW(LinearProbe::fit(train.rows, train.labels, 2, options));
    --options.memory;
    CHECK_THROWS_WITH(LinearProbe::fit(train.rows, train.labels, 2, options),
                      contains("64 pictures with 1022 values each") && contains("smaller layer"));
    CHECK_THROWS_AS(LinearProbe::fit(train.rows, Labels{0, 1}, 2, {}), stackae::InvalidArgument);
    CHECK_THROWS_AS(LinearProbe::fit(train.rows, Labels(64, 2), 2, {}), stackae::InvalidArgument);
    CHECK_THROWS_AS(LinearProbe::fit(Tensor(), Labels{}, 2, {}), stackae::InvalidArgument);
    const LinearProbe probe = LinearProbe::fit(train.rows, Labels(64, 0), 2, {});
    CHECK_THROWS_WITH(probe.predict(Tensor({1, 3})), contains("rows of 3 values found, 1022 expected"));
    train.rows.row(5)[7] = std::numeric_limits<float>::infinity();
    CHECK_THROWS_WITH(LinearProbe::fit(train.rows, train.labels, 2, {}), contains("column 7"));
}
