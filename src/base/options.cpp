#include "stackae/options.hpp"

#include <cstdint>
#include <fmt/format.h>
#include <optional>
#include <type_traits>

#include "stackae/corruption.hpp"
#include "stackae/error.hpp"
#include "stackae/interactions.hpp"
#include "stackae/loss_kind.hpp"
#include "stackae/optimizer_config.hpp"

#include "base/fields.hpp"

namespace stackae {
namespace {

template <class Value>
constexpr bool is_ranged = std::is_arithmetic_v<Value> && !std::is_same_v<Value, bool>;
template <class Value>
constexpr bool is_ranged<std::optional<Value>> = is_ranged<Value>;

}  // namespace

void OptionSet::add(const Row& row) {
    rows_.push_back(row);
}

void OptionSet::fields(base::FieldTable& table) {
    for (const Row& row : rows_) {
        row.add(table, row, reinterpret_cast<char*>(this) + row.offset);
    }
}

base::FieldTable base::fields_of(const OptionSet& options) {
    FieldTable table;
    const_cast<OptionSet&>(options).fields(table);
    return table;
}

std::vector<OptionInfo> OptionSet::describe() const {
    std::vector<OptionInfo> options;
    for (const auto& field : base::fields_of(*this)) {
        options.push_back(
            {field->name(), field->alias(), field->expected(), field->text(), field->help(), field->kind()});
    }
    return options;
}

void OptionSet::set(std::string_view name, std::string_view value) {
    base::FieldTable table;
    fields(table);
    base::Field* const field = table.find(name);
    if (field == nullptr) {
        throw InvalidArgument(fmt::format("\"{}\" found, one of {} expected", name, table.names()));
    }
    field->parse(value);
}

template <class Value>
void OptionSet::add_row(base::FieldTable& table, const Row& row, void* value) {
    auto& of_type = *static_cast<Value*>(value);
    if constexpr (is_ranged<Value>) {
        table.add(row.name, of_type, row.range, row.help);
    } else {
        table.add(row.name, of_type, row.help);
    }
}

// The types that options may have.
template void OptionSet::add_row<bool>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<std::int64_t>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<std::uint64_t>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<double>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<std::string>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<std::optional<bool>>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<std::optional<double>>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<std::optional<std::int64_t>>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<LossKind>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<std::optional<LossKind>>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<Corruption>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<OptimizerKind>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<ScheduleKind>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<TableRow>(base::FieldTable&, const Row&, void*);

}  // namespace stackae
