#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "stackae/model.hpp"

#include "cli/inputs.hpp"

namespace stackae::cli {

struct EncodedBatch {
    InputBatch batch;
    Tensor codes;  ///< n × code_size
};

/// Encodes batches on threads of its own, one batch a thread: while some are encoded others are read, and
/// nobody waits for a part of a batch. Batches come out in the order they went in.
class EncodingTeam {
public:
    /// threads: of all together; most: members. Each member has the weights in a layout of its own; where
    /// many would take much memory there are fewer, and each uses several threads. The model must outlive it.
    EncodingTeam(const Model& model, const EncodeOptions& options, int threads, int most);
    EncodingTeam(const EncodingTeam&) = delete;
    EncodingTeam& operator=(const EncodingTeam&) = delete;
    /// Batches that were not taken out are dropped.
    ~EncodingTeam();

    [[nodiscard]] bool empty() const { return jobs_.empty(); }
    /// Whether a batch is to be taken out before another one goes in.
    [[nodiscard]] bool full() const { return jobs_.size() > members_.size(); }
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
    std::vector<std::thread> members_;
};

}  // namespace stackae::cli
