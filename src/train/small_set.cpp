#include <algorithm>
#include <cstddef>

#include "stackae/train.hpp"

#include "layers/autoencoder.hpp"
#include "train/stages.hpp"

namespace stackae {
namespace {

constexpr std::int64_t min_batch = 32;
constexpr std::int64_t enough_batches = 16;  ///< an epoch
constexpr std::int64_t max_epochs = 200;

}  // namespace

std::vector<CopyingLayer> copying_layers(const Preprocessing& preprocessing, const TrainConfig& config) {
    std::vector<CopyingLayer> found;
    if (config.corruption != Corruption::none || config.sparsity_weight > 0.0 ||
        config.lifetime_sparsity > 0.0) {
        return found;
    }
    const Stack bound = bind(config.stack, preprocessing.shape());
    for (std::size_t i = 0; i < bound.size(); ++i) {
        if (!bound[i].autoencoder()) {
            continue;
        }
        const std::int64_t units = bound[i].output_shape().size();
        const std::int64_t inputs = bound[i].input_shape().size();
        if (i + 1 == training::rebuilt_depth(bound) && units >= preprocessing.size()) {
            found.push_back({i + 1, units, preprocessing.size(), true});
        } else if (config.epochs > 0 && units > 2 * inputs) {
            found.push_back({i + 1, units, inputs, false});
        }
    }
    return found;
}

bool fit_to_small_set(TrainConfig& config, std::int64_t pictures, const SmallSetOptions& may_change) {
    const auto& layers = config.stack.layers();
    if (std::none_of(layers.begin(), layers.end(),
                     [](const auto& layer) { return layer->autoencoder() != nullptr; })) {
        return false;
    }
    bool changed = false;
    const auto change = [&](Option<std::int64_t>& option, std::int64_t value) {
        changed = changed || option != value;
        option = value;
    };
    const auto updates = [&] { return (pictures + config.batch_size - 1) / config.batch_size; };
    while (may_change.batch_size && config.batch_size > min_batch && updates() < enough_batches) {
        change(config.batch_size, config.batch_size / 2);
    }
    const auto raise = [&](Option<std::int64_t>& epochs, std::int64_t enough) {
        change(epochs,
               std::max<std::int64_t>(epochs, std::min(max_epochs, (enough + updates() - 1) / updates())));
    };
    if (may_change.epochs && !config.fine_tune_from_pca) {
        raise(config.epochs, may_change.enough_updates);
    }
    if (may_change.fine_tune_epochs && config.fine_tune_epochs > 0) {
        raise(config.fine_tune_epochs, may_change.enough_fine_tuning_updates);
    }
    return changed;
}

}  // namespace stackae
