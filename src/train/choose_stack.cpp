#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "model/split.hpp"
#include "train/stages.hpp"

namespace stackae {
namespace {

/// Below, a stack of convolutions has too few positions to pool.
constexpr std::int64_t min_side = 12;
/// Smaller pictures leave too few positions of a patch of `conv`.
constexpr std::int64_t small_side = 20;
constexpr std::int64_t small_kernel = 5;
/// Side of the maps that the upper convolution sees, about.
constexpr double map_side = 13.0;

// Of `conv`.
constexpr std::int64_t lower_units = 256;
constexpr std::int64_t lower_kernel = 7;
constexpr std::int64_t upper_kernel = 3;
/// Patches of more values, where channels are many, take long to whiten and more pictures to learn from.
constexpr std::int64_t max_patch_values = 1024;
constexpr std::int64_t grid = 3;
constexpr std::int64_t max_code = 512;
constexpr std::int64_t max_landmarks = 4096;
/// Units of the upper convolution, most first.
constexpr std::array<std::int64_t, 5> upper_units = {2048, 1024, 512, 256, 128};
/// Patches a unit of the upper convolution should learn from.
constexpr std::int64_t patches_a_unit = 30;

// Of `dense`.
constexpr std::array<std::int64_t, 3> hidden_units = {1000, 500, 250};
constexpr std::int64_t max_dense_code = 30;
constexpr std::int64_t min_dense_code = 2;

/// Pictures a value of the code should be found from, where there are few.
constexpr std::int64_t pictures_a_value = 4;
constexpr std::int64_t min_code = 32;

TrainConfig chosen(const char* base, const std::string& stack) {
    TrainConfig config = preset(base);
    config.preset = "auto";
    config.stack = parse_stack(stack);
    return config;
}

/// `conv`, its pooling suited to the pictures' size, its code to their number.
TrainConfig tuned_for(const Preprocessing& preprocessing, std::int64_t pictures, std::int64_t units) {
    const std::int64_t side = std::min(preprocessing.height, preprocessing.width);
    const std::int64_t longer = std::max(preprocessing.height, preprocessing.width);
    std::int64_t kernel = side < small_side ? small_kernel : lower_kernel;
    while (kernel > upper_kernel && kernel * kernel * preprocessing.channels > max_patch_values) {
        kernel -= 2;
    }
    // The mean of both sides decides, but the shorter one must leave a cell of the grid each a position.
    const auto down = static_cast<double>(side - kernel + 1);
    const auto across = static_cast<double>(longer - kernel + 1);
    const double most = std::floor(down / static_cast<double>(upper_kernel + grid - 1));
    const auto pool =
        static_cast<std::int64_t>(std::clamp(std::round(std::sqrt(down * across) / map_side), 1.0, most));
    return chosen(
        "conv",
        fmt::format("conv2d:{}:kernel={}:activation_rate=0.3, {}conv2d:{}:kernel={}:activation_rate=0.3, "
                    "pool2d:grid={}, power_norm, pca:{}:eigen_power=-0.25:std_shrinkage=0.3, l2_norm, "
                    "nystroem:{}",
                    lower_units, kernel, pool > 1 ? fmt::format("pool2d:{}, ", pool) : "", units,
                    upper_kernel, grid, std::clamp(pictures / pictures_a_value, min_code, max_code),
                    std::min(max_landmarks, pictures)));
}

/// `dense`, no layer of which is wider than what a picture or row has: its hidden layers are at most the
/// whole, a half and a quarter of that, those that would not be wider than the code left out. The code has at
/// most half of the values, and fewer where there are few pictures to find it from.
TrainConfig dense_tuned_for(const Preprocessing& preprocessing, std::int64_t pictures) {
    const std::int64_t code = std::min({max_dense_code, (preprocessing.size() + 1) / 2,
                                        std::max(min_dense_code, pictures / pictures_a_value)});
    std::vector<std::string> layers;
    std::int64_t widest = preprocessing.size();
    for (const std::int64_t most : hidden_units) {
        if (const std::int64_t units = std::min(most, widest); units > code) {
            layers.push_back(fmt::format("dense:{}", units));
        }
        widest /= 2;
    }
    layers.push_back(fmt::format("dense:{}:activation=linear", code));
    return chosen("dense", fmt::format("{}", fmt::join(layers, ", ")));
}

/// Patches that the upper convolution may learn from: one a position of a picture, as many as memory holds.
std::int64_t patches_of(const Preprocessing& preprocessing, const TrainConfig& config, std::int64_t pictures,
                        const RunOptions& run) {
    const Stack bound = bind(config.stack, preprocessing.shape());
    const Shape maps = bound[bound[1].is_trained() ? 1 : 2].output_shape();
    constexpr auto patch_bytes =
        upper_kernel * upper_kernel * lower_units * static_cast<std::int64_t>(sizeof(float));
    return std::min(maps.height * maps.width * (pictures - held_out(config, pictures)),
                    training::max_patch_bytes(run) / patch_bytes);
}

}  // namespace

StackChoice choose_stack(std::int64_t pictures, const Preprocessing& preprocessing,
                         const ChooseOptions& options) {
    if (pictures < 1 || !(options.budget_seconds > 0.0)) {
        throw InvalidArgument(fmt::format("choose: {} pictures and {} seconds found, more than 0 expected",
                                          pictures, options.budget_seconds));
    }
    const auto resolve = [&](const TrainConfig& config) {
        return options.adjust ? options.adjust(config) : config;
    };
    const auto plan_of = [&](const TrainConfig& config) {
        return plan_training(pictures, preprocessing, config, options.run);
    };
    const auto seconds_of = [&](const TrainPlan& plan) {
        return (plan.multiply_adds + plan.multiply_adds_a_picture * static_cast<double>(pictures)) /
               reference_rate;
    };
    StackChoice choice;
    if (std::min(preprocessing.height, preprocessing.width) < min_side) {
        choice.config = resolve(dense_tuned_for(preprocessing, pictures));
        choice.reason = preprocessing.height == 1
                            ? "rows of numbers have no neighbourhoods: a dense stack"
                            : fmt::format("less than {} pixels a side: a dense stack", min_side);
        choice.seconds = seconds_of(plan_of(choice.config));
        return choice;
    }
    for (const std::int64_t units : upper_units) {
        choice.config = resolve(tuned_for(preprocessing, pictures, units));
        const TrainPlan plan = plan_of(choice.config);
        choice.seconds = seconds_of(plan);
        if (choice.seconds <= options.budget_seconds && !plan.refused() &&
            units * patches_a_unit <= patches_of(preprocessing, choice.config, pictures, options.run)) {
            break;
        }
    }
    choice.reason =
        fmt::format("{} pictures of {} x {} pixels{}", pictures, preprocessing.width, preprocessing.height,
                    choice.seconds > options.budget_seconds
                        ? ": the smallest stack of convolutions takes longer than allowed"
                        : "");
    return choice;
}

}  // namespace stackae
