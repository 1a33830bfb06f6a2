#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "image/source.hpp"

namespace stackae::image {

/// Rows of numbers have no shape to resize: throws InvalidArgument, naming the file, unless they have as many
/// values as the recipe.
void check_rows(const Pictures::Source& source, const Recipe& recipe);

/// Loads entry i and applies the recipe to it. out: size recipe.size(). A picture that cannot be had is
/// returned, with its reason; what is in `out` is then undefined.
[[nodiscard]] std::optional<SkippedPicture> read_picture(const Pictures::Source& source, std::int64_t i,
                                                         const Recipe& recipe, std::span<float> out);

}  // namespace stackae::image
