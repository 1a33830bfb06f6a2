#include "support/catch.hpp"
#include "train/training.hpp"

using namespace stackae;
using namespace stackae::test;

namespace {

Preprocessing preprocessing_of_side(int side) {
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = side;
    return preprocessing;
}

}  // namespace

TEST_CASE("Few pictures are seen in smaller batches and more often, until layers see enough updates") {
    TrainConfig config = preset("dense");
    REQUIRE(fit_to_small_set(config, 500));
    CHECK(config.batch_size == 32);
    CHECK(config.epochs == 38);            // 16 updates an epoch, 600 in all
    CHECK(config.fine_tune_epochs == 94);  // 1,500 in all
    TrainConfig of_ten = preset("dense");
    REQUIRE(fit_to_small_set(of_ten, 10));
    CHECK(of_ten.epochs == 200);
    TrainConfig of_many = preset("dense");
    CHECK_FALSE(fit_to_small_set(of_many, 60'000));
    CHECK(of_many.batch_size == 256);
}

TEST_CASE("What a user named is not changed for a small set, nor a stack without gradients") {
    TrainConfig config = preset("dense");
    REQUIRE(fit_to_small_set(config, 500, {.batch_size = false, .fine_tune_epochs = false}));
    CHECK(config.batch_size == 256);
    CHECK(config.epochs == 200);
    CHECK(config.fine_tune_epochs == 30);
    TrainConfig conv = preset("conv");
    CHECK_FALSE(fit_to_small_set(conv, 10));
}

TEST_CASE("A layer of more than twice as many units as inputs can copy, and a code as long as a picture") {
    const Preprocessing preprocessing = preprocessing_of_side(10);
    TrainConfig config = config_of("dense:201, dense:50, dense:101, dense:100:activation=linear, l2_norm");
    auto found = copying_layers(preprocessing, config);
    REQUIRE(found.size() == 3);
    CHECK(found[0].layer == 1);
    CHECK(found[0].units == 201);
    CHECK(found[0].values == 100);
    CHECK_FALSE(found[0].of_picture);
    CHECK(found[1].layer == 3);
    CHECK(found[1].values == 50);
    CHECK(found[2].layer == 4);
    CHECK(found[2].values == 100);
    CHECK(found[2].of_picture);
    CHECK(copying_layers(preprocessing, config_of("dense:200, dense:99")).empty());
    CHECK(copying_layers(preprocessing, config_of("dense:200, pca:100")).empty());
}

TEST_CASE("Corruption, sparsity and winner-take-all keep layers from copying, moved pictures do not") {
    const Preprocessing preprocessing = preprocessing_of_side(10);
    const auto copies = [&](const auto& change) {
        TrainConfig config = config_of("dense:300");
        change(config);
        return !copying_layers(preprocessing, config).empty();
    };
    CHECK(copies([](TrainConfig& /*config*/) {}));
    CHECK_FALSE(copies([](TrainConfig& config) { config.corruption = Corruption::masking; }));
    CHECK(copies([](TrainConfig& config) { config.augment_shift = 0.1; }));
    CHECK_FALSE(copies([](TrainConfig& config) { config.sparsity_weight = 1.0; }));
    CHECK_FALSE(copies([](TrainConfig& config) { config.lifetime_sparsity = 0.1; }));
    // The code is shorter, and no layer is learnt by itself.
    TrainConfig unrolled = config_of("dense:300, dense:20");
    CHECK(copying_layers(preprocessing, unrolled).size() == 1);
    unrolled.epochs = 0;
    CHECK(copying_layers(preprocessing, unrolled).empty());
}
