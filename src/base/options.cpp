#include "stackae/options.hpp"

#include <cstdint>
#include <optional>
#include <type_traits>

#include "stackae/corruption.hpp"
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

void OptionSet::fields(base::FieldTable& table) {
    for (const Row& row : rows_) {
        row.add(table, row, reinterpret_cast<char*>(this) + row.offset);
    }
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
template void OptionSet::add_row<std::optional<double>>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<std::optional<std::int64_t>>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<LossKind>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<std::optional<LossKind>>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<Corruption>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<OptimizerKind>(base::FieldTable&, const Row&, void*);
template void OptionSet::add_row<ScheduleKind>(base::FieldTable&, const Row&, void*);

}  // namespace stackae
