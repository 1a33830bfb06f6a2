#include "pipeline/encoder_pool.hpp"

#include <algorithm>
#include <string>

#include "stackae/error.hpp"

#include "model/sample_model.hpp"
#include "support/catch.hpp"

namespace stackae::pipeline {
namespace {

using test::contains;

/// 3 × 3 pixels to 2 numbers.
Model small_model() {
    return test::sample_model("dense:2:activation=linear", {3, 3, 1});
}

InputBatch batch_of(int number, std::int64_t rows) {
    InputBatch batch{Tensor({rows, 9}), {}};
    std::fill(batch.pictures.values().begin(), batch.pictures.values().end(), static_cast<float>(number));
    batch.entries.assign(static_cast<std::size_t>(rows), {std::to_string(number), std::nullopt});
    return batch;
}

}  // namespace

TEST_CASE("Batches are encoded as by one encoder, and come out in the order they went in") {
    const Model model = small_model();
    const int threads = GENERATE(1, 2, 5);
    EncoderPool pool(model, {}, threads, threads);
    Encoder among_others(model);
    int next = 0;
    const auto check_next = [&] {
        const EncodedBatch encoded = pool.pop();
        REQUIRE(encoded.batch.entries.front().path == std::to_string(next));
        const Tensor expected = among_others.encode(batch_of(next, 300).pictures);  // alone, too
        REQUIRE(std::equal(encoded.codes.values().begin(), encoded.codes.values().end(),
                           expected.values().begin()));
        ++next;
    };
    for (int number = 0; number < 200; ++number) {
        while (pool.full()) {
            check_next();
        }
        pool.push(batch_of(number, number % 7 == 0 ? 300 : 1));
    }
    while (!pool.empty()) {
        check_next();
    }
    CHECK(next == 200);
}

TEST_CASE("A picture whose code is not finite is named") {
    const Model model = small_model();
    EncoderPool pool(model, {}, 2, 2);
    InputBatch batch = batch_of(0, 3);
    std::fill(batch.pictures.row(1).begin(), batch.pictures.row(1).end(), 3e38F);
    batch.entries[1].path = "bright.png";
    pool.push(std::move(batch));
    CHECK_THROWS_WITH(pool.pop(), contains("bright.png: its code is not finite"));
}

TEST_CASE("What encoding a batch throws comes out in that batch's place") {
    const Model model = small_model();
    EncoderPool pool(model, {}, 3, 3);
    pool.push(batch_of(0, 4));
    pool.push({Tensor({2, 5}), {}});  // no pictures of this model
    pool.push(batch_of(2, 4));
    CHECK(pool.pop().batch.entries.front().path == "0");
    CHECK_THROWS_AS(pool.pop(), InvalidArgument);
    CHECK(pool.pop().batch.entries.front().path == "2");
    pool.push(batch_of(3, 500));  // may be under way when the pool goes
}

}  // namespace stackae::pipeline
