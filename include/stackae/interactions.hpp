#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// What becomes of the values r > 0 that a user's rows have for one item; without a column of values, r = 1.
/// Has names.
enum class ValueMode {
    binary,  ///< 1
    log,     ///< log(1 + Σ r)
    raw,     ///< Σ r
};

/// Who took what: users × items, sparse, by rows (CSR). Ids are texts, kept byte for byte.
struct Interactions {
    std::vector<std::string> users;  ///< empty: nobody any more, without entries, see forget_user()
    std::vector<std::string> items;
    std::vector<std::int64_t> offsets{0};  ///< where each user's entries begin, and where the last one's end
    std::vector<std::int32_t> columns;     ///< the item of each entry, rising within a user
    std::vector<float> values;             ///< of each entry: above 0
    ValueMode value_mode = ValueMode::binary;  ///< what they are

    [[nodiscard]] std::int64_t user_count() const { return std::ssize(offsets) - 1; }
    [[nodiscard]] std::int64_t item_count() const { return std::ssize(items); }
    [[nodiscard]] std::int64_t entry_count() const { return std::ssize(columns); }
    /// A user's items, and the values that go with them.
    [[nodiscard]] std::span<const std::int32_t> items_of(std::int64_t user) const {
        return std::span(columns).subspan(begin(user), begin(user + 1) - begin(user));
    }
    [[nodiscard]] std::span<const float> values_of(std::int64_t user) const {
        return std::span(values).subspan(begin(user), begin(user + 1) - begin(user));
    }

    friend bool operator==(const Interactions&, const Interactions&) = default;

private:
    [[nodiscard]] std::size_t begin(std::int64_t user) const {
        return static_cast<std::size_t>(offsets[static_cast<std::size_t>(user)]);
    }
};

/// An entry on its own: what a user gives an item, by their numbers.
struct Rating {
    std::int64_t user = 0;
    std::int64_t item = 0;
    float value = 0.0F;
};

/// Which side of a table is a row to learn from. Has names.
enum class TableRow {
    user,  ///< with a value an item
    item,  ///< with a value a user
};

/// Items as users, and users as items.
[[nodiscard]] Interactions transposed(const Interactions& table);

/// Throws InvalidArgument where extents do not fit one another, a user's items do not rise or are none of the
/// table's, a value is not above 0 or not finite, an id is empty, has a zero byte or comes twice, or there is
/// no item.
void check(const Interactions& table);

/// Of each id its number among others, which are all different; −1 of one that is not there.
[[nodiscard]] std::vector<std::int32_t> numbers_among(const std::vector<std::string>& others,
                                                      const std::vector<std::string>& ids);
/// The number of users who have each item.
[[nodiscard]] std::vector<std::int64_t> item_counts(const Interactions& table);
/// Rows [first, first + count) with a value for each item: count × items.
[[nodiscard]] Tensor dense_rows(const Interactions& table, std::int64_t first, std::int64_t count);
/// The same users with other items, by their ids; entries of items that are not among them are left out.
[[nodiscard]] Interactions with_items(const Interactions& table, const std::vector<std::string>& items);

}  // namespace stackae
