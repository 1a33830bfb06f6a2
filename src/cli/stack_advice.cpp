#include "cli/stack_advice.hpp"

#include <fmt/format.h>

#include "stackae/train.hpp"

namespace stackae::cli {

std::vector<std::string> stack_advice(const Recipe& recipe, const TrainOptions& options) {
    std::vector<std::string> lines;
    const bool moved = options.augmentation != Augmentation{} && recipe.height > 1;
    if (options.corruption != Corruption::none || moved || options.sparsity_weight > 0.0 ||
        options.winner_share > 0.0) {
        return lines;
    }
    constexpr const char* help = "fewer units, --corruption or --sparsity-weight may help";
    std::int64_t inputs = options.convolutions.empty()
                              ? recipe.size()
                              : convolution_shapes(recipe, options).back().output_size();
    for (std::size_t i = 0; i < options.layers.size(); ++i) {
        const std::int64_t units = options.layers[i];
        const std::size_t number = options.convolutions.size() + i + 1;
        if (i + 1 == options.layers.size() && options.code_size == 0 && units >= recipe.size()) {
            lines.push_back(
                fmt::format("the code of {} values is no shorter than what it is of, {} values, which may "
                            "be copied and nothing learnt; {}",
                            units, recipe.size(), help));
        } else if (units > 2 * inputs) {
            lines.push_back(
                fmt::format("layer {} has {} units for {} values, which may be copied and nothing learnt; {}",
                            number, units, inputs, help));
        }
        inputs = units;
    }
    return lines;
}

}  // namespace stackae::cli
