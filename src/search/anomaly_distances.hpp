#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "stackae/neighbours.hpp"
#include "stackae/patch_memory.hpp"
#include "stackae/tensor.hpp"

#include "linalg/gemm.hpp"

namespace stackae::search {

/// Principal components of descriptors of positions: z = U (s ∘ x − mean), and what they leave over.
class DescriptorCoder {
public:
    /// scale, mean and components as PatchMemory has them; copies are kept.
    DescriptorCoder(const Tensor& scale, const Tensor& mean, const Tensor& components, int threads);

    struct Codes {
        Tensor values;                 ///< m × d
        std::vector<float> residuals;  ///< m: ‖s ∘ x − mean − Uᵀ z‖
    };
    /// descriptors: m × D.
    [[nodiscard]] Codes encode(const Tensor& descriptors);

private:
    Tensor scale_;
    Tensor mean_;
    std::int64_t dimension_;
    linalg::Context context_;
    std::unique_ptr<linalg::Gemm> product_;  ///< z of x
    std::unique_ptr<linalg::Gemm> back_;     ///< Uᵀ z
};

/// Settles PatchMemory's scale and principal axes by some descriptors, m × D. The values of each source
/// (where they end: group_ends) have the same variance in all.
void fit_axes(const Tensor& descriptors, std::span<const std::int64_t> group_ends, std::int64_t dimension,
              PatchMemory& memory);

/// Settles PatchMemory's codes and what it knows of positions, by the codes of pictures' positions: values,
/// (pictures · positions) × d.
void fit_codes(const Tensor& values, std::int64_t max_codes, std::uint64_t seed, int threads,
               PatchMemory& memory);

/// How odd positions are, by every method.
class AnomalyDistances {
public:
    /// The memory must outlive it.
    AnomalyDistances(const PatchMemory& memory, int threads);

    /// codes: of n pictures' positions. Returns n × (methods · positions), AnomalyMethod by AnomalyMethod; 0
    /// of those that are not asked for.
    [[nodiscard]] Tensor of(const DescriptorCoder::Codes& codes, std::span<const AnomalyMethod> methods);

private:
    void nearest(const Tensor& codes, Tensor& out);
    void gaussian(const Tensor& codes, Tensor& out) const;
    void position_gaussian(const Tensor& codes, Tensor& out) const;

    const PatchMemory& memory_;
    int threads_;
    NeighbourIndex index_;
    Tensor axis_scale_;  ///< d: variance^(−¼)
};

/// Row-wise: each value times that of its axis.
void scale_columns(Tensor& values, const Tensor& by);
/// floored(variance)^(−¼).
[[nodiscard]] Tensor half_whitening(const Tensor& variances);

/// variance, with a floor of a hundred-thousandth of the largest.
[[nodiscard]] Tensor floored(const Tensor& variances);

/// How many of n a share of them are: 1 at least.
[[nodiscard]] std::int64_t largest_count(double share, std::int64_t n);
/// The mean over a share of values, the largest; 0: the largest alone. values are put into another order.
[[nodiscard]] double mean_of_largest(std::span<float> values, double share);

}  // namespace stackae::search
