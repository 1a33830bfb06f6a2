#pragma once

#include <fmt/format.h>

#include "stackae/model.hpp"
#include "stackae/tensor.hpp"

#include "base/rows.hpp"

namespace stackae::encoding {

/// Throws NotFinite where a row that a model made has a value that is infinite or not a number. what:
/// "encode: the code of picture".
inline void check_finite(const char* what, const Tensor& rows) {
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        if (!base::all_finite(rows.row(i))) {
            throw NotFinite(
                fmt::format("{} {} is not finite: the model's weights, or the values, are too large", what,
                            i),
                i);
        }
    }
}

}  // namespace stackae::encoding
