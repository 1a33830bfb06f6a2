#pragma once

#include <vector>

#include "train/sample_store.hpp"

namespace stackae::training {

/// What each column is multiplied by to make all of them vary about as much: 1 / (s + 0.3 s̄), s its deviation
/// over the rows, s̄ the mean of all.
[[nodiscard]] std::vector<double> even_scale(const SampleStore& rows);
/// Each value times its column's scale.
void scale_columns(SampleStore& rows, const std::vector<double>& scale);
/// Each value divided by it.
void unscale_columns(SampleStore& rows, const std::vector<double>& scale);

}  // namespace stackae::training
