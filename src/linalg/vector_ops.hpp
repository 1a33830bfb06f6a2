#pragma once

#include <cstdint>

/// Operations on long vectors, on as many threads as OpenMP is set to.
namespace stackae::linalg {

/// y += x.
void add(const float* x, std::int64_t size, float* y);

/// Σ x², in double precision over blocks of fixed size: independent of the number of threads.
[[nodiscard]] double squared_norm(const float* x, std::int64_t size);

}  // namespace stackae::linalg
