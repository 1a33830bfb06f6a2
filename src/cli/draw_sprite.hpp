#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stackae/inputs.hpp"
#include "stackae/sprite_sheet.hpp"

#include "cli/console.hpp"
#include "cli/reading.hpp"

namespace stackae::cli {

/// Reads pictures once more, for thumbnails: of each row the index into all. Absent where there are too many,
/// or rows of numbers, which is told of. like: the model's. Throws Interrupted.
[[nodiscard]] std::optional<SpriteSheet> draw_sprite(Console& console, const Inputs& inputs,
                                                     const std::vector<std::int64_t>& rows,
                                                     const Preprocessing& like,
                                                     const ReadingOptions& reading);

}  // namespace stackae::cli
