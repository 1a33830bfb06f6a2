#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace stackae::search {

/// Numbers for names: 0 for the first in byte order, and so on.
class LabelEncoder {
public:
    explicit LabelEncoder(const std::vector<std::string>& names) : names_(names) {
        std::sort(names_.begin(), names_.end());
        names_.erase(std::unique(names_.begin(), names_.end()), names_.end());
        numbers_.reserve(names.size());
        for (const std::string& name : names) {
            numbers_.push_back(std::lower_bound(names_.begin(), names_.end(), name) - names_.begin());
        }
    }

    [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(names_.size()); }
    /// Of each name that was given, in order.
    [[nodiscard]] const std::vector<std::int64_t>& numbers() const { return numbers_; }
    /// The names by their numbers.
    [[nodiscard]] const std::vector<std::string>& names() const { return names_; }

private:
    std::vector<std::string> names_;
    std::vector<std::int64_t> numbers_;
};

}  // namespace stackae::search
