#include "cli/stack_text.hpp"

#include <fmt/format.h>

#include "stackae/train.hpp"

namespace stackae::cli {
namespace {

std::string output_text(const ConvolutionShape& shape) {
    return fmt::format("{}x{}x{}", shape.cells_down(), shape.cells_across(), shape.code_channels());
}

}  // namespace

std::string map_text(const ConvolutionShape& shape) {
    return fmt::format("{}x{}x{} -> {}", shape.height, shape.width, shape.channels, output_text(shape));
}

std::string stack_text(const Recipe& recipe, const std::vector<ConvolutionShape>& convolutions,
                       const std::vector<std::int64_t>& units) {
    std::string text = convolutions.empty()
                           ? fmt::format("{}", recipe.size())
                           : fmt::format("{}x{}x{}", recipe.height, recipe.width, recipe.channels);
    for (const ConvolutionShape& shape : convolutions) {
        text += " -> " + output_text(shape);
    }
    for (const std::int64_t size : units) {
        text += fmt::format(" -> {}", size);
    }
    return text;
}

std::string stack_text(const Model& model) {
    std::vector<ConvolutionShape> convolutions;
    for (const ConvolutionLayer& layer : model.convolutions) {
        convolutions.push_back(layer.shape);
    }
    std::vector<std::int64_t> units;
    for (const DenseLayer& layer : model.layers) {
        units.push_back(layer.units());
    }
    if (model.radial) {
        units.push_back(model.radial->units());
    }
    return stack_text(model.recipe, convolutions, units);
}

std::string stack_text(const Recipe& recipe, const TrainOptions& options) {
    std::vector<std::int64_t> units = options.layers;
    if (options.code_size > 0) {
        units.push_back(options.code_size);
    }
    if (options.radial_units > 0) {
        units.push_back(options.radial_units);
    }
    return stack_text(recipe, convolution_shapes(recipe, options), units);
}

int stack_depth(const TrainOptions& options) {
    return static_cast<int>(options.convolutions.size() + options.layers.size()) +
           (options.code_size > 0 ? 1 : 0) + (options.radial_units > 0 ? 1 : 0);
}

}  // namespace stackae::cli
