#pragma once

#include <algorithm>
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

/// The `capacity` best rows seen so far, as a heap with the worst on top.
class TopK {
public:
    /// Forgets everything; keeps its memory.
    void reset(std::int64_t capacity) {
        capacity_ = static_cast<std::size_t>(capacity);
        heap_.clear();
        heap_.reserve(capacity_);
        worst_ =
            capacity == 0 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::infinity();
    }

    /// A score must lie below this to get in: infinite until `capacity` rows are there. Rows come in
    /// ascending order, so that an equal score loses to the one that is there.
    [[nodiscard]] float worst() const { return worst_; }

    /// Precondition: score < worst().
    void push(float score, std::int64_t row) {
        if (heap_.size() == capacity_) {
            std::pop_heap(heap_.begin(), heap_.end());
            heap_.pop_back();
        }
        heap_.push_back({score, row});
        std::push_heap(heap_.begin(), heap_.end());
        if (heap_.size() == capacity_) {
            worst_ = heap_.front().score;
        }
    }

    /// In no order.
    [[nodiscard]] const std::vector<Scored<float>>& rows() const { return heap_; }

private:
    std::size_t capacity_ = 0;
    float worst_ = std::numeric_limits<float>::infinity();
    std::vector<Scored<float>> heap_;
};

}  // namespace stackae::search
