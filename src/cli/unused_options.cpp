#include "cli/unused_options.hpp"

#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <string_view>

namespace stackae::cli {
namespace {

/// An option that does nothing under others, and what is missing.
struct Idle {
    std::string_view option;
    const char* why;
    bool (*is_idle)(const TrainConfig& config);
};

bool is_sgd(const TrainConfig& config) {
    return config.optimizer == OptimizerKind::sgd;
}

bool is_not_sgd(const TrainConfig& config) {
    return !is_sgd(config);
}

bool is_not_fine_tuned(const TrainConfig& config) {
    return config.fine_tune_epochs == 0;
}

bool has_no_steps(const TrainConfig& config) {
    return config.schedule != ScheduleKind::step;
}

bool has_no_cycle(const TrainConfig& config) {
    return config.schedule != ScheduleKind::one_cycle;
}

bool is_not_corrupted(const TrainConfig& config) {
    return config.corruption == Corruption::none;
}

constexpr const char* of_sgd = "it is of --optimizer sgd";
constexpr const char* of_adam = "it is of --optimizer adam and adamw";
constexpr const char* of_fine_tuning = "there is no fine-tuning (--fine-tune)";
constexpr const char* of_steps = "it is of --schedule step";

constexpr std::array<Idle, 15> idle_options{{
    {"corruption-level", "there is no --corruption", is_not_corrupted},
    {"momentum", of_sgd, is_not_sgd},
    {"nesterov", of_sgd, is_not_sgd},
    {"beta1", of_adam, is_sgd},
    {"beta2", of_adam, is_sgd},
    {"epsilon", of_adam, is_sgd},
    {"fine-tune-corruption-level", of_fine_tuning, is_not_fine_tuned},
    {"fine-tune-corruption-level", "there is no --corruption", is_not_corrupted},
    {"fine-tune-lr", of_fine_tuning, is_not_fine_tuned},
    {"fine-tune-loss", of_fine_tuning, is_not_fine_tuned},
    {"fine-tune-from-pca", of_fine_tuning, is_not_fine_tuned},
    {"untie-in-fine-tuning", of_fine_tuning, is_not_fine_tuned},
    {"step-epochs", of_steps, has_no_steps},
    {"step-factor", of_steps, has_no_steps},
    {"warmup", "it is of --schedule one_cycle", has_no_cycle},
}};

/// What an elsa, which has a loss of its own and rows of length 1, does without; dense layers use it.
constexpr std::array<std::string_view, 7> not_of_elsa{"loss",
                                                      "corruption",
                                                      "corruption-level",
                                                      "weight-decay",
                                                      "sparsity-target",
                                                      "sparsity-weight",
                                                      "lifetime-sparsity"};

/// Whether gradients are followed by elsa alone.
bool is_elsa_alone(const TrainPlan& plan) {
    return std::all_of(plan.stages.begin(), plan.stages.end(),
                       [](const StageInfo& stage) { return stage.epochs == 0 || stage.type == "elsa"; });
}

/// Why an option does nothing where elsa alone learns by gradients; empty where it does something.
std::string why_not_of_elsa(std::string_view option, const TrainConfig& config) {
    if (std::find(not_of_elsa.begin(), not_of_elsa.end(), option) != not_of_elsa.end() ||
        option.starts_with("augment")) {
        return "elsa has no use for it";
    }
    const bool tunes = option.starts_with("fine-tune") || option == "untie-in-fine-tuning";
    return tunes && config.fine_tune_epochs > 0 ? "there are no dense layers to fine-tune" : "";
}

/// What asks for no gradients has its effect where there are none.
bool asks_for_none(std::string_view option, const TrainConfig& config) {
    return (option == "epochs" && config.epochs == 0) ||
           (option == "fine-tune" && config.fine_tune_epochs == 0);
}

}  // namespace

std::vector<std::string> unused_options(const std::vector<std::string>& options, const TrainConfig& config,
                                        const TrainPlan& plan) {
    const bool by_gradients = learns_by_gradients(plan);
    const bool elsa_alone = by_gradients && is_elsa_alone(plan);
    std::vector<std::string> lines;
    for (const std::string& option : options) {
        const auto* const idle =
            std::find_if(idle_options.begin(), idle_options.end(),
                         [&](const Idle& each) { return each.option == option && each.is_idle(config); });
        const std::string why = elsa_alone ? why_not_of_elsa(option, config) : "";
        if (!by_gradients && !asks_for_none(option, config)) {
            lines.push_back(fmt::format("--{} is not used: nothing is learnt by gradients", option));
        } else if (!why.empty()) {
            lines.push_back(fmt::format("--{} is not used: {}", option, why));
        } else if (idle != idle_options.end()) {
            lines.push_back(fmt::format("--{} is not used: {}", option, idle->why));
        }
    }
    return lines;
}

}  // namespace stackae::cli
