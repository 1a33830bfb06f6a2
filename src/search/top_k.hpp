#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace stackae::search {

/// A row and its score; the lower score, then the lower row, comes first.
template <class Score>
struct Scored {
    Score score{};
    std::int64_t row = 0;

    friend bool operator<(const Scored& a, const Scored& b) {
        return a.score < b.score || (a.score == b.score && a.row < b.row);
    }
};

/// The `capacity` best rows seen so far, and some that came since the worse ones were last dropped.
class TopK {
public:
    /// Forgets everything; keeps its memory.
    void reset(std::int64_t capacity) {
        capacity_ = static_cast<std::size_t>(capacity);
        most_ = capacity_ + std::max(min_spare, capacity_ / 2);
        rows_.clear();
        rows_.reserve(most_);
        worst_ =
            capacity == 0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
    }

    /// A score must lie below this to get in. Rows come in ascending order, so that an equal score loses to
    /// the one that is there.
    [[nodiscard]] float worst() const { return worst_; }

    /// Precondition: score < worst().
    void push(float score, std::int64_t row) {
        rows_.push_back({score, row});
        if (rows_.size() == most_) {
            drop_worse();
        }
    }

    /// The best rows, in no order. worst() is then the score of the worst of them, and infinite where there
    /// are fewer than `capacity`.
    const std::vector<Scored<float>>& settle() {
        if (rows_.size() >= capacity_ && capacity_ > 0) {
            drop_worse();
        }
        return rows_;
    }

private:
    static constexpr std::size_t min_spare = 16;

    void drop_worse() {
        const auto last = rows_.begin() + static_cast<std::ptrdiff_t>(capacity_) - 1;
        std::nth_element(rows_.begin(), last, rows_.end());
        worst_ = last->score;
        rows_.resize(capacity_);
    }

    std::size_t capacity_ = 0;
    std::size_t most_ = 0;  ///< rows, at which the worse ones are dropped
    float worst_ = std::numeric_limits<float>::infinity();
    std::vector<Scored<float>> rows_;
};

}  // namespace stackae::search
