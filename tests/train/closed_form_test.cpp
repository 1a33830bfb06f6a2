#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "base/rows.hpp"
#include "support/catch.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

constexpr std::int64_t inputs = 6;

/// Uniform in [0, 1).
Tensor noise(std::int64_t n, std::int64_t columns = inputs) {
    Tensor rows({n, 1, columns});
    const base::Random random(9, base::RandomStream::plan);
    for (std::int64_t i = 0; i < rows.size(); ++i) {
        rows.data()[i] = base::Random::uniform(random.block(static_cast<std::uint32_t>(i))[0]);
    }
    return rows;
}

Model fitted(const Tensor& rows, const std::string& stack, std::uint64_t seed = 3, int threads = 1) {
    TrainConfig config = config_of(stack);
    config.validation = 0.0;
    config.seed = seed;
    return train_on(rows, config, on_threads(threads));
}

/// exp(γ (cos − 1)) of two rows of which each value counts as much as its scale says; γ = 1.
double kernel(std::span<const float> a, std::span<const float> b, const std::vector<double>& scale) {
    double dot = 0.0;
    double of_a = 0.0;
    double of_b = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double square = scale[i] * scale[i];
        dot += square * double{a[i]} * double{b[i]};
        of_a += square * double{a[i]} * double{a[i]};
        of_b += square * double{b[i]} * double{b[i]};
    }
    return std::exp(dot / std::sqrt(of_a * of_b) - 1.0);
}

double dot(std::span<const float> a, std::span<const float> b) {
    return std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>{},
                                 [](float x, float y) { return double{x} * double{y}; });
}

/// Each column's variance to the power 0.2, as Nyström features see it.
std::vector<double> scale_of(const Tensor& rows) {
    std::vector<double> scale;
    const auto n = static_cast<double>(rows.rows());
    for (std::size_t j = 0; j < static_cast<std::size_t>(rows.columns()); ++j) {
        double sum = 0.0;
        double square = 0.0;
        for (std::int64_t i = 0; i < rows.rows(); ++i) {
            sum += double{rows.row(i)[j]};
            square += double{rows.row(i)[j]} * double{rows.row(i)[j]};
        }
        scale.push_back(std::pow(square / n - sum * sum / (n * n), 0.2));
    }
    return scale;
}

/// What decoding unit codes gives over what decoding zeros does: rows of V, units × values.
Tensor decoder_of(const Model& model, std::int64_t units) {
    Encoder encoder(model);
    Tensor unit({units + 1, units});
    for (std::int64_t i = 0; i < units; ++i) {
        unit.row(i)[static_cast<std::size_t>(i)] = 1.0F;
    }
    Tensor decoded = encoder.decode(unit);
    for (std::int64_t i = 0; i < units; ++i) {
        std::transform(decoded.row(i).begin(), decoded.row(i).end(), decoded.row(units).begin(),
                       decoded.row(i).begin(), std::minus<>{});
    }
    return decoded;
}

}  // namespace

// Nyström features see directions, so what is below them has mean 0.
TEST_CASE("Products of Nystroem features are the kernel of the codes below them") {
    const Tensor rows = as_rows(noise(300));
    const Model model = fitted(noise(300), "pca:6, nystroem:120");
    const Tensor codes = encode(model, rows);
    const Tensor features = encode(model, rows, "wide");
    REQUIRE(features.columns() == 120);
    const auto scale = scale_of(codes);
    double error = 0.0;
    double deviation = 0.0;
    for (std::int64_t i = 0; i < 100; ++i) {
        for (std::int64_t j = 0; j < i; ++j) {
            const double expected = kernel(codes.row(i), codes.row(j), scale);
            error += std::abs(dot(features.row(i), features.row(j)) - expected);
            deviation += std::abs(expected - std::exp(-1.0));
        }
    }
    CHECK(deviation > 100.0);
    CHECK(error < 0.1 * deviation);
}

TEST_CASE("The embedding is the code below Nystroem features, and a picture alone is coded as among others") {
    const Tensor rows = noise(40);
    const Model model = fitted(rows, "pca:4, nystroem:8");
    CHECK(model.code_size() == 4);
    CHECK(model.code_size("wide") == 8);
    const Tensor together = encode(model, as_rows(rows), "wide");
    Tensor alone({1, inputs});
    std::copy_n(rows.row(17).data(), inputs, alone.data());
    const Tensor code = encode(model, alone, "wide");
    for (std::int64_t j = 0; j < 8; ++j) {
        CHECK(std::abs(code.data()[j] - together.row(17)[static_cast<std::size_t>(j)]) < 1e-5F);
    }
}

TEST_CASE("There are as many landmarks as rows at most, and few rows are met by their own landmarks") {
    const Tensor rows = as_rows(noise(12));
    const Model model = fitted(noise(12), "pca:6, nystroem:4096");
    REQUIRE(model.code_size("wide") == 12);
    Encoder encoder(model, {"wide", false, 1});
    const Tensor codes = encode(model, rows);
    const Tensor met = encode(model, encoder.decode(encoder.encode(rows)));
    for (std::int64_t i = 0; i < rows.rows(); ++i) {  // lengths are not kept, directions are
        CHECK(kernel(met.row(i), codes.row(i), scale_of(codes)) > std::exp(-0.05));
    }
}

TEST_CASE("Rows that are all the same, and rows of zeros, have Nystroem features too") {
    Tensor rows({20, 1, inputs});
    std::fill(rows.values().begin(), rows.values().end(), GENERATE(0.0F, 1.0F));
    CHECK(all_finite(encode(fitted(rows, "nystroem:5"), as_rows(rows))));
}

TEST_CASE("Many landmarks are mixed block by block, and their products are the kernel once a block") {
    const Model model = fitted(noise(5000), "pca:6, nystroem:2148");
    REQUIRE(model.code_size("wide") == 2148);
    const Tensor rows = as_rows(noise(5000));
    const Tensor codes = encode(model, rows);
    const Tensor features = encode(model, rows, "wide");
    const auto scale = scale_of(codes);
    for (std::int64_t i = 0; i < 20; ++i) {
        const double expected = kernel(codes.row(i), codes.row(0), scale);
        CHECK(std::abs(dot(features.row(i), features.row(0)) / 2.0 - expected) < 0.1);
    }
}

TEST_CASE("Nystroem features are of the seed, and the code below them is as it is without them") {
    const Tensor rows = noise(100, 20);
    const Model model = fitted(rows, "pca:4, nystroem:30", 1);
    CHECK(model.layers.size() == 2);
    CHECK(model.code_size("wide") == 30);
    CHECK(fitted(rows, "pca:4, nystroem:30", 1).identity() == model.identity());
    CHECK(fitted(rows, "pca:4, nystroem:30", 1, 2).identity() == model.identity());
    CHECK(fitted(rows, "pca:4, nystroem:30", 2).identity() != model.identity());
    CHECK(same_values(encode(fitted(rows, "pca:4", 1), as_rows(rows)), encode(model, as_rows(rows))));
}

TEST_CASE("A code in closed form is half white, without correlations, and keeps what its axes vary") {
    const Tensor pictures = strokes(200);
    const Tensor rows = as_rows(pictures);
    const Model model = fitted(pictures, "pca:10:eigen_power=-0.25");
    const Tensor codes = encode(model, rows);
    const Tensor decoder = decoder_of(model, 10);
    const auto n = static_cast<double>(codes.rows());
    double kept = 0.0;
    for (std::int64_t a = 0; a < 10; ++a) {
        // Column a of V is λ^0.25 times an axis of length 1; the code's variance is λ^0.5.
        const double variance = base::squared_norm(decoder.row(a));
        kept += variance * variance;
        for (std::int64_t b = 0; b <= a; ++b) {
            double mean = 0.0;
            double product = 0.0;
            for (std::int64_t i = 0; i < codes.rows(); ++i) {
                const double x = double{codes.row(i)[static_cast<std::size_t>(a)]};
                mean += x / n;
                product += x * double{codes.row(i)[static_cast<std::size_t>(b)]} / n;
            }
            CAPTURE(a, b);
            CHECK(mean == Approx(0.0).margin(1e-3));
            CHECK(product == Approx(a == b ? variance : 0.0).epsilon(0.01).margin(1e-3));
        }
    }
    // What the first ten axes leave is all but their variances.
    const double of_mean = error_of_mean(rows);
    CHECK(kept > 0.2 * of_mean);
    CHECK(decoding_error(model, rows, {}) == Approx(of_mean - kept).epsilon(1e-2));
}

TEST_CASE(
    "A code of columns that are first brought to about the same deviation has orthogonal axes of these") {
    const Tensor rows = noise(200, 12);
    Tensor uneven = rows;
    for (std::int64_t i = 0; i < uneven.rows(); ++i) {
        for (std::size_t j = 0; j < 12; ++j) {
            uneven.row(i)[j] *= static_cast<float>(j + 1) / 12.0F;
        }
    }
    const Model model = fitted(uneven, "pca:5:std_shrinkage=0.3");
    const Tensor codes = encode(model, as_rows(uneven));
    Tensor axes = decoder_of(model, 5);
    // Deviations are the squares of their scale's square root.
    std::vector<double> deviations;
    for (const double scale : scale_of(uneven)) {
        deviations.push_back(std::pow(scale, 2.5));
    }
    const double least = 0.3 * std::accumulate(deviations.begin(), deviations.end(), 0.0) / 12.0;
    for (std::int64_t i = 0; i < 5; ++i) {
        std::transform(axes.row(i).begin(), axes.row(i).end(), deviations.begin(), axes.row(i).begin(),
                       [least](float v, double s) { return static_cast<float>(double{v} / (s + least)); });
    }
    for (std::int64_t b = 1; b < 5; ++b) {
        for (std::int64_t a = 0; a < b; ++a) {
            CHECK(std::abs(dot(axes.row(a), axes.row(b))) <
                  1e-3 * std::sqrt(dot(axes.row(a), axes.row(a)) * dot(axes.row(b), axes.row(b))));
            double together = 0.0;
            for (std::int64_t i = 0; i < codes.rows(); ++i) {
                together += double{codes.row(i)[static_cast<std::size_t>(a)]} *
                            double{codes.row(i)[static_cast<std::size_t>(b)]};
            }
            CHECK(std::abs(together) < 1e-2);
        }
    }
}

TEST_CASE("A head rebuilds unseen pictures straight away, however few it was fitted to") {
    const Tensor all = strokes(600);
    const auto part = [&](std::int64_t first, std::int64_t count) {
        Tensor some({count, 12, 12, 1});
        std::copy_n(all.row(first).data(), some.size(), some.data());
        return some;
    };
    const Tensor unseen = as_rows(part(400, 200));
    const std::int64_t seen = GENERATE(40, 400);
    const std::string units = GENERATE("6", "39");
    TrainConfig config = config_of(
        "conv2d:16:patches=3000, pool2d:2, conv2d:24:kernel=2:patches=3000, "
        "pool2d:grid=2, pca:" +
        units + ":eigen_power=-0.25, l2_norm");
    config.validation = 0.0;
    const Model model = train_on(part(0, seen), config);
    REQUIRE(model.reconstruction.head.size() == 1);
    CHECK(model.reconstruction.depth == 5);
    CHECK(model.reconstruction.head[0].output_shape() == Shape{12, 12, 1});
    Tensor mean({200, 144});  // of the pictures that it was fitted to
    for (std::int64_t i = 0; i < mean.size(); ++i) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < seen; ++k) {
            sum += double{all.row(k)[static_cast<std::size_t>(i % 144)]};
        }
        mean.data()[i] = static_cast<float>(sum / static_cast<double>(seen));
    }
    CHECK(reconstruction_error(model, unseen) < squared_error(mean, unseen));
    // The layers' decoders in turn have only what pooling left.
    Model layer_by_layer = model;
    layer_by_layer.reconstruction.head = Stack();
    if (seen == 400) {
        CHECK(reconstruction_error(model, unseen) < reconstruction_error(layer_by_layer, unseen));
    }
    CHECK(decoding_error(model, unseen, "4") == decoding_error(layer_by_layer, unseen, "4"));
}

TEST_CASE("A code on dense layers is decoded by them, and a head that would be too large is not made") {
    TrainConfig config = config_of("dense:12, pca:6");
    config.epochs = 2;
    CHECK(train_on(strokes(50), config).reconstruction.head.empty());
    const auto has_head = [](int side, int channels) {
        Preprocessing preprocessing;
        preprocessing.height = preprocessing.width = side;
        preprocessing.channels = channels;
        const auto stages = plan_training(1000, preprocessing, preset("conv"), {}).stages;
        return std::any_of(stages.begin(), stages.end(),
                           [](const StageInfo& stage) { return stage.name == "reconstruction"; });
    };
    CHECK(has_head(64, 3));
    CHECK_FALSE(has_head(512, 3));
}
