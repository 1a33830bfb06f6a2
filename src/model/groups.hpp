#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "stackae/image_dataset.hpp"

#include "base/random.hpp"

namespace stackae {

/// Numbers for the groups of pictures, as they come: pictures of one group get the same, one without a group
/// a number of its own.
class GroupNumbers {
public:
    void add(const std::optional<std::string>& group) {
        any_ = any_ || group.has_value();
        const std::int64_t next = count_;
        const std::int64_t number = group ? numbers_.try_emplace(*group, next).first->second : next;
        count_ += number == next ? 1 : 0;
        all_.push_back(number);
    }
    /// Of each picture; none where no picture has a group. Leaves nothing behind.
    [[nodiscard]] std::vector<std::int64_t> take() {
        return any_ ? std::move(all_) : std::vector<std::int64_t>();
    }

private:
    std::map<std::string, std::int64_t> numbers_;
    std::vector<std::int64_t> all_;
    std::int64_t count_ = 0;
    bool any_ = false;
};

/// The labels and groups of pictures that were read.
struct LabelsSeen {
    std::set<std::string> classes;
    GroupNumbers groups;

    void add(const ImageEntry& entry) {
        if (entry.label) {
            classes.insert(*entry.label);
        }
        groups.add(entry.group);
    }
};

/// Rows of each group, in the order in which groups come first.
[[nodiscard]] std::vector<std::vector<std::int64_t>> rows_by_group(std::span<const std::int64_t> groups);

/// The part of each row, so that groups stay whole: they are shuffled, and each goes to the part that has
/// least of its classes so far, a class counted as a share of its rows; of equal ones to that of fewest rows.
/// Parts may stay empty where groups are few. labels: a class of each row, or −1.
[[nodiscard]] std::vector<std::int64_t> deal_groups(std::span<const std::int64_t> labels,
                                                    std::span<const std::int64_t> groups, std::int64_t parts,
                                                    const base::Random& random);

}  // namespace stackae
