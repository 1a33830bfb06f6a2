#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "stackae/error.hpp"

#include "data/table/names.hpp"
#include "data/table/shape.hpp"

namespace stackae::data {
namespace {

using Names = std::vector<std::string>;

bool holds(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_named(const std::string& option) {
    return !option.empty() && option != "-";
}

/// Columns whose name says that they are of a role.
std::vector<std::int64_t> columns_of(const Names& names, ColumnRole role) {
    std::vector<std::int64_t> columns;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (role_of(names[i]) == role) {
            columns.push_back(static_cast<std::int64_t>(i));
        }
    }
    return columns;
}

/// Whether one of the options names a column of the first row.
bool option_names_column(const Names& names, const TableOptions& options) {
    const auto named = {options.user_column, options.item_column, options.rating_column,
                        options.timestamp_column};
    return std::any_of(named.begin(), named.end(),
                       [&](const std::string& option) { return is_named(option) && holds(names, option); });
}

/// Whether what is in the first row comes again below it, as ids do.
bool first_row_recurs(const Sample& sample) {
    for (std::size_t column = 0; column < sample.rows[0].cells.size(); ++column) {
        for (std::size_t row = 1; row < sample.rows.size(); ++row) {
            if (!sample.cell(0, column).empty() && sample.cell(row, column) == sample.cell(0, column)) {
                return true;
            }
        }
    }
    return false;
}

/// Sets header and names_known.
void find_header(const Sample& sample, const TableOptions& options, TableShape& shape) {
    const Names& first = sample.rows[0].cells;
    if (options.header) {
        shape.header = shape.names_known = *options.header;
        return;
    }
    // A row of ids whose number is missing is no header.
    const bool numbers = std::any_of(first.begin(), first.end(), [](const std::string& cell) {
        return parse_number(cell).has_value() || says_missing(cell);
    });
    bool heads_numbers = false;
    bool heads_ids = false;
    for (std::size_t column = 0; column < first.size(); ++column) {
        const bool heads = !trim_blanks(first[column]).empty() && sample.has_numbers(column);
        heads_numbers = heads_numbers || heads;
        heads_ids = heads_ids || (heads && column < 2);
    }
    const bool roles = std::any_of(first.begin(), first.end(), [](const std::string& cell) {
        return role_of(cell) != ColumnRole::unknown;
    });
    // A word over values alone may be one that cannot be read, beside ids that must not be told.
    shape.names_known = option_names_column(first, options) || (!numbers && (roles || heads_ids));
    shape.header = shape.names_known || (!numbers && (heads_numbers || !first_row_recurs(sample)));
}

/// Chooses columns one after the other.
class Columns {
public:
    Columns(const TableHead& head, const Sample& sample, const TableShape& shape)
        : head_(head), sample_(sample), shape_(shape) {
        for (std::int64_t i = 0; i < std::ssize(sample.rows[0].cells); ++i) {
            if (!shape.header || !shape.names[static_cast<std::size_t>(i)].empty()) {
                left_.push_back(i);
            }
        }
        narrow_ = std::ssize(left_) <= 4;
    }

    /// The column that an option names; −1 where it names none. option: as the command line has it.
    std::int64_t named(const std::string& column, const char* option) {
        if (column.empty()) {
            return -1;
        }
        const std::int64_t found = find(column, option);
        std::erase(left_, found);
        return found;
    }

    /// The user's or the item's column: by its place in a narrow table, by its name in another.
    std::int64_t placed(ColumnRole role, const char* option) {
        const auto known = shape_.header ? columns_of(shape_.names, role) : std::vector<std::int64_t>();
        std::int64_t found = left_.empty() ? -1 : left_.front();
        if (!narrow_ && known.size() == 1) {
            found = known.front();
        } else if (!narrow_ && !left_.empty()) {
            throw InvalidArgument(fmt::format("{}: a table of {} columns found: {} expected", head_.path,
                                              shape_.width, option));
        }
        const bool other = !known.empty() && std::find(known.begin(), known.end(), found) == known.end();
        if (found < 0) {
            throw InvalidArgument(fmt::format("{}: no column is left for {}", head_.path, option));
        }
        if (other && std::find(left_.begin(), left_.end(), known.front()) != left_.end()) {
            throw InvalidArgument(fmt::format("{}: column {} comes first, but {} is called so: {} expected",
                                              head_.path, told(found), told(known.front()), option));
        }
        std::erase(left_, found);
        return found;
    }

    /// Values, by their place in a narrow table; −1 where there are none.
    std::int64_t values() {
        std::vector<std::int64_t> candidates = left_;
        std::erase_if(candidates, [&](std::int64_t i) {
            const ColumnRole role = shape_.header ? role_of(shape_.names[at(i)]) : ColumnRole::unknown;
            return role == ColumnRole::timestamp || (!narrow_ && role != ColumnRole::rating);
        });
        if (candidates.empty() || (!narrow_ && candidates.size() > 1)) {
            return -1;
        }
        const std::int64_t found = candidates.front();
        std::erase(left_, found);
        check_values(found);
        return found;
    }

    /// What is left of a narrow table and may be a time; −1 where nothing is.
    [[nodiscard]] std::int64_t time() const { return narrow_ && !left_.empty() ? left_.front() : -1; }

private:
    static std::size_t at(std::int64_t column) { return static_cast<std::size_t>(column); }

    /// How a message calls a column.
    [[nodiscard]] std::string told(std::int64_t column) const {
        return shape_.header && shape_.names_known ? quoted_name(shape_.names[at(column)])
                                                   : fmt::format("{}", column + 1);
    }

    [[nodiscard]] std::int64_t find(const std::string& column, const char* option) const {
        const Names& names = shape_.names;
        const auto found = std::find(names.begin(), names.end(), column);
        if (found != names.end()) {
            if (std::find(found + 1, names.end(), column) != names.end()) {
                throw InvalidArgument(fmt::format("{}: {}: several columns are called {}, one expected",
                                                  head_.path, option, quoted_name(column)));
            }
            return found - names.begin();
        }
        if (const std::int64_t number = column_number(column, shape_.width); number >= 0) {
            return number;
        }
        std::vector<std::string> there;
        for (std::size_t i = 0; i < std::min<std::size_t>(names.size(), 12); ++i) {
            there.push_back(quoted_name(names[i]));
        }
        const std::string expected =
            shape_.header && shape_.names_known
                ? fmt::format("{}{}", fmt::join(there, ", "), names.size() > there.size() ? ", …" : "")
                : fmt::format("a number from 1 to {}", shape_.width);
        throw InvalidArgument(fmt::format("{}: {}: no column {} found, {} expected", head_.path, option,
                                          quoted_name(column), expected));
    }

    /// Throws where no value that is looked at is a number.
    void check_values(std::int64_t column) const {
        const std::size_t first = shape_.header ? 1 : 0;
        for (std::size_t row = first; row < sample_.rows.size(); ++row) {
            const std::string_view text = trim_blanks(sample_.cell(row, at(column)));
            if (text.empty() || parse_number(text)) {
                return;
            }
        }
        if (sample_.rows.size() > first) {
            throw InvalidArgument(fmt::format(
                "{}: column {} would be that of the values, but no number is in it: --rating-column NAME, "
                "--rating-column - where there is none, or --format baskets expected",
                head_.path, told(column)));
        }
    }

    const TableHead& head_;
    const Sample& sample_;
    const TableShape& shape_;
    std::vector<std::int64_t> left_;  ///< columns that are not chosen yet
    bool narrow_ = false;
};

}  // namespace

bool names_columns(const Sample& sample, const TableOptions& options) {
    if (sample.rows.empty() || (options.header && !*options.header)) {
        return false;
    }
    const Names& names = sample.rows[0].cells;
    const auto known = [&](const std::string& option, ColumnRole role) {
        return is_named(option) ? holds(names, option) || column_number(option, sample.rows[0].width) >= 0
                                : columns_of(names, role).size() == 1;
    };
    return known(options.user_column, ColumnRole::user) && known(options.item_column, ColumnRole::item);
}

TableShape shape_of_triples(const TableHead& head, const Sample& sample) {
    const TableOptions& options = head.options;
    TableShape shape{.format = TableFormat::triples, .dialect = sample.dialect};
    shape.width = sample.rows[0].width;
    if (shape.width < 2) {
        throw InvalidArgument(
            fmt::format("{}: one column found where fields are apart by {}, at least 2 expected: --separator "
                        "says what is between them",
                        head.path, spoken(sample.dialect.separator())));
    }
    find_header(sample, options, shape);
    if (shape.header) {
        shape.names = sample.rows[0].cells;
    }
    Columns columns(head, sample, shape);
    const bool no_values = options.rating_column == "-";
    shape.user = columns.named(options.user_column, "--user-column");
    shape.item = columns.named(options.item_column, "--item-column");
    shape.rating = no_values ? -1 : columns.named(options.rating_column, "--rating-column");
    shape.timestamp = columns.named(options.timestamp_column, "--timestamp-column");
    if (shape.user < 0) {
        shape.user = columns.placed(ColumnRole::user, "--user-column");
    }
    if (shape.item < 0) {
        shape.item = columns.placed(ColumnRole::item, "--item-column");
    }
    if (shape.user == shape.item) {
        throw InvalidArgument(
            fmt::format("{}: --user-column and --item-column name one column, two expected", head.path));
    }
    if (shape.rating < 0 && !no_values) {
        shape.rating = columns.values();
    }
    if (shape.timestamp < 0 && !no_values) {
        shape.timestamp = columns.time();
    }
    return shape;
}

}  // namespace stackae::data
