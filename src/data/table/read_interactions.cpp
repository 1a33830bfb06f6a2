#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/enum_names.hpp"
#include "data/bytes.hpp"
#include "data/table/rows.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<TableFormat> =
    base::names_of<TableFormat>("table format", {{TableFormat::automatic, "automatic"},
                                                 {TableFormat::triples, "triples"},
                                                 {TableFormat::matrix, "matrix"},
                                                 {TableFormat::baskets, "baskets"},
                                                 {TableFormat::lists, "lists"}});
template const char* name(TableFormat);
template TableFormat parse(std::string_view);

template <>
constexpr auto base::enum_names<TableSeparator> =
    base::names_of<TableSeparator>("separator", {{TableSeparator::automatic, "automatic"},
                                                 {TableSeparator::comma, "comma"},
                                                 {TableSeparator::tab, "tab"},
                                                 {TableSeparator::semicolon, "semicolon"},
                                                 {TableSeparator::double_colon, "double_colon"},
                                                 {TableSeparator::blank, "blank"}});
template const char* name(TableSeparator);
template TableSeparator parse(std::string_view);

template <>
constexpr auto base::enum_names<LeftOutReason> =
    base::names_of<LeftOutReason>("reason", {{LeftOutReason::no_user, "no_user"},
                                             {LeftOutReason::no_item, "no_item"},
                                             {LeftOutReason::not_positive, "not_positive"},
                                             {LeftOutReason::unreadable_number, "unreadable_number"},
                                             {LeftOutReason::other_width, "other_width"},
                                             {LeftOutReason::misplaced_quote, "misplaced_quote"}});
template const char* name(LeftOutReason);
template LeftOutReason parse(std::string_view);

namespace data {
namespace {

constexpr std::size_t sniffed_bytes = std::size_t{256} << 10U;

const char* text_of(LeftOutReason reason) {
    switch (reason) {
        case LeftOutReason::no_user:
            return "without a user";
        case LeftOutReason::no_item:
            return "without an item";
        case LeftOutReason::not_positive:
            return "with a value not above 0";
        case LeftOutReason::unreadable_number:
            return "with an unreadable number";
        case LeftOutReason::other_width:
            return "with another number of fields";
        case LeftOutReason::misplaced_quote:
            break;
    }
    return "with something behind a closing quote";
}

/// Throws where the rows do not suit the format that was found out, or nothing is left of them.
void check_result(const std::string& path, const TableOptions& options, const TableShape& shape,
                  const LeftOutCounts& left_out, const TableReport& report) {
    if (report.rows == 0) {
        throw InvalidArgument(fmt::format("{}: a header and no row below it found", path));
    }
    const std::int64_t other = left_out.of(LeftOutReason::other_width);
    if (options.format == TableFormat::automatic && 2 * other > report.rows) {
        throw InvalidArgument(fmt::format(
            "{}: {} of {} rows have another number of fields than the first: --format {} if that is what "
            "it is, else --format baskets or lists expected",
            path, format_count(other), format_count(report.rows), name(shape.format)));
    }
    if (report.entries == 0) {
        const std::string why = left_out_text(report);
        throw InvalidArgument(fmt::format("{}: nothing is left of {}: {} ({})", path,
                                          format_count(report.rows, "row"),
                                          why.empty() ? "no user took anything" : why, report.sniffed));
    }
}

}  // namespace

std::vector<LeftOut> LeftOutCounts::list() const {
    std::vector<LeftOut> occurred;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
        if (counts_[i].count > 0) {
            occurred.push_back(counts_[i]);
            occurred.back().reason = static_cast<LeftOutReason>(i);
        }
    }
    return occurred;
}

bool TableRows::next(std::string_view& record) {
    while (reader.next(record, shape.dialect)) {
        ++rows;
        bool misplaced = false;
        if (shape.dialect.quotes() && record.find('"') != std::string_view::npos) {
            Fields fields(record, shape.dialect);
            for (std::string_view field; fields.next(field);) {
            }
            misplaced = fields.misplaced_quote();
        }
        if (!misplaced) {
            return true;
        }
        leave_out(LeftOutReason::misplaced_quote);
    }
    return false;
}

}  // namespace data

std::string left_out_text(const TableReport& report) {
    std::vector<std::string> parts;
    for (const LeftOut& left_out : report.left_out) {
        parts.push_back(fmt::format("{} {} (line {}{})", format_count(left_out.count, "row"),
                                    data::text_of(left_out.reason), left_out.first_line,
                                    left_out.count == 1 ? "" : " first"));
    }
    return fmt::format("{}", fmt::join(parts, ", "));
}

std::vector<std::string> split_csv(const std::string& line) {
    using namespace data;
    const Dialect dialect(TableSeparator::comma);
    const RecordEnd record = find_record_end(line, dialect, true);
    std::vector<std::string> all;
    Fields fields(line, dialect);
    for (std::string_view field; fields.next(field);) {
        all.emplace_back(field);
    }
    if (fields.misplaced_quote() || record.in_quotes) {
        throw InvalidArgument(record.in_quotes
                                  ? "a quote that opens a field found, one that closes it expected"
                                  : "something found behind a closing quote, a comma expected");
    }
    return all;
}

Interactions read_interactions(const std::string& path, const TableOptions& options, TableReport& report,
                               const LeftOutSink& on_left_out) {
    using namespace data;
    report = {};
    FileStream file(path);
    std::optional<GzipStream> unpacked;
    if (Bytes(file.first(2), false).has(0, "\x1f\x8b")) {
        unpacked.emplace(file, path);
    }
    RecordReader reader(unpacked ? static_cast<ByteStream&>(*unpacked) : file, path);
    const std::string_view head = reader.head(sniffed_bytes);
    if (head.find_first_not_of("\r\n") == std::string_view::npos) {
        throw InvalidArgument(fmt::format("{}: an empty table found, rows expected", path));
    }
    const TableShape shape = sniff_table({head, reader.whole(), options, path});
    InteractionsBuilder builder(path, options.value);
    LeftOutCounts left_out(on_left_out);
    TableRows rows{reader, shape, options, path, builder, left_out};
    if (shape.format == TableFormat::matrix) {
        report.sniffed = read_matrix(rows);
    } else {
        report.sniffed = describe(shape);
        shape.format == TableFormat::triples ? read_triples(rows) : read_lines(rows);
    }
    Interactions made = builder.finish();
    report.rows = rows.rows;
    report.users = made.user_count();
    report.items = made.item_count();
    report.entries = made.entry_count();
    report.repeats = builder.repeats();
    report.left_out = left_out.list();
    check_result(path, options, shape, left_out, report);
    return made;
}

}  // namespace stackae
