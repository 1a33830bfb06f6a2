#include <fmt/format.h>

#include "data/table/rows.hpp"

namespace stackae::data {

void read_lines(TableRows& rows) {
    const bool named = rows.shape.format == TableFormat::lists;
    std::string_view record;
    std::string_view field;
    while (rows.next(record)) {
        Fields fields(record, rows.shape.dialect);
        std::int32_t user = -1;
        if (named) {
            if (!fields.next(field) || field.empty()) {
                rows.leave_out(LeftOutReason::no_user);
                continue;
            }
            user = rows.builder.user(field);
        }
        while (fields.next(field)) {
            if (trim_blanks(field).empty()) {
                continue;  // lines may be filled up to one width
            }
            if (user < 0) {
                user = rows.builder.user(fmt::format("{}", rows.reader.line()));
            }
            rows.builder.add(user, rows.builder.item(field), 1.0);
        }
        if (user < 0) {
            rows.leave_out(LeftOutReason::no_item);
        }
    }
}

}  // namespace stackae::data
