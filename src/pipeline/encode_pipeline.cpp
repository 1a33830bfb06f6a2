#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/pipeline.hpp"
#include "stackae/resources.hpp"
#include "stackae/text.hpp"

#include "base/memory.hpp"
#include "pipeline/encoder_pool.hpp"
#include "pipeline/picture_checkpoint.hpp"

namespace stackae {
namespace {

using pipeline::PictureCheckpoint;

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

PictureCheckpoint::Work work_of(const EncodeRequest& request) {
    const auto run = [&request]() -> pipeline::SegmentFolder::Run {
        const EncodeOptions& encode = request.encode;
        return {{"model", request.model.identity()},
                {"layer", std::to_string(request.model.depth_of(encode.output))},
                {"normalize", encode.l2_normalize ? "l2" : "none"},
                {"label", request.label        ? "'" + *request.label + "'"
                          : request.need_label ? "needed"
                                               : "as it is"}};
    };
    return {pipeline::codes_kind, request.model.code_size(request.encode.output), run, request.label};
}

/// From picture `first` on.
bool encode_rest(const EncodeRequest& request, const PipelineOptions& options, std::int64_t first,
                 const Shares& shares, int threads, Manifest& manifest, const CodeSink& sink,
                 std::optional<PictureCheckpoint>& checkpoint) {
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
            checkpoint->add(encoded.batch, std::move(encoded.codes));
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
    std::optional<PictureCheckpoint> checkpoint;
    std::int64_t first = 0;
    if (!options.checkpoint.empty()) {
        checkpoint.emplace(options, memory / waiting_share, request.inputs, work_of(request), observer);
        if (options.resume) {
            const pipeline::Resumed resumed = checkpoint->replay(manifest, sink);
            if (resumed.stopped) {
                return false;
            }
            first = resumed.first;
            // A row's code may depend on whether it is alone in its batch.
            shares = share_memory(request, memory, resumed.batch_size.value_or(shares.batch), threads);
        }
        checkpoint->begin(first, shares.batch);
    }
    return pipeline::run_kept(checkpoint, options, [&] {
        return encode_rest(request, options, first, shares, threads, manifest, sink, checkpoint);
    });
}

bool has_encoding_checkpoint(const std::string& folder) {
    return pipeline::has_segments(folder, pipeline::codes_kind);
}

bool remove_encoding_checkpoint(const std::string& folder) {
    return pipeline::remove_segment_folder(folder, pipeline::codes_kind);
}

EncodingProgress load_encoding_progress(const std::string& folder) {
    const pipeline::SegmentFolder::Kind& kind = pipeline::codes_kind;
    const pipeline::KeptRows kept = pipeline::read_kept_rows(folder, kind, "model");
    std::error_code ignored;
    return {kept.pictures, kept.rows, kept.columns, kept.by,
            std::filesystem::last_write_time(pipeline::segment_file(folder, kind, 0), ignored)};
}

}  // namespace stackae
