#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "stackae/inputs.hpp"
#include "stackae/patch_memory.hpp"

#include "cli/output.hpp"

namespace stackae::cli {

/// A folder of heat maps and nothing else, one of each picture that is scored, by their numbers.
struct MapFolder {
    std::string path = {};  ///< empty: none are drawn
    bool raw = false;       ///< their numbers beside them, as .npy
    double threshold = 0.0;

    /// Throws UsageError where other files are in it, which are not replaced, or where what is read or
    /// written is, or would be, in it.
    void check(const std::vector<std::string>& inputs, const std::vector<NamedPath>& written) const;
    /// Makes it.
    void create() const;
    /// Those of pictures from this number on, which an earlier run drew.
    void remove_from(std::size_t number) const;
    void draw(std::size_t number, const ImageEntry& entry, const PatchMemory& memory,
              std::span<const float> picture, const AnomalyScore& score) const;
    /// Throws IoError where the one that an earlier run drew is gone.
    void check_drawn(std::size_t number, const ImageEntry& entry) const;
    /// By which a run that goes on is told from one that draws otherwise.
    [[nodiscard]] std::string text() const;
};

}  // namespace stackae::cli
