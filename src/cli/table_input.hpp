#pragma once

#include <optional>
#include <string>

#include "stackae/interactions_file.hpp"

#include "cli/console.hpp"
#include "cli/option_parser.hpp"

namespace stackae::cli {

/// How a table of users and items is to be read.
class TableInput {
public:
    void declare(OptionParser& parser);

    /// Whether an input is such a table: by its ending (.csv, .tsv, .dat, each .gz too, and .txt.gz) where it
    /// is no folder and no array, or since an option says how it is to be read.
    [[nodiscard]] bool is_table(const std::string& path) const;
    /// value: what becomes of values where no option says it. Says what was found and what was left out.
    /// Throws as read_interactions().
    [[nodiscard]] Interactions read(Console& console, const std::string& path,
                                    ValueMode value = ValueMode::binary) const;

private:
    TableOptions options_;
    std::optional<ValueMode> value_;
    bool named_ = false;  ///< any of the options
};

}  // namespace stackae::cli
