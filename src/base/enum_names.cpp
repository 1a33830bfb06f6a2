#include "base/enum_names.hpp"

#include "stackae/activation.hpp"
#include "stackae/corruption.hpp"
#include "stackae/interactions.hpp"
#include "stackae/loss_kind.hpp"
#include "stackae/optimizer_config.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<Activation> = base::names_of<Activation>("activation",
                                                                         {{Activation::linear, "linear"},
                                                                          {Activation::sigmoid, "sigmoid"},
                                                                          {Activation::tanh, "tanh"},
                                                                          {Activation::relu, "relu"},
                                                                          {Activation::elu, "elu"},
                                                                          {Activation::silu, "silu"}});
template const char* name(Activation);
template Activation parse(std::string_view);

template <>
constexpr auto base::enum_names<Corruption> =
    base::names_of<Corruption>("corruption", {{Corruption::none, "none"},
                                              {Corruption::masking, "masking"},
                                              {Corruption::dropout, "dropout"},
                                              {Corruption::gaussian, "gaussian"},
                                              {Corruption::salt_and_pepper, "salt_and_pepper"}});
template const char* name(Corruption);
template Corruption parse(std::string_view);

template <>
constexpr auto base::enum_names<LossKind> =
    base::names_of<LossKind>("loss", {{LossKind::squared_error, "squared_error"},
                                      {LossKind::cross_entropy, "cross_entropy"},
                                      {LossKind::multinomial, "multinomial"},
                                      {LossKind::masked_squared_error, "masked_squared_error"}});
template const char* name(LossKind);
template LossKind parse(std::string_view);

template <>
constexpr auto base::enum_names<OptimizerKind> = base::names_of<OptimizerKind>(
    "optimizer",
    {{OptimizerKind::sgd, "sgd"}, {OptimizerKind::adam, "adam"}, {OptimizerKind::adamw, "adamw"}});
template const char* name(OptimizerKind);
template OptimizerKind parse(std::string_view);

template <>
constexpr auto base::enum_names<ScheduleKind> =
    base::names_of<ScheduleKind>("schedule", {{ScheduleKind::constant, "constant"},
                                              {ScheduleKind::step, "step"},
                                              {ScheduleKind::cosine, "cosine"},
                                              {ScheduleKind::one_cycle, "one_cycle"}});
template const char* name(ScheduleKind);
template ScheduleKind parse(std::string_view);

template <>
constexpr auto base::enum_names<TableRow> = base::names_of<TableRow>("rows", {{TableRow::user, "user"},
                                                                              {TableRow::item, "item"}});
template const char* name(TableRow);
template TableRow parse(std::string_view);

}  // namespace stackae
