#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "data/source.hpp"

namespace stackae::data {

/// Rows of numbers have no shape to resize: throws InvalidArgument, naming the file, unless they have as many
/// values as the preprocessing.
void check_rows(const ImageDataset::Source& source, const Preprocessing& preprocessing);

/// What is to be said of a picture that was read.
struct ReadOutcome {
    std::optional<SkippedPicture> skipped;  ///< why it cannot be had
    std::string remark;                     ///< of one that is used; mostly empty
};

/// Loads entry i and applies the preprocessing to it. out: size preprocessing.size(); undefined where the
/// picture is skipped.
[[nodiscard]] ReadOutcome read_picture(const ImageDataset::Source& source, std::int64_t i,
                                       const Preprocessing& preprocessing, std::span<float> out);

}  // namespace stackae::data
