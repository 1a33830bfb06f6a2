#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "base/memory.hpp"
#include "model/split.hpp"
#include "train/convolution.hpp"
#include "train/needs.hpp"

namespace stackae {
namespace {

/// Below, a stack of convolutions has too few positions to pool.
constexpr std::int64_t least_side = 12;
/// Smaller pictures leave too few positions of a patch of `conv`.
constexpr std::int64_t small_side = 20;
constexpr std::int64_t small_kernel = 5;
/// Side of the maps that the upper layer sees, about.
constexpr double map_side = 13.0;
/// Units of the upper layer, most first.
constexpr std::array<std::int64_t, 5> upper_units = {2048, 1024, 512, 256, 128};
/// Stacks whose cost is timed; that of others is on a line through theirs.
constexpr std::int64_t timed_less = 128;
constexpr std::int64_t timed_more = 512;
/// Patches a unit of the upper layer should learn from.
constexpr std::int64_t patches_a_unit = 30;
/// Pictures a value of the code should be found from, where there are few.
constexpr std::int64_t pictures_a_value = 4;
constexpr std::int64_t least_code = 32;
constexpr std::int64_t least_dense_code = 2;

/// `conv`, its pooling suited to the pictures' size, its code to their number.
TrainOptions suited(const Recipe& recipe, std::int64_t pictures, std::int64_t units) {
    TrainOptions options = preset("conv");
    const auto side = static_cast<std::int64_t>(std::min(recipe.height, recipe.width));
    const auto longer = static_cast<std::int64_t>(std::max(recipe.height, recipe.width));
    ConvolutionOptions& lower = options.convolutions.front();
    const ConvolutionOptions& upper = options.convolutions.back();
    lower.kernel = side < small_side ? small_kernel : lower.kernel;
    // The mean of both sides decides, but the shorter one must leave a cell of the grid each a position.
    const auto down = static_cast<double>(side - lower.kernel + 1);
    const auto across = static_cast<double>(longer - lower.kernel + 1);
    const double most = std::floor(down / static_cast<double>(upper.kernel + upper.grid - 1));
    lower.pool_size =
        static_cast<std::int64_t>(std::clamp(std::round(std::sqrt(down * across) / map_side), 1.0, most));
    lower.pool_stride = lower.pool_size;
    options.convolutions.back().units = units;
    options.code_size = std::clamp(pictures / pictures_a_value, least_code, options.code_size);
    options.radial_units = std::min(options.radial_units, pictures);
    return options;
}

/// `dense`, no layer of which is wider than what a picture or row has: its hidden layers are at most the
/// whole, a half and a quarter of that, those that would not be wider than the code left out. The code has at
/// most half of the values, and fewer where there are few pictures to find it from.
TrainOptions suited_dense(const Recipe& recipe, std::int64_t pictures) {
    TrainOptions options = preset("dense");
    const std::int64_t values = recipe.size();
    const std::int64_t code = std::min(
        {options.layers.back(), (values + 1) / 2, std::max(least_dense_code, pictures / pictures_a_value)});
    std::vector<std::int64_t> layers;
    std::int64_t widest = values;
    for (std::size_t i = 0; i + 1 < options.layers.size(); ++i) {
        if (const std::int64_t units = std::min(options.layers[i], widest); units > code) {
            layers.push_back(units);
        }
        widest /= 2;
    }
    layers.push_back(code);
    options.activations.assign(layers.size(), options.activations.front());
    options.activations.back() = preset("dense").activations.back();
    options.layers = std::move(layers);
    return options;
}

/// Patches that the upper layer learns from.
std::int64_t patches_of(const Recipe& recipe, const TrainOptions& options, std::int64_t pictures) {
    return training::sample_size(options, convolution_shapes(recipe, options).back(), 1,
                                 pictures - held_out(options, pictures))
        .patches;
}

}  // namespace

StackChoice choose_stack(std::int64_t pictures, const Recipe& recipe, const ChooseOptions& options) {
    if (pictures < 1 || !(options.budget_seconds > 0.0)) {
        throw InvalidArgument(fmt::format("choose: {} pictures and {} seconds found, more than 0 expected",
                                          pictures, options.budget_seconds));
    }
    const auto settle = [&](TrainOptions stack) {
        stack.preset = "auto";
        stack.threads = options.threads;
        stack.memory = options.memory;
        stack.memory_limit = options.memory_limit;
        return options.adjust ? options.adjust(stack) : stack;
    };
    StackChoice choice;
    if (std::min(recipe.height, recipe.width) < least_side) {
        choice.options = settle(suited_dense(recipe, pictures));
        choice.reason = recipe.height == 1
                            ? "rows of numbers have no neighbourhoods: a dense stack"
                            : fmt::format("less than {} pixels a side: a dense stack", least_side);
        return choice;
    }
    const auto stack_of = [&](std::int64_t units) { return settle(suited(recipe, pictures, units)); };
    const auto timed = [&](std::int64_t units) {
        const TrainPlan plan = plan_training(pictures, recipe, stack_of(units));
        return plan.seconds + plan.seconds_a_picture * static_cast<double>(pictures);
    };
    const auto fits = [&](std::int64_t units) {
        const TrainOptions stack = training::settle_memory(stack_of(units));
        return training::needs_of(pictures, recipe, stack).working_bytes <=
               base::resolve_memory(stack.memory_limit);
    };
    const double less = timed(timed_less);
    const double a_unit =
        fits(timed_more) ? std::max(0.0, timed(timed_more) - less) / double{timed_more - timed_less} : 0.0;
    for (const std::int64_t units : upper_units) {
        choice.options = stack_of(units);
        choice.seconds = less + a_unit * static_cast<double>(units - timed_less);
        if (choice.seconds <= options.budget_seconds && fits(units) &&
            units * patches_a_unit <= patches_of(recipe, choice.options, pictures)) {
            break;
        }
    }
    choice.reason = fmt::format("{} pictures of {} x {} pixels{}", pictures, recipe.width, recipe.height,
                                choice.seconds > options.budget_seconds
                                    ? ": the smallest stack of convolutions takes longer than allowed"
                                    : "");
    return choice;
}

}  // namespace stackae
