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

/// Units of the two convolutions, most first.
struct Units {
    std::int64_t lower;
    std::int64_t upper;
};
constexpr std::array<Units, 5> units_of = {{{256, 2048}, {256, 1024}, {128, 512}, {128, 256}, {64, 128}}};
/// Pictures and patches that a unit of the upper convolution should learn from.
constexpr std::int64_t pictures_a_unit = 4;
constexpr std::int64_t patches_a_unit = 30;
/// However few pictures there are, so many units learn from their patches.
constexpr std::int64_t units_of_few = 512;

constexpr std::int64_t min_kernel = 3;
/// Patches of more values, where channels are many, take long to whiten and more pictures to learn from.
constexpr std::int64_t max_patch_values = 1024;
/// What whitens the code: more where many pictures settle its axes.
constexpr std::int64_t many_pictures = 10'000;
constexpr double whitening_of_few = 0.25;
/// Landmarks, most first; more than a few are mixed in blocks of `landmarks_a_block`.
constexpr std::array<std::int64_t, 4> landmarks = {32'768, 16'384, 8192, 4096};
constexpr std::int64_t landmarks_a_block = 512;

/// What differs between gray pictures, those in colour and those of other channels: compared on training
/// pictures of MNIST and CIFAR-10 and on small sets of signs, characters, flowers, cells, steel and of 13 and
/// 5 channels, see docs/measured.md. In many channels, how much there is of each says more than where.
struct Kind {
    std::int64_t lower_kernel = 7;
    const char* lower_fields = "";
    const char* above_pooling = "power_norm, ";  ///< of the lower convolution
    std::int64_t upper_kernel = 2;
    const char* upper_fields = ":whitening_dim=1024:whitening_epsilon=0.5";
    std::int64_t grid = 3;
    const char* window = ":window=triangular";
    std::int64_t max_code = 512;
    // Of many pictures:
    std::int64_t code_of_many = 512;
    double whitening = whitening_of_few;  ///< eigen_power below 0
    const char* landmark_fields = "";
};
constexpr Kind gray = {.above_pooling = "", .upper_kernel = 3, .upper_fields = "", .whitening = 0.15};
constexpr Kind colour = {.code_of_many = 1024, .whitening = 0.3, .landmark_fields = ":gamma=2"};
constexpr Kind many_channels = {.lower_kernel = 3,
                                .lower_fields = ":contrast_norm=false",
                                .grid = 1,
                                .window = "",
                                .max_code = 64,
                                .code_of_many = 64};
constexpr std::int64_t colours = 3;

const Kind& kind_of(std::int64_t channels) {
    return channels == 1 ? gray : channels <= colours ? colour : many_channels;
}

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

/// Two convolutions, their pooling suited to the pictures' size, units and code to their number.
TrainConfig tuned_for(const Preprocessing& preprocessing, std::int64_t pictures, const Units& units,
                      std::int64_t most_landmarks) {
    const Kind& kind = kind_of(preprocessing.channels);
    const std::int64_t side = std::min(preprocessing.height, preprocessing.width);
    const std::int64_t longer = std::max(preprocessing.height, preprocessing.width);
    std::int64_t kernel = side < small_side ? std::min(small_kernel, kind.lower_kernel) : kind.lower_kernel;
    while (kernel > min_kernel && kernel * kernel * preprocessing.channels > max_patch_values) {
        kernel -= 2;
    }
    // The mean of both sides decides, but the shorter one must leave a cell of the grid each a position.
    const auto down = static_cast<double>(side - kernel + 1);
    const auto across = static_cast<double>(longer - kernel + 1);
    const double most = std::floor(down / static_cast<double>(kind.upper_kernel + kind.grid - 1));
    const auto pool =
        static_cast<std::int64_t>(std::clamp(std::round(std::sqrt(down * across) / map_side), 1.0, most));
    const std::string lower =
        fmt::format("conv2d:{}:kernel={}:activation_rate=0.3{}, {}{}", units.lower, kernel, kind.lower_fields,
                    pool > 1 ? fmt::format("pool2d:{}, ", pool) : "", kind.above_pooling);
    const std::string upper =
        fmt::format("conv2d:{}:kernel={}:activation_rate=0.3{}, pool2d:grid={}{}, power_norm", units.upper,
                    kind.upper_kernel, kind.upper_fields, kind.grid, kind.window);
    const bool few = pictures < many_pictures;
    const std::string code = fmt::format(
        "pca:{}:eigen_power={}:std_shrinkage=0.3, l2_norm",
        std::clamp(pictures / pictures_a_value, min_code, few ? kind.max_code : kind.code_of_many),
        -(few ? whitening_of_few : kind.whitening));
    const std::string wide =
        fmt::format("nystroem:{}{}{}", std::min(most_landmarks, pictures),
                    most_landmarks > landmarks.back() ? fmt::format(":block={}", landmarks_a_block) : "",
                    few ? "" : kind.landmark_fields);
    return chosen("conv", fmt::format("{}{}, {}, {}", lower, upper, code, wide));
}

/// Dense layers, none wider than what a picture or row has: hidden ones are at most the whole, a half and a
/// quarter of that, those that would not be wider than the code left out. The code has at most half of the
/// values, and fewer where there are few pictures to find it from. Pictures learn as `dense` has it; rows of
/// numbers, which cannot be moved, at the lower rate of `hinton2006`. Rows without bounds begin with
/// principal components, which takes hidden layers of at least two units a value of the code.
TrainConfig dense_tuned_for(const Preprocessing& preprocessing, std::int64_t pictures) {
    const bool rows = preprocessing.height == 1;
    const bool from_pca = rows && !preprocessing.unit_range();
    const std::int64_t half =
        from_pca ? std::max<std::int64_t>(1, preprocessing.size() / 2) : (preprocessing.size() + 1) / 2;
    const std::int64_t code =
        std::min({max_dense_code, half, std::max(min_dense_code, pictures / pictures_a_value)});
    const std::int64_t narrowest = from_pca ? 2 * code : code + 1;
    std::vector<std::string> layers;
    std::int64_t widest = preprocessing.size();
    for (const std::int64_t most : hidden_units) {
        if (const std::int64_t units = std::min(most, widest); units >= narrowest) {
            layers.push_back(fmt::format("dense:{}", units));
        }
        widest /= 2;
    }
    layers.push_back(fmt::format("dense:{}:activation=linear", code));
    TrainConfig config = chosen(rows ? "hinton2006" : "dense", fmt::format("{}", fmt::join(layers, ", ")));
    config.fine_tune_epochs = preset("dense").fine_tune_epochs;
    if (from_pca) {
        config.epochs = 0;
        config.fine_tune_from_pca = true;
    }
    return config;
}

/// Patches that the upper convolution may learn from: one a position of a picture, as many as memory holds.
std::int64_t patches_of(const Preprocessing& preprocessing, const TrainConfig& config, std::int64_t pictures,
                        const RunOptions& run) {
    const Stack bound = bind(config.stack, preprocessing.shape());
    std::size_t upper = 1;
    while (!bound[upper].is_trained()) {
        ++upper;
    }
    const Shape maps = bound[upper].output_shape();
    const Shape& in = bound[upper].input_shape();
    const std::int64_t kernel = in.height - maps.height + 1;
    const auto patch_bytes = kernel * kernel * in.channels * static_cast<std::int64_t>(sizeof(float));
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
    // Whether it stays within budget and memory.
    const auto consider = [&](const Units& units, std::int64_t most_landmarks) {
        choice.config = resolve(tuned_for(preprocessing, pictures, units, most_landmarks));
        const TrainPlan plan = plan_of(choice.config);
        choice.seconds = seconds_of(plan);
        return choice.seconds <= options.budget_seconds && !plan.refused();
    };
    Units units = units_of.back();
    for (const Units& next : units_of) {
        if (next.upper > std::max(units_of_few, pictures / pictures_a_unit)) {
            continue;
        }
        units = next;
        if (consider(units, landmarks.back()) &&
            units.upper * patches_a_unit <= patches_of(preprocessing, choice.config, pictures, options.run)) {
            break;
        }
    }
    for (const std::int64_t most : landmarks) {
        if ((most == landmarks.back() || most < 2 * pictures) && consider(units, most)) {
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
