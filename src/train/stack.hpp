#pragma once

#include <cstdint>
#include <vector>

#include "stackae/model.hpp"

#include "nn/gradient_loop.hpp"
#include "nn/parameters.hpp"

/// What each phase trains, from the options: networks, losses and settings.
namespace stackae::training {

/// f of a layer, 0-based.
[[nodiscard]] Activation activation_of(const TrainOptions& options, std::size_t layer);
/// g of a layer: rebuilds the pictures, or mirrors the activation below (of a convolutional layer: relu).
[[nodiscard]] Activation decoder_of(const TrainOptions& options, const Recipe& recipe, std::size_t layer);
/// Cross-entropy where asked for or by default, and where decoder and target allow it. Throws InvalidArgument
/// when it is asked for and the first layer's pictures or decoder do not allow it.
[[nodiscard]] LossKind loss_of(const TrainOptions& options, const Recipe& recipe, std::size_t layer);

/// Everything that can be wrong with the options and the recipe, before anything is read. Throws
/// InvalidArgument.
void check_settings(const TrainOptions& options, const Recipe& recipe);

/// Encoder and decoder of one layer.
[[nodiscard]] std::vector<nn::LayerSpec> autoencoder(const TrainOptions& options, const Recipe& recipe,
                                                     std::size_t layer);
/// Random weights, and the decoder's bias where it predicts `mean`, the mean target (size: inputs), with no
/// code at all: training starts at the loss of the mean and not above it.
void initialize(nn::Parameters& autoencoder, const std::vector<double>& mean, std::uint64_t seed,
                std::size_t layer);
/// What all phases have in common. layer: as in EpochRecord; it tells their random numbers apart.
[[nodiscard]] nn::GradientLoopConfig loop_config(const TrainOptions& options, int layer);
[[nodiscard]] nn::GradientLoopConfig greedy_config(const TrainOptions& options, const Recipe& recipe,
                                                   std::size_t layer);

/// Encoder and decoder of a layer that is trained.
[[nodiscard]] std::vector<nn::LayerSpec> autoencoder(const DenseLayer& layer);
/// All encoders, then all decoders from the top down. autoencoders: bottom up.
[[nodiscard]] std::vector<nn::LayerSpec> unrolled(const std::vector<std::vector<nn::LayerSpec>>& autoencoders,
                                                  bool tied);
[[nodiscard]] nn::GradientLoopConfig fine_tuning_config(const TrainOptions& options, const Recipe& recipe);

/// A layer's values from the network's, and back.
[[nodiscard]] DenseLayer to_layer(const nn::Parameters& parameters, std::size_t encoder, std::size_t decoder);
void from_layer(const DenseLayer& layer, nn::Parameters& parameters, std::size_t encoder,
                std::size_t decoder);

}  // namespace stackae::training
