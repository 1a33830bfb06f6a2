#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "layers/trainer.hpp"
#include "linalg/pca.hpp"
#include "nn/parameters.hpp"

namespace stackae::layers {

/// Makes of an unrolled stack what principal components are: encoders up to a linear code z of k values, then
/// decoders down to a linear output. With f(a) − f(−a) = a, which SiLU and ReLU fulfil (a linear unit twice),
/// hidden layers hand on z in pairs of units, f(z) and f(−z), whose difference the map above reads:
///
///     h₁ = f([U; −U; W] (x − μ)),   h₂ = f([P; −P; W] h₁),   z = P h₂,   x̂ = Uᵀ z + μ,   P = [I −I 0],
///
/// U the k axes of largest variance. Units beyond the 2 k keep the weights W that they have and are read by
/// nobody yet, so that the stack is the best linear one and all of them can learn from there. Where there
/// are fewer axes, the code's other values keep weights of their own and are not decoded.
void begin_with_axes(nn::Parameters& parameters, const linalg::PcaResult& axes);
/// Throws InvalidArgument, which begins with `name`, where such a stack cannot.
void check_axes_start(const std::vector<nn::LayerSpec>& specs, const std::string& name);

/// Of the rows that a stage learns from, some where they are many.
[[nodiscard]] linalg::PcaResult axes_of_rows(const TrainContext& context, std::int64_t n_components);
/// What that takes, in multiply-adds and in floats.
[[nodiscard]] StageCost cost_of_axes(std::int64_t rows, std::int64_t columns, std::int64_t n_components);

}  // namespace stackae::layers
