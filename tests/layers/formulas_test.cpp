#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "layers/chain.hpp"
#include "layers/sample.hpp"
#include "support/catch.hpp"

/// Layers beside what their formulas give in double precision.
namespace stackae {
namespace {

using layers::Chain;
using layers::Direction;
using Values = std::vector<double>;

constexpr std::int64_t rows = 3;

std::size_t at(std::int64_t i) {
    return static_cast<std::size_t>(i);
}

const Tensor& tensor_of(const Layer& layer, std::string_view name) {
    const Tensor* found = nullptr;
    for (const auto& row : layers::tensors_of(layer)) {
        found = row.name == name ? row.tensor : found;
    }
    REQUIRE(found != nullptr);
    return *found;
}

void check_close(const Tensor& found, const Values& expected, double margin = 1e-5) {
    REQUIRE(found.values().size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
        CAPTURE(i);
        REQUIRE(double{found.values()[i]} == Approx(expected[i]).epsilon(1e-4).margin(margin));
    }
}

Tensor run(const Stack& stack, const Tensor& from, Direction direction = Direction::encode) {
    return Chain(stack.layers(), direction, 1).run(from);
}

/// Of each row of a tensor: body(its values, where what is made of them goes).
template <class Body>
Values each_row(const Tensor& from, const Body& body) {
    Values result;
    for (std::int64_t i = 0; i < from.rows(); ++i) {
        const auto row = from.row(i);
        body(Values(row.begin(), row.end()), result);
    }
    return result;
}

Values product(const Tensor& matrix, const Values& vector) {
    Values result;
    for (std::int64_t i = 0; i < matrix.rows(); ++i) {
        double sum = 0.0;
        for (std::size_t j = 0; j < vector.size(); ++j) {
            sum += double{matrix.row(i)[j]} * vector[j];
        }
        result.push_back(sum);
    }
    return result;
}

}  // namespace

TEST_CASE("Power normalisation keeps signs, and a length of 1 is that of each position, where zeros stay") {
    const Tensor maps = test::random_rows(rows, 24, 5);
    check_close(run(bind(parse_stack("power_norm:0.3"), {2, 3, 4}), maps),
                each_row(maps, [](const Values& map, Values& result) {
                    for (const double x : map) {
                        result.push_back(std::copysign(std::pow(std::abs(x), 0.3), x));
                    }
                }));
    Tensor some = maps;
    std::fill_n(some.data(), 4, 0.0F);
    check_close(run(bind(parse_stack("l2_norm"), {1, 24, 1}), some),
                each_row(some, [](const Values& row, Values& result) {
                    const double squares = std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
                    for (const double x : row) {
                        result.push_back(x / std::sqrt(squares));
                    }
                }));
    check_close(run(bind(parse_stack("l2_norm"), {2, 3, 4}), some),
                each_row(some, [](const Values& map, Values& result) {
                    for (std::size_t i = 0; i < map.size(); ++i) {
                        double squares = 0.0;
                        for (std::size_t c = i / 4 * 4; c < i / 4 * 4 + 4; ++c) {
                            squares += map[c] * map[c];
                        }
                        result.push_back(squares > 0.0 ? map[i] / std::sqrt(squares) : 0.0);
                    }
                }));
}

TEST_CASE("Contrast is normalised over all values of a picture") {
    const Stack stack = bind(parse_stack("contrast_norm:0.01"), {3, 4, 1});
    const Tensor pictures = test::random_rows(rows, 12, 6);
    check_close(run(stack, pictures), each_row(pictures, [](const Values& x, Values& result) {
                    double mean = 0.0;
                    double variance = 0.0;
                    for (const double value : x) {
                        mean += value / 12.0;
                    }
                    for (const double value : x) {
                        variance += (value - mean) * (value - mean) / 12.0;
                    }
                    for (const double value : x) {
                        result.push_back((value - mean) / std::sqrt(variance + 0.01));
                    }
                }));
}

TEST_CASE("Whitened rows are P (x - mean), and come back by the pseudoinverse") {
    const Stack stack = test::filled_stack("whiten:3", {1, 1, 8});
    const Tensor& p = tensor_of(stack[0], "whitening");
    const Tensor& mean = tensor_of(stack[0], "mean");
    const Tensor x = test::random_rows(rows, 8, 7);
    check_close(run(stack, x), each_row(x, [&](Values row, Values& result) {
                    for (std::size_t j = 0; j < row.size(); ++j) {
                        row[j] -= double{mean.data()[j]};
                    }
                    const Values z = product(p, row);
                    result.insert(result.end(), z.begin(), z.end());
                }));
    const Tensor codes = test::random_rows(rows, 3, 8);
    check_close(run(stack, codes, Direction::decode), each_row(codes, [&](const Values& z, Values& result) {
                    for (std::int64_t j = 0; j < 8; ++j) {
                        auto sum = double{mean.data()[j]};
                        for (std::int64_t i = 0; i < 3; ++i) {
                            double squares = 0.0;
                            for (const float value : p.row(i)) {
                                squares += double{value} * double{value};
                            }
                            sum += double{p.row(i)[at(j)]} / squares * z[at(i)];
                        }
                        result.push_back(sum);
                    }
                }));
}

/// The picture whose value at (row, column) is src's at `from(row, column)`, for each of some pictures.
template <class From>
Tensor moved(const Tensor& src, const Shape& picture, const From& from) {
    Tensor dst(src.shape());
    for (std::int64_t i = 0; i < src.rows(); ++i) {
        for (std::int64_t row = 0; row < picture.height; ++row) {
            for (std::int64_t column = 0; column < picture.width; ++column) {
                const auto [y, x] = from(row, column);
                for (std::int64_t c = 0; c < picture.channels; ++c) {
                    dst.row(i)[at((row * picture.width + column) * picture.channels + c)] =
                        src.row(i)[at((y * picture.width + x) * picture.channels + c)];
                }
            }
        }
    }
    return dst;
}

/// A picture's turns counterclockwise, or it alone, and the mirror images of these.
std::vector<Tensor> orbit(const Tensor& pictures, const Shape& shape, bool turns, bool mirror) {
    using At = std::pair<std::int64_t, std::int64_t>;
    std::vector<Tensor> all{pictures};
    for (int turn = 1; turn < (turns ? 4 : 1); ++turn) {
        all.push_back(moved(all.back(), shape, [&](std::int64_t row, std::int64_t column) {
            return At(column, shape.height - 1 - row);
        }));
    }
    for (std::size_t i = 0, n = all.size(); mirror && i < n; ++i) {
        all.push_back(moved(all[i], shape, [&](std::int64_t row, std::int64_t column) {
            return At(row, shape.width - 1 - column);
        }));
    }
    return all;
}

TEST_CASE("Pooling over a group gives the mean of what the layers below make of each of its pictures") {
    const std::string group = GENERATE("mirror", "rotate90", "dihedral");
    const Shape shape = group == "mirror" ? Shape{9, 7, 2} : Shape{8, 8, 2};
    const std::string below = "conv2d:6:kernel=3, pool2d:grid=2, power_norm";
    CAPTURE(group);
    const Stack stack = test::filled_stack(below + ", group_pool:" + group + ", pca:5", shape);
    const Tensor pictures = test::random_rows(rows, shape.size(), 11);
    const std::vector<Tensor> all = orbit(pictures, shape, group != "mirror", group != "rotate90");
    REQUIRE(all.size() == (group == "mirror" ? 2 : group == "rotate90" ? 4 : 8));
    const Stack lower(stack.layers(0, 3));
    Values mean(at(rows * lower.output_shape(shape, 3).size()), 0.0);
    for (const Tensor& one : all) {
        const Tensor made = run(lower, one);
        for (std::size_t i = 0; i < mean.size(); ++i) {
            mean[i] += double{made.values()[i]} / static_cast<double>(all.size());
        }
    }
    check_close(run(Stack(stack.layers(0, 4)), pictures), mean);
    // All of them have the same code.
    const Tensor codes = run(stack, pictures);
    const Values expected(codes.values().begin(), codes.values().end());
    for (const Tensor& one : all) {
        check_close(run(stack, one), expected);
    }
    // It is not what the picture alone gives.
    CHECK(std::abs(mean[0] - double{run(lower, pictures).values()[0]}) > 1e-4);
}

TEST_CASE("Groups within groups are pooled from the inside") {
    const Shape shape{6, 6, 1};
    const Stack stack = test::filled_stack(
        "conv2d:4:kernel=3, group_pool, pool2d:grid=2, group_pool:rotate90, dense:3", shape);
    const Tensor pictures = test::random_rows(rows, shape.size(), 12);
    const Tensor codes = run(stack, pictures);
    const Values expected(codes.values().begin(), codes.values().end());
    for (const Tensor& one : orbit(pictures, shape, true, false)) {
        check_close(run(stack, one), expected);
    }
    CHECK(layers::chain_begin(stack.layers(), 2, 3) == 2);
    CHECK(layers::chain_begin(stack.layers(), 2, 4) == 0);
    CHECK(layers::chain_begin(stack.layers(), 4, 5) == 4);
    // Twice and four times what is below each.
    const auto cost = [&](std::size_t i) { return stack[i].encoding_multiply_adds(); };
    CHECK(layers::encoding_multiply_adds(stack.layers()) ==
          Approx(4.0 * (2.0 * cost(0) + cost(1) + cost(2)) + cost(3) + cost(4)));
}

TEST_CASE("Nystroem features are R exp(gamma (C z - 1)) of directions, in blocks where landmarks are many") {
    const std::int64_t landmarks = GENERATE(7, 50, 2100);
    const std::string blocks = landmarks == 50 ? ":block=20" : "";
    const Stack stack =
        test::filled_stack("nystroem:" + std::to_string(landmarks) + ":gamma=1.5" + blocks, {1, 1, 6});
    const Layer& layer = stack[0];
    const Tensor& scale = tensor_of(layer, "scale");
    const Tensor& c = tensor_of(layer, "landmarks");
    const Tensor& r = tensor_of(layer, "kernel_normalizer");
    const std::int64_t block = r.columns();
    CHECK(block == (landmarks == 7 ? 7 : landmarks == 50 ? 17 : 1050));
    const Tensor x = test::random_rows(rows, 6, 9);
    check_close(run(stack, x),
                each_row(x,
                         [&](Values z, Values& result) {
                             double squares = 0.0;
                             for (std::size_t j = 0; j < z.size(); ++j) {
                                 z[j] *= double{scale.data()[j]};
                                 squares += z[j] * z[j];
                             }
                             for (double& value : z) {
                                 value /= std::sqrt(squares);
                             }
                             Values kernel = product(c, z);
                             for (double& value : kernel) {
                                 value = std::exp(1.5 * (value - 1.0));
                             }
                             for (std::int64_t i = 0; i < landmarks; ++i) {
                                 const std::int64_t first = i / block * block;
                                 double sum = 0.0;
                                 for (std::int64_t j = 0; j < std::min(block, landmarks - first); ++j) {
                                     sum += double{r.row(i)[at(j)]} * kernel[at(first + j)];
                                 }
                                 result.push_back(sum);
                             }
                         }),
                1e-4);  // of sums of a thousand terms
}

}  // namespace stackae
