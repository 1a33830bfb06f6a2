#pragma once

#include "stackae/preprocessing.hpp"

#include "base/fields.hpp"

namespace stackae {

/// A row for each field but mean and deviation, which are tensors.
void add_fields(Preprocessing& preprocessing, base::FieldTable& table);
/// Of preprocessing that stays as it is.
[[nodiscard]] base::FieldTable fields_of(const Preprocessing& preprocessing);

}  // namespace stackae
