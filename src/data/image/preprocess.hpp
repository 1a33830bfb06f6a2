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

/// True when every pixel has equal red, green and blue once alpha is blended.
[[nodiscard]] bool is_gray(const Picture& picture);

}  // namespace stackae::data
