#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

namespace stackae::data {

/// Ids, numbered in the order in which they first appear.
class IdTable {
public:
    IdTable() = default;
    IdTable(const IdTable&) = delete;
    IdTable& operator=(const IdTable&) = delete;

    [[nodiscard]] std::int64_t size() const { return std::ssize(ids_); }
    /// The id's number, or −1.
    [[nodiscard]] std::int32_t find(std::string_view id) const {
        const auto found = numbers_.find(id);
        return found == numbers_.end() ? -1 : *found;
    }
    /// Of an id that is not there; fewer than 2³¹ − 1 must be.
    std::int32_t add(std::string_view id) {
        const auto number = static_cast<std::int32_t>(ids_.size());
        ids_.emplace_back(id);
        numbers_.insert(number);
        return number;
    }
    /// All ids; none are left.
    [[nodiscard]] std::vector<std::string> release() {
        numbers_.clear();
        return std::exchange(ids_, {});
    }

private:
    struct Hash {
        using is_transparent = void;
        const std::vector<std::string>& ids;
        std::size_t operator()(std::string_view id) const { return std::hash<std::string_view>{}(id); }
        std::size_t operator()(std::int32_t i) const { return (*this)(ids[static_cast<std::size_t>(i)]); }
    };
    struct Equal {
        using is_transparent = void;
        const std::vector<std::string>& ids;
        bool operator()(std::int32_t a, std::int32_t b) const { return a == b; }
        bool operator()(std::string_view a, std::int32_t b) const {
            return a == ids[static_cast<std::size_t>(b)];
        }
        bool operator()(std::int32_t a, std::string_view b) const { return (*this)(b, a); }
    };

    std::vector<std::string> ids_;
    std::unordered_set<std::int32_t, Hash, Equal> numbers_{0, Hash{ids_}, Equal{ids_}};
};

}  // namespace stackae::data
