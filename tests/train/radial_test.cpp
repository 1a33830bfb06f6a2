#include "train/radial.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "stackae/train.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "support/catch.hpp"

using namespace stackae;
using namespace stackae::training;

namespace {

constexpr std::int64_t inputs = 6;

float uniform(std::uint32_t i) {
    return base::Random::uniform(base::Random(9, base::Stream::plan).block(i)[0]) - 0.5F;
}

Tensor random_rows(std::int64_t n, std::int64_t columns) {
    Tensor rows({n, columns});
    for (std::int64_t i = 0; i < rows.size(); ++i) {
        rows.data()[i] = uniform(static_cast<std::uint32_t>(i));
    }
    return rows;
}

const std::vector<double> variances{9.0, 4.0, 1.0, 1.0, 0.25, 0.01};

RadialLayer fitted(const Tensor& codes, std::int64_t units) {
    SampleStore store(codes.rows(), codes.columns(), true);
    std::copy_n(codes.data(), codes.size(), store.row(0));
    linalg::Context context(1);
    return fit_radial(context, store, variances, 0.4, units, 3).value();
}

/// A stack whose code is its picture, of `inputs` values, with radial units over it.
Model stack_of(RadialLayer radial) {
    Model model;
    model.recipe.height = 1;
    model.recipe.width = static_cast<int>(inputs);
    DenseLayer same{Activation::linear, Activation::linear,       Tensor({inputs, inputs}),
                    Tensor({inputs}),   Tensor({inputs, inputs}), Tensor({inputs})};
    for (std::int64_t i = 0; i < inputs; ++i) {
        same.weights.row(i)[static_cast<std::size_t>(i)] = 1.0F;
        same.decoder_weights.row(i)[static_cast<std::size_t>(i)] = 1.0F;
    }
    model.layers.push_back(std::move(same));
    model.radial = std::move(radial);
    return model;
}

Tensor encode(const Model& model, const Tensor& pictures, int layer) {
    Encoder encoder(model, {layer, false, 1});
    return encoder.encode(pictures);
}

/// exp(γ (cos − 1)) of two codes as the units see them.
double kernel(const RadialLayer& radial, std::span<const float> a, std::span<const float> b) {
    double dot = 0.0;
    double of_a = 0.0;
    double of_b = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        const double square = std::pow(double{radial.scale.data()[i]}, 2.0);
        dot += square * double{a[i]} * double{b[i]};
        of_a += square * double{a[i]} * double{a[i]};
        of_b += square * double{b[i]} * double{b[i]};
    }
    return std::exp(double{radial.gamma} * (dot / std::sqrt(of_a * of_b) - 1.0));
}

double dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0.0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        sum += double{a[i]} * double{b[i]};
    }
    return sum;
}

}  // namespace

TEST_CASE("products of radial codes are the kernel of the codes below them") {
    const Tensor codes = random_rows(300, inputs);
    const Model model = stack_of(fitted(codes, 120));
    REQUIRE(model.depth() == 2);
    REQUIRE(model.radial->units() == 120);
    REQUIRE(model.radial->block() == 120);
    const Tensor radial = encode(model, codes, 2);
    REQUIRE(radial.columns() == 120);
    double error = 0.0;
    double deviation = 0.0;
    for (std::int64_t i = 0; i < 100; ++i) {
        for (std::int64_t j = 0; j < i; ++j) {
            const double expected = kernel(*model.radial, codes.row(i), codes.row(j));
            error += std::abs(dot(radial.row(i), radial.row(j)) - expected);
            deviation += std::abs(expected - std::exp(-1.0));
        }
    }
    CHECK(deviation > 100.0);
    CHECK(error < 0.1 * deviation);
}

TEST_CASE("layer 0 is the code below radial units, and a picture alone is coded by them as among others") {
    const Tensor codes = random_rows(40, inputs);
    const Model model = stack_of(fitted(codes, 8));
    CHECK(model.code_layer() == 1);
    CHECK(model.code_size() == inputs);
    CHECK(model.code_size(2) == 8);
    const Tensor plain = encode(model, codes, 0);
    CHECK(std::equal(plain.data(), plain.data() + plain.size(), codes.data()));
    // A picture on its own has the code that it has among others.
    const Tensor together = encode(model, codes, 2);
    Tensor alone({1, inputs});
    std::copy_n(codes.row(17).data(), inputs, alone.data());
    const Tensor code = encode(model, alone, 2);
    for (std::int64_t j = 0; j < 8; ++j) {
        CHECK(std::abs(code.data()[j] - together.row(17)[static_cast<std::size_t>(j)]) < 1e-5F);
    }
}

TEST_CASE("there are as many radial units as codes at most, and few codes are met by their own units") {
    const Tensor codes = random_rows(12, inputs);
    const Model model = stack_of(fitted(codes, 4096));
    REQUIRE(model.radial->units() == 12);
    Encoder encoder(model, {2, false, 1});
    const Tensor decoded = encoder.decode(encoder.encode(codes));
    REQUIRE(decoded.columns() == inputs);
    for (std::int64_t i = 0; i < codes.rows(); ++i) {  // lengths are not kept, directions are
        CHECK(kernel(*model.radial, decoded.row(i), codes.row(i)) > std::exp(-0.05));
    }
}

TEST_CASE("codes that are all the same, and codes of zeros, have radial units too") {
    const bool zeros = GENERATE(false, true);
    Tensor codes({20, inputs});
    for (std::int64_t i = 0; !zeros && i < codes.size(); ++i) {
        codes.data()[i] = 1.0F;
    }
    const Model model = stack_of(fitted(codes, 5));
    const Tensor radial = encode(model, codes, 2);
    CHECK(std::all_of(radial.values().begin(), radial.values().end(),
                      [](float value) { return std::isfinite(value); }));
}

TEST_CASE("many radial units are mixed block by block, and their products are the kernel once a block") {
    const Tensor codes = random_rows(5000, inputs);
    const Model model = stack_of(fitted(codes, radial_block + 100));
    REQUIRE(model.radial->units() == radial_block + 100);
    CHECK(model.radial->block() == (radial_block + 100) / 2);
    Tensor some({20, inputs});
    std::copy_n(codes.data(), some.size(), some.data());
    const Tensor radial = encode(model, some, 2);
    for (std::int64_t i = 0; i < some.rows(); ++i) {
        const double expected = kernel(*model.radial, some.row(i), some.row(0));
        CHECK(std::abs(dot(radial.row(i), radial.row(0)) / 2.0 - expected) < 0.1);
    }
}

TEST_CASE("training makes radial units of a seed and of nothing else") {
    TrainOptions options;
    options.layers = {};
    options.code_size = 4;
    options.radial_units = 30;
    options.validation = 0.1;
    options.threads = 1;
    Recipe recipe;
    recipe.height = 4;
    recipe.width = 5;
    const auto train_with = [&](std::uint64_t seed, std::int64_t units, int threads) {
        TrainOptions own = options;
        own.seed = seed;
        own.radial_units = units;
        own.threads = threads;
        Tensor pictures({100, 4, 5});
        const Tensor rows = random_rows(100, 20);
        std::transform(rows.data(), rows.data() + rows.size(), pictures.data(),
                       [](float value) { return value + 0.5F; });
        TrainObserver nobody;
        return train(Pictures::from_tensor(std::move(pictures)), recipe, own, nobody);
    };
    const Model model = train_with(1, 30, 1);
    REQUIRE(model.radial);
    CHECK(model.depth() == 2);
    CHECK(model.radial->units() == 30);
    CHECK(model.radial->inputs() == 4);
    CHECK(train_with(1, 30, 1).identity() == model.identity());
    CHECK(train_with(1, 30, 2).identity() == model.identity());
    CHECK(train_with(2, 30, 1).identity() != model.identity());
    const Model without = train_with(1, 0, 1);
    CHECK_FALSE(without.radial);
    CHECK(std::equal(without.layers[0].weights.data(), without.layers[0].weights.data() + 4 * 20,
                     model.layers[0].weights.data()));
}

TEST_CASE("radial units are given up when they are told to stop, whenever that is") {
    const Tensor codes = random_rows(60, inputs);
    int asked = 0;
    const auto fit = [&](int stop_at) {
        SampleStore store(codes.rows(), codes.columns(), true);
        std::copy_n(codes.data(), codes.size(), store.row(0));
        linalg::Context context(1);
        asked = 0;
        return fit_radial(context, store, variances, 0.4, 10, 3, [&] { return ++asked >= stop_at; });
    };
    REQUIRE(fit(1000));
    const int times = asked;
    CHECK(times > 4);
    for (int stop_at = 1; stop_at <= times; ++stop_at) {
        CHECK_FALSE(fit(stop_at));
    }
}
