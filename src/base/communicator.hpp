#pragma once

#include <cstdint>
#include <span>

namespace stackae::base {

/// Stands where what several members have worked out, each from its part of the data, becomes one sum.
/// Every member calls the same sums in the same order, and all of them are given the same bytes.
class Communicator {
public:
    Communicator() = default;
    Communicator(const Communicator&) = delete;
    Communicator& operator=(const Communicator&) = delete;
    virtual ~Communicator() = default;

    [[nodiscard]] virtual int size() const = 0;
    /// Of this member, from 0 to size() − 1.
    [[nodiscard]] virtual int rank() const = 0;
    /// Replaces each value by its sum over all members.
    virtual void sum(std::span<float> values) = 0;
    virtual void sum(std::span<double> values) = 0;
};

/// One member, which works on all of the data alone.
class OneMember final : public Communicator {
public:
    [[nodiscard]] int size() const override { return 1; }
    [[nodiscard]] int rank() const override { return 0; }
    void sum(std::span<float> /*values*/) override {}
    void sum(std::span<double> /*values*/) override {}
};

/// For what is given no other.
[[nodiscard]] inline Communicator& alone() {
    static OneMember one;  // has no state
    return one;
}

/// Rows [first, last) of n that a member works on.
struct Share {
    std::int64_t first = 0;
    std::int64_t last = 0;
};
[[nodiscard]] inline Share share_of(const Communicator& communicator, std::int64_t n) {
    return {n * communicator.rank() / communicator.size(),
            n * (communicator.rank() + 1) / communicator.size()};
}

}  // namespace stackae::base
