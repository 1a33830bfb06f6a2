#pragma once

#include <cstdint>
#include <span>

#include "stackae/tensor.hpp"
#include "stackae/train_options.hpp"

#include "linalg/onednn.hpp"
#include "train/sample_store.hpp"

namespace stackae::training {

/// x̂ = D h + e, of a code of principal axes.
struct PictureDecoder {
    Tensor weights;  ///< D, values of a picture × units
    Tensor bias;     ///< e
};

/// Whether a stack's code is decoded so: where it lies right above convolutional layers, and D has at most
/// 2²⁶ values.
[[nodiscard]] bool has_picture_decoder(const TrainOptions& options, std::int64_t picture_size,
                                       std::int64_t units);

/// Ridge regression of the pictures x on their codes h. Codes of principal axes have mean 0 and do not vary
/// together, so that for each value of x and of h
///
///     d = λ / (λ + c) · Σ x h / Σ h²,   e = mean x
///
/// with λ the variance of the code's axis before it was scaled, and c that of least generalised
/// cross-validation (Golub, Heath & Wahba 1979), in which a degree of freedom counts 1.4 times (Kim & Gu
/// 2004): codes that are nearly as many as the pictures are not believed as they are.
///
/// rows: the pictures that `codes` are of, in their order, which the axes were found from. variances: λ.
[[nodiscard]] PictureDecoder fit_picture_decoder(linalg::Context& context, const SampleStore& pictures,
                                                 std::span<const std::int64_t> rows, const SampleStore& codes,
                                                 std::span<const double> variances);

}  // namespace stackae::training
