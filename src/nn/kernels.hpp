#pragma once

#include <cstdint>

namespace stackae::nn {

/// to = √max(0, x); in place too.
void take_roots(const float* x, std::int64_t size, float* to);

/// to = max(0, x)²; in place too.
void take_squares(const float* x, std::int64_t size, float* to);

/// Momentum (Polyak 1964) or Nesterov's (Sutskever et al. 2013): g ← scale · diff + decay · w; v ← momentum ·
/// v + g; w ← w − rate · (nesterov ? g + momentum · v : v).
struct SgdStep {
    float rate = 0.0F;
    float momentum = 0.0F;
    float decay = 0.0F;
    float scale = 1.0F;
    bool nesterov = false;
};
void sgd_update(const SgdStep& step, const float* diff, std::int64_t size, float* velocity, float* weights);

/// g ← scale · diff + decay · w; m ← β₁ m + (1 − β₁) g; v ← β₂ v + (1 − β₂) g²;
/// w ← shrink · w − rate · m / (sqrt(v · correction) + ε). `rate` has the first moment's bias correction in
/// it.
struct AdamStep {
    float rate = 0.0F;
    float correction = 1.0F;  ///< 1 / (1 − β₂ᵗ)
    float beta1 = 0.9F;
    float beta2 = 0.999F;
    float epsilon = 1e-8F;
    float decay = 0.0F;   ///< L2 penalty
    float shrink = 1.0F;  ///< decoupled decay: 1 − rate · λ
    float scale = 1.0F;
};
void adam_update(const AdamStep& step, const float* diff, std::int64_t size, float* m, float* v,
                 float* weights);

}  // namespace stackae::nn
