#pragma once

#include <algorithm>
#include <cstdint>
#include <span>

#include "stackae/interactions.hpp"

#include "base/row_source.hpp"

namespace stackae::training {

/// A table's rows as dense ones, which are made where they are asked for. The table must outlive it.
class TableRows : public base::RowSource {
public:
    explicit TableRows(const Interactions& table) : table_(table) {}

    [[nodiscard]] std::int64_t columns() const override { return table_.item_count(); }
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

private:
    const Interactions& table_;
};

}  // namespace stackae::training
