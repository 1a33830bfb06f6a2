#include "nn/loss.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

constexpr std::int64_t n = 5;
constexpr std::int64_t d = 37;  // not a multiple of any vector's length

class Rows final : public base::RowSource {
public:
    explicit Rows(const Tensor& rows) : rows_(rows) {}
    [[nodiscard]] std::int64_t columns() const override { return rows_.columns(); }
    void gather(std::span<const std::int64_t> indices, float* dst) const override {
        for (const std::int64_t i : indices) {
            dst = std::copy_n(rows_.data() + i * columns(), columns(), dst);
        }
    }

private:
    const Tensor& rows_;
};

/// A batch with weights and a mask, at whose hidden values the target is no number.
struct Sample {
    Tensor predicted = reference::uniform({n, d}, -3.0F, 3.0F, 1);
    Tensor values = reference::uniform({n, d}, 0.0F, 1.0F, 2);
    Tensor weights = reference::uniform({n}, 0.0F, 4.0F, 3);
    Tensor mask = reference::uniform({n, d}, 0.0F, 1.0F, 4);

    Sample() {
        for (std::size_t i = 0; i < mask.values().size(); ++i) {
            mask.values()[i] = mask.values()[i] < 0.3F ? 0.0F : 1.0F;
            values.values()[i] =
                mask.values()[i] == 0.0F ? std::numeric_limits<float>::quiet_NaN() : values.values()[i];
        }
    }
    [[nodiscard]] nn::Batch batch() const { return {n, d, values.data(), weights.data(), mask.data()}; }
};

double value_of(LossKind kind, double y, double x) {
    return kind == LossKind::squared_error ? (y - x) * (y - x) : std::log1p(std::exp(y)) - x * y;
}

double slope_of(LossKind kind, double y, double x) {
    return kind == LossKind::squared_error ? 2.0 * (y - x) : 1.0 / (1.0 + std::exp(-y)) - x;
}

}  // namespace

TEST_CASE("Squared error is summed over a picture and averaged over the batch") {
    nn::SquaredError loss(2);
    const float predicted[] = {1, 2, 3, 4, 5, 6};
    const float target[] = {1, 0, 3, 1, 5, 7};
    Tensor diff({2, 3});
    REQUIRE(loss(predicted, {2, 3, target}, diff.data()) == (4.0 + 9.0 + 1.0) / 2.0);
    REQUIRE(std::vector<float>(diff.values().begin(), diff.values().end()) ==
            std::vector<float>{0, 2, 0, 3, 0, -1});
    REQUIRE(loss(predicted, {2, 3, target}, nullptr) == 7.0);
}

TEST_CASE("Cross-entropy from logits follows its formula") {
    linalg::Context context;
    nn::BinaryCrossEntropy loss(context, n, d);
    const Tensor logits = reference::uniform({n, d}, -4.0F, 4.0F, 1);
    const Tensor target = reference::uniform({n, d}, 0.0F, 1.0F, 2);
    double expected = 0.0;
    for (std::size_t i = 0; i < logits.values().size(); ++i) {
        const double p = reference::activate(Activation::sigmoid, static_cast<double>(logits.values()[i]));
        const auto x = static_cast<double>(target.values()[i]);
        expected -= x * std::log(p) + (1.0 - x) * std::log(1.0 - p);
    }
    Tensor diff({n, d});
    REQUIRE(loss(logits.data(), {n, d, target.data()}, diff.data()) == Approx(expected / n).epsilon(1e-5));
    for (std::size_t i = 0; i < logits.values().size(); ++i) {
        const double p = reference::activate(Activation::sigmoid, static_cast<double>(logits.values()[i]));
        REQUIRE(static_cast<double>(diff.values()[i]) ==
                Approx((p - static_cast<double>(target.values()[i])) / n).margin(1e-6));
    }
}

TEST_CASE("Cross-entropy stays finite at logits where a sigmoid is 0 or 1 in single precision") {
    linalg::Context context;
    nn::BinaryCrossEntropy loss(context, 1, 2);
    const float logits[] = {150.0F, -150.0F};
    const float right[] = {1.0F, 0.0F};
    const float wrong[] = {0.0F, 1.0F};
    Tensor diff({1, 2});
    REQUIRE(loss(logits, {1, 2, right}, diff.data()) == Approx(0.0).margin(1e-6));
    REQUIRE(loss(logits, {1, 2, wrong}, diff.data()) == Approx(300.0));
    REQUIRE(diff.values()[0] == Approx(1.0));
    REQUIRE(diff.values()[1] == Approx(-1.0));
}

TEST_CASE("Weights scale a row's loss and gradient, and masked values count in neither") {
    const LossKind kind = GENERATE(LossKind::squared_error, LossKind::cross_entropy);
    const Sample sample;
    linalg::Context context;
    const auto loss = nn::make_loss(kind, context, n, d);
    double expected = 0.0;
    double total = 0.0;
    for (std::int64_t i = 0; i < n; ++i) {
        const double weight{sample.weights.data()[i]};
        total += weight;
        for (std::int64_t j = i * d; j < (i + 1) * d; ++j) {
            if (sample.mask.data()[j] != 0.0F) {
                expected += weight * value_of(kind, double{sample.predicted.data()[j]},
                                              double{sample.values.data()[j]});
            }
        }
    }
    Tensor diff({n, d});
    CHECK((*loss)(sample.predicted.data(), sample.batch(), diff.data()) ==
          Approx(expected / total).epsilon(1e-5));
    CHECK((*loss)(sample.predicted.data(), sample.batch(), nullptr) ==
          Approx(expected / total).epsilon(1e-5));
    for (std::int64_t j = 0; j < n * d; ++j) {
        const double slope =
            slope_of(kind, double{sample.predicted.data()[j]}, double{sample.values.data()[j]});
        const double weight{sample.weights.data()[j / d]};
        const bool counts = sample.mask.data()[j] != 0.0F;
        REQUIRE(double{diff.data()[j]} == Approx(counts ? weight / total * slope : 0.0).margin(1e-6));
        REQUIRE((counts || diff.data()[j] == 0.0F));
    }
}

TEST_CASE("The multinomial loss follows its formula, over the values that are not masked") {
    const Sample sample;
    linalg::Context context;
    nn::Multinomial loss(context, n, d);
    const double total = std::accumulate(sample.weights.data(), sample.weights.data() + n, 0.0);
    double expected = 0.0;
    std::vector<double> slopes(static_cast<std::size_t>(n * d));
    for (std::int64_t i = 0; i < n; ++i) {
        double exponentials = 0.0;
        double targets = 0.0;
        for (std::int64_t j = i * d; j < (i + 1) * d; ++j) {
            if (sample.mask.data()[j] != 0.0F) {
                exponentials += std::exp(double{sample.predicted.data()[j]});
                targets += double{sample.values.data()[j]};
            }
        }
        const double share = double{sample.weights.data()[i]} / total;
        for (std::int64_t j = i * d; j < (i + 1) * d; ++j) {
            if (sample.mask.data()[j] != 0.0F) {
                const double p = std::exp(double{sample.predicted.data()[j]}) / exponentials;
                const double x{sample.values.data()[j]};
                expected -= share * x * std::log(p);
                slopes[static_cast<std::size_t>(j)] = share * (targets * p - x);
            }
        }
    }
    Tensor diff({n, d});
    CHECK(loss(sample.predicted.data(), sample.batch(), diff.data()) == Approx(expected).epsilon(1e-5));
    CHECK(loss(sample.predicted.data(), sample.batch(), nullptr) == Approx(expected).epsilon(1e-5));
    for (std::int64_t j = 0; j < n * d; ++j) {
        REQUIRE(double{diff.data()[j]} == Approx(slopes[static_cast<std::size_t>(j)]).margin(2e-6));
    }
}

TEST_CASE("The multinomial loss stays finite at logits whose exponentials are not") {
    linalg::Context context;
    nn::Multinomial loss(context, 1, 3);
    const float logits[] = {500.0F, 0.0F, -500.0F};
    const float first[] = {1.0F, 0.0F, 0.0F};
    const float last[] = {0.0F, 0.0F, 2.0F};
    Tensor diff({1, 3});
    CHECK(loss(logits, {1, 3, first}, diff.data()) == Approx(0.0).margin(1e-6));
    CHECK(loss(logits, {1, 3, last}, diff.data()) == Approx(2000.0));
    CHECK(diff.data()[0] == Approx(2.0));
    CHECK(diff.data()[2] == Approx(-2.0));
}

TEST_CASE("Masked squared error is that of the values that are not 0") {
    nn::MaskedSquaredError loss(2);
    const float predicted[] = {1, 2, 3, 4, 5, 6};
    const float target[] = {0, 4, 3, 0, 0, 5};
    Tensor diff({2, 3});
    CHECK(loss(predicted, {2, 3, target}, diff.data()) == (4.0 + 0.0 + 1.0) / 2.0);
    CHECK(std::vector<float>(diff.values().begin(), diff.values().end()) ==
          std::vector<float>{0, -2, 0, 0, 0, 1});
}

TEST_CASE("The best constant is no worse than its neighbours") {
    const LossKind kind = GENERATE(LossKind::squared_error, LossKind::multinomial);
    const Tensor values = reference::uniform({n, d}, 0.0F, 1.0F, 6);
    const Rows source(values);
    const std::vector<std::int64_t> rows{0, 1, 2, 3, 4};
    const std::vector<double> best = nn::best_constant(kind, source, rows);
    linalg::Context context;
    const auto loss = nn::make_loss(kind, context, n, d);
    const auto of = [&](std::size_t changed, double by) {
        Tensor predicted({n, d});
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::size_t j = 0; j < best.size(); ++j) {
                predicted.row(i)[j] = static_cast<float>(best[j] + (j == changed ? by : 0.0));
            }
        }
        return (*loss)(predicted.data(), {n, d, values.data()}, nullptr);
    };
    for (std::size_t j = 0; j < best.size(); ++j) {
        CHECK(of(j, 0.3) > of(j, 0.0));
        CHECK(of(j, -0.3) > of(j, 0.0));
    }
}

TEST_CASE("Weights of one change no bit of a loss and its gradient") {
    const LossKind kind = GENERATE(LossKind::squared_error, LossKind::cross_entropy, LossKind::multinomial,
                                   LossKind::masked_squared_error);
    const Tensor predicted = reference::uniform({n, d}, -3.0F, 3.0F, 1);
    const Tensor values = reference::uniform({n, d}, 0.0F, 1.0F, 2);
    const std::vector<float> ones(n, 1.0F);
    linalg::Context context;
    const auto loss = nn::make_loss(kind, context, n, d);
    Tensor plain({n, d});
    Tensor weighted({n, d});
    CHECK((*loss)(predicted.data(), {n, d, values.data()}, plain.data()) ==
          (*loss)(predicted.data(), {n, d, values.data(), ones.data()}, weighted.data()));
    CHECK(std::equal(plain.values().begin(), plain.values().end(), weighted.values().begin()));
}

TEST_CASE("The losses of a batch's parts add up to that of the whole") {
    const LossKind kind = GENERATE(LossKind::squared_error, LossKind::cross_entropy, LossKind::multinomial,
                                   LossKind::masked_squared_error);
    const Sample sample;
    linalg::Context context;
    const auto whole = nn::make_loss(kind, context, n, d);
    const double total = std::accumulate(sample.weights.data(), sample.weights.data() + n, 0.0);
    double sum = 0.0;
    for (std::int64_t i = 0; i < n; ++i) {
        const auto part = nn::make_loss(kind, context, 1, d);
        sum += (*part)(sample.predicted.data() + i * d,
                       {1, d, sample.values.data() + i * d, sample.weights.data() + i,
                        sample.mask.data() + i * d, total},
                       nullptr);
    }
    CHECK((*whole)(sample.predicted.data(), sample.batch(), nullptr) == Approx(sum));
}

TEST_CASE("A batch without any weight has no loss and no gradient") {
    const Tensor values = reference::uniform({n, d}, 0.0F, 1.0F, 2);
    const std::vector<float> zeros(n, 0.0F);
    nn::SquaredError loss(n);
    const Tensor predicted = reference::uniform({n, d}, 1.0F, 2.0F, 3);
    Tensor diff = predicted;
    CHECK(loss(predicted.data(), {n, d, values.data(), zeros.data()}, diff.data()) == 0.0);
    CHECK(std::all_of(diff.values().begin(), diff.values().end(), [](float x) { return x == 0.0F; }));
}
