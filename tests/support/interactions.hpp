#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "stackae/interactions.hpp"

#include "base/random.hpp"

namespace stackae::test {

/// A table of users `u0`, `u1`, … and so many items `i0`, `i1`, …; rows: each user's items, rising. All
/// values are 1.
inline Interactions table(const std::vector<std::vector<std::int32_t>>& rows, std::int64_t items) {
    Interactions result;
    for (std::int64_t i = 0; i < items; ++i) {
        result.items.push_back("i" + std::to_string(i));
    }
    for (const auto& row : rows) {
        result.users.push_back("u" + std::to_string(result.users.size()));
        result.columns.insert(result.columns.end(), row.begin(), row.end());
        result.offsets.push_back(std::ssize(result.columns));
    }
    result.values.assign(result.columns.size(), 1.0F);
    return result;
}

/// Users with 0 to most items; the first items are the most frequent ones. Values are whole, from 1 to
/// max_value.
inline Interactions random_table(std::int64_t users, std::int64_t items, std::int64_t most,
                                 std::uint32_t stream, std::int64_t max_value = 1) {
    std::vector<std::vector<std::int32_t>> rows;
    for (std::int64_t user = 0; user < users; ++user) {
        const base::Random random(21, base::RandomStream::plan, stream, static_cast<std::uint32_t>(user));
        const auto count = random.below(0, static_cast<std::uint64_t>(most + 1));
        auto& row = rows.emplace_back();
        for (std::uint32_t i = 1; i <= count; ++i) {
            const float place = base::Random::uniform(random.block(i)[0]);
            row.push_back(static_cast<std::int32_t>(place * place * static_cast<float>(items)));
        }
        std::sort(row.begin(), row.end());
        row.erase(std::unique(row.begin(), row.end()), row.end());
    }
    Interactions result = table(rows, items);
    const base::Random random(22, base::RandomStream::plan, stream);
    for (std::uint32_t i = 0; i < result.values.size(); ++i) {
        result.values[i] = static_cast<float>(1 + random.below(i, static_cast<std::uint64_t>(max_value)));
    }
    return result;
}

/// Users of two tastes: of the items, the first half or the second, most of the time. Everyone has 3 to 8.
inline Interactions two_tastes(std::int64_t users, std::int64_t items = 20) {
    Interactions table;
    for (std::int64_t i = 0; i < items; ++i) {
        table.items.push_back("item " + std::to_string(i));
    }
    const base::Random random(9, base::RandomStream::plan);
    std::uint32_t at = 0;
    for (std::int64_t u = 0; u < users; ++u) {
        table.users.push_back("user " + std::to_string(u));
        const auto half = static_cast<std::uint64_t>(items / 2);
        std::vector<bool> has(static_cast<std::size_t>(items));
        const std::uint64_t count = 3 + random.below(at++, 6);
        for (std::uint64_t k = 0; k < count; ++k) {
            const bool own = random.below(at++, 10) > 0;
            const bool upper = own == (u % 2 == 1);
            has[random.below(at++, half) + (upper ? half : 0)] = true;
        }
        for (std::size_t i = 0; i < has.size(); ++i) {
            if (has[i]) {
                table.columns.push_back(static_cast<std::int32_t>(i));
                table.values.push_back(1.0F);
            }
        }
        table.offsets.push_back(std::ssize(table.columns));
    }
    return table;
}

}  // namespace stackae::test
