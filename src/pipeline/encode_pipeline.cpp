#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/pipeline.hpp"
#include "stackae/resources.hpp"
#include "stackae/text.hpp"

#include "base/memory.hpp"
#include "pipeline/encoder_pool.hpp"

namespace stackae {
namespace {

/// Twice what one worker encodes with, since as many batches wait to be encoded or taken out.
std::int64_t worker_bytes(const EncodeRequest& request, std::int64_t pictures) {
    return 2 * encoding_bytes(request.model, request.encode.output, 1, pictures);
}

/// How pictures are shared out so that what encodes them stays within half of the memory; the other half is
/// for the model, for pictures read ahead and for what is done with the codes.
struct Shares {
    std::int64_t batch;  ///< pictures
    int workers;         ///< of the pool
};

Shares share_memory(const EncodeRequest& request, std::int64_t memory, std::int64_t batch, int threads) {
    const std::int64_t needed = min_encoding_memory(request);
    if (needed > memory) {
        throw InvalidArgument(fmt::format("memory: {} needed for the model and one picture, {} allowed",
                                          format_bytes(needed), format_bytes(memory)));
    }
    const std::int64_t half = memory / 2;
    while (batch > 1 && threads * worker_bytes(request, batch) > half) {
        batch = (batch + 1) / 2;
    }
    return {batch,
            static_cast<int>(std::clamp<std::int64_t>(half / worker_bytes(request, batch), 1, threads))};
}

}  // namespace

std::int64_t min_encoding_memory(const EncodeRequest& request) {
    return request.model.parameters() * static_cast<std::int64_t>(sizeof(float)) + worker_bytes(request, 1);
}

bool encode_inputs(const EncodeRequest& request, const PipelineOptions& options, Manifest& manifest,
                   const CodeSink& sink) {
    const std::int64_t pictures = std::max<std::int64_t>(1, request.inputs.size());
    const int threads = pictures == 1 ? 1 : resolve_threads(options.threads);
    const std::int64_t share = (pictures + threads - 1) / threads;  // fewer are work for all threads, too
    const Shares shares =
        share_memory(request, resolve_memory(options.memory), std::min(options.batch_size, share), threads);
    InputReader reader(request.inputs, request.model.preprocessing,
                       {.batch_size = shares.batch,
                        .threads = threads,
                        .memory = base::reading_memory(options.memory),
                        .need_label = request.need_label,
                        .label = request.label},
                       manifest);
    pipeline::EncoderPool pool(request.model, request.encode, threads, shares.workers);
    InputObserver& observer = manifest.observer();
    const auto hand_on = [&] {
        if (observer.stop()) {
            return false;
        }
        const pipeline::EncodedBatch encoded = pool.pop();
        sink(encoded.batch, encoded.codes);
        return true;
    };
    for (InputBatch batch; reader.next(batch); batch = {}) {
        if (pool.full() && !hand_on()) {
            return false;
        }
        pool.push(std::move(batch));
    }
    while (!pool.empty()) {
        if (!hand_on()) {
            return false;
        }
    }
    return !observer.stop();
}

}  // namespace stackae
