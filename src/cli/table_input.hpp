#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stackae/interactions_file.hpp"

#include "cli/console.hpp"
#include "cli/option_parser.hpp"

namespace stackae::cli {

/// How a table of users and items is to be read.
class TableInput {
public:
    /// format: what the option is called that says what a table's rows are.
    void declare(OptionParser& parser, const std::string& format = "format");

    /// Whether an input is such a table: by its ending (.csv, .tsv, .dat, each .gz too, and .txt.gz) where it
    /// is no folder and no array, by the numbers in its lines (.txt), or since an option says how it is to be
    /// read. Throws UsageError, which has no line of it, where that cannot be told.
    [[nodiscard]] bool is_table(const std::string& path) const;
    /// Warns of options that stand on the command line and change nothing, since they are of pictures: of
    /// those that several commands have, and of `more`.
    void tell_unused(Console& console, const std::vector<std::string>& more) const;
    /// Throws UsageError where that option is on the command line: it is of pictures.
    void refuse_option(const std::string& option) const;
    /// For --save-config: the option that settles what values are.
    [[nodiscard]] static std::string config_lines(ValueMode value);
    /// value: what becomes of values where no option says it. Says what was found and what was left out.
    /// Throws as read_interactions().
    [[nodiscard]] Interactions read(Console& console, const std::string& path,
                                    ValueMode value = ValueMode::binary,
                                    const LeftOutSink& on_left_out = {}) const;
    /// The same for a model of a table: values are what it was learnt with. Throws UsageError where an option
    /// says otherwise.
    [[nodiscard]] Interactions read_like(Console& console, const std::string& path,
                                         const Interactions& learnt) const;
    /// And with its items: those that it does not know are left out, and counted in a warning.
    [[nodiscard]] Interactions read_for(Console& console, const std::string& path,
                                        const Interactions& learnt) const;

private:
    static Interactions read(Console& console, const std::string& path, const TableOptions& options,
                             const LeftOutSink& on_left_out);

    const OptionParser* parser_ = nullptr;  ///< that it is declared to
    std::string format_;                    ///< what that option is called
    TableOptions options_;
    std::optional<ValueMode> value_;
    bool named_ = false;  ///< any of the options
};

}  // namespace stackae::cli
