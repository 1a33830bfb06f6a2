#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "stackae/inputs.hpp"
#include "stackae/model.hpp"

namespace stackae::pipeline {

struct EncodedBatch {
    InputBatch batch;
    Tensor codes;  ///< n × code_size
};

/// Encodes batches on threads of its own, one batch a thread: while some are encoded others are read, and
/// nobody waits for a part of a batch. Batches come out in the order they went in.
class EncoderPool {
public:
    /// threads: of all together. Each worker has the weights in a layout of its own; where
    /// many would take much memory there are fewer, and each uses several threads. The model must outlive it.
    /// A picture's code does not depend on the batch that it is in, be it alone there.
    EncoderPool(const Model& model, const EncodeOptions& options, int threads, int max_workers);
    EncoderPool(const EncoderPool&) = delete;
    EncoderPool& operator=(const EncoderPool&) = delete;
    /// Batches that were not taken out are dropped.
    ~EncoderPool();

    [[nodiscard]] bool empty() const { return jobs_.empty(); }
    /// Whether a batch is to be taken out before another one goes in.
    [[nodiscard]] bool full() const { return jobs_.size() > workers_.size(); }
    void push(InputBatch batch);
    /// Waits for the first batch. Throws what encoding it threw.
    EncodedBatch pop();

private:
    struct Job {
        EncodedBatch encoded;
        bool done = false;
        std::exception_ptr failure;
    };

    void work();

    const Model& model_;
    EncodeOptions options_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::unique_ptr<Job>> jobs_;  ///< in order; changed by the owner alone
    std::deque<Job*> waiting_;               ///< those nobody has begun
    bool stop_ = false;
    std::vector<std::jthread> workers_;  ///< the last member, and so joined before the others go
};

}  // namespace stackae::pipeline
