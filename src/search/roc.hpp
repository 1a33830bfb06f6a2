#pragma once

#include <span>

namespace stackae::search {

/// Area under the receiver operating characteristic: how often one of `odd` is above one of `good`, ties
/// counted by half (Mann & Whitney 1947). 0.5 where there is none of either.
[[nodiscard]] double auroc(std::span<const double> good, std::span<const double> odd);

}  // namespace stackae::search
