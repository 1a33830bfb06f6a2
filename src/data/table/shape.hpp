#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/interactions_file.hpp"

#include "data/table/fields.hpp"

namespace stackae::data {

/// What a table is like.
struct TableShape {
    TableFormat format = TableFormat::triples;  ///< not automatic
    Dialect dialect{TableSeparator::comma};
    bool header = false;
    /// Whether what is in the header are surely names, which may be told, and no user's id.
    bool names_known = false;
    /// Of triples: fields of a row, and which is which from 0; −1: there is none. Of a matrix only user: 0,
    /// or −1 where there is none or it is named in the options.
    std::int64_t width = 0;
    std::int64_t user = -1;
    std::int64_t item = -1;
    std::int64_t rating = -1;
    std::int64_t timestamp = -1;
    std::vector<std::string> names{};  ///< of triples: the header's
    bool unnamed_user = false;         ///< of a matrix: the header has no field for the first column
};

/// The first rows of a table, divided at one separator.
struct Sample {
    struct Row {
        std::vector<std::string> cells;  ///< the first ones, see most_cells
        std::int64_t width = 0;          ///< fields in all
    };
    static constexpr std::size_t most_rows = 1000;
    static constexpr std::size_t most_cells = 1024;

    Dialect dialect;
    std::vector<Row> rows;

    [[nodiscard]] std::string_view cell(std::size_t row, std::size_t column) const;
    /// Whether the column has numbers from row 1 on, and nothing else but empty cells.
    [[nodiscard]] bool has_numbers(std::size_t column) const;
};

/// The beginning of a table, what it is read with, and what errors call it.
struct TableHead {
    std::string_view bytes;
    bool whole = false;  ///< nothing comes after the bytes
    const TableOptions& options;
    const std::string& path;

    [[nodiscard]] Sample sample(const Dialect& dialect) const;
};

/// Finds out what a table is like. Throws InvalidArgument.
[[nodiscard]] TableShape sniff_table(const TableHead& head);

/// Whether names of a header, or options, tell which column is the user's and which the item's.
[[nodiscard]] bool names_columns(const Sample& sample, const TableOptions& options);
/// Triples: whether there is a header, and which column is what. Throws InvalidArgument.
[[nodiscard]] TableShape shape_of_triples(const TableHead& head, const Sample& sample);

/// The shape on one line.
[[nodiscard]] std::string describe(const TableShape& shape);
/// Separators as messages call them: comma, tab, semicolon, `::`, blank.
[[nodiscard]] const char* spoken(TableSeparator separator);
/// A name of a column in quotes, printable and not too long.
[[nodiscard]] std::string quoted_name(std::string_view name);

}  // namespace stackae::data
