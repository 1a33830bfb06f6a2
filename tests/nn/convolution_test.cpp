#include "nn/convolution.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "support/catch.hpp"
#include "support/reference.hpp"

using namespace stackae;

namespace {

using Values = std::vector<double>;

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

/// A patch with its contrast evened out, at (y, x).
Values patch_of(const ConvolutionShape& s, const float* map, std::int64_t y, std::int64_t x) {
    Values patch;
    for (std::int64_t k = 0; k < s.kernel; ++k) {
        for (std::int64_t l = 0; l < s.kernel; ++l) {
            for (std::int64_t c = 0; c < s.channels; ++c) {
                patch.push_back(double{map[((y + k) * s.width + x + l) * s.channels + c]});
            }
        }
    }
    if (s.contrast) {
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

/// h of a patch: K values, or 2 K of both signs.
Values code_of(const ConvolutionLayer& layer, const Values& patch) {
    const ConvolutionShape& s = layer.shape;
    Values code(at(s.code_channels()));
    for (std::int64_t unit = 0; unit < s.units; ++unit) {
        double answer = 0.0;
        for (std::int64_t i = 0; i < s.whitened; ++i) {
            double z = 0.0;
            for (std::int64_t j = 0; j < s.patch_size(); ++j) {
                z += double{layer.whitening.row(i)[at(j)]} *
                     (patch[at(j)] - double{layer.patch_mean.data()[j]});
            }
            answer += double{layer.weights.row(unit)[at(i)]} * z;
        }
        const auto bias = double{layer.bias.data()[unit]};
        code[at(unit)] = s.unit_length ? answer + bias : std::max(0.0, answer + bias);
        if (s.two_sided) {
            code[at(s.units + unit)] = std::max(0.0, bias - answer);
        }
    }
    double squares = 0.0;
    for (const double value : code) {
        squares += value * value;
    }
    for (double& value : code) {
        value /= s.unit_length && squares > 0.0 ? std::sqrt(squares) : 1.0;
    }
    return code;
}

/// [first, last) of the positions that a cell pools, along one side.
std::pair<std::int64_t, std::int64_t> positions_of(const ConvolutionShape& s, std::int64_t positions,
                                                   std::int64_t cell) {
    return s.pool_size > 0 ? std::pair(cell * s.pool_stride, cell * s.pool_stride + s.pool_size)
                           : std::pair(cell * positions / s.grid, (cell + 1) * positions / s.grid);
}

Values forward(const ConvolutionLayer& layer, const Tensor& map) {
    const ConvolutionShape& s = layer.shape;
    Values result;
    for (std::int64_t cy = 0; cy < s.cells_down(); ++cy) {
        for (std::int64_t cx = 0; cx < s.cells_across(); ++cx) {
            const auto down = positions_of(s, s.positions_down(), cy);
            const auto across = positions_of(s, s.positions_across(), cx);
            Values cell(at(s.code_channels()), s.pooling == Pooling::average ? 0.0 : -1e30);
            double count = 0.0;
            for (std::int64_t y = down.first; y < down.second; ++y) {
                for (std::int64_t x = across.first; x < across.second; ++x, ++count) {
                    const Values code = code_of(layer, patch_of(s, map.data(), y, x));
                    for (std::size_t i = 0; i < cell.size(); ++i) {
                        cell[i] =
                            s.pooling == Pooling::average ? cell[i] + code[i] : std::max(cell[i], code[i]);
                    }
                }
            }
            for (double& value : cell) {
                value = s.pooling == Pooling::average ? value / count : value;
                result.push_back(s.root ? std::sqrt(value) : value);
            }
        }
    }
    return result;
}

/// The mean code of the cells that pool a position, its negative part taken off; zeros where none does.
Values code_at(const ConvolutionShape& s, const Tensor& code, std::int64_t y, std::int64_t x) {
    Values sum(at(s.units), 0.0);
    double cells = 0.0;
    for (std::int64_t cy = 0; cy < s.cells_down(); ++cy) {
        for (std::int64_t cx = 0; cx < s.cells_across(); ++cx) {
            const auto down = positions_of(s, s.positions_down(), cy);
            const auto across = positions_of(s, s.positions_across(), cx);
            if (y < down.first || y >= down.second || x < across.first || x >= across.second) {
                continue;
            }
            const float* cell = code.data() + (cy * s.cells_across() + cx) * s.code_channels();
            for (std::int64_t i = 0; i < s.units; ++i) {
                const auto pooled = [&](std::int64_t k) {
                    return s.root ? std::pow(double{cell[k]}, 2.0) : double{cell[k]};
                };
                sum[at(i)] += pooled(i) - (s.two_sided ? pooled(s.units + i) : 0.0);
            }
            ++cells;
        }
    }
    for (double& value : sum) {
        value = cells > 0.0 ? value / cells : 0.0;
    }
    return sum;
}

Values backward(const ConvolutionLayer& layer, const Tensor& code) {
    const ConvolutionShape& s = layer.shape;
    Values sum(at(s.input_size()), 0.0);
    Values covered(at(s.input_size()), 0.0);
    for (std::int64_t y = 0; y < s.positions_down(); ++y) {
        for (std::int64_t x = 0; x < s.positions_across(); ++x) {
            const Values h = code_at(s, code, y, x);
            Values patch(layer.patch_mean.values().begin(), layer.patch_mean.values().end());
            for (std::int64_t i = 0; i < s.whitened; ++i) {
                auto z = double{layer.decoder_bias.data()[i]};
                double length = 0.0;
                for (std::int64_t unit = 0; unit < s.units; ++unit) {
                    z += double{layer.decoder_weights.row(i)[at(unit)]} * h[at(unit)];
                }
                for (const float value : layer.whitening.row(i)) {
                    length += double{value} * double{value};
                }
                for (std::int64_t j = 0; j < s.patch_size(); ++j) {
                    patch[at(j)] += double{layer.whitening.row(i)[at(j)]} / length * z;
                }
            }
            std::size_t j = 0;
            for (std::int64_t k = 0; k < s.kernel; ++k) {
                for (std::int64_t l = 0; l < s.kernel * s.channels; ++l, ++j) {
                    const std::int64_t to = ((y + k) * s.width + x) * s.channels + l;
                    sum[at(to)] += patch[j];
                    covered[at(to)] += 1.0;
                }
            }
        }
    }
    for (std::size_t i = 0; i < sum.size(); ++i) {
        sum[i] = double{layer.gain} * sum[i] / covered[i] + double{layer.offset.values()[i]};
    }
    return sum;
}

ConvolutionLayer zero_layer(const ConvolutionShape& s) {
    return {s,
            Tensor({s.whitened, s.patch_size()}),
            Tensor({s.patch_size()}),
            Tensor({s.units, s.whitened}),
            Tensor({s.units}),
            Tensor({s.whitened, s.units}),
            Tensor({s.whitened}),
            1.0F,
            Tensor({s.input_size()})};
}

/// Small whole numbers all through: sums of sums of products stay exact.
ConvolutionLayer whole_layer(const ConvolutionShape& s) {
    ConvolutionLayer layer = zero_layer(s);
    layer.whitening = reference::whole_numbers({s.whitened, s.patch_size()}, 1, 1);
    layer.patch_mean = reference::whole_numbers({s.patch_size()}, 1, 2);
    layer.weights = reference::whole_numbers({s.units, s.whitened}, 1, 3);
    layer.bias = reference::whole_numbers({s.units}, 3, 4);
    return layer;
}

ConvolutionLayer real_layer(const ConvolutionShape& s) {
    ConvolutionLayer layer = zero_layer(s);
    layer.whitening = reference::uniform({s.whitened, s.patch_size()}, -1, 1, 1);
    layer.patch_mean = reference::uniform({s.patch_size()}, -1, 1, 2);
    layer.weights = reference::uniform({s.units, s.whitened}, -1, 1, 3);
    layer.bias = reference::uniform({s.units}, -1, 1, 4);
    layer.decoder_weights = reference::uniform({s.whitened, s.units}, -1, 1, 5);
    layer.decoder_bias = reference::uniform({s.whitened}, -1, 1, 6);
    layer.gain = 0.7F;
    layer.offset = reference::uniform({s.input_size()}, -1, 1, 7);
    return layer;
}

/// Pooling of every kind: pairs, overlapping squares, squares that leave positions out, grids that divide the
/// positions and grids that don't.
void pool_as(int kind, ConvolutionShape& s) {
    const std::int64_t sizes[][3] = {{2, 2, 0}, {3, 2, 0}, {3, 3, 0}, {0, 0, 1},
                                     {0, 0, 2}, {0, 0, 3}, {1, 1, 0}};
    s.pool_size = sizes[kind][0];
    s.pool_stride = sizes[kind][1];
    s.grid = sizes[kind][2];
}

/// d = 18 of two channels: with 4 units the whitening becomes part of the weights, with 40 it does not.
ConvolutionShape shape_of(std::int64_t units, std::int64_t whitened) {
    ConvolutionShape s;
    s.channels = 2;
    s.height = 9;
    s.width = 7;
    s.kernel = 3;
    s.whitened = whitened;
    s.units = units;
    return s;
}

void check_close(const Tensor& found, const Values& expected, double tolerance) {
    REQUIRE(found.values().size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        REQUIRE(static_cast<double>(found.values()[i]) ==
                Approx(expected[i]).epsilon(tolerance).margin(tolerance));
    }
}

/// A map's code and what it decodes to, beside the reference's; returns the code.
Tensor check_both_ways(const ConvolutionLayer& layer, double tolerance) {
    const Tensor map = reference::uniform({layer.shape.input_size()}, 0, 1, 8);
    linalg::Context context(1);
    nn::Convolution convolution(context, layer);
    Tensor code({layer.shape.output_size()});
    convolution.forward(map.data(), code.data());
    check_close(code, forward(layer, map), tolerance);
    Tensor rebuilt({layer.shape.input_size()});
    convolution.backward(code.data(), rebuilt.data());
    check_close(rebuilt, backward(layer, code), 1e-4);
    return code;
}

}  // namespace

TEST_CASE("Unfolding takes every patch, line by line, and evens out its contrast where asked to") {
    ConvolutionShape s = shape_of(4, 5);
    s.contrast = GENERATE(false, true);
    const Tensor map = reference::whole_numbers({s.input_size()}, 9, 1);
    const std::int64_t positions = s.positions_down() * s.positions_across();
    REQUIRE(positions == 35);
    Tensor rows({positions, s.patch_size()});
    // In two parts, as blocks of a layer do.
    nn::unfold(s, map.data(), 0, 13, rows.data());
    nn::unfold(s, map.data(), 13, positions - 13, rows.row(13).data());
    for (std::int64_t i = 0; i < positions; ++i) {
        const Values expected = patch_of(s, map.data(), i / s.positions_across(), i % s.positions_across());
        for (std::size_t j = 0; j < expected.size(); ++j) {
            CAPTURE(i, j);
            REQUIRE(static_cast<double>(rows.row(i)[j]) ==
                    Approx(expected[j]).margin(s.contrast ? 1e-5 : 0.0));
        }
    }
}

TEST_CASE("Patches of one value are zeros when contrast is evened out, however bright") {
    ConvolutionShape s = shape_of(4, 5);
    Tensor map({s.input_size()});
    std::fill_n(map.data(), map.size(), GENERATE(0.0F, 0.5F));
    Tensor rows({35, s.patch_size()});
    nn::unfold(s, map.data(), 0, 35, rows.data());
    for (const float value : rows.values()) {
        REQUIRE(value == 0.0F);
    }
}

TEST_CASE("A convolution's codes are exact on whole numbers with every pooling, both signs, fused or not") {
    const int pooling = GENERATE(range(0, 7));
    const std::int64_t units = GENERATE(4, 40);
    const bool two_sided = GENERATE(false, true);
    const bool maximum = GENERATE(false, true);
    CAPTURE(pooling, units, two_sided, maximum);
    ConvolutionShape s = shape_of(units, units == 4 ? 17 : 5);
    pool_as(pooling, s);
    s.contrast = false;
    s.two_sided = two_sided;
    s.pooling = maximum ? Pooling::maximum : Pooling::average;
    REQUIRE((s.patch_size() * units <= s.patch_size() * s.whitened + s.whitened * units) == (units == 4));
    const ConvolutionLayer layer = whole_layer(s);
    linalg::Context context(1);
    nn::Convolution convolution(context, layer);
    Tensor code({s.output_size()});
    for (const std::uint32_t run : {5U, 6U}) {
        const Tensor map = reference::whole_numbers({s.input_size()}, 2, run);
        std::fill_n(code.data(), code.size(), 1e9F);
        convolution.forward(map.data(), code.data());
        const Values expected = forward(layer, map);
        REQUIRE(*std::max_element(expected.begin(), expected.end()) > 0.0);
        check_close(code, expected, maximum ? 0.0 : 1e-6);  // an average is rounded once more
    }
}

TEST_CASE("A convolution with contrast follows its formula, fused or not") {
    const std::int64_t units = GENERATE(4, 40);
    const bool two_sided = GENERATE(false, true);
    ConvolutionShape s = shape_of(units, 5);
    s.two_sided = two_sided;
    const ConvolutionLayer layer = real_layer(s);
    const Tensor map = reference::uniform({s.input_size()}, 0, 1, 8);
    linalg::Context context(1);
    nn::Convolution convolution(context, layer);
    Tensor code({s.output_size()});
    convolution.forward(map.data(), code.data());
    check_close(code, forward(layer, map), 1e-4);
}

/// Of four channels: with 33 units the whitening becomes part of the weights, with 400 it does not, and
/// either way Winograd's way pays.
ConvolutionShape wide_shape_of(std::int64_t units) {
    ConvolutionShape s = shape_of(units, 32);
    s.channels = 4;
    s.height = 10;  // two bands of rows
    s.width = 8;
    return s;
}

TEST_CASE("A convolution by Winograd's way follows its formula, fused or not, of every kind of code") {
    const std::int64_t units = GENERATE(33, 400);
    const int kind = GENERATE(range(0, 4));
    CAPTURE(units, kind);
    ConvolutionShape s = wide_shape_of(units);
    pool_as(kind, s);
    s.contrast = kind != 3;
    s.two_sided = kind == 1;
    s.unit_length = kind == 2;
    s.pooling = kind == 3 ? Pooling::maximum : Pooling::average;
    const bool fused = s.patch_size() * units <= s.patch_size() * s.whitened + s.whitened * units;
    REQUIRE(fused == (units == 33));
    REQUIRE(nn::WinogradProduct::pays(s, fused ? units : s.whitened));
    check_both_ways(real_layer(s), 1e-4);
}

TEST_CASE("Winograd's way leaves no position out where a map takes several blocks down and across") {
    ConvolutionShape s = wide_shape_of(40);
    s.height = GENERATE(8, 40);
    s.width = s.height == 8 ? 700 : 100;
    pool_as(4, s);
    s.whitened = 12;
    linalg::Context context(1);
    const nn::WinogradProduct product(context, s, Tensor({s.units, s.patch_size()}).data(), s.units);
    REQUIRE(
        (s.height == 40 ? product.rows() < s.positions_down() : product.columns() < s.positions_across()));
    const ConvolutionLayer layer = real_layer(s);
    const Tensor map = reference::uniform({s.input_size()}, 0, 1, 8);
    nn::Convolution convolution(context, layer);
    Tensor code({s.output_size()});
    convolution.forward(map.data(), code.data());
    check_close(code, forward(layer, map), 1e-4);
}

TEST_CASE("Contrast of a bright map is evened out as exactly by Winograd's way") {
    ConvolutionShape s = wide_shape_of(33);
    const ConvolutionLayer layer = real_layer(s);
    Tensor map = reference::uniform({s.input_size()}, 0, 0.1F, 8);
    for (float& value : map.values()) {
        value += 0.9F;
    }
    linalg::Context context(1);
    nn::Convolution convolution(context, layer);
    Tensor code({s.output_size()});
    convolution.forward(map.data(), code.data());
    check_close(code, forward(layer, map), 1e-3);
}

TEST_CASE("Linear codes are of length one before they are pooled, and keep their signs") {
    ConvolutionShape s = shape_of(GENERATE(4, 40), 5);
    s.unit_length = true;
    s.contrast = false;
    s.pooling = GENERATE(Pooling::average, Pooling::maximum);
    const Tensor code = check_both_ways(real_layer(s), 1e-4);
    CHECK(*std::min_element(code.values().begin(), code.values().end()) < 0.0F);
}

TEST_CASE("Roots are taken of what was pooled, and squared before it is decoded") {
    ConvolutionShape s = shape_of(GENERATE(4, 40), 5);
    s.root = true;
    s.two_sided = GENERATE(false, true);
    s.pooling = GENERATE(Pooling::average, Pooling::maximum);
    check_both_ways(real_layer(s), 1e-3);
}

TEST_CASE("A linear code of zeros stays") {
    ConvolutionShape s = shape_of(4, 5);
    s.unit_length = true;
    linalg::Context context(1);
    const ConvolutionLayer layer = zero_layer(s);
    nn::Convolution convolution(context, layer);
    Tensor code({s.output_size()});
    convolution.forward(reference::uniform({s.input_size()}, 0, 1, 8).data(), code.data());
    for (const float value : code.values()) {
        REQUIRE(value == 0.0F);
    }
}

TEST_CASE("Blocks of patches that do not divide the positions leave nothing out") {
    ConvolutionShape s;  // 19 × 18 positions of 64 + … values: several blocks, the last not full
    s.channels = 1;
    s.height = 22;
    s.width = 21;
    s.kernel = 4;
    s.whitened = 16;
    s.units = 3;
    s.contrast = false;
    s.pool_size = 5;
    s.pool_stride = 3;
    s.pooling = Pooling::maximum;
    const ConvolutionLayer layer = whole_layer(s);
    const Tensor map = reference::whole_numbers({s.input_size()}, 2, 9);
    linalg::Context context(1);
    nn::Convolution convolution(context, layer);
    Tensor code({s.output_size()});
    convolution.forward(map.data(), code.data());
    check_close(code, forward(layer, map), 0.0);
    Tensor rebuilt({s.input_size()});
    convolution.backward(code.data(), rebuilt.data());
    check_close(rebuilt, backward(layer, code), 1e-4);
}

TEST_CASE("A decoder rebuilds patches from their cells, undoes the whitening and averages what overlaps") {
    const int pooling = GENERATE(range(0, 7));
    const std::int64_t units = GENERATE(4, 40);
    const bool two_sided = GENERATE(false, true);
    CAPTURE(pooling, units, two_sided);
    ConvolutionShape s = shape_of(units, 5);
    pool_as(pooling, s);
    s.two_sided = two_sided;
    const ConvolutionLayer layer = real_layer(s);
    linalg::Context context(1);
    nn::Convolution convolution(context, layer);
    Tensor rebuilt({s.input_size()});
    for (const std::uint32_t run : {10U, 11U}) {
        const Tensor code = reference::uniform({s.output_size()}, 0, 1, run);
        std::fill_n(rebuilt.data(), rebuilt.size(), 1e9F);
        convolution.backward(code.data(), rebuilt.data());
        check_close(rebuilt, backward(layer, code), 1e-4);
    }
}

TEST_CASE("Encoding gives the same before and after decoding") {
    ConvolutionShape s = shape_of(40, 5);
    const ConvolutionLayer layer = real_layer(s);
    const Tensor map = reference::uniform({s.input_size()}, 0, 1, 8);
    linalg::Context context(1);
    nn::Convolution convolution(context, layer);
    Tensor before({s.output_size()});
    convolution.forward(map.data(), before.data());
    Tensor rebuilt({s.input_size()});
    convolution.backward(before.data(), rebuilt.data());
    Tensor after({s.output_size()});
    convolution.forward(map.data(), after.data());
    REQUIRE(std::equal(before.values().begin(), before.values().end(), after.values().begin()));
}
