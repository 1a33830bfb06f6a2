#pragma once

#include <span>

#include "stackae/preprocessing.hpp"

#include "data/image/picture.hpp"

namespace stackae::data {

/// Preprocesses a decoded picture: the one place where it is done. out: size preprocessing.size().
/// The preprocessing must be valid.
void preprocess(const Preprocessing& preprocessing, const Picture& picture, std::span<float> out);

/// Which numbers a picture may hold beside those that lie between black and white.
enum class ValueRange {
    unit,    ///< none
    finite,  ///< any finite number but for alpha, since they are standardised
};

/// Throws BadPicture (unsupported), naming the value and its place, when a picture of floats holds others.
void check_range(const Picture& picture, ValueRange range);

/// A picture's channels as the preprocessing takes them: colours, or measurements, of which there must be as
/// many. Throws BadPicture (unsupported), naming how many were found and expected.
[[nodiscard]] Picture with_channels_of(const Preprocessing& preprocessing, const Picture& picture);

/// True when every pixel has equal red, green and blue once alpha is blended; false of measured
/// channels.
[[nodiscard]] bool is_gray(const Picture& picture);

}  // namespace stackae::data
