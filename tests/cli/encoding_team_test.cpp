#include "cli/encoding_team.hpp"

#include <algorithm>
#include <string>

#include "stackae/error.hpp"

#include "support/catch.hpp"

namespace stackae::cli {
namespace {

using test::contains;

/// 3 × 3 pixels to 2 numbers.
Model small_model() {
    Model model;
    model.recipe.channels = 1;
    model.recipe.height = model.recipe.width = 3;
    DenseLayer layer{Activation::linear, Activation::linear, Tensor({2, 9}), Tensor({2}), {}, Tensor({9})};
    for (std::int64_t i = 0; i < layer.weights.size(); ++i) {
        layer.weights.data()[i] = static_cast<float>(i % 5);
    }
    model.layers.push_back(std::move(layer));
    return model;
}

InputBatch batch_of(int number, std::int64_t rows) {
    InputBatch batch{Tensor({rows, 9}), {}};
    std::fill(batch.pictures.values().begin(), batch.pictures.values().end(), static_cast<float>(number));
    batch.entries.assign(static_cast<std::size_t>(rows), {std::to_string(number), std::nullopt});
    return batch;
}

}  // namespace

TEST_CASE("batches are encoded as by one encoder, and come out in the order they went in") {
    const Model model = small_model();
    const int threads = GENERATE(1, 2, 5);
    EncodingTeam team(model, {}, threads, threads);
    Encoder alone(model);
    int next = 0;
    const auto check_next = [&] {
        const EncodedBatch encoded = team.pop();
        REQUIRE(encoded.batch.entries.front().path == std::to_string(next));
        const Tensor expected = alone.encode(encoded.batch.pictures);
        REQUIRE(std::equal(expected.values().begin(), expected.values().end(), encoded.codes.values().begin(),
                           encoded.codes.values().end()));
        ++next;
    };
    for (int number = 0; number < 200; ++number) {
        while (team.full()) {
            check_next();
        }
        team.push(batch_of(number, number % 7 == 0 ? 300 : 1));
    }
    while (!team.empty()) {
        check_next();
    }
    CHECK(next == 200);
}

TEST_CASE("a picture whose code is not finite is named") {
    Model model = small_model();
    std::fill(model.layers.front().weights.values().begin(), model.layers.front().weights.values().end(),
              3e38F);
    EncodingTeam team(model, {}, 2, 2);
    InputBatch batch = batch_of(0, 3);
    batch.pictures.row(1)[0] = batch.pictures.row(1)[1] = 1.0F;
    batch.entries[1].path = "bright.png";
    team.push(std::move(batch));
    CHECK_THROWS_WITH(team.pop(), contains("bright.png: its code is not finite"));
}

TEST_CASE("what encoding a batch throws comes out in that batch's place") {
    const Model model = small_model();
    EncodingTeam team(model, {}, 3, 3);
    team.push(batch_of(0, 4));
    team.push({Tensor({2, 5}), {}});  // no pictures of this model
    team.push(batch_of(2, 4));
    CHECK(team.pop().batch.entries.front().path == "0");
    CHECK_THROWS_AS(team.pop(), InvalidArgument);
    CHECK(team.pop().batch.entries.front().path == "2");
    team.push(batch_of(3, 500));  // may be under way when the team goes
}

}  // namespace stackae::cli
