#pragma once

#include <algorithm>
#include <cstdint>
#include <initializer_list>
#include <utility>
#include <vector>

#include "stackae/tensor.hpp"

namespace stackae::test {

/// A tensor of the values given.
inline Tensor tensor(std::vector<std::int64_t> shape, std::initializer_list<float> values) {
    Tensor result(std::move(shape));
    std::copy(values.begin(), values.end(), result.data());
    return result;
}

}  // namespace stackae::test
