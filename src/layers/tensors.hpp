#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/layer.hpp"
#include "stackae/tensor.hpp"

namespace stackae::layers {

/// What a layer learns, a row a tensor: files, counts, checks and identities are made of rows.
class TensorTable {
public:
    struct Row {
        std::string name;
        Tensor* tensor;
        std::vector<std::int64_t> shape;  ///< expected
    };

    /// The tensor must outlive the table.
    void add(std::string_view name, Tensor& tensor, std::vector<std::int64_t> shape) {
        rows_.push_back({std::string(name), &tensor, std::move(shape)});
    }
    [[nodiscard]] auto begin() const { return rows_.begin(); }
    [[nodiscard]] auto end() const { return rows_.end(); }

private:
    std::vector<Row> rows_;
};

/// The tables of a layer that stays as it is: nothing may be set by their rows.
[[nodiscard]] base::FieldTable fields_of(const Layer& layer);
[[nodiscard]] TensorTable tensors_of(const Layer& layer);

}  // namespace stackae::layers
