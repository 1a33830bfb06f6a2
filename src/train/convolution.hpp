#pragma once

#include <cstdint>
#include <span>

#include "stackae/model.hpp"
#include "stackae/train.hpp"

#include "linalg/onednn.hpp"
#include "train/sample_store.hpp"

namespace stackae::training {

/// What is to be learnt from: pictures, and those of them that may be looked at.
struct LayerData {
    const SampleStore& pictures;
    std::span<const std::int64_t> train;
    std::span<const std::int64_t> validation;
};

/// The shape of the next convolutional layer of a stack. Throws InvalidArgument where it does not fit what is
/// below it.
[[nodiscard]] ConvolutionShape next_shape(const Recipe& recipe, const std::vector<ConvolutionLayer>& below,
                                          const ConvolutionOptions& options);

/// What a layer learns from.
struct SampleSize {
    std::int64_t pictures = 0;  ///< that patches are taken from
    std::int64_t patches = 0;
};
/// number: convolutional layers below; pictures: that may be looked at.
[[nodiscard]] SampleSize sample_size(const TrainOptions& options, const ConvolutionShape& shape,
                                     std::size_t number, std::int64_t pictures);

/// Whose maps of so many values are held at a time.
[[nodiscard]] std::int64_t chunk_pictures(std::int64_t map_size);

inline constexpr int means_iterations = 12;            ///< of k-means
inline constexpr std::int64_t probe_pictures = 256;    ///< on which the decoder is fitted, and measured
inline constexpr std::int64_t code_pictures = 20'000;  ///< that a code in closed form is fitted to

/// Learns the next convolutional layer of `model`, options.convolutions[model.convolutions.size()], and adds
/// it with its record of one epoch. False, and nothing added, when the observer stopped it.
bool train_convolution(linalg::Context& context, const LayerData& data, const TrainOptions& options,
                       TrainObserver& observer, Model& model);

}  // namespace stackae::training
