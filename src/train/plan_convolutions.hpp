#pragma once

#include <cstdint>

#include "stackae/train.hpp"

#include "linalg/onednn.hpp"

namespace stackae::training {

/// What the layers cost that are not trained by steps: the convolutional ones, and a code in closed form.
/// Kept apart from the times of the dense layers, which lie between the two.
class ConvolutionCosts {
public:
    /// Times stand-ins of the layers, with random values, on random pictures.
    ConvolutionCosts(linalg::Context& context, std::int64_t pictures, const Recipe& recipe,
                     const TrainOptions& options);

    /// Of convolutional layer `number`, from 0; called for one after the other.
    [[nodiscard]] double layer_seconds(std::size_t number);
    /// Of the code, as it is planned.
    [[nodiscard]] double code_seconds(const TrainPlan::Phase& code);
    /// Of the radial units over it.
    [[nodiscard]] double radial_seconds(const TrainPlan::Phase& radial);
    /// Seconds that running so many pictures through all convolutional layers takes.
    [[nodiscard]] double encoding_seconds(std::int64_t pictures) const;

private:
    /// Estimated for n rows of d values from fewer.
    [[nodiscard]] double axes_seconds(std::int64_t n, std::int64_t d, std::int64_t count);

    linalg::Context& context_;
    std::int64_t pictures_;
    const TrainOptions& options_;
    Model model_;                     ///< of the stand-ins planned so far
    double seconds_a_picture_ = 0.0;  ///< to run it through them
};

}  // namespace stackae::training
