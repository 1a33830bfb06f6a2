#include <optional>

#include "data/table/names.hpp"
#include "data/table/rows.hpp"

namespace stackae::data {
namespace {

/// The columns of a row that count.
struct Triple {
    std::string user;
    std::string item;
    std::string value;
    std::int64_t width = 0;

    void read(std::string_view record, const TableShape& shape) {
        user.clear();
        item.clear();
        value.clear();
        width = 0;
        Fields fields(record, shape.dialect);
        for (std::string_view field; fields.next(field); ++width) {
            if (width == shape.user) {
                user = field;
            } else if (width == shape.item) {
                item = field;
            } else if (width == shape.rating) {
                value = field;
            }
        }
    }
};

}  // namespace

void read_triples(TableRows& rows) {
    Triple triple;
    std::string_view record;
    if (rows.shape.header) {
        rows.reader.next(record, rows.shape.dialect);
    }
    while (rows.next(record)) {
        triple.read(record, rows.shape);
        if (trim_blanks(triple.user).empty()) {
            rows.leave_out(LeftOutReason::no_user);
            continue;
        }
        if (trim_blanks(triple.item).empty()) {
            rows.leave_out(LeftOutReason::no_item);
            continue;
        }
        if (triple.width != rows.shape.width) {
            rows.leave_out(LeftOutReason::other_width);
            continue;
        }
        const std::optional<double> value =
            rows.shape.rating < 0 ? std::optional(1.0) : parse_number(triple.value);
        if (!value || *value <= 0.0) {
            rows.leave_out(value ? LeftOutReason::not_positive : LeftOutReason::unreadable_number);
            continue;
        }
        const std::int32_t user = rows.builder.user(triple.user);
        rows.builder.add(user, rows.builder.item(triple.item), *value);
    }
}

}  // namespace stackae::data
