#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/random.hpp"

namespace stackae::data {

/// What people and programs make of a picture that is the same to them. Has names.
enum class Alteration {
    jpeg,      ///< written as JPEG of quality 30
    half,      ///< half as many pixels a side
    crop,      ///< four fifths a side and more, from anywhere
    blur,      ///< by a Gaussian of a hundredth of the side
    brighter,  ///< values times 1.3, up to white
    darker,    ///< times 0.7
    border,    ///< a white or black frame of a tenth of the side
    text,      ///< white letters over the middle
    turn,      ///< by 5 to 25 degrees to either side within its frame, black where nothing is
    mirror,
    rotate90,
};

/// A copy of a picture, side × side gray values in [0, 1], of another size maybe: what is made and how large
/// it is are a function of the arguments. Brought to `to` × `to` by area.
[[nodiscard]] std::vector<float> altered_copy(std::span<const float> picture, int side, Alteration alteration,
                                              const base::Random& random, int to);

}  // namespace stackae::data
