#pragma once

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "stackae/pictures.hpp"
#include "stackae/train.hpp"
#include "stackae/train_options.hpp"

#include "cli/option_parser.hpp"
#include "cli/reading.hpp"

namespace stackae::cli {

/// What the options of `train` say about the stack, its training and the recipe.
class TrainSettings {
public:
    void declare(OptionParser& parser);

    /// Whether the stack is to be chosen by the pictures (choose_stack): `--preset auto`, or no preset and
    /// nothing that only another kind of stack has.
    [[nodiscard]] bool automatic() const;
    /// The preset with what was named on the command line put over it, valid. Without a preset, `conv` where
    /// convolutions alone were named or the stack is chosen later, else `dense`. Throws UsageError.
    [[nodiscard]] TrainOptions options() const;
    /// The same over what was chosen.
    [[nodiscard]] TrainOptions options(const TrainOptions& base) const;
    /// The option that was named and stands for a dense stack, where no preset says what the stack is; else
    /// empty.
    [[nodiscard]] std::string dense_because() const {
        return preset_.empty() && !convolutions_named_ ? dense_because_ : "";
    }
    /// Seconds that an automatic choice may take.
    [[nodiscard]] double budget() const { return budget_.value_or(ChooseOptions{}.budget_seconds); }
    /// fit_to_small_set() for what was not named, where no preset was. Returns whether anything was changed.
    bool suit_small_sets(TrainOptions& options, std::int64_t pictures) const;
    /// Options that were named and that say nothing about a stack of convolutions in closed form, in which
    /// no gradient is followed; none for other stacks.
    [[nodiscard]] std::vector<std::string> unused(const TrainOptions& options) const;
    [[nodiscard]] const RecipeOptions& recipe() const { return recipe_; }
    [[nodiscard]] const ReadingOptions& reading() const { return reading_; }

private:
    using Override = std::function<void(TrainOptions&)>;

    void declare_stack(OptionParser& parser);
    void declare_greedy(OptionParser& parser);
    void declare_optimizer(OptionParser& parser);
    void declare_run(OptionParser& parser);
    void declare_recipe(OptionParser& parser);

    /// A handler that keeps `assign(options, parsed value)` for later, when the preset is known.
    template <class Parse, class Assign>
    OptionParser::Handler keep(Parse parse, Assign assign) {
        return [this, parse, assign](const std::string& text) {
            overrides_.push_back(
                [value = parse(text), assign](TrainOptions& options) { assign(options, value); });
        };
    }

    /// Marks an option of training by gradients, which stacks of any kind may have.
    OptionParser::Handler gradient(const char* option, const OptionParser::Handler& handler);
    /// Marks one that only dense stacks have.
    OptionParser::Handler dense(const char* option, const OptionParser::Handler& handler);
    std::function<void()> dense_flag(const char* option, const Override& assign);
    /// Throws UsageError where what was named and `auto` rule each other out.
    void check_automatic() const;

    static constexpr const char* automatic_name = "auto";

    std::string preset_;
    std::optional<double> budget_;
    bool convolutions_named_ = false;
    bool code_of_named_ = false;
    bool radial_named_ = false;
    std::vector<std::string> gradient_named_;  ///< options that were named, of training by gradients
    std::string dense_because_;                ///< an option that was named and that only dense stacks have
    bool epochs_named_ = false;
    bool fine_tuning_named_ = false;
    bool batch_named_ = false;
    std::vector<Override> overrides_;
    RecipeOptions recipe_;
    ReadingOptions reading_;
};

/// One value a layer where `values` has another length than the stack: the last value stays the last, the
/// others are cut or repeated; a single layer gets the first. One value serves all layers and is left alone.
template <class Value>
void fit_to_layers(std::vector<Value>& values, std::size_t layers) {
    if (values.size() <= 1 || values.size() == layers || layers == 0) {
        return;
    }
    std::vector<Value> fitted;
    fitted.reserve(layers);
    for (std::size_t i = 0; i + 1 < layers; ++i) {
        fitted.push_back(values[std::min(i, values.size() - 2)]);
    }
    fitted.push_back(layers == 1 ? values.front() : values.back());
    values = std::move(fitted);
}

/// `masking`, `masking:0.25` or `masking:0.1,0.2,0.3`.
struct CorruptionSetting {
    Corruption corruption = Corruption::none;
    std::vector<double> level;
};
/// A kind without a level gets a common one (masking 0.25, gaussian 0.1, salt_and_pepper 0.1). Throws
/// UsageError, InvalidArgument.
[[nodiscard]] CorruptionSetting parse_corruption(const std::string& text);
/// `none`, or any of `shift:0.03,rotate:5,scale:0.05,shear:0.05`; kinds not named are 0. Throws UsageError.
[[nodiscard]] Augmentation parse_augmentation(const std::string& text);

}  // namespace stackae::cli
