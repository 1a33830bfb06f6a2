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

constexpr std::array<Idle, 12> idle_options{{
    {"corruption-level", "there is no --corruption", is_not_corrupted},
    {"momentum", of_sgd, is_not_sgd},
    {"nesterov", of_sgd, is_not_sgd},
    {"beta1", of_adam, is_sgd},
    {"beta2", of_adam, is_sgd},
    {"epsilon", of_adam, is_sgd},
    {"fine-tune-lr", of_fine_tuning, is_not_fine_tuned},
    {"fine-tune-loss", of_fine_tuning, is_not_fine_tuned},
    {"untie-in-fine-tuning", of_fine_tuning, is_not_fine_tuned},
    {"step-epochs", of_steps, has_no_steps},
    {"step-factor", of_steps, has_no_steps},
    {"warmup", "it is of --schedule one_cycle", has_no_cycle},
}};

/// What asks for no gradients has its effect where there are none.
bool asks_for_none(std::string_view option, const TrainConfig& config) {
    return (option == "epochs" && config.epochs == 0) ||
           (option == "fine-tune" && config.fine_tune_epochs == 0);
}

}  // namespace

std::vector<std::string> unused_options(const std::vector<std::string>& options, const TrainConfig& config,
                                        bool by_gradients) {
    std::vector<std::string> lines;
    for (const std::string& option : options) {
        const auto* const idle = std::find_if(idle_options.begin(), idle_options.end(),
                                              [&](const Idle& each) { return each.option == option; });
        if (!by_gradients && !asks_for_none(option, config)) {
            lines.push_back(fmt::format("--{} is not used: nothing is learnt by gradients", option));
        } else if (idle != idle_options.end() && idle->is_idle(config)) {
            lines.push_back(fmt::format("--{} is not used: {}", option, idle->why));
        }
    }
    return lines;
}

}  // namespace stackae::cli
