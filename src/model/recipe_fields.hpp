#pragma once

#include "stackae/recipe.hpp"

#include "base/fields.hpp"

namespace stackae {

/// A row for each field but mean and deviation, which are tensors.
void add_fields(Recipe& recipe, base::FieldTable& table);
/// Of a recipe that stays as it is.
[[nodiscard]] base::FieldTable fields_of(const Recipe& recipe);

}  // namespace stackae
