#include "train/picture_decoder.hpp"

#include <cmath>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "support/catch.hpp"

using namespace stackae;
using namespace stackae::training;

namespace {

constexpr std::int64_t pictures = 300;  // more than a batch
constexpr std::int64_t values = 5;
constexpr std::int64_t units = 3;

float uniform(std::uint32_t i) {
    return base::Random::uniform(base::Random(3, base::Stream::plan).block(i)[0]) - 0.5F;
}

/// Waves over the pictures: of mean 0, and none goes with another.
SampleStore waves() {
    SampleStore codes(pictures, units, true);
    for (std::int64_t i = 0; i < pictures; ++i) {
        for (std::int64_t j = 0; j < units; ++j) {
            const double turns =
                static_cast<double>((i * (j + 1)) % pictures) / static_cast<double>(pictures);
            codes.row(i)[j] = static_cast<float>(static_cast<double>(j + 1) * std::cos(2.0 * M_PI * turns));
        }
    }
    return codes;
}

}  // namespace

TEST_CASE("pictures that are linear in their codes are rebuilt, in whatever order they lie") {
    const SampleStore codes = waves();
    std::vector<std::int64_t> rows(pictures);
    SampleStore store(pictures + 1, values, true);
    std::fill_n(store.row(0), values, 1e6F);  // one that was not coded
    for (std::int64_t i = 0; i < pictures; ++i) {
        rows[static_cast<std::size_t>(i)] = pictures - i;
        for (std::int64_t v = 0; v < values; ++v) {
            float& to = store.row(pictures - i)[v];
            to = static_cast<float>(v);
            for (std::int64_t j = 0; j < units; ++j) {
                to += uniform(static_cast<std::uint32_t>(v * units + j)) * codes.row(i)[j];
            }
        }
    }
    linalg::Context context(1);
    const std::vector<double> variances{0.5, 2.0, 4.5};
    const PictureDecoder decoder = fit_picture_decoder(context, store, rows, codes, variances);
    for (std::int64_t v = 0; v < values; ++v) {
        CHECK(std::abs(decoder.bias.data()[v] - static_cast<float>(v)) < 1e-3F);
        for (std::int64_t j = 0; j < units; ++j) {
            CHECK(std::abs(decoder.weights.row(v)[static_cast<std::size_t>(j)] -
                           uniform(static_cast<std::uint32_t>(v * units + j))) < 1e-3F);
        }
    }
}

TEST_CASE("codes that say nothing about the pictures are hardly believed") {
    const SampleStore codes = waves();
    std::vector<std::int64_t> rows(pictures);
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    SampleStore store(pictures, values, true);
    for (std::int64_t i = 0; i < pictures * values; ++i) {
        store.row(0)[i] = uniform(static_cast<std::uint32_t>(1000 + i));
    }
    linalg::Context context(1);
    const std::vector<double> variances{0.5, 2.0, 4.5};
    const PictureDecoder decoder = fit_picture_decoder(context, store, rows, codes, variances);
    for (const float weight : decoder.weights.values()) {
        CHECK(std::abs(weight) < 0.01F);
    }
}

TEST_CASE("one picture, or codes that are constant, give the mean picture") {
    linalg::Context context(1);
    SampleStore store(1, values, true);
    SampleStore codes(1, units, true);
    std::iota(store.row(0), store.row(0) + values, 1.0F);
    std::fill_n(codes.row(0), units, 0.0F);
    const std::vector<std::int64_t> rows{0};
    const std::vector<double> variances(units, 0.0);
    const PictureDecoder decoder = fit_picture_decoder(context, store, rows, codes, variances);
    for (std::int64_t v = 0; v < values; ++v) {
        CHECK(decoder.bias.data()[v] == static_cast<float>(v + 1));
    }
    for (const float weight : decoder.weights.values()) {
        CHECK(weight == 0.0F);
    }
}

TEST_CASE("a decoder that would be too large is not made") {
    TrainOptions options = preset("conv");
    CHECK(has_picture_decoder(options, 64 * 64 * 3, 512));
    CHECK_FALSE(has_picture_decoder(options, 512 * 512 * 3, 512));
    options.code_size = 0;
    CHECK_FALSE(has_picture_decoder(options, 64, 512));
}
