#pragma once

#include "stackae/evaluate_ranking.hpp"

#include "evaluate/item_selection.hpp"

namespace stackae::evaluation {

/// The held users with the selected items alone; left out is who has no target or nothing known then.
[[nodiscard]] HeldUsers keep(const HeldUsers& users, const ItemSelection& selection);

}  // namespace stackae::evaluation
