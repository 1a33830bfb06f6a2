#include "data/table/fields.hpp"

#include <algorithm>

namespace stackae::data {
namespace {

/// A field, where its content is and where it ends.
struct Field {
    std::size_t begin = 0;  ///< of the content
    std::size_t end = 0;
    std::size_t next = 0;  ///< where the line end or separator after it begins
    bool quoted = false;
    bool closed = true;       ///< false: in quotes that are not closed
    bool doubled = false;     ///< holds quotes that are doubled
    bool misplaced = false;   ///< something follows its closing quote
    std::int64_t breaks = 0;  ///< line ends in it
};

bool is_line_end(char byte) {
    return byte == '\n' || byte == '\r';
}

std::size_t skip_blanks(std::string_view bytes, std::size_t at) {
    while (at < bytes.size() && is_blank(bytes[at])) {
        ++at;
    }
    return at;
}

/// Where a field that is not in quotes ends.
std::size_t plain_end(std::string_view bytes, std::size_t at, const Dialect& dialect) {
    for (; at < bytes.size(); ++at) {
        if (dialect.may_end(bytes[at]) &&
            (is_line_end(bytes[at]) || dialect.after_separator(bytes, at) > at)) {
            break;
        }
    }
    return at;
}

/// Whether blanks around a field are no part of it. A tab that is the separator is none.
bool skips_blanks(const Dialect& dialect) {
    return dialect.trimmed() && dialect.separator() != TableSeparator::tab;
}

/// at: behind the opening quote.
Field quoted_field(std::string_view bytes, std::size_t at, const Dialect& dialect) {
    Field field{.begin = at, .quoted = true};
    for (;; ++at) {
        const std::size_t quote = std::min(bytes.find('"', at), bytes.size());
        for (; at < quote; ++at) {
            const bool pair = bytes[at] == '\r' && at + 1 < bytes.size() && bytes[at + 1] == '\n';
            field.breaks += is_line_end(bytes[at]) && !pair ? 1 : 0;
        }
        if (quote == bytes.size()) {
            field.closed = false;
            field.end = field.next = bytes.size();
            return field;
        }
        if (quote + 1 == bytes.size() || bytes[quote + 1] != '"') {
            break;
        }
        field.doubled = true;
        at = quote + 1;
    }
    field.end = at;
    const std::size_t rest = skips_blanks(dialect) ? skip_blanks(bytes, at + 1) : at + 1;
    field.next = plain_end(bytes, rest, dialect);
    field.misplaced = field.next > rest;
    return field;
}

/// The field that begins at `at`.
Field field_at(std::string_view bytes, std::size_t at, const Dialect& dialect) {
    const std::size_t begin = skips_blanks(dialect) ? skip_blanks(bytes, at) : at;
    if (dialect.quotes() && begin < bytes.size() && bytes[begin] == '"') {
        return quoted_field(bytes, begin + 1, dialect);
    }
    const std::size_t end = plain_end(bytes, begin, dialect);
    return {.begin = begin, .end = end, .next = end};
}

}  // namespace

Dialect::Dialect(TableSeparator separator, bool quotes, bool trimmed)
    : separator_(separator), quotes_(quotes && separator != TableSeparator::blank), trimmed_(trimmed) {
    const std::string_view firsts = separator == TableSeparator::comma          ? ","
                                    : separator == TableSeparator::tab          ? "\t"
                                    : separator == TableSeparator::semicolon    ? ";"
                                    : separator == TableSeparator::double_colon ? ":"
                                                                                : " \t";
    for (const char byte : firsts) {
        stops_[static_cast<unsigned char>(byte)] = true;
    }
    stops_['\n'] = true;
    stops_['\r'] = true;
}

std::size_t Dialect::after_separator(std::string_view bytes, std::size_t at) const {
    if (at >= bytes.size() || !may_end(bytes[at]) || is_line_end(bytes[at])) {
        return at;
    }
    if (separator_ == TableSeparator::double_colon) {
        return at + 1 < bytes.size() && bytes[at + 1] == ':' ? at + 2 : at;
    }
    return separator_ == TableSeparator::blank ? skip_blanks(bytes, at) : at + 1;
}

RecordEnd find_record_end(std::string_view bytes, const Dialect& dialect, bool last) {
    RecordEnd record;
    for (std::size_t at = 0;;) {
        const Field field = field_at(bytes, at, dialect);
        record.lines += field.breaks;
        record.end = record.next = field.next;
        record.in_quotes = !field.closed;
        if (field.next == bytes.size()) {
            record.complete = last;
            return record;
        }
        if (is_line_end(bytes[field.next])) {
            break;
        }
        at = dialect.after_separator(bytes, field.next);
    }
    ++record.next;
    if (bytes[record.end] == '\r') {  // LF may follow, in these bytes or in those to come
        record.complete = last || record.next < bytes.size();
        record.next += record.next < bytes.size() && bytes[record.next] == '\n' ? 1U : 0U;
        return record;
    }
    record.complete = true;
    return record;
}

Fields::Fields(std::string_view record, const Dialect& dialect) : record_(record), dialect_(dialect) {
    if (dialect.separator() == TableSeparator::blank) {
        at_ = skip_blanks(record, 0);
        more_ = at_ < record.size();
    }
}

bool Fields::next(std::string_view& field) {
    if (!more_) {
        return false;
    }
    const Field found = field_at(record_, at_, dialect_);
    misplaced_ = misplaced_ || found.misplaced;
    at_ = dialect_.after_separator(record_, found.next);
    // Blanks at a line's end are no separator; all others have a field behind them, if an empty one.
    more_ = at_ > found.next && (dialect_.separator() != TableSeparator::blank || at_ < record_.size());
    field = record_.substr(found.begin, found.end - found.begin);
    if (found.doubled) {
        undoubled_.clear();
        for (std::size_t i = 0; i < field.size(); ++i) {
            undoubled_ += field[i];
            i += field[i] == '"' ? 1U : 0U;
        }
        field = undoubled_;
    } else if (dialect_.trimmed() && !found.quoted) {
        field = trim_blanks(field);
    }
    return true;
}

std::string_view trim_blanks(std::string_view text) {
    while (!text.empty() && is_blank(text.front())) {
        text.remove_prefix(1);
    }
    while (!text.empty() && is_blank(text.back())) {
        text.remove_suffix(1);
    }
    return text;
}

}  // namespace stackae::data
