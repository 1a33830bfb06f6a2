#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "data/source.hpp"

namespace stackae::data {

/// Rows of numbers have no shape to resize: throws InvalidArgument, naming the file, unless they have as many
/// values as the recipe.
void check_rows(const Pictures::Source& source, const Recipe& recipe);

/// What is to be said of a picture that was read.
struct ReadOutcome {
    std::optional<SkippedPicture> skipped;  ///< why it cannot be had
    std::string remark;                     ///< of one that is used; mostly empty
};

/// Loads entry i and applies the recipe to it. out: size recipe.size(); undefined where the picture is
/// skipped.
[[nodiscard]] ReadOutcome read_picture(const Pictures::Source& source, std::int64_t i, const Recipe& recipe,
                                       std::span<float> out);

}  // namespace stackae::data
