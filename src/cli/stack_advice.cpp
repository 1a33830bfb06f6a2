#include "cli/stack_advice.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "stackae/train.hpp"

namespace stackae::cli {

std::vector<std::string> stack_advice(const Preprocessing& preprocessing, const TrainConfig& config) {
    constexpr const char* help = "fewer units, --corruption or --sparsity-weight may help";
    std::vector<std::string> lines;
    for (const CopyingLayer& layer : copying_layers(preprocessing, config)) {
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

std::vector<std::string> cut_layers(const Preprocessing& preprocessing, const TrainConfig& config,
                                    const TrainPlan& plan) {
    std::vector<std::string> lines;
    const Stack asked =
        bind(config.stack, {preprocessing.height, preprocessing.width, preprocessing.channels});
    auto stage = plan.stages.begin();
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (!asked[i].is_trained()) {
            continue;
        }
        stage = std::find_if(stage, plan.stages.end(),
                             [&](const StageInfo& s) { return s.type == asked[i].type(); });
        if (stage == plan.stages.end()) {
            break;
        }
        if (stage->output != asked[i].output_shape()) {
            lines.push_back(fmt::format("{}: {}, not {}: no more can be learnt from these pictures",
                                        stage->name, to_text(stage->output),
                                        to_text(asked[i].output_shape())));
        }
        ++stage;
    }
    return lines;
}

}  // namespace stackae::cli
