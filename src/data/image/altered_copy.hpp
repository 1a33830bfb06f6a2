#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/tensor.hpp"

#include "base/random.hpp"

namespace stackae::data {

/// What people and programs make of a picture that is the same to them.
enum class Alteration {
    jpeg,      ///< written as JPEG of quality 30
    half,      ///< half as many pixels a side
    crop,      ///< four fifths a side, from anywhere
    blur,      ///< by a Gaussian of a hundredth of the side
    brighter,  ///< values times 1.3, up to white
    darker,    ///< times 0.7
    border,    ///< a white or black frame of a tenth of the side
    text,      ///< white letters over the middle
    turn,      ///< by 25 degrees to either side within its frame, black where nothing is
    mirror,
    rotate90,
};

/// As reports name it.
[[nodiscard]] const char* alteration_name(Alteration alteration);

/// A copy of a picture, side × side gray values in [0, 1], of another size maybe: what is made and how large
/// it is are a function of the arguments. Brought to `to` × `to` by area.
[[nodiscard]] std::vector<float> altered_copy(std::span<const float> picture, int side, Alteration alteration,
                                              const base::Random& random, int to);

/// What a picture is, once decoded.
struct PictureContent {
    int width = 0;
    int height = 0;
    std::string pixels;  ///< a checksum of their values, type and size
};

/// Decodes picture i of a collection as it is. Throws BadPicture.
[[nodiscard]] PictureContent picture_content(const ImageDataset& pictures, std::int64_t i);

}  // namespace stackae::data
