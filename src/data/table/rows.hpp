#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/interactions_file.hpp"

#include "data/table/builder.hpp"
#include "data/table/record_reader.hpp"
#include "data/table/shape.hpp"

namespace stackae::data {

/// Counts what is left out, by reason.
class LeftOutCounts {
public:
    /// sink: told of each, where there is one; must outlive it.
    explicit LeftOutCounts(const LeftOutSink& sink) : sink_(sink) {}

    void add(LeftOutReason reason, std::int64_t line) {
        if (sink_) {
            sink_(line, reason);
        }
        LeftOut& of_reason = counts_[static_cast<std::size_t>(reason)];
        of_reason.first_line = of_reason.count++ == 0 ? line : of_reason.first_line;
    }
    [[nodiscard]] std::int64_t of(LeftOutReason reason) const {
        return counts_[static_cast<std::size_t>(reason)].count;
    }
    /// Of the reasons that occurred.
    [[nodiscard]] std::vector<LeftOut> list() const;

private:
    const LeftOutSink& sink_;
    std::array<LeftOut, static_cast<std::size_t>(LeftOutReason::misplaced_quote) + 1> counts_{};
};

/// Rows on their way from the reader to the builder.
struct TableRows {
    RecordReader& reader;
    const TableShape& shape;
    const TableOptions& options;
    const std::string& path;
    InteractionsBuilder& builder;
    LeftOutCounts& left_out;
    std::int64_t rows = 0;  ///< read

    /// The next row, with its quotes in order; others are counted.
    bool next(std::string_view& record);
    void leave_out(LeftOutReason reason) { left_out.add(reason, reader.line()); }
};

/// Each reads all rows of its format. They throw what the reader and the builder throw, InvalidArgument.
void read_triples(TableRows& rows);
/// Returns the shape on one line; see describe().
[[nodiscard]] std::string read_matrix(TableRows& rows);
/// Baskets and lists.
void read_lines(TableRows& rows);

}  // namespace stackae::data
