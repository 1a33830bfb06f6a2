#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stackae/shape.hpp"

#include "base/random.hpp"

namespace stackae::data {

/// Defects that are planted in good pictures to try what tells them. Has names.
enum class Defect {
    cut_paste,  ///< a rectangle of another picture, turned or mirrored (CutPaste: Li et al. 2021)
    scar,       ///< a thin one, at any angle
    foreign,    ///< a patch without corners of another place
    scratch,    ///< a thin bent line, lighter or darker
    blob,       ///< a small spot
    stain,      ///< a large faint one
    blur,       ///< a patch that is blurred
};
inline constexpr int defects = 7;

struct PlantedDefect {
    std::vector<float> picture;  ///< height × width × channels
    std::vector<float> mask;     ///< height × width: 1 where the defect is
};

/// A good picture of values in [0, 1], or any others, with a defect of one kind; `other` is a good picture of
/// the same shape, that it may take patches from. What, where and how strong is a function of the arguments.
/// Strengths are shares of the picture's own deviation.
[[nodiscard]] PlantedDefect plant_defect(std::span<const float> picture, std::span<const float> other,
                                         const Shape& shape, Defect defect, const base::Random& random);

}  // namespace stackae::data
