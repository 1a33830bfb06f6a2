#pragma once

#include <cstdint>
#include <string>

#include "stackae/interactions.hpp"

#include "base/random.hpp"

namespace stackae::test {

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
