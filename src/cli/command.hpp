#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/console.hpp"
#include "cli/option_parser.hpp"

namespace stackae::cli {

namespace exit_code {
inline constexpr int done = 0;
inline constexpr int failed = 1;
inline constexpr int usage = 2;
inline constexpr int skipped = 3;  ///< done, but some inputs were left out
inline constexpr int found = 4;    ///< with --fail-on-findings
inline constexpr int interrupted = 130;
}  // namespace exit_code

/// One word of the command line. Its options are its members, filled by the handlers it declares.
class Command {
public:
    Command() = default;
    Command(const Command&) = delete;
    Command& operator=(const Command&) = delete;
    virtual ~Command() = default;

    /// What follows the command's name on the usage line.
    [[nodiscard]] virtual std::string synopsis() const = 0;
    [[nodiscard]] virtual std::string about() const = 0;
    virtual void declare(OptionParser& parser) = 0;
    /// Returns the exit code. Throws UsageError, Interrupted, stackae::Error.
    virtual int run(Console& console, const std::vector<std::string>& inputs) = 0;
};

std::unique_ptr<Command> make_train_command();
std::unique_ptr<Command> make_extract_command();
std::unique_ptr<Command> make_enroll_command();
std::unique_ptr<Command> make_recognize_command();
std::unique_ptr<Command> make_evaluate_command();
std::unique_ptr<Command> make_reconstruct_command();
std::unique_ptr<Command> make_duplicates_command();
std::unique_ptr<Command> make_memorize_command();
std::unique_ptr<Command> make_score_command();
std::unique_ptr<Command> make_recommend_command();
std::unique_ptr<Command> make_similar_items_command();
std::unique_ptr<Command> make_export_command();
std::unique_ptr<Command> make_info_command();

}  // namespace stackae::cli
