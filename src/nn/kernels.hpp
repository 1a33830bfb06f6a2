#pragma once

#include <cstdint>

namespace stackae::nn {

/// to = √max(0, x); in place too.
void take_roots(const float* x, std::int64_t size, float* to);

/// to = max(0, x)²; in place too.
void take_squares(const float* x, std::int64_t size, float* to);

}  // namespace stackae::nn
