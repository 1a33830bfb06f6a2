#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "data/table/names.hpp"
#include "data/table/rows.hpp"

namespace stackae::data {
namespace {

constexpr std::int32_t no_item = -1;  // of a column without a name

/// The header of a matrix: what its columns are.
struct Header {
    std::vector<std::int32_t> items{};  ///< of each field of a row; that of the user's is no_item
    std::int64_t user = -1;             ///< field; −1: there is none
    std::string user_name{};
};

/// Which column the option names; −1 where it says that there is none.
std::int64_t named_user(std::string_view record, const TableRows& rows) {
    const std::string& option = rows.options.user_column;
    if (option == "-") {
        return -1;
    }
    std::int64_t found = -1;
    std::int64_t i = 0;
    Fields fields(record, rows.shape.dialect);
    for (std::string_view field; fields.next(field); ++i) {
        if (field == option && found >= 0) {
            throw InvalidArgument(
                fmt::format("{}: --user-column: columns {} and {} are called {}, one expected", rows.path,
                            found + 1, i + 1, quoted_name(option)));
        }
        found = field == option ? i : found;
    }
    found = found < 0 ? column_number(option, i) : found;
    if (found < 0) {
        throw InvalidArgument(fmt::format("{}: --user-column: {} columns found, none of them called {}",
                                          rows.path, format_count(i), quoted_name(option)));
    }
    return found;
}

Header read_header(std::string_view record, TableRows& rows) {
    Header header;
    const bool named = rows.shape.user < 0 && !rows.options.user_column.empty();
    header.user = named ? named_user(record, rows) : rows.shape.user;
    if (rows.shape.unnamed_user) {
        header.items.push_back(no_item);
    }
    Fields fields(record, rows.shape.dialect);
    for (std::string_view field; fields.next(field);) {
        const bool user = std::ssize(header.items) == header.user;
        header.user_name = user ? std::string(field) : header.user_name;
        header.items.push_back(user || trim_blanks(field).empty() ? no_item : rows.builder.item(field));
    }
    return header;
}

/// A row without what is 0.
class MatrixRow {
public:
    MatrixRow(const Header& header, TableRows& rows) : header_(header), rows_(rows) {}

    void read(std::string_view record) {
        user_.clear();
        entries_.clear();
        wrong_.clear();
        std::size_t at = 0;
        Fields fields(record, rows_.shape.dialect);
        for (std::string_view field; fields.next(field); ++at) {
            if (static_cast<std::int64_t>(at) == header_.user) {
                user_ = field;
            } else if (at < header_.items.size()) {
                cell(field, header_.items[at]);
            }
        }
        if (header_.user >= 0 && trim_blanks(user_).empty()) {
            rows_.leave_out(LeftOutReason::no_user);
        } else if (at != header_.items.size()) {
            rows_.leave_out(LeftOutReason::other_width);
        } else {
            add();
        }
    }

private:
    void cell(std::string_view field, std::int32_t item) {
        const std::optional<double> value = parse_cell(field);
        if (value && *value == 0.0) {
            return;
        }
        if (item == no_item) {
            wrong_.push_back(LeftOutReason::no_item);
        } else if (!value || *value < 0.0) {
            wrong_.push_back(value ? LeftOutReason::not_positive : LeftOutReason::unreadable_number);
        } else {
            entries_.emplace_back(item, *value);
        }
    }

    void add() {
        const std::int32_t user = rows_.builder.user(
            header_.user >= 0 ? std::string_view(user_) : fmt::format("{}", rows_.reader.line()));
        for (const auto& [item, value] : entries_) {
            rows_.builder.add(user, item, value);
        }
        for (const LeftOutReason reason : wrong_) {
            rows_.leave_out(reason);
        }
    }

    const Header& header_;
    TableRows& rows_;
    std::string user_;
    std::vector<std::pair<std::int32_t, double>> entries_;
    std::vector<LeftOutReason> wrong_;  ///< cells that cannot be used
};

}  // namespace

std::string read_matrix(TableRows& rows) {
    std::string_view record;
    rows.reader.next(record, rows.shape.dialect);
    const Header header = read_header(record, rows);
    const auto items = std::count_if(header.items.begin(), header.items.end(),
                                     [](std::int32_t item) { return item != no_item; });
    MatrixRow row(header, rows);
    while (rows.next(record)) {
        row.read(record);
    }
    return fmt::format("matrix, fields apart by {}, a header: {}, {}", spoken(rows.shape.dialect.separator()),
                       header.user < 0           ? "no column of users"
                       : rows.shape.unnamed_user ? "the user first, without a name"
                                                 : "user " + quoted_name(header.user_name),
                       format_count(items, "item"));
}

}  // namespace stackae::data
