#pragma once

#include <memory>
#include <string_view>

#include "stackae/layer.hpp"

#include "layers/cost.hpp"

namespace stackae::layers {

inline constexpr double max_units = 1e6;

/// What every kind says alike. Kind has kind_name, summary and papers.
template <class Kind>
class LayerOf : public Layer {
public:
    [[nodiscard]] std::string_view type() const override { return Kind::kind_name; }
    [[nodiscard]] std::unique_ptr<Layer> clone() const override {
        return std::make_unique<Kind>(static_cast<const Kind&>(*this));
    }

protected:
    /// Values of a matrix that takes its input to its output.
    [[nodiscard]] double matrix_size() const {
        return static_cast<double>(output_shape().size()) * static_cast<double>(input_shape().size());
    }
};

}  // namespace stackae::layers
