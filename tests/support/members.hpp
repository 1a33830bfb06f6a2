#pragma once

#include <algorithm>
#include <barrier>
#include <cstddef>
#include <deque>
#include <functional>
#include <span>
#include <thread>
#include <vector>

#include "base/communicator.hpp"

namespace stackae::test {

/// Members in one process: sums are taken in the order of ranks, by each for itself.
class Members {
public:
    explicit Members(int size) : values_(static_cast<std::size_t>(size)), barrier_(size) {
        for (int rank = 0; rank < size; ++rank) {
            members_.emplace_back(*this, rank);
        }
    }

    /// Calls body(communicator) for every member, on a thread each. No body may throw while others wait.
    void run(const std::function<void(base::Communicator&)>& body) {
        std::vector<std::jthread> threads;
        for (Member& member : members_) {
            threads.emplace_back([&body, &member] { body(member); });
        }
    }

private:
    class Member final : public base::Communicator {
    public:
        Member(Members& all, int rank) : all_(all), rank_(rank) {}
        [[nodiscard]] int size() const override { return static_cast<int>(all_.values_.size()); }
        [[nodiscard]] int rank() const override { return rank_; }
        void sum(std::span<float> values) override { all_.sum(rank_, values); }
        void sum(std::span<double> values) override { all_.sum(rank_, values); }

    private:
        Members& all_;
        int rank_;
    };

    template <class Value>
    void sum(int rank, std::span<Value> values) {
        values_[static_cast<std::size_t>(rank)] = values.data();
        barrier_.arrive_and_wait();
        std::vector<Value> total(values.size());
        for (const void* of_member : values_) {
            const std::span<const Value> part(static_cast<const Value*>(of_member), values.size());
            std::transform(total.begin(), total.end(), part.begin(), total.begin(), std::plus<>{});
        }
        barrier_.arrive_and_wait();
        std::copy(total.begin(), total.end(), values.begin());
    }

    std::vector<const void*> values_;
    std::barrier<> barrier_;
    std::deque<Member> members_;
};

}  // namespace stackae::test
