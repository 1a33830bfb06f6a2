#include "stackae/interactions.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "stackae/error.hpp"

#include "base/enum_names.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<ValueMode> = base::names_of<ValueMode>(
    "value", {{ValueMode::binary, "binary"}, {ValueMode::log, "log"}, {ValueMode::raw, "raw"}});
template const char* name(ValueMode);
template ValueMode parse(std::string_view);

namespace {

[[noreturn]] void refuse(const std::string& what) {
    throw InvalidArgument("table: " + what);
}

/// Ids are not named: they may be of persons. may_be_nobody(i): whether it may be empty.
template <class MayBeNobody>
void check_ids(const std::vector<std::string>& ids, const char* of, const MayBeNobody& may_be_nobody) {
    std::unordered_set<std::string_view> seen;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        if (ids[i].empty() && may_be_nobody(i)) {
            continue;
        }
        if (ids[i].empty() || ids[i].find('\0') != std::string::npos) {
            refuse(fmt::format("{} {}: an id that is empty or has a zero byte found", of, i + 1));
        }
        if (!seen.insert(ids[i]).second) {
            refuse(fmt::format("{} {}: an id that another one has found", of, i + 1));
        }
    }
}

void check_row(const Interactions& table, std::int64_t user) {
    const auto items = table.items_of(user);
    const auto values = table.values_of(user);
    std::int64_t before = -1;
    for (std::size_t i = 0; i < items.size(); ++i) {
        if (items[i] <= before || items[i] >= table.item_count()) {
            refuse(fmt::format("user {}: item {} found, rising numbers below {} expected", user + 1, items[i],
                               table.item_count()));
        }
        before = items[i];
        if (!(values[i] > 0.0F) || !std::isfinite(values[i])) {
            refuse(fmt::format("user {}: a value of {} found, finite ones above 0 expected", user + 1,
                               values[i]));
        }
    }
}

}  // namespace

Interactions transposed(const Interactions& table) {
    Interactions turned;
    turned.users = table.items;
    turned.items = table.users;
    turned.value_mode = table.value_mode;
    turned.offsets.assign(table.items.size() + 1, 0);
    turned.columns.resize(table.columns.size());
    turned.values.resize(table.values.size());
    for (const std::int32_t item : table.columns) {
        ++turned.offsets[static_cast<std::size_t>(item) + 1];
    }
    std::partial_sum(turned.offsets.begin(), turned.offsets.end(), turned.offsets.begin());
    std::vector<std::int64_t> next(turned.offsets.begin(), turned.offsets.end() - 1);
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        const auto items = table.items_of(user);
        for (std::size_t i = 0; i < items.size(); ++i) {
            const auto at = static_cast<std::size_t>(next[static_cast<std::size_t>(items[i])]++);
            turned.columns[at] = static_cast<std::int32_t>(user);
            turned.values[at] = table.values_of(user)[i];
        }
    }
    return turned;
}

void check(const Interactions& table) {
    if (table.items.empty()) {
        refuse("no item found, at least 1 expected");
    }
    bool fits = !table.offsets.empty() && table.offsets.front() == 0 &&
                table.offsets.back() == table.entry_count() &&
                std::ssize(table.users) == table.user_count() && table.values.size() == table.columns.size();
    for (std::size_t i = 1; fits && i < table.offsets.size(); ++i) {
        fits = table.offsets[i] >= table.offsets[i - 1];
    }
    if (!fits) {
        refuse(fmt::format("{} users, {} offsets, {} items of theirs and {} values found, which do not fit",
                           table.users.size(), table.offsets.size(), table.columns.size(),
                           table.values.size()));
    }
    check_ids(table.users, "user",
              [&](std::size_t i) { return table.items_of(static_cast<std::int64_t>(i)).empty(); });
    check_ids(table.items, "item", [](std::size_t /*i*/) { return false; });
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        check_row(table, user);
    }
}

std::vector<std::int32_t> numbers_among(const std::vector<std::string>& others,
                                        const std::vector<std::string>& ids) {
    std::unordered_map<std::string_view, std::int32_t> known;
    known.reserve(others.size());
    for (const std::string& other : others) {
        known.emplace(other, static_cast<std::int32_t>(known.size()));
    }
    std::vector<std::int32_t> numbers;
    numbers.reserve(ids.size());
    for (const std::string& id : ids) {
        const auto found = known.find(id);
        numbers.push_back(found == known.end() ? -1 : found->second);
    }
    return numbers;
}

std::vector<std::int64_t> item_counts(const Interactions& table) {
    std::vector<std::int64_t> counts(table.items.size());
    for (const std::int32_t item : table.columns) {
        ++counts[static_cast<std::size_t>(item)];
    }
    return counts;
}

Tensor dense_rows(const Interactions& table, std::int64_t first, std::int64_t count) {
    Tensor rows({count, table.item_count()});
    for (std::int64_t i = 0; i < count; ++i) {
        const auto items = table.items_of(first + i);
        const auto values = table.values_of(first + i);
        for (std::size_t k = 0; k < items.size(); ++k) {
            rows.row(i)[static_cast<std::size_t>(items[k])] = values[k];
        }
    }
    return rows;
}

Interactions with_items(const Interactions& table, const std::vector<std::string>& items) {
    const std::vector<std::int32_t> numbers = numbers_among(items, table.items);
    Interactions same;
    same.users = table.users;
    same.items = items;
    same.value_mode = table.value_mode;
    std::vector<std::pair<std::int32_t, float>> entries;
    for (std::int64_t user = 0; user < table.user_count(); ++user) {
        const auto columns = table.items_of(user);
        entries.clear();
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::int32_t number = numbers[static_cast<std::size_t>(columns[i])];
            if (number >= 0) {
                entries.emplace_back(number, table.values_of(user)[i]);
            }
        }
        std::sort(entries.begin(), entries.end());
        for (const auto& [column, value] : entries) {
            same.columns.push_back(column);
            same.values.push_back(value);
        }
        same.offsets.push_back(same.entry_count());
    }
    return same;
}

}  // namespace stackae
