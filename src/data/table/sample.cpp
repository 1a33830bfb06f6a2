#include <fmt/format.h>

#include "stackae/text.hpp"

#include "data/table/names.hpp"
#include "data/table/shape.hpp"

namespace stackae::data {

std::string_view Sample::cell(std::size_t row, std::size_t column) const {
    const Row& found = rows[row];
    return column < found.cells.size() ? std::string_view(found.cells[column]) : std::string_view();
}

bool Sample::has_numbers(std::size_t column) const {
    bool numbers = false;
    for (std::size_t row = 1; row < rows.size(); ++row) {
        const std::string_view text = trim_blanks(cell(row, column));
        if (!text.empty() && !parse_number(text)) {
            return false;
        }
        numbers = numbers || !text.empty();
    }
    return numbers;
}

Sample TableHead::sample(const Dialect& dialect) const {
    Sample sample{dialect, {}};
    std::string_view rest = bytes;
    while (!rest.empty() && sample.rows.size() < Sample::most_rows) {
        const RecordEnd record = find_record_end(rest, dialect, whole);
        if (!record.complete) {
            break;
        }
        if (record.end > 0) {
            Sample::Row& row = sample.rows.emplace_back();
            Fields fields(rest.substr(0, record.end), dialect);
            for (std::string_view field; fields.next(field); ++row.width) {
                if (row.cells.size() < Sample::most_cells) {
                    row.cells.emplace_back(field);
                }
            }
        }
        rest.remove_prefix(record.next);
    }
    return sample;
}

const char* spoken(TableSeparator separator) {
    return separator == TableSeparator::double_colon ? "::" : name(separator);
}

std::string quoted_name(std::string_view name) {
    constexpr std::size_t most = 80;
    return fmt::format("\"{}{}\"", printable(name.substr(0, most)), name.size() > most ? "…" : "");
}

std::string describe(const TableShape& shape) {
    std::string text = fmt::format("{}, {} apart by {}", name(shape.format),
                                   shape.format == TableFormat::baskets ? "items" : "fields",
                                   spoken(shape.dialect.separator()));
    if (shape.format == TableFormat::baskets) {
        return text + ", a user a line";
    }
    if (shape.format == TableFormat::lists) {
        return text + ": the user, then the items";
    }
    text += !shape.header       ? ", no header: "
            : shape.names_known ? ", a header: "
                                : ", line 1 taken for a header (--header no if it is none): ";
    const auto column = [&](const char* what, std::int64_t i) {
        const auto at = static_cast<std::size_t>(i);
        return i < 0 ? std::string()
               : shape.header && shape.names_known && at < shape.names.size()
                   ? fmt::format("{} {}", what, quoted_name(shape.names[at]))
                   : fmt::format("{} column {}", what, i + 1);
    };
    text += column("user", shape.user) + ", " + column("item", shape.item);
    text += shape.rating < 0 ? ", no values" : ", " + column("values", shape.rating);
    return text + (shape.timestamp < 0 ? "" : ", " + column("time", shape.timestamp));
}

}  // namespace stackae::data
