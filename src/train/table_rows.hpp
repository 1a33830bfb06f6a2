#pragma once

#include <algorithm>
#include <cstdint>
#include <fmt/format.h>
#include <span>

#include "stackae/error.hpp"
#include "stackae/interactions.hpp"
#include "stackae/layer.hpp"
#include "stackae/train_config.hpp"

#include "base/row_source.hpp"
#include "layers/autoencoder.hpp"

namespace stackae::training {

/// A table's rows, which are made dense where they are asked for so. The table must outlive it.
class TableRows : public base::RowSource {
public:
    explicit TableRows(const Interactions& table) : table_(table) {}

    [[nodiscard]] std::int64_t columns() const override { return table_.item_count(); }
    [[nodiscard]] bool is_sparse() const override { return true; }
    void gather(std::span<const std::int64_t> indices, float* dst) const override {
        std::fill_n(dst, std::ssize(indices) * columns(), 0.0F);
        for (const std::int64_t user : indices) {
            const auto items = table_.items_of(user);
            const auto values = table_.values_of(user);
            for (std::size_t i = 0; i < items.size(); ++i) {
                dst[items[i]] = values[i];
            }
            dst += columns();
        }
    }
    void gather_sparse(std::span<const std::int64_t> indices, base::SparseRows& rows) const override {
        for (const std::int64_t user : indices) {
            const auto items = table_.items_of(user);
            const auto values = table_.values_of(user);
            rows.columns.insert(rows.columns.end(), items.begin(), items.end());
            rows.values.insert(rows.values.end(), values.begin(), values.end());
            rows.offsets.push_back(rows.entries());
        }
    }

private:
    const Interactions& table_;
};

/// As check(table); and decoders that learn by gradients are made for values from 0 to 1, unless their loss
/// is of observations. Throws InvalidArgument.
inline void check_table(const Interactions& table, const TrainConfig& config) {
    check(table);
    const Stack& stack = config.stack;
    const bool any_value = (*config.loss).has_value() && of_observations(**config.loss);
    if (*config.loss == LossKind::masked_squared_error && !table.values.empty() &&
        std::equal(table.values.begin() + 1, table.values.end(), table.values.begin())) {
        throw InvalidArgument(
            fmt::format("table: every value is {}; ratings that differ expected by masked_squared_error",
                        table.values.front()));
    }
    const bool by_gradients = !any_value && !stack.empty() && stack[0].is_trained() && stack[0].autoencoder();
    const auto above =
        std::find_if(table.values.begin(), table.values.end(), [](float value) { return value > 1.0F; });
    if (by_gradients && above != table.values.end()) {
        throw InvalidArgument(
            fmt::format("table: a value of {} found, 0 to 1 expected by {}", *above, stack[0].type()));
    }
}

/// The table that is learnt from row by row: itself, or turned where items are the rows. Throws as
/// check_table().
inline const Interactions& rows_to_learn(const Interactions& table, const TrainConfig& config,
                                         Interactions& turned) {
    check_table(table, config);
    if (config.rows == TableRow::user) {
        return table;
    }
    turned = transposed(table);
    return turned;
}

}  // namespace stackae::training
