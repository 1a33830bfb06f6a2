#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "data/content.hpp"
#include "data/table/fields.hpp"

namespace stackae::data {

/// Longer records are refused.
constexpr std::size_t longest_record = std::size_t{64} << 20U;

/// A table's records, read through a buffer of one record.
class RecordReader {
public:
    /// stream must outlive it; path: what errors call it. most: bytes of a record.
    RecordReader(ByteStream& stream, std::string path, std::size_t most = longest_record);

    /// The table's beginning, without a byte order mark: at least `bytes` bytes and two lines that are not
    /// empty, or all of it. Throws as next() does, InvalidArgument for UTF-16.
    [[nodiscard]] std::string_view head(std::size_t bytes);
    /// Whether head() gave all there is.
    [[nodiscard]] bool whole() const { return ended_; }

    /// The next record that is not empty, without its line end, valid until the next call. Throws what the
    /// stream throws, InvalidArgument with the line for what is no text, too long or has an open quote.
    bool next(std::string_view& record, const Dialect& dialect);
    /// The line, counted from 1, that the last record began in.
    [[nodiscard]] std::int64_t line() const { return line_; }

private:
    [[nodiscard]] std::string_view unread() const {
        return std::string_view(buffer_.data(), filled_).substr(at_);
    }
    /// Doubles what is unread, at least to `least` bytes.
    void read_more(std::size_t least);
    /// The record at the beginning of what is unread.
    [[nodiscard]] RecordEnd complete_record(const Dialect& dialect);
    void check_text(std::string_view bytes) const;
    [[noreturn]] void refuse_length(std::int64_t line) const;

    ByteStream& stream_;
    std::string path_;
    std::size_t most_;
    std::string buffer_;
    std::size_t at_ = 0;
    std::size_t filled_ = 0;
    bool ended_ = false;
    bool begun_ = false;
    std::int64_t line_ = 0;
    std::int64_t next_line_ = 1;
};

}  // namespace stackae::data
