#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stackae/layer.hpp"
#include "stackae/tensor.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "layers/registry.hpp"
#include "layers/tensors.hpp"

namespace stackae::test {

/// A layer of every kind, by its text, and an input that it takes.
struct Sample {
    const char* text;
    Shape input;
};

inline const std::vector<Sample>& samples() {
    static const std::vector<Sample> all{
        {"conv2d:6:kernel=3", {8, 7, 2}},
        {"conv2d:40:kernel=4:pad=1:activation=crelu:whitening_dim=5", {6, 9, 1}},
        {"conv2d:5:kernel=2:kmeans_passes=0", {5, 4, 3}},
        {"conv2d:4:kernel=3:slow_offset=2", {8, 7, 2}},
        {"pool2d:2", {8, 7, 3}},
        {"pool2d:3:stride=2:mode=maximum", {9, 8, 2}},
        {"pool2d:grid=3", {7, 11, 2}},
        {"group_pool", {3, 5, 2}},
        {"group_pool:rotate90", {4, 4, 3}},
        {"dense:9:activation=tanh:output=sigmoid", {2, 3, 2}},
        {"dense:5:output=linear:tied", {1, 1, 12}},
        {"pca:4:eigen_power=-0.25", {1, 1, 9}},
        {"whiten:3", {1, 1, 8}},
        {"nystroem:7", {1, 1, 6}},
        {"power_norm", {3, 2, 4}},
        {"power_norm:0.3", {1, 1, 10}},
        {"l2_norm", {2, 3, 4}},
        {"contrast_norm", {4, 5, 1}},
        {"ridge_decoder:4:width=5:channels=2", {1, 1, 6}},
        {"edlae", {1, 7, 1}},
        {"elsa:4:epochs=3", {1, 7, 1}},
    };
    return all;
}

/// Uniform in [−1, 1).
inline Tensor random_rows(std::int64_t n, std::int64_t d, std::uint32_t seed) {
    Tensor rows({n, d});
    const base::Random random(seed, base::RandomStream::plan);
    for (std::int64_t i = 0; i < rows.size(); ++i) {
        rows.data()[i] = 2.0F * base::Random::uniform(random.block(static_cast<std::uint32_t>(i))[0]) - 1.0F;
    }
    return rows;
}

/// Gives a bound layer tensors of random values such as its kind allows: lengths of rows 1 or less, scales
/// above 0.
inline void fill(Layer& layer, std::uint32_t seed) {
    layers::TensorTable table;
    layer.tensors(table);
    for (const auto& row : table) {
        *row.tensor = Tensor(row.shape);
        const Tensor values = random_rows(1, row.tensor->size(), ++seed);
        const bool positive = row.name == "scale" || row.name == "length" || row.name == "gain";
        std::transform(values.values().begin(), values.values().end(), row.tensor->data(),
                       [positive](float value) { return positive ? 1.5F + value : value; });
        for (std::int64_t i = 0; row.name == "landmarks" && i < row.tensor->rows(); ++i) {
            base::l2_normalize(row.tensor->row(i), row.tensor->row(i));
        }
    }
}

/// Bound and filled layers of a text.
inline Stack filled_stack(const std::string& text, const Shape& input, std::uint32_t seed = 1) {
    const Stack bound = bind(parse_stack(text), input);
    Stack stack;
    for (std::size_t i = 0; i < bound.size(); ++i) {
        std::unique_ptr<Layer> layer = bound[i].clone();
        fill(*layer, seed + static_cast<std::uint32_t>(100 * i));
        stack.push_back(std::move(layer));
    }
    return stack;
}

}  // namespace stackae::test
