#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stackae/interactions.hpp"

namespace stackae::evaluation {

/// Some of a table's items, in its order.
struct ItemSelection {
    std::vector<std::string> items;
    std::vector<std::int32_t> number;  ///< of each of the table's items; −1 of those that are not selected
};

/// The items that some of these users have.
[[nodiscard]] ItemSelection items_of_users(const Interactions& table, const std::vector<std::int64_t>& users);
/// The `count` items that most users have, of equal ones the first; all where there are not as many.
[[nodiscard]] ItemSelection most_frequent_items(const Interactions& table, std::int64_t count);

/// These users, with the selected items alone.
[[nodiscard]] Interactions keep(const Interactions& table, const std::vector<std::int64_t>& users,
                                const ItemSelection& selection);
/// All users, with the selected items alone.
[[nodiscard]] Interactions keep(const Interactions& table, const ItemSelection& selection);

}  // namespace stackae::evaluation
