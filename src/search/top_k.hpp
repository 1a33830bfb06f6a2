#pragma once

#include <algorithm>
#include <cmath>
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

/// The best rows seen so far: the `wanted` best and, of those whose scores are less than `slack` above the
/// last of them, as many as there is room for. Where there is room for more than a few, all that there is
/// room for.
class TopK {
public:
    /// Forgets everything; keeps its memory.
    void reset(std::int64_t capacity) { reset(capacity, capacity, 0.0F); }
    /// slack: of scores that are known up to ± slack / 2, no row that may be among the `wanted` best is lost
    /// but for want of room. bound: a guess that so many scores don't exceed; what is not less than slack
    /// above it doesn't get in, and keeps_to_bound() tells whether that was right. Precondition: wanted <=
    /// capacity, and 1 <= wanted where capacity is not 0.
    void reset(std::int64_t capacity, std::int64_t wanted, float slack,
               float bound = std::numeric_limits<float>::infinity()) {
        constexpr float infinite = std::numeric_limits<float>::infinity();
        capacity_ = static_cast<std::size_t>(capacity);
        most_ = capacity_ + std::max(min_spare, capacity_ / 2);
        wanted_ = static_cast<std::size_t>(wanted);
        slack_ = slack;
        bound_ = bound;
        rows_.clear();
        rows_.reserve(most_);
        worst_ = capacity == 0 ? -infinite : std::nextafter(bound + slack, infinite);
    }

    /// As many as wanted don't exceed the bound.
    [[nodiscard]] bool keeps_to_bound() const {
        const auto within = std::count_if(rows_.begin(), rows_.end(),
                                          [&](const Scored<float>& row) { return row.score <= bound_; });
        return static_cast<std::size_t>(within) >= wanted_;
    }

    /// A score must lie below this to get in. Rows come in ascending order, so that an equal score loses to
    /// the one that is there.
    [[nodiscard]] float worst() const { return worst_; }

    /// Precondition: score < worst().
    void push(float score, std::int64_t row) {
        if (capacity_ <= few) {
            insert({score, row});
            return;
        }
        rows_.push_back({score, row});
        if (rows_.size() == most_) {
            drop_worse();
        }
    }

    /// The best rows, in no order: every row that is not among them has a score of worst() or more, if they
    /// keep to the bound. Where that is infinite none was dropped.
    const std::vector<Scored<float>>& settle() {
        if (capacity_ > few && rows_.size() >= capacity_) {
            drop_worse();
        }
        while (!rows_.empty() && rows_.back().score > worst_) {
            rows_.pop_back();
        }
        return rows_;
    }

private:
    static constexpr std::size_t few = 64;  ///< rows that are kept in order; more are sorted out now and then
    static constexpr std::size_t min_spare = 16;

    void insert(const Scored<float>& candidate) {
        if (rows_.size() < capacity_) {
            rows_.push_back(candidate);
        }
        std::size_t to = rows_.size() - 1;
        for (; to > 0 && candidate.score < rows_[to - 1].score; --to) {
            rows_[to] = rows_[to - 1];
        }
        rows_[to] = candidate;
        if (rows_.size() >= wanted_) {
            const float last = rows_[wanted_ - 1].score + slack_;
            worst_ = rows_.size() == capacity_ ? std::min(last, rows_.back().score) : last;
        }
    }

    void drop_worse() {
        const auto last = rows_.begin() + static_cast<std::ptrdiff_t>(capacity_) - 1;
        std::nth_element(rows_.begin(), last, rows_.end());
        worst_ = last->score;
        rows_.resize(capacity_);
    }

    std::size_t capacity_ = 0;
    std::size_t wanted_ = 0;
    float slack_ = 0.0F;
    float bound_ = std::numeric_limits<float>::infinity();
    std::size_t most_ = 0;  ///< rows, at which the worse ones are dropped
    float worst_ = std::numeric_limits<float>::infinity();
    std::vector<Scored<float>> rows_;
};

}  // namespace stackae::search
