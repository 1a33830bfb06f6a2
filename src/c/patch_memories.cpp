#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "stackae/memorize.hpp"
#include "stackae/patch_memory.hpp"
#include "stackae/score_inputs.hpp"
#include "stackae/stackae.h"

#include "c/call.hpp"
#include "c/handles.hpp"
#include "c/observer.hpp"
#include "c/options.hpp"
#include "c/pool.hpp"

using namespace stackae::c;
using stackae::AnomalyScorer;
using stackae::PatchMemory;
using stackae::Tensor;

struct stackae_scorer {
    std::shared_ptr<const PatchMemory> memory;
    int threads;
    Pool<AnomalyScorer> scorers;
};

namespace {

void set(stackae_patch_memory** memory, PatchMemory made) {
    put(memory, "memory",
        std::unique_ptr<stackae_patch_memory>(
            new stackae_patch_memory{std::make_shared<const PatchMemory>(std::move(made))}));
}

stackae::MemorizeOptions read_memorize_options(const char* const* texts) {
    const auto set = read_options<PatchMemorySet>(texts);
    return {.method = parsed<stackae::AnomalyMethod>(set.method, stackae::parse<stackae::AnomalyMethod>),
            .output = set.output,
            .image_size = static_cast<int>(set.image_size),
            .tile = set.tile,
            .stride = set.stride,
            .max_codes = set.max_codes,
            .dimension = set.dimension,
            .region = set.region,
            .seed = set.seed,
            .threads = static_cast<int>(set.threads),
            .memory = set.memory};
}

}  // namespace

stackae_status stackae_patch_memory_learn(const stackae_pictures* good, const stackae_model* model,
                                          const char* const* options, const stackae_observer* observer,
                                          int64_t* skipped, stackae_patch_memory** memory, char** message) {
    return call(message, [&] {
        stackae::MemorizeOptions memorize = read_memorize_options(options);
        if (model != nullptr) {
            memorize.model = *model->model;
        }
        (void)given(memory, "memory");
        const stackae::Inputs inputs(given(good, "good").dataset.share());
        ReadingListener listener(observer);
        memorize.on_progress = [&](std::string_view part, std::int64_t done, std::int64_t of) {
            listener.tell_part(part, done, of);
            if (listener.stop()) {
                throw Stopped();
            }
        };
        const stackae::SignalGuard guard(memorize.threads);
        stackae::Manifest manifest(listener);
        watched(listener, [&] { set(memory, stackae::memorize(inputs, memorize, manifest)); });
        if (skipped != nullptr) {
            *skipped = listener.skipped;
        }
    });
}

stackae_status stackae_patch_memory_load(const char* path, stackae_patch_memory** memory, char** message) {
    return call(message, [&] { set(memory, stackae::load_patch_memory(&given(path, "path"))); });
}

stackae_status stackae_patch_memory_save(const stackae_patch_memory* memory, const char* path,
                                         char** message) {
    return call(message, [&] { stackae::save(*given(memory, "memory").memory, &given(path, "path")); });
}

stackae_status stackae_patch_memory_describe(const stackae_patch_memory* memory, char** json,
                                             char** message) {
    return call(message,
                [&] { put_text(json, "json", stackae::to_json(*given(memory, "memory").memory).text()); });
}

stackae_status stackae_patch_memory_threshold(const stackae_patch_memory* memory, double false_alarm,
                                              double* threshold, double* promised, char** message) {
    return call(message, [&] {
        const stackae::AnomalyThreshold found =
            stackae::anomaly_threshold(*given(memory, "memory").memory, false_alarm);
        given(threshold, "threshold") = found.threshold;
        if (promised != nullptr) {
            *promised = found.promised;
        }
    });
}

void stackae_patch_memory_size(const stackae_patch_memory* memory, int64_t* height, int64_t* width) {
    const stackae::Shape shape = memory != nullptr ? memory->memory->preprocessing.shape() : stackae::Shape{};
    for (const auto& [to, extent] : {std::pair(height, shape.height), std::pair(width, shape.width)}) {
        if (to != nullptr) {
            *to = extent;
        }
    }
}

void stackae_patch_memory_free(stackae_patch_memory* memory) {
    delete memory;
}

stackae_status stackae_scorer_create(const stackae_patch_memory* memory, const char* const* options,
                                     stackae_scorer** scorer, char** message) {
    return call(message, [&] {
        const auto threads = static_cast<int>(read_options<ScorerSet>(options).threads);
        const std::shared_ptr<const PatchMemory> of = given(memory, "memory").memory;
        put(scorer, "scorer",
            std::unique_ptr<stackae_scorer>(new stackae_scorer{
                of, threads, Pool<AnomalyScorer>([of, threads] { return AnomalyScorer(*of, threads); })}));
    });
}

stackae_status stackae_scorer_score(const stackae_scorer* scorer, const stackae_pictures* pictures,
                                    const stackae_observer* observer, float* scores, float* maps,
                                    int64_t* skipped, char** message) {
    return compute(message, scorer != nullptr ? scorer->threads : 1, [&] {
        const stackae::Inputs inputs(given(pictures, "pictures").dataset.share());
        const PatchMemory& memory = *given(scorer, "scorer").memory;
        const stackae::Shape shape = memory.preprocessing.shape();
        const std::int64_t places = shape.height * shape.width;
        constexpr float unwritten = std::numeric_limits<float>::quiet_NaN();
        std::fill_n(&given(scores, "scores"), inputs.size(), unwritten);
        if (maps != nullptr) {
            std::fill_n(maps, inputs.size() * places, unwritten);
        }
        ReadingListener listener(observer);
        stackae::Manifest manifest(listener);
        std::int64_t first = 0;
        const auto take = [&](const stackae::InputBatch& batch,
                              const std::vector<stackae::AnomalyScore>& found) {
            const std::vector<std::int64_t> indices = batch.indices(first);
            for (std::size_t row = 0; row < found.size(); ++row) {
                scores[indices[row]] = static_cast<float>(found[row].score);
                if (maps != nullptr) {
                    const Tensor map = stackae::enlarge_map(found[row].map, shape.height, shape.width);
                    std::copy_n(map.data(), places, maps + indices[row] * places);
                }
            }
            first = batch.end;
        };
        watched(listener, [&] {
            scorer->scorers.with([&](AnomalyScorer& one) {
                stackae::score_inputs({.inputs = inputs, .memory = memory, .scorer = &one},
                                      {.threads = scorer->threads}, manifest, take);
            });
        });
        if (skipped != nullptr) {
            *skipped = listener.skipped;
        }
    });
}

void stackae_scorer_free(stackae_scorer* scorer) {
    delete scorer;
}
