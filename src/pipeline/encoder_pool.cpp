#include "pipeline/encoder_pool.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"

#include "base/threads.hpp"
#include "model/among_others.hpp"

namespace stackae::pipeline {
namespace {

constexpr std::int64_t max_weights = std::int64_t{1} << 28;  // of all workers together: 1 GiB

}  // namespace

EncoderPool::EncoderPool(const Model& model, const EncodeOptions& options, int threads, int max_workers)
    : model_(model), options_(options) {
    const int wanted = base::resolve_threads(threads);
    const std::int64_t fitting = max_weights / std::max<std::int64_t>(1, model.parameters());
    const int workers = static_cast<int>(std::clamp<std::int64_t>(fitting, 1, std::min(wanted, max_workers)));
    options_.threads = wanted / workers;
    workers_.reserve(static_cast<std::size_t>(workers));
    for (int i = 0; i < workers; ++i) {
        try {
            workers_.emplace_back([this] { work(); });
        } catch (const std::exception& error) {
            if (workers_.empty()) {
                throw BackendError(fmt::format("encoding: cannot start a thread: {}", error.what()));
            }
            return;  // fewer will do
        }
    }
}

EncoderPool::~EncoderPool() {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    changed_.notify_all();
}

void EncoderPool::push(InputBatch batch) {
    jobs_.push_back(std::make_unique<Job>());
    jobs_.back()->encoded.batch = std::move(batch);
    {
        const std::lock_guard lock(mutex_);
        waiting_.push_back(jobs_.back().get());
    }
    changed_.notify_all();
}

EncodedBatch EncoderPool::pop() {
    {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return jobs_.front()->done; });
    }
    const std::unique_ptr<Job> job = std::move(jobs_.front());
    jobs_.pop_front();
    if (job->failure) {
        std::rethrow_exception(job->failure);
    }
    return std::move(job->encoded);
}

void EncoderPool::work() {
    std::optional<Encoder> encoder;
    for (;;) {
        Job* job = nullptr;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
            if (stop_) {
                return;
            }
            job = waiting_.front();
            waiting_.pop_front();
        }
        try {
            if (!encoder) {
                encoder.emplace(model_, options_);
            }
            const Tensor& pictures = job->encoded.batch.pictures;
            const auto encode = [&](const Tensor& rows) { return encoder->encode(rows); };
            job->encoded.codes =
                pictures.rows() == 1 ? encoding::among_others(pictures, encode) : encode(pictures);
        } catch (const NotFinite& error) {  // told of by its name
            const auto& entries = job->encoded.batch.entries;
            job->failure = std::make_exception_ptr(NotFinite(
                fmt::format("{}: its code is not finite: the model's weights, or its values, are too large",
                            entries[static_cast<std::size_t>(error.row())].path),
                error.row()));
        } catch (...) {
            job->failure = std::current_exception();
        }
        {
            const std::lock_guard lock(mutex_);
            job->done = true;
        }
        changed_.notify_all();
    }
}

}  // namespace stackae::pipeline
