#include "data/table/record_reader.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <span>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

namespace stackae::data {
namespace {

constexpr std::size_t step = std::size_t{256} << 10U;  // bytes that are read at once, at least

/// Whether two lines that are not empty end in the bytes.
bool has_two_lines(std::string_view bytes) {
    int lines = 0;
    bool empty = true;
    for (const char byte : bytes) {
        const bool end = byte == '\n' || byte == '\r';
        lines += end && !empty ? 1 : 0;
        empty = end;
        if (lines == 2) {
            return true;
        }
    }
    return false;
}

}  // namespace

RecordReader::RecordReader(ByteStream& stream, std::string path, std::size_t most)
    : stream_(stream), path_(std::move(path)), most_(most) {}

void RecordReader::read_more(std::size_t least) {
    if (at_ > 0) {
        buffer_.erase(0, at_);
        filled_ -= at_;
        at_ = 0;
    }
    const std::size_t wanted = std::max({2 * filled_, least, step});
    buffer_.resize(wanted);
    const auto space = std::as_writable_bytes(std::span(buffer_)).subspan(filled_);
    const std::size_t got = stream_.read(space);
    ended_ = got < space.size();
    filled_ += got;
    if (!begun_) {
        begun_ = true;
        const std::string_view bytes = unread();
        if (bytes.starts_with("\xFF\xFE") || bytes.starts_with("\xFE\xFF")) {
            throw InvalidArgument(fmt::format("{}: UTF-16 found, UTF-8 expected", path_));
        }
        at_ = bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    }
}

std::string_view RecordReader::head(std::size_t bytes) {
    while (!ended_ && (unread().size() < bytes || !has_two_lines(unread()))) {
        const bool long_line = unread().size() > most_ && unread().find_first_of("\r\n") > most_;
        if (long_line || unread().size() > 2 * most_) {
            refuse_length(next_line_);
        }
        read_more(bytes);
    }
    check_text(unread());
    return unread();
}

void RecordReader::check_text(std::string_view bytes) const {
    const std::size_t zero = bytes.find('\0');
    if (zero != std::string_view::npos) {
        const auto before = bytes.substr(0, zero);
        throw InvalidArgument(fmt::format("{}: line {}: a byte 0 found, a table of text expected", path_,
                                          next_line_ + std::count(before.begin(), before.end(), '\n')));
    }
}

void RecordReader::refuse_length(std::int64_t line) const {
    throw InvalidArgument(
        fmt::format("{}: line {}: more than {} found in a line, or in quotes, at most that "
                    "expected",
                    path_, line, format_bytes(static_cast<std::int64_t>(most_))));
}

RecordEnd RecordReader::complete_record(const Dialect& dialect) {
    for (;;) {
        const RecordEnd record = find_record_end(unread(), dialect, ended_);
        if (record.end > most_) {
            refuse_length(next_line_);
        }
        if (record.complete && record.in_quotes) {
            throw InvalidArgument(
                fmt::format("{}: line {}: a quote that opens a field is not closed up to the table's end",
                            path_, next_line_));
        }
        if (record.complete) {
            return record;
        }
        read_more(0);
    }
}

bool RecordReader::next(std::string_view& record, const Dialect& dialect) {
    for (;;) {
        if (at_ == filled_ && ended_) {
            return false;
        }
        const RecordEnd found = complete_record(dialect);
        record = unread().substr(0, found.end);
        if (record.empty() && found.next == 0) {  // no bytes are left
            return false;
        }
        check_text(record);
        at_ += found.next;
        line_ = next_line_;
        next_line_ += found.lines;
        if (!record.empty()) {
            return true;
        }
    }
}

}  // namespace stackae::data
