#include "stackae/train_recipe.hpp"

#include <fmt/format.h>
#include <string_view>

#include "stackae/error.hpp"
#include "stackae/short_forms.hpp"
#include "stackae/train.hpp"

namespace stackae {
namespace {

constexpr const char* automatic = "auto";
/// How a stack is trained that is named without a preset.
constexpr const char* plain = "dense";

}  // namespace

TrainConfig apply(const TrainRecipe& recipe, const TrainConfig& base) {
    TrainConfig config = base;
    if (!recipe.stack.empty()) {
        config.stack = parse_stack(recipe.stack);
    }
    if (recipe.components) {
        if (*recipe.components < 1) {
            throw InvalidArgument(
                fmt::format("components: {} found, 1 or more expected", *recipe.components));
        }
        config.stack = apply(ShortForms{.components = recipe.components}, config.stack);
    }
    for (const auto& [name, value] : recipe.options) {
        config.set(name, value);
    }
    validate(config);
    return config;
}

TrainConfig config_of(const TrainRecipe& recipe, std::int64_t pictures, const Preprocessing& preprocessing,
                      const RunOptions& run) {
    if (recipe.preset != automatic) {
        return apply(recipe, preset(recipe.preset));
    }
    TrainConfig config;
    if (!recipe.stack.empty()) {
        TrainConfig base = preset(plain);
        base.preset = config.preset;
        config = apply(recipe, base);
    } else {
        config = choose_stack(pictures, preprocessing,
                              {.adjust = [&](const TrainConfig& each) { return apply(recipe, each); },
                               .budget_seconds = recipe.budget_seconds,
                               .run = run})
                     .config;
    }
    const auto open = [&](const char* name) { return recipe.options.count(name) == 0; };
    fit_to_small_set(config, pictures,
                     {.batch_size = open("batch_size"),
                      .epochs = open("epochs"),
                      .fine_tune_epochs = open("fine_tune_epochs")});
    return config;
}

}  // namespace stackae
