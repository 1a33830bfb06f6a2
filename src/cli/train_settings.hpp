#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/short_forms.hpp"
#include "stackae/train.hpp"
#include "stackae/train_config.hpp"

#include "cli/option_parser.hpp"
#include "cli/reading.hpp"
#include "cli/unused_options.hpp"

namespace stackae::cli {

/// What the options of `train` say about the stack, its training and the preprocessing.
class TrainSettings {
public:
    void declare(OptionParser& parser);

    /// Whether the stack is to be chosen by the pictures (choose_stack): `--preset auto`, or no preset and
    /// nothing that only another kind of stack has.
    [[nodiscard]] bool automatic() const;
    /// Whether the stack was named, by its text or by a preset.
    [[nodiscard]] bool names_stack() const {
        return !named_stack().empty() || is_named("stack") || dense_because_ == "layers";
    }
    /// The preset with what was named put over it, valid. Without a preset, `conv` where convolutions alone
    /// were named or the stack is chosen later, else `dense`. Throws UsageError.
    [[nodiscard]] TrainConfig config() const;
    /// The same over what was chosen.
    [[nodiscard]] TrainConfig config(const TrainConfig& base) const;
    /// As config(), for a table: a stack that is named without a preset is trained as table_base() says, as
    /// `evaluate --fit` does.
    [[nodiscard]] TrainConfig table_config() const;
    /// What affects speed and memory alone.
    [[nodiscard]] RunOptions run() const;
    /// The option that was named and stands for a dense stack, where nothing says what the stack is; else
    /// empty.
    [[nodiscard]] std::string dense_because() const { return named_stack().empty() ? dense_because_ : ""; }
    /// Seconds that an automatic choice may take.
    [[nodiscard]] double budget() const { return budget_.value_or(ChooseOptions{}.budget_seconds); }
    /// fit_to_small_set() for what was not named, where no preset was. Returns whether anything was changed.
    bool suit_small_sets(TrainConfig& config, std::int64_t pictures) const;
    /// A line for each option that was named and changes nothing: under other options, or where the stack is
    /// learnt in closed form and no gradient is followed.
    [[nodiscard]] std::vector<std::string> unused(const TrainConfig& config, const TrainPlan& plan) const {
        return unused_options(typed_, config, plan);
    }
    [[nodiscard]] const PreprocessingOptions& preprocessing() const { return preprocessing_; }
    [[nodiscard]] const ReadingOptions& reading() const { return reading_; }

private:
    void declare_stack(OptionParser& parser);
    /// Of TrainConfig, a group where one of the captions' options comes.
    void declare_config(OptionParser& parser);
    void declare_option(OptionParser& parser, const OptionInfo& info);
    void declare_lists(OptionParser& parser);
    void declare_augment(OptionParser& parser);
    void declare_run(OptionParser& parser);

    /// elsa's own fields, which options of the same names stand for.
    [[nodiscard]] Stack with_own_fields(Stack stack) const;
    /// Puts a value over whatever preset there will be. option: as it was named.
    void put(const std::string& name, const std::string& value);
    /// Whether an option stands on the command line, and the stack in a file: then it goes over what that
    /// says layer by layer.
    [[nodiscard]] bool is_over_stack(const std::string& option) const;
    /// Notes an option of training by gradients that stands on the command line.
    void mark_typed(const std::string& option);
    /// The same of one that dense stacks have.
    void mark_dense(const std::string& option);
    /// The option that says what the stack is: "preset hinton2006", "stack", "convolutions"; else empty.
    [[nodiscard]] std::string named_stack() const;
    [[nodiscard]] bool is_named(std::string_view name) const;
    /// Throws UsageError where what was named and `auto` rule each other out.
    void check_automatic() const;

    const OptionParser* parser_ = nullptr;  ///< while its handlers run
    std::string preset_;
    std::optional<double> budget_;
    std::optional<Stack> stack_;
    ShortForms forms_;
    std::vector<std::pair<std::string, std::string>> named_;  ///< options of TrainConfig and their values
    std::vector<std::string> over_stack_;  ///< of them, on the command line over a file's stack
    std::vector<std::string> typed_;       ///< of training by gradients, on the command line
    std::string dense_because_;            ///< an option that was named and that only dense stacks have
    PreprocessingOptions preprocessing_;
    ReadingOptions reading_;
    std::string temporary_folder_;
    double checkpoint_every_ = RunOptions().checkpoint_every;
    bool resume_ = false;
};

}  // namespace stackae::cli
