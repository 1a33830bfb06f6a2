#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/pipeline.hpp"
#include "stackae/resources.hpp"
#include "stackae/text.hpp"

#include "base/memory.hpp"
#include "pipeline/encode_checkpoint.hpp"
#include "pipeline/encoder_pool.hpp"

namespace stackae {
namespace {

using pipeline::EncodeCheckpoint;

/// Of the memory allowed, what codes may take that wait for the next checkpoint: one part in so many.
constexpr std::int64_t waiting_share = 8;

/// Twice what one worker encodes with, since as many batches wait to be encoded or taken out. One picture
/// takes as much as two.
std::int64_t worker_bytes(const EncodeRequest& request, std::int64_t pictures) {
    return 2 * encoding_bytes(request.model, request.encode.output, 1, std::max<std::int64_t>(2, pictures));
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

/// How far a checkpoint goes.
struct Resumed {
    std::int64_t first = 0;  ///< picture to go on with
    std::optional<std::int64_t> batch_size;
    bool stopped = false;  ///< by the observer
};

/// Gives the manifest and the sink what was kept.
Resumed replay(const EncodeRequest& request, EncodeCheckpoint& checkpoint, Manifest& manifest,
               const CodeSink& sink) {
    Resumed resumed;
    InputObserver& observer = manifest.observer();
    while (auto segment = checkpoint.read(resumed.first)) {
        if (observer.stop()) {
            resumed.stopped = true;
            return resumed;
        }
        InputBatch batch;
        auto note = segment->notes.begin();
        for (std::int64_t i = segment->first; i < segment->end; ++i) {
            ImageEntry entry = request.inputs.entry(i);
            const bool noted = note != segment->notes.end() && note->index == i;
            if (noted && pipeline::is_skipped(*note)) {
                manifest.skipped(entry, note->status, note->text);
            } else {
                entry.label = request.label ? request.label : entry.label;
                manifest.used(entry, noted ? std::string_view(note->text) : std::string_view());
                batch.entries.push_back(std::move(entry));
            }
            note += noted ? 1 : 0;
        }
        batch.end = segment->end;
        batch.notes = std::move(segment->notes);
        if (!batch.entries.empty()) {
            sink(batch, segment->codes);
        }
        resumed.first = segment->end;
        resumed.batch_size = segment->batch_size;
    }
    if (resumed.first > 0) {
        observer.on_resumed(resumed.first, request.inputs.size());
    }
    return resumed;
}

/// From picture `first` on.
bool encode_rest(const EncodeRequest& request, const PipelineOptions& options, std::int64_t first,
                 const Shares& shares, int threads, Manifest& manifest, const CodeSink& sink,
                 std::optional<EncodeCheckpoint>& checkpoint) {
    InputReader reader(request.inputs, request.model.preprocessing,
                       {.batch_size = shares.batch,
                        .threads = threads,
                        .memory = base::reading_memory(options.memory),
                        .need_label = request.need_label,
                        .label = request.label,
                        .first = first},
                       manifest);
    pipeline::EncoderPool pool(request.model, request.encode, threads, shares.workers);
    InputObserver& observer = manifest.observer();
    const auto hand_on = [&] {
        if (observer.stop()) {
            return false;
        }
        pipeline::EncodedBatch encoded = pool.pop();
        sink(encoded.batch, encoded.codes);
        if (checkpoint) {
            checkpoint->add(std::move(encoded));
        }
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

}  // namespace

std::int64_t min_encoding_memory(const EncodeRequest& request) {
    return request.model.parameters() * static_cast<std::int64_t>(sizeof(float)) + worker_bytes(request, 1);
}

bool encode_inputs(const EncodeRequest& request, const PipelineOptions& options, Manifest& manifest,
                   const CodeSink& sink) {
    const std::int64_t pictures = std::max<std::int64_t>(1, request.inputs.size());
    const int threads = pictures == 1 ? 1 : resolve_threads(options.threads);
    const std::int64_t share = (pictures + threads - 1) / threads;  // fewer are work for all threads, too
    const std::int64_t memory = resolve_memory(options.memory);
    Shares shares = share_memory(request, memory, std::min(options.batch_size, share), threads);
    InputObserver& observer = manifest.observer();
    std::optional<EncodeCheckpoint> checkpoint;
    std::int64_t first = 0;
    if (!options.checkpoint.empty()) {
        checkpoint.emplace(options.checkpoint, options.checkpoint_every, memory / waiting_share, request,
                           observer);
        if (options.resume) {
            const Resumed resumed = replay(request, *checkpoint, manifest, sink);
            if (resumed.stopped) {
                return false;
            }
            first = resumed.first;
            // A row's code may depend on whether it is alone in its batch.
            shares = share_memory(request, memory, resumed.batch_size.value_or(shares.batch), threads);
        }
        checkpoint->begin(first, shares.batch);
    }
    try {
        const bool all = encode_rest(request, options, first, shares, threads, manifest, sink, checkpoint);
        if (checkpoint && (!all || options.keep_all)) {
            checkpoint->stop(!all && options.resume);
        }
        return all;
    } catch (...) {
        if (checkpoint) {
            checkpoint->stop(options.resume);
        }
        throw;
    }
}

}  // namespace stackae
