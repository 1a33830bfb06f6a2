#include "base/enum_names.hpp"

#include "stackae/activation.hpp"
#include "stackae/corruption.hpp"
#include "stackae/loss_kind.hpp"
#include "stackae/optimizer_config.hpp"

namespace stackae {

constexpr auto activations = base::names_of<Activation>("activation", {{Activation::linear, "linear"},
                                                                       {Activation::sigmoid, "sigmoid"},
                                                                       {Activation::tanh, "tanh"},
                                                                       {Activation::relu, "relu"},
                                                                       {Activation::elu, "elu"},
                                                                       {Activation::silu, "silu"}});

template <>
const char* name(Activation value) {
    return activations.name(value);
}

template <>
Activation parse(std::string_view text) {
    return activations.parse(text);
}

constexpr auto corruptions =
    base::names_of<Corruption>("corruption", {{Corruption::none, "none"},
                                              {Corruption::masking, "masking"},
                                              {Corruption::gaussian, "gaussian"},
                                              {Corruption::salt_and_pepper, "salt_and_pepper"}});

template <>
const char* name(Corruption value) {
    return corruptions.name(value);
}

template <>
Corruption parse(std::string_view text) {
    return corruptions.parse(text);
}

constexpr auto loss_kinds = base::names_of<LossKind>(
    "loss", {{LossKind::squared_error, "squared_error"}, {LossKind::cross_entropy, "cross_entropy"}});

template <>
const char* name(LossKind value) {
    return loss_kinds.name(value);
}

template <>
LossKind parse(std::string_view text) {
    return loss_kinds.parse(text);
}

constexpr auto optimizer_kinds = base::names_of<OptimizerKind>(
    "optimizer",
    {{OptimizerKind::sgd, "sgd"}, {OptimizerKind::adam, "adam"}, {OptimizerKind::adamw, "adamw"}});

template <>
const char* name(OptimizerKind value) {
    return optimizer_kinds.name(value);
}

template <>
OptimizerKind parse(std::string_view text) {
    return optimizer_kinds.parse(text);
}

constexpr auto schedule_kinds =
    base::names_of<ScheduleKind>("schedule", {{ScheduleKind::constant, "constant"},
                                              {ScheduleKind::step, "step"},
                                              {ScheduleKind::cosine, "cosine"},
                                              {ScheduleKind::one_cycle, "one_cycle"}});

template <>
const char* name(ScheduleKind value) {
    return schedule_kinds.name(value);
}

template <>
ScheduleKind parse(std::string_view text) {
    return schedule_kinds.parse(text);
}

}  // namespace stackae
