#include <algorithm>
#include <fmt/format.h>
#include <initializer_list>
#include <optional>

#include "stackae/error.hpp"

#include "data/table/names.hpp"
#include "data/table/shape.hpp"

namespace stackae::data {
namespace {

using enum TableSeparator;

/// A header of two to four names with rows of that width makes triples.
constexpr std::int64_t widest_triples = 4;

bool is_number_or_empty(std::string_view cell) {
    return parse_cell(cell).has_value();
}

/// How many rows have several fields.
std::int64_t divided_rows(const Sample& sample) {
    return std::count_if(sample.rows.begin(), sample.rows.end(),
                         [](const Sample::Row& row) { return row.width > 1; });
}

/// How many rows are as wide as the first one.
std::int64_t rows_like_first(const Sample& sample) {
    return std::count_if(sample.rows.begin(), sample.rows.end(),
                         [&](const Sample::Row& row) { return row.width == sample.rows[0].width; });
}

bool all_like_first(const Sample& sample) {
    return rows_like_first(sample) == std::ssize(sample.rows);
}

/// Whether the header lacks a field for the first column, as R writes matrices with names of rows.
bool lacks_first_name(const Sample& sample) {
    return sample.rows.size() > 1 && sample.rows[1].width > 2 &&
           std::all_of(sample.rows.begin() + 1, sample.rows.end(),
                       [&](const Sample::Row& row) { return row.width == sample.rows[0].width + 1; });
}

/// Whether of each column behind the first at least half of the cells below the header suit a matrix, and one
/// is a number. A few that do not are left out later.
bool has_matrix_cells(const Sample& sample) {
    bool numbers = false;
    for (std::size_t column = 1; column < sample.rows[0].cells.size() + 1; ++column) {
        std::int64_t suits = 0;
        std::int64_t others = 0;
        for (std::size_t row = 1; row < sample.rows.size(); ++row) {
            const std::string_view cell = trim_blanks(sample.cell(row, column));
            suits += !cell.empty() && is_number_or_empty(cell) ? 1 : 0;
            others += is_number_or_empty(cell) ? 0 : 1;
        }
        if (others > suits) {
            return false;
        }
        numbers = numbers || suits > 0;
    }
    return numbers;
}

/// Whether the first row is of names: none but the first is a number, and one is there.
bool has_names(const Sample& sample) {
    const auto& cells = sample.rows[0].cells;
    const auto is_name = [](const std::string& cell) {
        return !trim_blanks(cell).empty() && !parse_number(cell);
    };
    return std::any_of(cells.begin(), cells.end(), is_name) &&
           std::none_of(cells.begin() + 1, cells.end(),
                        [](const std::string& cell) { return parse_number(cell).has_value(); }) &&
           !parse_number(cells[0]);
}

/// Whether all cells below the header and behind the first column are 0 or 1.
bool is_zero_one(const Sample& sample) {
    for (std::size_t row = 1; row < sample.rows.size(); ++row) {
        const auto& cells = sample.rows[row].cells;
        if (std::any_of(cells.begin() + 1, cells.end(),
                        [](const std::string& cell) { return cell != "0" && cell != "1"; })) {
            return false;
        }
    }
    return true;
}

/// Whether lines that were shorter are filled up with empty fields.
bool is_padded(const Sample& sample) {
    bool padded = false;
    for (const Sample::Row& row : sample.rows) {
        const auto is_empty = [](const std::string& cell) { return cell.empty(); };
        const auto first = std::find_if(row.cells.begin(), row.cells.end(), is_empty);
        if (!std::all_of(first, row.cells.end(), is_empty)) {
            return false;
        }
        padded = padded || first != row.cells.end();
    }
    return padded;
}

/// A whole number that an id of a list can be; −1 for what is none.
std::int64_t whole_number(std::string_view cell) {
    const bool digits = !cell.empty() && cell.size() <= 15 &&
                        std::all_of(cell.begin(), cell.end(), [](char c) { return c >= '0' && c <= '9'; });
    return digits ? static_cast<std::int64_t>(parse_number(cell).value_or(-1.0)) : -1;
}

/// What the first fields of lines are.
enum class FirstFields {
    counted,   ///< 0, 1, 2, … or rising whole numbers in many lines: users
    repeated,  ///< items
    unsure,
};

FirstFields first_fields(const Sample& sample) {
    constexpr std::size_t many = 20;
    bool counted = true;
    bool rising = true;
    std::int64_t before = -1;
    std::vector<std::string_view> firsts;
    for (std::size_t row = 0; row < sample.rows.size(); ++row) {
        const std::int64_t number = whole_number(sample.cell(row, 0));
        counted = counted && number >= 0 && (row == 0 || number == before + 1);
        rising = rising && number > before;
        before = number;
        firsts.push_back(sample.cell(row, 0));
    }
    const std::int64_t start = whole_number(firsts.front());
    if ((counted && (firsts.size() > 2 || (firsts.size() == 2 && start <= 1))) ||
        (rising && firsts.size() >= many)) {
        return FirstFields::counted;
    }
    // Names of users are no items; where both are numbers, that they are equal says nothing.
    std::vector<std::string_view> others;
    for (const Sample::Row& row : sample.rows) {
        for (std::size_t i = 1; i < row.cells.size(); ++i) {
            if (whole_number(row.cells[i]) < 0) {
                others.emplace_back(row.cells[i]);
            }
        }
    }
    std::sort(firsts.begin(), firsts.end());
    std::sort(others.begin(), others.end());
    const bool again = std::adjacent_find(firsts.begin(), firsts.end()) != firsts.end();
    const bool among_others = std::any_of(firsts.begin(), firsts.end(), [&](std::string_view first) {
        return std::binary_search(others.begin(), others.end(), first);
    });
    return again || among_others ? FirstFields::repeated : FirstFields::unsure;
}

class Sniffer {
public:
    explicit Sniffer(const TableHead& head) : head_(head) {}

    [[nodiscard]] TableShape run() const {
        switch (head_.options.format) {
            case TableFormat::automatic:
                return found_out();
            case TableFormat::triples:
                return shape_of_triples(head_, of_columns());
            case TableFormat::matrix:
                return matrix(of_columns());
            case TableFormat::baskets:
            case TableFormat::lists:
                break;
        }
        return lines(head_.options.format, of_lines());
    }

private:
    [[nodiscard]] bool allows(TableSeparator separator) const {
        return head_.options.separator == TableSeparator::automatic || head_.options.separator == separator;
    }

    [[noreturn]] void refuse(const std::string& found, const std::string& expected) const {
        throw InvalidArgument(fmt::format("{}: {} found, which can be read in several ways: {} expected",
                                          head_.path, found, expected));
    }

    /// Samples at those separators that the options allow, in this order.
    [[nodiscard]] std::vector<Sample> samples(std::initializer_list<TableSeparator> separators) const {
        std::vector<Sample> made;
        for (const TableSeparator separator : separators) {
            if (allows(separator)) {
                made.push_back(head_.sample(Dialect(separator)));
            }
            if (!made.empty() && made.back().rows.empty()) {
                made.pop_back();  // all that is looked at is in quotes that are not closed
            }
        }
        if (made.empty()) {
            throw InvalidArgument(fmt::format(
                "{}: no line found that ends in the first {} bytes: a quote is opened and not closed",
                head_.path, head_.bytes.size()));
        }
        return made;
    }

    /// Of a table whose rows have columns: at the separator that makes rows of one width, else the one that
    /// makes columns most often.
    [[nodiscard]] Sample of_columns() const {
        std::vector<Sample> made = samples({tab, double_colon, semicolon, comma, blank});
        const auto even = std::find_if(made.begin(), made.end(), [](const Sample& sample) {
            return sample.rows[0].width > 1 && (all_like_first(sample) || lacks_first_name(sample));
        });
        if (even != made.end()) {
            return std::move(*even);
        }
        const auto best = std::max_element(
            made.begin(), made.end() - (made.size() > 1 ? 1 : 0),
            [](const Sample& a, const Sample& b) { return divided_rows(a) < divided_rows(b); });
        return divided_rows(*best) > 0 ? std::move(*best) : std::move(made.back());
    }

    /// Of baskets and lists: a comma where there is one, else what there is instead, else blanks.
    [[nodiscard]] Sample of_lines() const {
        std::vector<Sample> made = samples({comma, semicolon, double_colon, tab, blank});
        const auto found = std::find_if(made.begin(), made.end(),
                                        [](const Sample& sample) { return divided_rows(sample) > 0; });
        if (found == made.end()) {
            return std::move(made.back());
        }
        if (10 * divided_rows(*found) < std::ssize(found->rows) &&
            2 * divided_rows(made.back()) > std::ssize(made.back().rows) && allows(blank)) {
            refuse(fmt::format("lines with blanks and a few with {}", spoken(found->dialect.separator())),
                   fmt::format("--separator blank or --separator {}", name(found->dialect.separator())));
        }
        return std::move(*found);
    }

    [[nodiscard]] TableShape found_out() const {
        for (const Sample& sample : samples({tab, double_colon, semicolon, comma, blank})) {
            const bool even = sample.rows[0].width > 1 && all_like_first(sample);
            if (sample.dialect.separator() != blank && even) {
                return even_rows(sample);
            }
            const bool few_others = sample.rows[0].width > widest_triples &&
                                    2 * (rows_like_first(sample) - 1) >= std::ssize(sample.rows) - 1;
            if ((lacks_first_name(sample) || few_others) && has_names(sample) && has_matrix_cells(sample)) {
                return matrix(sample);
            }
            if (names_columns(sample, head_.options) || names_over_numbers(sample)) {
                return shape_of_triples(head_, sample);
            }
        }
        return uneven_lines(of_lines());
    }

    /// Whether most rows are as wide as a header of triples that surely is one.
    [[nodiscard]] static bool names_over_numbers(const Sample& sample) {
        const std::int64_t width = sample.rows[0].width;
        bool numbers = false;
        for (std::size_t i = 0; width > 1 && width <= widest_triples && i < sample.rows[0].cells.size();
             ++i) {
            numbers = numbers || sample.has_numbers(i);
        }
        return numbers && has_names(sample) && 2 * (rows_like_first(sample) - 1) >= std::ssize(sample.rows);
    }

    /// Rows of one width.
    [[nodiscard]] TableShape even_rows(const Sample& sample) const {
        const std::int64_t width = sample.rows[0].width;
        const bool narrow = width <= widest_triples;
        const bool named = names_columns(sample, head_.options);
        if (sample.rows.size() == 1 && !named) {
            refuse("a single line", "--format triples, matrix, baskets or lists");
        }
        const bool matrix_cells = has_names(sample) && has_matrix_cells(sample);
        if (matrix_cells && !narrow) {
            return matrix(sample);
        }
        if (narrow && matrix_cells && is_zero_one(sample) && !named) {
            refuse(fmt::format("a header of {} names over nothing but 0 and 1", width),
                   "--format matrix or --format triples");
        }
        if (narrow || named) {
            return shape_of_triples(head_, sample);
        }
        if (is_padded(sample)) {
            return lines(TableFormat::baskets, sample);
        }
        refuse(fmt::format("{} columns, apart by {}, that are no matrix of numbers", width,
                           spoken(sample.dialect.separator())),
               "--user-column and --item-column, or --format matrix, baskets or lists");
    }

    /// The first column may be the users' or an item's.
    [[nodiscard]] TableShape matrix(const Sample& sample) const {
        TableShape shape{.format = TableFormat::matrix, .dialect = sample.dialect};
        shape.header = shape.names_known = true;
        shape.unnamed_user = lacks_first_name(sample);
        if (head_.options.user_column.empty() || shape.unnamed_user) {
            shape.user = shape.unnamed_user || first_is_user(sample) ? 0 : -1;
        }
        return shape;
    }

    [[nodiscard]] bool first_is_user(const Sample& sample) const {
        constexpr std::size_t many = 20;
        const std::string_view name = sample.cell(0, 0);
        std::vector<std::string_view> cells;
        bool numbers = true;
        bool zero_one = true;
        for (std::size_t row = 1; row < sample.rows.size(); ++row) {
            cells.push_back(sample.cell(row, 0));
            numbers = numbers && is_number_or_empty(cells.back());
            zero_one = zero_one && (parse_cell(cells.back()).value_or(2.0) == 0.0 ||
                                    parse_cell(cells.back()).value_or(2.0) == 1.0);
        }
        // As a user's own name of a column, or what may stand behind `user`: "id", "no", nothing.
        const bool id = role_of(name) == ColumnRole::user ||
                        role_of("user" + std::string(trim_blanks(name))) == ColumnRole::user;
        if (!numbers || id) {
            return true;
        }
        std::sort(cells.begin(), cells.end());
        const bool distinct = std::adjacent_find(cells.begin(), cells.end()) == cells.end();
        if (zero_one || !distinct || cells.empty()) {
            return false;
        }
        if (cells.size() >= many) {
            return true;
        }
        refuse(
            fmt::format("a matrix whose first column, {}, may be the users' or an item's", quoted_name(name)),
            "--user-column NAME, or --user-column - where there is none,");
    }

    [[nodiscard]] TableShape lines(TableFormat format, const Sample& sample) const {
        return {.format = format,
                .dialect = Dialect(sample.dialect.separator(), format == TableFormat::baskets, true)};
    }

    /// Lines of several widths, or apart by blanks: baskets or lists.
    [[nodiscard]] TableShape uneven_lines(const Sample& sample) const {
        const bool blanks = sample.dialect.separator() == blank;
        const std::string found =
            fmt::format("lines of items apart by {}", spoken(sample.dialect.separator()));
        if (std::all_of(sample.rows.begin(), sample.rows.end(),
                        [](const Sample::Row& row) { return row.width < 2; })) {
            refuse("one column", "--separator, or --format matrix or baskets");
        }
        if (sample.rows.size() == 1) {
            refuse("a single line", "--format triples, matrix, baskets or lists");
        }
        const FirstFields first = first_fields(sample);
        if (first == FirstFields::counted) {
            return lines(TableFormat::lists, sample);
        }
        const std::int64_t width = sample.rows[0].width;
        const bool narrow = width > 1 && width <= widest_triples;
        if (narrow && (blanks ? all_like_first(sample) : mostly_numbers(sample))) {
            refuse(found, "--format triples, baskets or lists");
        }
        if (blanks && first == FirstFields::unsure) {
            refuse(found, "--format baskets or --format lists");
        }
        return lines(TableFormat::baskets, sample);
    }

    /// Whether three of four lines are as wide as the first and one of their columns has nothing but numbers.
    [[nodiscard]] static bool mostly_numbers(const Sample& sample) {
        bool numbers = false;
        for (std::size_t i = 0; i < sample.rows[0].cells.size(); ++i) {
            numbers = numbers || (sample.has_numbers(i) && parse_number(sample.cell(0, i)));
        }
        return numbers && 4 * rows_like_first(sample) >= 3 * std::ssize(sample.rows);
    }

    const TableHead& head_;
};

}  // namespace

TableShape sniff_table(const TableHead& head) {
    return Sniffer(head).run();
}

}  // namespace stackae::data
