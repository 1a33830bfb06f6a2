#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

namespace stackae::c {

/// Workers that are made when all others are in use, and kept: each call has one for itself.
template <class Worker>
class Pool {
public:
    explicit Pool(std::function<Worker()> make) : make_(std::move(make)) {}

    /// use(worker); after an exception the worker is not used again.
    template <class Use>
    void with(const Use& use) const {
        std::unique_ptr<Worker> worker = take();
        use(*worker);
        const std::lock_guard lock(mutex_);
        free_.push_back(std::move(worker));
    }

private:
    std::unique_ptr<Worker> take() const {
        {
            const std::lock_guard lock(mutex_);
            if (!free_.empty()) {
                std::unique_ptr<Worker> worker = std::move(free_.back());
                free_.pop_back();
                return worker;
            }
        }
        return std::make_unique<Worker>(make_());
    }

    std::function<Worker()> make_;
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<Worker>> free_;
};

}  // namespace stackae::c
