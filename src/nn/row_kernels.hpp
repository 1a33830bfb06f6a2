#pragma once

#include <cstdint>

/// Operations on the values of one position or row, on the calling thread.
namespace stackae::nn {

/// to += x.
void add_row(const float* x, std::int64_t size, float* to);
/// to = max(to, x), value by value.
void raise_row(const float* x, std::int64_t size, float* to);
/// x *= factor.
void scale_row(float factor, std::int64_t size, float* x);
/// to = sign(x) |x|^power; in place too. Powers of ½ and 2 take no logarithms.
void signed_power(const float* x, std::int64_t size, float power, float* to);

}  // namespace stackae::nn
