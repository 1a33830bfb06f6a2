#include <cmath>
#include <string>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "support/catch.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

/// n rows of d numbers of any size, most of which lie in `rank` directions, as 1 × d pictures.
Tensor rows_of(std::int64_t n, std::int64_t d, std::int64_t rank) {
    const base::Random random(9, base::RandomStream::plan);
    std::uint32_t at = 0;
    const auto normal = [&] {
        const auto bits = random.block(at++);
        return base::Random::normal(bits[0], bits[1])[0];
    };
    Tensor axes({rank, d});
    for (float& value : axes.values()) {
        value = normal();
    }
    Tensor rows({n, 1, d});
    for (std::int64_t i = 0; i < n; ++i) {
        for (std::int64_t k = 0; k < rank; ++k) {
            const float length = normal();
            for (std::int64_t j = 0; j < d; ++j) {
                rows.row(i)[static_cast<std::size_t>(j)] += length * axes.row(k)[static_cast<std::size_t>(j)];
            }
        }
        for (float& value : rows.row(i)) {
            value += 3.0F + 0.2F * normal();
        }
    }
    return rows;
}

/// That takes any numbers, and leaves them as they are.
Preprocessing any_numbers(const Tensor& rows) {
    Preprocessing preprocessing = preprocessing_of(rows);
    preprocessing.mean.assign(static_cast<std::size_t>(preprocessing.size()), 0.0F);
    preprocessing.deviation.assign(static_cast<std::size_t>(preprocessing.size()), 1.0F);
    return preprocessing;
}

Model learn(const Tensor& rows, const TrainConfig& config) {
    TrainObserver nobody;
    return train(ImageDataset::from_tensor(rows), any_numbers(rows), config, {}, nobody);
}

TrainConfig from_axes(const std::string& stack) {
    TrainConfig config = config_of(stack);
    config.epochs = 0;
    config.fine_tune_epochs = 1;
    config.fine_tune_from_pca = true;
    config.learning_rate = 1e-12;
    config.batch_size = 50;
    config.validation = 0.1;
    return config;
}

}  // namespace

TEST_CASE("A deep stack begins as principal components of the size of its code") {
    const Tensor rows = rows_of(400, 12, 5);
    const std::string stack =
        GENERATE(as<std::string>{}, "dense:12, dense:4:activation=linear",
                 "dense:17, dense:10, dense:9:activation=relu, dense:4:activation=linear",
                 "dense:8:activation=linear, dense:4:activation=linear", "dense:4:activation=linear");
    CAPTURE(stack);
    const Model model = learn(rows, from_axes(stack));
    const auto errors = reconstruction_errors(model, ImageDataset::from_tensor(rows));
    REQUIRE(errors);
    CHECK(errors->components == 4);
    CHECK(errors->pictures == 40);
    CHECK(errors->others == 360);
    CHECK(errors->mean > 3.0 * errors->pca);
    CHECK(errors->stack == Approx(errors->pca).epsilon(1e-4));
    CHECK_FALSE(errors->worse_than_pca());
}

TEST_CASE("What fine-tuning makes worse than principal components is not kept") {
    const Tensor rows = rows_of(400, 12, 4);
    TrainConfig config = from_axes("dense:12, dense:4:activation=linear");
    config.learning_rate = 0.02;
    config.schedule = ScheduleKind::constant;
    const auto errors = reconstruction_errors(learn(rows, config), ImageDataset::from_tensor(rows));
    CHECK(errors->stack <= 1.0001 * errors->pca);
    config.fine_tune_from_pca = false;
    const auto others = reconstruction_errors(learn(rows, config), ImageDataset::from_tensor(rows));
    CHECK(others->worse_than_pca());
    CHECK(others->pca == Approx(errors->pca));
}

TEST_CASE("More components than the rows have leave a stack that can be used") {
    const Tensor rows = rows_of(4, 12, 2);
    TrainConfig config = from_axes("dense:12, dense:6:activation=linear");
    config.validation = 0.0;
    const Model model = learn(rows, config);
    CHECK(all_finite(encode(model, as_rows(rows))));
    CHECK_FALSE(reconstruction_errors(model, ImageDataset::from_tensor(rows)));
}

TEST_CASE("A stack that cannot carry principal components is refused by what is wrong") {
    const Tensor rows = rows_of(50, 12, 2);
    const auto refused = [&](const std::string& stack, const std::string& why) {
        CAPTURE(stack);
        CHECK_THROWS_WITH(learn(rows, from_axes(stack)), contains(why));
    };
    refused("dense:7, dense:4:activation=linear", "a layer of 7 units found, at least 8 expected");
    refused("dense:12:activation=tanh, dense:4:activation=linear", "tanh units found, silu, relu or linear");
    refused("dense:12, dense:4", "silu units found, linear ones expected in the code");
    refused("dense:40, dense:13:activation=linear", "a code of 13 found");
}
