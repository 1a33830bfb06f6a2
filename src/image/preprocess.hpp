#pragma once

#include <span>

#include "stackae/recipe.hpp"

#include "image/picture.hpp"

namespace stackae::image {

/// Applies a recipe to a decoded picture: the one place where it is done. out: size recipe.size().
/// The recipe must be valid.
void apply(const Recipe& recipe, const Picture& picture, std::span<float> out);

/// True when every pixel has equal red, green and blue once alpha is blended.
[[nodiscard]] bool is_gray(const Picture& picture);

}  // namespace stackae::image
