#include "nn/conv2d.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <vector>

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;
using nn::Conv2dShape;
using nn::PatchActivation;

namespace {

using Values = std::vector<double>;

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

/// A convolution with the tensors that it refers to.
struct Filters {
    Conv2dShape shape;
    Tensor whitening = Tensor({shape.whitening_dim, shape.patch_size()});
    Tensor patch_mean = Tensor({shape.patch_size()});
    Tensor weights = Tensor({shape.units, shape.whitening_dim});
    Tensor bias = Tensor({shape.units});
    Tensor decoder_weights = Tensor({shape.whitening_dim, shape.units});
    Tensor decoder_bias = Tensor({shape.whitening_dim});
};

/// The patch at (y, x), its contrast normalised where the shape says so.
Values patch_of(const Conv2dShape& s, const float* map, std::int64_t y, std::int64_t x) {
    Values patch;
    for (std::int64_t k = 0; k < s.kernel; ++k) {
        for (std::int64_t l = 0; l < s.kernel; ++l) {
            for (std::int64_t c = 0; c < s.channels; ++c) {
                patch.push_back(double{map[((y + k) * s.width + x + l) * s.channels + c]});
            }
        }
    }
    if (s.contrast_norm) {
        const auto d = static_cast<double>(patch.size());
        double mean = 0.0;
        double variance = 0.0;
        for (const double value : patch) {
            mean += value / d;
        }
        for (const double value : patch) {
            variance += (value - mean) * (value - mean) / d;
        }
        for (double& value : patch) {
            value = (value - mean) / std::sqrt(variance + double{s.contrast_epsilon});
        }
    }
    return patch;
}

/// Of one position.
Values code_of(const Filters& f, const Values& patch) {
    const Conv2dShape& s = f.shape;
    Values whitened;
    for (std::int64_t i = 0; i < s.whitening_dim; ++i) {
        double z = 0.0;
        for (std::int64_t j = 0; j < s.patch_size(); ++j) {
            z += double{f.whitening.row(i)[at(j)]} * (patch[at(j)] - double{f.patch_mean.data()[j]});
        }
        whitened.push_back(z);
    }
    Values code(at(s.oc()));
    for (std::int64_t unit = 0; unit < s.units; ++unit) {
        double answer = 0.0;
        for (std::int64_t i = 0; i < s.whitening_dim; ++i) {
            answer += double{f.weights.row(unit)[at(i)]} * whitened[at(i)];
        }
        const auto bias = double{f.bias.data()[unit]};
        code[at(unit)] =
            s.activation == PatchActivation::linear ? answer + bias : std::max(0.0, answer + bias);
        if (s.activation == PatchActivation::crelu) {
            code[at(s.units + unit)] = std::max(0.0, bias - answer);
        }
    }
    return code;
}

Values forward(const Filters& f, const Tensor& map) {
    Values result;
    for (std::int64_t y = 0; y < f.shape.oh(); ++y) {
        for (std::int64_t x = 0; x < f.shape.ow(); ++x) {
            const Values code = code_of(f, patch_of(f.shape, map.data(), y, x));
            result.insert(result.end(), code.begin(), code.end());
        }
    }
    return result;
}

Values decoded(const Filters& f, const Tensor& codes) {
    const Conv2dShape& s = f.shape;
    Values sum(at(s.input_size()), 0.0);
    Values covering(at(s.input_size()), 0.0);
    for (std::int64_t position = 0; position < s.oh() * s.ow(); ++position) {
        const float* code = codes.data() + position * s.oc();
        Values patch(f.patch_mean.values().begin(), f.patch_mean.values().end());
        for (std::int64_t i = 0; i < s.whitening_dim; ++i) {
            auto z = double{f.decoder_bias.data()[i]};
            double length = 0.0;
            for (std::int64_t unit = 0; unit < s.units; ++unit) {
                const double h =
                    double{code[unit]} -
                    (s.activation == PatchActivation::crelu ? double{code[s.units + unit]} : 0.0);
                z += double{f.decoder_weights.row(i)[at(unit)]} * h;
            }
            for (const float value : f.whitening.row(i)) {
                length += double{value} * double{value};
            }
            for (std::int64_t j = 0; j < s.patch_size(); ++j) {
                patch[at(j)] += double{f.whitening.row(i)[at(j)]} / length * z;
            }
        }
        std::size_t j = 0;
        for (std::int64_t k = 0; k < s.kernel; ++k) {
            for (std::int64_t l = 0; l < s.kernel * s.channels; ++l, ++j) {
                const std::int64_t to =
                    ((position / s.ow() + k) * s.width + position % s.ow()) * s.channels + l;
                sum[at(to)] += patch[j];
                covering[at(to)] += 1.0;
            }
        }
    }
    std::transform(sum.begin(), sum.end(), covering.begin(), sum.begin(), std::divides<>{});
    return sum;
}

/// Small whole numbers all through: sums of sums of products stay exact.
Filters whole_filters(const Conv2dShape& s) {
    Filters f{s};
    f.whitening = reference::whole_numbers({s.whitening_dim, s.patch_size()}, 1, 1);
    f.patch_mean = reference::whole_numbers({s.patch_size()}, 1, 2);
    f.weights = reference::whole_numbers({s.units, s.whitening_dim}, 1, 3);
    f.bias = reference::whole_numbers({s.units}, 3, 4);
    return f;
}

Filters real_filters(const Conv2dShape& s) {
    Filters f{s};
    f.whitening = reference::uniform({s.whitening_dim, s.patch_size()}, -1, 1, 1);
    f.patch_mean = reference::uniform({s.patch_size()}, -1, 1, 2);
    f.weights = reference::uniform({s.units, s.whitening_dim}, -1, 1, 3);
    f.bias = reference::uniform({s.units}, -1, 1, 4);
    f.decoder_weights = reference::uniform({s.whitening_dim, s.units}, -1, 1, 5);
    f.decoder_bias = reference::uniform({s.whitening_dim}, -1, 1, 6);
    return f;
}

/// d = 18 of two channels: with 4 units the whitening becomes part of the weights, with 40 it does not.
Conv2dShape shape_of(std::int64_t units, std::int64_t whitening_dim) {
    return {
        .channels = 2, .height = 9, .width = 7, .kernel = 3, .whitening_dim = whitening_dim, .units = units};
}

/// Of four channels: with 33 units the whitening becomes part of the weights, with 400 it does not, and
/// either way Winograd's way pays. Two bands of rows.
Conv2dShape wide_shape_of(std::int64_t units) {
    return {.channels = 4, .height = 10, .width = 8, .kernel = 3, .whitening_dim = 32, .units = units};
}

bool whitening_is_taken_in(const Conv2dShape& s) {
    return s.patch_size() * s.units <= (s.patch_size() + s.units) * s.whitening_dim;
}

/// Keeps all positions, and counts how often each was handed on.
class Kept {
public:
    explicit Kept(const Conv2dShape& s) : channels_(s.oc()), codes({s.oh() * s.ow(), s.oc()}) {
        times.resize(at(codes.rows()));
    }
    void operator()(std::int64_t position, const float* values) {
        std::copy_n(values, channels_, codes.row(position).data());
        ++times[at(position)];
    }

private:
    std::int64_t channels_;

public:
    Tensor codes;
    std::vector<int> times;
};

void check_close(const Tensor& found, const Values& expected, double tolerance) {
    REQUIRE(found.values().size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        REQUIRE(static_cast<double>(found.values()[i]) ==
                Approx(expected[i]).epsilon(tolerance).margin(tolerance));
    }
}

class Runner {
public:
    explicit Runner(const Filters& f)
        : filters_(f), convolution_(context_, f.shape, {f.whitening, f.patch_mean, f.weights, f.bias}) {}

    /// Codes of a map beside the formula's; every position once.
    Tensor check(const Tensor& map, double tolerance) {
        Kept kept(filters_.shape);
        convolution_.forward(map.data(), std::ref(kept));
        REQUIRE(std::all_of(kept.times.begin(), kept.times.end(), [](int times) { return times == 1; }));
        check_close(kept.codes, forward(filters_, map), tolerance);
        return kept.codes;
    }

private:
    const Filters& filters_;
    linalg::Context context_{1};
    nn::Conv2d convolution_;
};

PatchActivation any_activation() {
    return GENERATE(PatchActivation::relu, PatchActivation::crelu, PatchActivation::linear);
}

}  // namespace

TEST_CASE("Im2col takes every patch, line by line, and normalises its contrast where asked to") {
    Conv2dShape s = shape_of(4, 5);
    s.contrast_norm = GENERATE(false, true);
    const Tensor map = reference::whole_numbers({s.input_size()}, 9, 1);
    const std::int64_t positions = s.oh() * s.ow();
    REQUIRE(positions == 35);
    Tensor rows({positions, s.patch_size()});
    // In two parts, as blocks of a layer do.
    nn::im2col(s, map.data(), 0, 13, rows.data());
    nn::im2col(s, map.data(), 13, positions - 13, rows.row(13).data());
    for (std::int64_t i = 0; i < positions; ++i) {
        const Values expected = patch_of(s, map.data(), i / s.ow(), i % s.ow());
        for (std::size_t j = 0; j < expected.size(); ++j) {
            CAPTURE(i, j);
            REQUIRE(static_cast<double>(rows.row(i)[j]) ==
                    Approx(expected[j]).margin(s.contrast_norm ? 1e-5 : 0.0));
        }
    }
}

TEST_CASE("Patches of one value are zeros when their contrast is normalised, however bright") {
    const Conv2dShape s = shape_of(4, 5);
    Tensor map({s.input_size()});
    std::fill_n(map.data(), map.size(), GENERATE(0.0F, 0.5F));
    Tensor rows({35, s.patch_size()});
    nn::im2col(s, map.data(), 0, 35, rows.data());
    for (const float value : rows.values()) {
        REQUIRE(value == 0.0F);
    }
}

TEST_CASE(
    "A convolution is exact on whole numbers, of every activation, with its whitening taken in or not") {
    const std::int64_t units = GENERATE(4, 40);
    Conv2dShape s = shape_of(units, units == 4 ? 17 : 5);
    s.contrast_norm = false;
    s.activation = any_activation();
    CAPTURE(units, name(s.activation));
    REQUIRE(whitening_is_taken_in(s) == (units == 4));
    const Filters filters = whole_filters(s);
    Runner runner(filters);
    for (const std::uint32_t run : {5U, 6U}) {
        const Tensor codes = runner.check(reference::whole_numbers({s.input_size()}, 2, run), 0.0);
        REQUIRE(*std::max_element(codes.values().begin(), codes.values().end()) > 0.0F);
    }
}

TEST_CASE("A convolution of patches of normal contrast follows its formula") {
    Conv2dShape s = shape_of(GENERATE(4, 40), 5);
    s.activation = any_activation();
    const Filters filters = real_filters(s);
    Runner(filters).check(reference::uniform({s.input_size()}, 0, 1, 8), 1e-4);
}

TEST_CASE("Blocks of patches that do not divide the positions leave out none") {
    // 19 × 19 positions: several blocks, the last not full.
    const Conv2dShape s{
        .height = 22, .width = 22, .kernel = 4, .whitening_dim = 16, .units = 3, .contrast_norm = false};
    const Filters filters = whole_filters(s);
    Runner(filters).check(reference::whole_numbers({s.input_size()}, 2, 9), 0.0);
}

TEST_CASE("A convolution of rounded factors is a little off its formula") {
    // With 60 units the whitening becomes part of the weights, with 200 it does not.
    Conv2dShape s{.channels = 13, .height = 4, .width = 4, .kernel = 2, .whitening_dim = 51};
    s.units = GENERATE(60, 200);
    s.whitening_dim = s.units == 60 ? 51 : 30;
    REQUIRE(whitening_is_taken_in(s) == (s.units == 60));
    const Tensor map = reference::uniform({s.input_size()}, 0, 1, 8);
    const auto off_by = [&](nn::Precision precision) {
        s.precision = precision;
        const Filters filters = real_filters(s);
        linalg::Context context(1);
        Kept kept(s);
        nn::Conv2d(context, s, {filters.whitening, filters.patch_mean, filters.weights, filters.bias})
            .forward(map.data(), std::ref(kept));
        const Values expected = forward(filters, map);
        double most = 0.0;
        for (std::size_t i = 0; i < expected.size(); ++i) {
            most = std::max(most, std::abs(double{kept.codes.values()[i]} - expected[i]));
        }
        return most / *std::max_element(expected.begin(), expected.end());
    };
    CHECK(off_by(nn::Precision::float32) < 1e-5);
    const double rounded = off_by(nn::Precision::bfloat16);
    CHECK(rounded > 1e-4);
    CHECK(rounded < 5e-3);
}

TEST_CASE("A convolution by Winograd's way follows its formula, of every activation") {
    Conv2dShape s = wide_shape_of(GENERATE(33, 400));
    s.activation = any_activation();
    s.contrast_norm = GENERATE(false, true);
    CAPTURE(s.units, name(s.activation), s.contrast_norm);
    REQUIRE(whitening_is_taken_in(s) == (s.units == 33));
    REQUIRE(nn::WinogradConv::is_profitable(s.patches(), s.units == 33 ? s.units : s.whitening_dim));
    const Filters filters = real_filters(s);
    Runner(filters).check(reference::uniform({s.input_size()}, 0, 1, 8), 1e-4);
}

TEST_CASE("Winograd's way leaves out no position of a map of several blocks down and across") {
    Conv2dShape s = wide_shape_of(40);
    s.height = GENERATE(8, 40);
    s.width = s.height == 8 ? 700 : 100;
    s.whitening_dim = 12;
    linalg::Context context(1);
    const nn::WinogradConv product(context, s.patches(), Tensor({s.units, s.patch_size()}).data(), s.units);
    REQUIRE((s.height == 40 ? product.rows() < s.oh() : product.columns() < s.ow()));
    const Filters filters = real_filters(s);
    Runner(filters).check(reference::uniform({s.input_size()}, 0, 1, 8), 1e-4);
}

TEST_CASE("Contrast of a bright map is normalised as exactly by Winograd's way") {
    const Conv2dShape s = wide_shape_of(33);
    Tensor map = reference::uniform({s.input_size()}, 0, 0.1F, 8);
    for (float& value : map.values()) {
        value += 0.9F;
    }
    const Filters filters = real_filters(s);
    Runner(filters).check(map, 1e-3);
}

TEST_CASE("A decoder rebuilds patches, undoes the whitening and averages what overlaps") {
    // Also of several blocks, the last not full.
    Conv2dShape s = GENERATE(shape_of(4, 5), shape_of(40, 5), wide_shape_of(400));
    s.activation = any_activation();
    CAPTURE(s.units, name(s.activation));
    const Filters filters = real_filters(s);
    linalg::Context context(1);
    nn::Conv2dDecoder decoder(
        context, s, {filters.whitening, filters.patch_mean, filters.decoder_weights, filters.decoder_bias});
    Tensor map({s.input_size()});
    for (const std::uint32_t run : {10U, 11U}) {
        const Tensor codes = reference::uniform({s.oh() * s.ow(), s.oc()}, 0, 1, run);
        std::fill_n(map.data(), map.size(), 1e9F);
        decoder.run(codes.data(), map.data());
        check_close(map, decoded(filters, codes), 1e-4);
    }
}
