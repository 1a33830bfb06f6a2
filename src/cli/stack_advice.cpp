#include "cli/stack_advice.hpp"

#include <fmt/format.h>

#include "stackae/train.hpp"

namespace stackae::cli {

std::vector<std::string> stack_advice(const Recipe& recipe, const TrainConfig& config) {
    constexpr const char* help = "fewer units, --corruption or --sparsity-weight may help";
    std::vector<std::string> lines;
    for (const CopyingLayer& layer : copying_layers(recipe, config)) {
        lines.push_back(
            layer.of_picture
                ? fmt::format("the code of {} values is no shorter than what it is of, {} values, which may "
                              "be copied and nothing learnt; {}",
                              layer.units, layer.values, help)
                : fmt::format(
                      "layer {} has {} units for {} values, which may be copied and nothing learnt; {}",
                      layer.layer, layer.units, layer.values, help));
    }
    return lines;
}

}  // namespace stackae::cli
