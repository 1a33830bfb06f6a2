#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "stackae/interactions_file.hpp"

namespace stackae::data {

/// How lines of a table are divided.
class Dialect {
public:
    /// separator: not automatic. quotes: whether fields may be in quotes; never where blanks are the
    /// separator. trimmed: blanks around fields that are not in quotes are left off.
    explicit Dialect(TableSeparator separator, bool quotes = true, bool trimmed = false);

    [[nodiscard]] TableSeparator separator() const { return separator_; }
    [[nodiscard]] bool quotes() const { return quotes_; }
    [[nodiscard]] bool trimmed() const { return trimmed_; }
    /// Where the separator at `at` ends; `at` where there is none.
    [[nodiscard]] std::size_t after_separator(std::string_view bytes, std::size_t at) const;
    /// Whether a field that is not in quotes may end before this byte.
    [[nodiscard]] bool may_end(char byte) const { return stops_[static_cast<unsigned char>(byte)]; }

private:
    TableSeparator separator_;
    bool quotes_;
    bool trimmed_;
    std::array<bool, 256> stops_{};
};

/// A record: what is between two line ends that are not in quotes.
struct RecordEnd {
    std::size_t end = 0;     ///< where its line end begins
    std::size_t next = 0;    ///< where the next record begins
    std::int64_t lines = 1;  ///< that it takes
    bool complete = false;   ///< false: the bytes end before it does
    bool in_quotes = false;  ///< they end inside of quotes
};

/// The record at the beginning of `bytes`. last: nothing comes after them.
[[nodiscard]] RecordEnd find_record_end(std::string_view bytes, const Dialect& dialect, bool last);

/// The fields of a record, one after the other, so that a long one takes no memory.
class Fields {
public:
    /// record: without its line end; both must outlive it.
    Fields(std::string_view record, const Dialect& dialect);
    /// The next field, valid until the next call. A record of any separator but the blank has at least one.
    bool next(std::string_view& field);
    /// Whether something was found behind a closing quote.
    [[nodiscard]] bool misplaced_quote() const { return misplaced_; }

private:
    std::string_view record_;
    const Dialect& dialect_;
    std::size_t at_ = 0;
    bool more_ = true;
    bool misplaced_ = false;
    std::string undoubled_;
};

[[nodiscard]] constexpr bool is_blank(char byte) {
    return byte == ' ' || byte == '\t';
}
/// Without blanks at either end.
[[nodiscard]] std::string_view trim_blanks(std::string_view text);

}  // namespace stackae::data
