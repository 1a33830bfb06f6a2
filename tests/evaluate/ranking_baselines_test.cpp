#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate_ranking.hpp"

#include "support/catch.hpp"
#include "support/interactions.hpp"

namespace {

using stackae::HeldUsers;
using stackae::Interactions;
using stackae::RankingSplit;
using stackae::Scorer;
using stackae::Tensor;
using stackae::UserRanking;

using Matrix = std::vector<std::vector<double>>;

Matrix dense(const Interactions& table) {
    Matrix rows;
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        auto& row = rows.emplace_back(static_cast<std::size_t>(table.item_count()));
        for (std::size_t i = 0; i < table.items_of(user).size(); ++i) {
            row[static_cast<std::size_t>(table.items_of(user)[i])] = double{table.values_of(user)[i]};
        }
    }
    return rows;
}

/// Xᵀ X.
Matrix gram(const Matrix& x, std::size_t items) {
    Matrix sums(items, std::vector<double>(items));
    for (const auto& row : x) {
        for (std::size_t i = 0; i < items; ++i) {
            for (std::size_t j = 0; j < items; ++j) {
                sums[i][j] += row[i] * row[j];
            }
        }
    }
    return sums;
}

Matrix product(const Matrix& a, const Matrix& b) {
    Matrix result;
    for (const auto& row : a) {
        auto& sums = result.emplace_back(b.front().size());
        for (std::size_t k = 0; k < b.size(); ++k) {
            for (std::size_t j = 0; j < sums.size(); ++j) {
                sums[j] += row[k] * b[k][j];
            }
        }
    }
    return result;
}

/// Cosines between items, but for each item i in column i those of its k largest alone (by a sort of all).
Matrix nearest_cosines(const Matrix& g, std::size_t k) {
    const std::size_t n = g.size();
    Matrix s(n, std::vector<double>(n));
    for (std::size_t i = 0; i < n; ++i) {
        std::vector<std::size_t> others;
        for (std::size_t j = 0; j < n; ++j) {
            if (j != i && g[i][j] > 0.0) {
                s[j][i] = g[i][j] / std::sqrt(g[i][i] * g[j][j]);
                others.push_back(j);
            }
        }
        std::stable_sort(others.begin(), others.end(), [&](std::size_t a, std::size_t b) {
            return static_cast<float>(s[a][i]) > static_cast<float>(s[b][i]);
        });
        for (std::size_t rank = k; rank < others.size(); ++rank) {
            s[others[rank]][i] = 0.0;
        }
    }
    return s;
}

void check_equal(const Tensor& scores, const Matrix& expected) {
    REQUIRE(scores.rows() == std::ssize(expected));
    for (std::size_t i = 0; i < expected.size(); ++i) {
        for (std::size_t j = 0; j < expected[i].size(); ++j) {
            CAPTURE(i, j);
            REQUIRE(scores.row(static_cast<std::int64_t>(i))[j] == Approx(expected[i][j]).margin(1e-5));
        }
    }
}

Tensor all_scores(const Scorer& scorer, const Interactions& known) {
    return scorer(known, 0, known.user_count());
}

bool same(const Tensor& a, const Tensor& b) {
    return std::equal(a.values().begin(), a.values().end(), b.values().begin(), b.values().end());
}

/// Each item known to one user, of value 1: scores are the rows of a linear model's matrix.
Interactions unit_users(std::int64_t items) {
    std::vector<std::vector<std::int32_t>> rows(static_cast<std::size_t>(items));
    for (std::size_t item = 0; item < rows.size(); ++item) {
        rows[item] = {static_cast<std::int32_t>(item)};
    }
    return stackae::test::table(rows, items);
}

}  // namespace

TEST_CASE("Popularity scores an item by its users, whoever asks") {
    Interactions train = stackae::test::table({{0, 1, 3}, {1, 3}, {1}}, 5);
    train.values.assign(6, 4.0F);
    const Tensor scores =
        stackae::popularity_scorer(train)(stackae::test::table({{2}, {0, 1}, {4}}, 5), 1, 2);
    check_equal(scores, {{1, 3, 0, 2, 0}, {1, 3, 0, 2, 0}});
}

TEST_CASE("Item-kNN sums the cosines of known items that are among an item's k most similar") {
    const Interactions train = stackae::test::random_table(80, 33, 12, 51, GENERATE(1, 4));
    const Interactions known = stackae::test::random_table(20, 33, 15, 52, 3);
    const std::int64_t k = GENERATE(1, 2, 7, 32, 1000);
    CAPTURE(k);
    const Matrix s = nearest_cosines(gram(dense(train), 33), static_cast<std::size_t>(k));
    const Matrix expected = product(dense(known), s);
    const Scorer scorer = stackae::item_knn_scorer(train, k, 2);
    check_equal(all_scores(scorer, known), expected);
    check_equal(scorer(known, 5, 3), {expected[5], expected[6], expected[7]});
}

TEST_CASE("Of equally similar items the first ones are item-kNN's neighbours") {
    // Items 1, 2 and 3 go with item 0 equally often.
    const Interactions train = stackae::test::table({{0, 1}, {0, 2}, {0, 3}}, 4);
    const Tensor scores = all_scores(stackae::item_knn_scorer(train, 1), unit_users(4));
    CHECK(scores.row(1)[0] == Approx(1.0 / std::sqrt(3.0)));
    CHECK(scores.row(2)[0] == 0.0F);
    CHECK(scores.row(3)[0] == 0.0F);
    CHECK(scores.row(0)[3] == Approx(1.0 / std::sqrt(3.0)));
    CHECK(scores.row(0)[0] == 0.0F);
}

TEST_CASE("EASE's matrix is the minimum of its loss with a diagonal of zeros") {
    const Interactions train = stackae::test::random_table(120, 40, 15, 53, GENERATE(1, 3));
    const double lambda = GENERATE(0.5, 20.0, 3000.0);
    CAPTURE(lambda);
    const Tensor b = all_scores(stackae::ease_scorer(train, lambda, 2), unit_users(40));
    // The gradient of ‖X − X B‖² + λ ‖B‖² is 2 ((XᵀX + λ) B − XᵀX): it is 0 but on the diagonal.
    const Matrix g = gram(dense(train), 40);
    double largest = 0.0;
    for (std::size_t i = 0; i < 40; ++i) {
        CHECK(b.row(static_cast<std::int64_t>(i))[i] == 0.0F);
        for (std::size_t j = 0; j < 40; ++j) {
            double gradient = -g[i][j];
            for (std::size_t k = 0; k < 40; ++k) {
                const double weight = double{b.row(static_cast<std::int64_t>(k))[j]};
                gradient += (g[i][k] + (i == k ? lambda : 0.0)) * weight;
                largest = std::max(largest, std::abs(weight));
            }
            CAPTURE(i, j);
            if (i != j) {
                CHECK(gradient == Approx(0.0).margin(1e-3));
            }
        }
    }
    CHECK(largest > 1e-3);
    const Interactions known = stackae::test::random_table(9, 40, 15, 54, 3);
    Matrix weights;
    for (std::int64_t i = 0; i < 40; ++i) {
        weights.emplace_back(b.row(i).begin(), b.row(i).end());
    }
    check_equal(all_scores(stackae::ease_scorer(train, lambda), known), product(dense(known), weights));
}

TEST_CASE("Baselines' scores are the same to the last bit at any number of threads, and in parts") {
    const Interactions train = stackae::test::random_table(150, 70, 20, 55, 5);
    const Interactions known = stackae::test::random_table(21, 70, 20, 56, 5);
    const auto make = [&](int kind, int threads) {
        return kind == 0 ? stackae::item_knn_scorer(train, 10, threads)
                         : stackae::ease_scorer(train, 50.0, threads);
    };
    for (const int kind : {0, 1}) {
        const Tensor one = all_scores(make(kind, 1), known);
        for (const int threads : {2, 3}) {
            const Scorer scorer = make(kind, threads);
            CHECK(same(all_scores(scorer, known), one));
            const Tensor part = scorer(known, 4, 2);
            CHECK(std::equal(part.values().begin(), part.values().end(), one.row(4).begin()));
        }
    }
}

TEST_CASE("Settings of baselines are those that rank the validation users best") {
    const RankingSplit split = stackae::split_users(stackae::test::random_table(700, 120, 30, 57), 2);
    const auto figure = [&](const Scorer& scorer) {
        return stackae::measure_ranking(scorer, split.validation).mean(&UserRanking::ndcg_100).mean;
    };
    double best = 0.0;
    std::int64_t best_k = 0;
    for (const std::int64_t k : {10, 20, 50, 100, 200}) {
        const double now = figure(stackae::item_knn_scorer(split.train, k));
        if (now > best) {
            best = now;
            best_k = k;
        }
    }
    CHECK(stackae::choose_item_knn(split.train, split.validation) == best_k);
    best = 0.0;
    double best_lambda = 0.0;
    for (const double lambda : {30.0, 100.0, 200.0, 400.0, 800.0, 1600.0}) {
        const double now = figure(stackae::ease_scorer(split.train, lambda));
        if (now > best) {
            best = now;
            best_lambda = lambda;
        }
    }
    CHECK(stackae::choose_ease(split.train, split.validation) == best_lambda);
}

TEST_CASE("Of settings that rank equally well the lowest is chosen") {
    // Of 9 items all are among the 10 that are most similar; one unknown item is ranked first by all.
    const RankingSplit split = stackae::split_users(stackae::test::random_table(90, 9, 9, 59), 1);
    REQUIRE(split.validation.known.user_count() > 0);
    CHECK(stackae::choose_item_knn(split.train, split.validation) == 10);
    const HeldUsers plain{stackae::test::table({{0}}, 2), {{1}}};
    CHECK(stackae::choose_ease(stackae::test::table({{0, 1}, {1}}, 2), plain) == 30.0);
}

TEST_CASE("With nobody to choose by, settings are usual ones") {
    const Interactions train = stackae::test::random_table(20, 6, 5, 58);
    const HeldUsers nobody{stackae::test::table({}, 6), {}};
    CHECK(stackae::choose_item_knn(train, nobody) == 100);
    CHECK(stackae::choose_ease(train, nobody) == 200.0);
}

TEST_CASE("A table of one item or one user has scores, if only of zeros") {
    for (const Interactions& train : {stackae::test::table({{0}, {0}}, 1), stackae::test::table({{0}}, 1)}) {
        const Interactions known = stackae::test::table({{0}, {}}, 1);
        check_equal(all_scores(stackae::item_knn_scorer(train, 10), known), {{0}, {0}});
        check_equal(all_scores(stackae::ease_scorer(train, 10.0), known), {{0}, {0}});
    }
    const Interactions lonely = stackae::test::table({{0, 1, 2}}, 3);
    check_equal(all_scores(stackae::item_knn_scorer(lonely, 10), lonely), {{2, 2, 2}});
}

TEST_CASE("Settings that cannot be are refused") {
    const Interactions train = stackae::test::table({{0, 1}}, 2);
    CHECK_THROWS_AS(stackae::item_knn_scorer(train, 0), stackae::InvalidArgument);
    for (const double lambda : {0.0, -1.0, std::numeric_limits<double>::infinity(), std::nan("")}) {
        CHECK_THROWS_AS(stackae::ease_scorer(train, lambda), stackae::InvalidArgument);
    }
}

TEST_CASE("What EASE takes grows with the square of the items, and choosing with 8,000 at most") {
    CHECK(stackae::ease_bytes(0) == 0.0);
    for (const auto& [items, matrices] :
         {std::pair{1000, 8e6}, std::pair{8000, 512e6}, std::pair{40'000, 6.4e9}}) {
        CHECK(stackae::ease_bytes(items) > matrices);  // and something to invert them by
        CHECK(stackae::ease_bytes(items) < 1.5 * matrices);
    }
}
