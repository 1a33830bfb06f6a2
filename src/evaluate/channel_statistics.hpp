#pragma once

#include <cstdint>
#include <span>

#include "stackae/preprocessing.hpp"
#include "stackae/tensor.hpp"

namespace stackae::evaluation {

/// What statistics say of a picture without looking at its shapes: of each channel the mean, the standard
/// deviation, the least and the greatest value; c × 4. Corley et al. (2023, "Revisiting pre-trained remote
/// sensing model benchmarks", arXiv 2305.13456) find such numbers hard to beat on multispectral pictures.
inline constexpr std::int64_t statistics_a_channel = 4;

/// values: a picture as the preprocessing makes it, whose standardisation is undone first. out: channels × 4.
void channel_statistics(const Preprocessing& preprocessing, std::span<const float> values,
                        std::span<float> out);

/// Rows standardised by the mean and deviation of each column of the training rows; both n × d. Throws
/// InvalidArgument where one of those is not finite.
struct StandardisedPair {
    Tensor train;
    Tensor test;
};
[[nodiscard]] StandardisedPair standardise(const Tensor& train, const Tensor& test);

}  // namespace stackae::evaluation
