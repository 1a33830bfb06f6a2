#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/interactions.hpp"

namespace stackae {

/// How a table says who took what. Has names.
enum class TableFormat {
    automatic,  ///< found out from the beginning of the table
    triples,    ///< a row an entry: `user,item[,rating[,timestamp]]`, the columns anywhere if they are named
    matrix,     ///< a row a user, a column an item, its name in the header; 0 or empty: not taken
    baskets,    ///< a line a user, who is named by its number; items apart by comma or blank
    lists,      ///< a line a user: `user item item …`, as LightGCN's data sets have it
};

/// What is between two fields of a line. Has names: automatic, comma, tab, semicolon, double_colon, blank.
enum class TableSeparator {
    automatic,
    comma,
    tab,
    semicolon,
    double_colon,  ///< `::`, as in MovieLens 1M
    blank,         ///< any number of blanks and tabs
};

/// How a table is to be read. A column is called by its name in the header, byte for byte, or, where none is
/// called so, by its number from 1; empty: found out.
struct TableOptions {
    TableFormat format = TableFormat::automatic;
    TableSeparator separator = TableSeparator::automatic;
    /// Whether the first line of triples is a header; absent: found out. A matrix always has one, baskets and
    /// lists never.
    std::optional<bool> header = std::nullopt;
    /// Of triples: the first column, if not named here. Of a matrix: found out if not named here; `-`: there
    /// is none, and users are named by the number of their line.
    std::string user_column = {};
    /// Of triples: the first column that is not the user's, if not named here.
    std::string item_column = {};
    /// Of triples: ratings, counts or quantities. `-`: each row counts 1, whatever other columns say. If not
    /// named here, the column after user and item in tables of at most four columns, unless it is called a
    /// time.
    std::string rating_column = {};
    /// Of triples: it is told of in the report, and never taken for ratings; its values are not read.
    std::string timestamp_column = {};
    ValueMode value = ValueMode::binary;
};

/// Why a row (of a matrix: a cell, except for other_width and misplaced_quote) was left out. Has names, as
/// the manifest prints them.
enum class LeftOutReason {
    no_user,            ///< empty, or nothing but blanks
    no_item,            ///< likewise; of a matrix: a column without a name
    not_positive,       ///< a value of 0 or below; of a matrix: below 0, since 0 says that it was not taken
    unreadable_number,  ///< a value that is no finite number that a float can hold
    other_width,        ///< more or fewer fields than the first row
    misplaced_quote,    ///< something between a closing quote and the next separator
};

struct LeftOut {
    LeftOutReason reason = LeftOutReason::no_user;
    std::int64_t count = 0;
    std::int64_t first_line = 0;  ///< counted from 1 in the table, where the first such row begins
};

/// Is told of what is left out, in the order of the table: the line, counted from 1, in which the row begins.
using LeftOutSink = std::function<void(std::int64_t line, LeftOutReason reason)>;

/// What was found in a table and what became of its rows. No user's id is in it.
struct TableReport {
    /// Format, separator and columns on one line, for a terminal: `triples, fields apart by comma, a header:
    /// user "visitor", item "area"`.
    std::string sniffed;
    std::int64_t rows = 0;     ///< read, without the header and empty lines, those left out among them
    std::int64_t users = 0;    ///< user_count() of the result
    std::int64_t items = 0;    ///< item_count()
    std::int64_t entries = 0;  ///< entry_count()
    std::int64_t repeats = 0;  ///< entries of a user and an item that were merged into an earlier one
    /// By the order of LeftOutReason, those that occurred.
    std::vector<LeftOut> left_out;
};

/// Fields of a line, apart by commas and in quotes by RFC 4180 where one is in them. Throws InvalidArgument
/// where something follows a closing quote, or one is missing.
[[nodiscard]] std::vector<std::string> split_csv(const std::string& line);

/// What was left out, as a person reads it: `2 rows without a user (line 3 first), 1 row with a value not
/// above 0 (line 9)`; empty where nothing was.
[[nodiscard]] std::string left_out_text(const TableReport& report);

/// Reads a table of text, also gzipped (known by its first bytes, not by its name), from a file, pipe or
/// device.
///
/// Fields may be in quotes (RFC 4180: `""` is a quote, line ends and separators may stand inside), but not
/// those of TableFormat::lists or those apart by blanks. Lines end in LF, CR LF or CR; a byte order mark of
/// UTF-8 is passed over, empty lines are too. Ids are kept byte for byte, "007" is not "7", in any encoding
/// that has ASCII in it; of baskets and lists alone the blanks around items that are not in quotes are left
/// off.
///
/// Users and items are in the order in which they first appear; the items of a matrix are in the order of its
/// header, those that nobody took too. A user of a matrix or list who took nothing is kept, without entries.
/// Several rows of one user and item are one entry, see ValueMode. Rows that cannot be used are counted in
/// the report.
///
/// What a table is like is found out from its beginning, at least 256 KiB or 100 lines. A header of two to
/// four names with rows of that width makes triples.
///
/// The table passes through a buffer of one line; besides, the memory is proportional to the result: 4 bytes
/// an entry that is binary, 12 one that is not, 12 more for each run of rows of one user that is not yet
/// merged with the others; twice that when runs are merged.
///
/// Throws IoError; CorruptFile for gzip data that is damaged or cut short; InvalidArgument for a table that
/// is empty or of which nothing is left (with what was left out), that is no text (a byte 0, UTF-16), with a
/// line above 64 MiB, a quote that is not closed or more than 2³¹ − 1 users or items, for a column that is
/// not there, and for a table that can be read in several ways, naming the option that settles it. No message
/// holds a user's id. After an exception the report is unspecified.
[[nodiscard]] Interactions read_interactions(const std::string& path, const TableOptions& options,
                                             TableReport& report, const LeftOutSink& on_left_out = {});

/// A table of entries in any order, by the numbers of users and items, whose ids these are: those of one user
/// and item are one entry, see ValueMode, and what is not above 0 was not taken, as in a file. Throws
/// InvalidArgument where a number is none of theirs or a value is not finite, and as check().
[[nodiscard]] Interactions make_interactions(const std::vector<std::string>& users,
                                             const std::vector<std::string>& items,
                                             std::span<const Rating> entries, ValueMode value);

}  // namespace stackae
