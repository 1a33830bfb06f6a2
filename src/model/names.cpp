#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <string_view>

#include "stackae/convolution.hpp"
#include "stackae/error.hpp"
#include "stackae/recipe.hpp"
#include "stackae/train_options.hpp"

namespace stackae {
namespace {

template <class Enum>
struct Name {
    Enum value;
    const char* text;
};
template <class Enum>
Name(Enum, const char*) -> Name<Enum>;  // clang deduces aggregates by itself from its version 17 on

constexpr std::array activations{
    Name{Activation::linear, "linear"}, Name{Activation::sigmoid, "sigmoid"}, Name{Activation::tanh, "tanh"},
    Name{Activation::relu, "relu"},     Name{Activation::elu, "elu"},         Name{Activation::silu, "silu"},
};
constexpr std::array losses{
    Name{Loss::squared_error, "squared_error"},
    Name{Loss::cross_entropy, "cross_entropy"},
};
constexpr std::array corruptions{
    Name{Corruption::none, "none"},
    Name{Corruption::masking, "masking"},
    Name{Corruption::gaussian, "gaussian"},
    Name{Corruption::salt_and_pepper, "salt_and_pepper"},
};
constexpr std::array optimizers{
    Name{Optimizer::sgd, "sgd"},
    Name{Optimizer::adam, "adam"},
    Name{Optimizer::adamw, "adamw"},
};
constexpr std::array schedules{
    Name{Schedule::constant, "constant"},
    Name{Schedule::step, "step"},
    Name{Schedule::cosine, "cosine"},
    Name{Schedule::one_cycle, "one_cycle"},
};
constexpr std::array poolings{
    Name{Pooling::average, "average"},
    Name{Pooling::maximum, "maximum"},
};
constexpr std::array resize_modes{
    Name{ResizeMode::squash, "squash"},
    Name{ResizeMode::border, "border"},
    Name{ResizeMode::center, "center"},
};

template <class Table, class Enum>
const char* name_in(const Table& table, Enum value) {
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.value == value; });
    return found == table.end() ? "unknown" : found->text;
}

template <class Table>
auto parse_in(const Table& table, const char* what, std::string_view text) {
    const auto found =
        std::find_if(table.begin(), table.end(), [&](const auto& row) { return row.text == text; });
    if (found == table.end()) {
        std::array<const char*, std::tuple_size_v<Table>> texts{};
        std::transform(table.begin(), table.end(), texts.begin(), [](const auto& row) { return row.text; });
        throw InvalidArgument(
            fmt::format("{}: \"{}\" found, one of {} expected", what, text, fmt::join(texts, ", ")));
    }
    return found->value;
}

}  // namespace

const char* name(Activation activation) {
    return name_in(activations, activation);
}

const char* name(Loss loss) {
    return name_in(losses, loss);
}

const char* name(Corruption corruption) {
    return name_in(corruptions, corruption);
}

const char* name(Optimizer optimizer) {
    return name_in(optimizers, optimizer);
}

const char* name(Schedule schedule) {
    return name_in(schedules, schedule);
}

const char* name(Pooling pooling) {
    return name_in(poolings, pooling);
}

const char* name(ResizeMode mode) {
    return name_in(resize_modes, mode);
}

template <>
Activation parse<Activation>(std::string_view name) {
    return parse_in(activations, "activation", name);
}

template <>
Loss parse<Loss>(std::string_view name) {
    return parse_in(losses, "loss", name);
}

template <>
Corruption parse<Corruption>(std::string_view name) {
    return parse_in(corruptions, "corruption", name);
}

template <>
Optimizer parse<Optimizer>(std::string_view name) {
    return parse_in(optimizers, "optimizer", name);
}

template <>
Schedule parse<Schedule>(std::string_view name) {
    return parse_in(schedules, "schedule", name);
}

template <>
Pooling parse<Pooling>(std::string_view name) {
    return parse_in(poolings, "pooling", name);
}

template <>
ResizeMode parse<ResizeMode>(std::string_view name) {
    return parse_in(resize_modes, "resize mode", name);
}

}  // namespace stackae
