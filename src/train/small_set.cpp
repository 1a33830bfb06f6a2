#include <algorithm>
#include <cstddef>

#include "stackae/train.hpp"

namespace stackae {

std::vector<CopyingLayer> copying_layers(const Recipe& recipe, const TrainOptions& options) {
    std::vector<CopyingLayer> found;
    const bool moved = options.augmentation != Augmentation{} && recipe.height > 1;
    if (options.corruption != Corruption::none || moved || options.sparsity_weight > 0.0 ||
        options.winner_share > 0.0) {
        return found;
    }
    std::int64_t inputs = options.convolutions.empty()
                              ? recipe.size()
                              : convolution_shapes(recipe, options).back().output_size();
    for (std::size_t i = 0; i < options.layers.size(); ++i) {
        const std::int64_t units = options.layers[i];
        const int number = static_cast<int>(options.convolutions.size() + i) + 1;
        const bool is_code = i + 1 == options.layers.size() && options.code_size == 0;
        if (is_code && units >= recipe.size()) {
            found.push_back({number, units, recipe.size(), true});
        } else if (units > 2 * inputs) {
            found.push_back({number, units, inputs, false});
        }
        inputs = units;
    }
    return found;
}

bool fit_to_small_set(TrainOptions& options, std::int64_t pictures, const SmallSetOptions& may_change) {
    if (options.layers.empty()) {
        return false;
    }
    const TrainOptions before = options;
    const auto updates = [&] { return (pictures + options.batch_size - 1) / options.batch_size; };
    while (may_change.batch_size && options.batch_size > 32 && updates() < 16) {
        options.batch_size /= 2;
    }
    const auto raise = [&](std::int64_t& epochs, std::int64_t enough) {
        epochs = std::max(epochs, std::min<std::int64_t>(200, (enough + updates() - 1) / updates()));
    };
    if (may_change.epochs) {
        for (std::int64_t& epochs : options.epochs) {
            raise(epochs, may_change.enough_updates);
        }
    }
    if (may_change.fine_tune_epochs && options.fine_tune_epochs > 0) {
        raise(options.fine_tune_epochs, may_change.enough_fine_tuning_updates);
    }
    return options != before;
}

}  // namespace stackae
