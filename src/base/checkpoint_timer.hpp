#pragma once

#include <chrono>

namespace stackae::base {

/// When the next checkpoint is due of something that takes long. No result depends on it.
class CheckpointTimer {
public:
    /// every: seconds between two; 0: whenever it is asked.
    explicit CheckpointTimer(double every) : every_(every) {}

    /// Whether `every` seconds have passed, or more where a checkpoint costs so much that it would take more
    /// than its share of the time.
    [[nodiscard]] bool is_due() const { return is_cheap() && since() >= every_; }
    /// Whether one may be made where it is worth most, as between two stages, though the last is not long
    /// ago: what is spent on them stays within their share.
    [[nodiscard]] bool is_cheap() const { return every_ == 0.0 || since() >= one_in * cost_; }
    /// Seconds since the last one, or since the beginning.
    [[nodiscard]] double since() const { return seconds(Clock::now() - last_); }
    /// Calls write(), and notes when and how long, in seconds, which is returned.
    template <class Write>
    double time(const Write& write) {
        const auto start = Clock::now();
        write();
        last_ = Clock::now();
        cost_ = seconds(last_ - start);
        return cost_;
    }

private:
    using Clock = std::chrono::steady_clock;

    /// Of the whole time, checkpoints take one part in so many.
    static constexpr double one_in = 50.0;

    static double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

    double every_;
    Clock::time_point last_ = Clock::now();
    double cost_ = 0.001;  ///< of the last one, in seconds; a guess of the first
};

}  // namespace stackae::base
