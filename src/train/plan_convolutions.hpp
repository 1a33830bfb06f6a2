#pragma once

#include <cstdint>

#include "stackae/train.hpp"

#include "nn/onednn.hpp"

namespace stackae::training {

/// What the layers cost that are not trained by steps: the convolutional ones, and a code in closed form.
/// Kept apart from the plan of the dense layers, which lie between the two.
class ConvolutionCosts {
public:
    /// Times stand-ins of the layers, with random values, on random pictures.
    ConvolutionCosts(nn::Context& context, std::int64_t pictures, const Recipe& recipe,
                     const TrainOptions& options);

    /// Adds a phase for each convolutional layer.
    void plan_layers(TrainPlan& plan);
    /// Adds the phase of the code, which sees `inputs` values.
    void plan_code(std::int64_t inputs, TrainPlan& plan);
    /// Adds the phase of radial units, after the code's.
    void plan_radial(TrainPlan& plan);
    /// Seconds that running so many pictures through all convolutional layers takes.
    [[nodiscard]] double encoding_seconds(std::int64_t pictures) const;
    /// Values of a picture's pooled maps.
    [[nodiscard]] std::int64_t map_size() const { return model_.dense_inputs(); }

private:
    void plan_layer(const ConvolutionLayer& layer, TrainPlan& plan);
    /// Estimated for n rows of d values from fewer.
    [[nodiscard]] double axes_seconds(std::int64_t n, std::int64_t d, std::int64_t count);

    nn::Context& context_;
    std::int64_t pictures_;
    const TrainOptions& options_;
    Model model_;                     ///< of the stand-ins planned so far
    double seconds_a_picture_ = 0.0;  ///< to run it through them
};

}  // namespace stackae::training
