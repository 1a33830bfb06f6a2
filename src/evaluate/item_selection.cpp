#include "evaluate/item_selection.hpp"

#include <algorithm>
#include <numeric>

#include "base/rows.hpp"

namespace stackae::evaluation {
namespace {

using base::at;

/// Those for which `selected`, a value an item, is not 0.
ItemSelection select(const Interactions& table, const std::vector<std::uint8_t>& selected) {
    ItemSelection selection;
    selection.number.assign(selected.size(), -1);
    for (std::size_t item = 0; item < selected.size(); ++item) {
        if (selected[item] != 0) {
            selection.number[item] = static_cast<std::int32_t>(selection.items.size());
            selection.items.push_back(table.items[item]);
        }
    }
    return selection;
}

}  // namespace

ItemSelection items_of_users(const Interactions& table, const std::vector<std::int64_t>& users) {
    std::vector<std::uint8_t> selected(at(table.item_count()));
    for (const std::int64_t user : users) {
        for (const std::int32_t item : table.items_of(user)) {
            selected[at(item)] = 1;
        }
    }
    return select(table, selected);
}

ItemSelection most_frequent_items(const Interactions& table, std::int64_t count) {
    const std::vector<std::int64_t> counts = item_counts(table);
    std::vector<std::size_t> order(counts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    const auto end = order.begin() + std::min(count, std::ssize(order));
    std::partial_sort(order.begin(), end, order.end(), [&](std::size_t a, std::size_t b) {
        return counts[a] > counts[b] || (counts[a] == counts[b] && a < b);
    });
    std::vector<std::uint8_t> selected(counts.size());
    std::for_each(order.begin(), end, [&](std::size_t item) { selected[item] = 1; });
    return select(table, selected);
}

Interactions keep(const Interactions& table, const std::vector<std::int64_t>& users,
                  const ItemSelection& selection) {
    Interactions kept;
    kept.items = selection.items;
    kept.value_mode = table.value_mode;
    for (const std::int64_t user : users) {
        const auto items = table.items_of(user);
        const auto values = table.values_of(user);
        for (std::size_t i = 0; i < items.size(); ++i) {
            const std::int32_t item = selection.number[at(items[i])];
            if (item >= 0) {
                kept.columns.push_back(item);
                kept.values.push_back(values[i]);
            }
        }
        kept.users.push_back(table.users[at(user)]);
        kept.offsets.push_back(kept.entry_count());
    }
    return kept;
}

Interactions keep(const Interactions& table, const ItemSelection& selection) {
    std::vector<std::int64_t> all(at(table.user_count()));
    std::iota(all.begin(), all.end(), std::int64_t{0});
    return keep(table, all, selection);
}

}  // namespace stackae::evaluation
