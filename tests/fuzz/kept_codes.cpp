#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <optional>

#include "stackae/pipeline.hpp"
#include "stackae/recommend_all.hpp"

#include "base/safetensors.hpp"
#include "fuzz/checksum.hpp"
#include "fuzz/targets.hpp"
#include "model/sample_model.hpp"
#include "pipeline/recommend_checkpoint.hpp"
#include "support/interactions.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::fuzz {
namespace {

/// Eleven pictures, two of which cannot be read, and a model.
struct World {
    World() {
        std::filesystem::create_directory(folder / "pictures");
        for (int i = 0; i < 11; ++i) {
            std::string picture = fmt::format("P2\n3 3\n255\n");
            for (int j = 0; j < 9; ++j) {
                picture += fmt::format("{} ", (i * 37 + j * 11) % 256);
            }
            test::write_text(folder / fmt::format("pictures/{}.pgm", 10 + i), i % 5 == 2 ? "none" : picture);
        }
        inputs.emplace(std::vector<std::string>{folder / "pictures"});
    }

    /// Rows that came out. stop_after: batches, before the observer stops.
    std::int64_t encode(const std::string& checkpoint, bool resume, int stop_after) const {
        struct Observer : InputObserver {
            bool stop() override { return batches >= most; }
            int batches = 0;
            int most = 0;
        } observer;
        observer.most = stop_after;
        Manifest manifest(observer);
        const PipelineOptions options{.batch_size = 2,
                                      .threads = 1,
                                      .checkpoint = checkpoint,
                                      .checkpoint_every = resume ? 1e6 : 0.0,
                                      .resume = resume};
        std::int64_t rows = 0;
        encode_inputs({.inputs = *inputs, .model = model}, options, manifest,
                      [&](const InputBatch& batch, const Tensor& codes) {
                          ++observer.batches;
                          rows += std::ssize(batch.entries) == codes.rows() ? codes.rows() : 1'000;
                      });
        return rows;
    }

    test::TemporaryFolder folder{"/dev/shm"};
    std::optional<Inputs> inputs;
    Model model = test::sample_model("dense:3", {3, 3, 1});
};

const World& world() {
    static const World only;
    return only;
}

std::string segment(const std::string& checkpoint, int first) {
    return fmt::format("{}/{:012}.codes", checkpoint, first);
}

/// The files of an encoding that was stopped.
std::vector<std::string> seeds() {
    std::vector<std::string> files;
    const std::string checkpoint = world().folder / "seeds.ckpt";
    (void)world().encode(checkpoint, false, 3);
    for (int first = 0; first < 11; ++first) {
        if (std::filesystem::exists(segment(checkpoint, first))) {
            files.push_back(test::read_text(segment(checkpoint, first)));
        }
    }
    remove_encoding_checkpoint(checkpoint);
    return files;
}

/// What tells the pictures from others, for so many bytes from the first one on.
std::string ids(std::size_t bytes) {
    static const std::string all = [] {
        std::string found;
        for (const std::string& seed : seeds()) {
            const base::Safetensors file = base::parse_safetensors(std::as_bytes(std::span(seed)), "sample");
            for (const auto& [name, block] : file.blocks) {
                found += name == "pictures" ? block : "";
            }
        }
        return found;
    }();
    return all.substr(0, bytes);
}

/// As the file says by itself, and as if it were of the run at hand: every picture that is not skipped has a
/// row then, or it was told what is wrong.
void run(Input input) {
    static const std::string sample = seeds().front();
    const std::string checkpoint = world().folder / "codes.ckpt";
    std::filesystem::create_directory(checkpoint);
    const std::string bytes = with_right_checksum(input);
    test::write_text(segment(checkpoint, 0), bytes);
    (void)load_encoding_progress(checkpoint);
    base::Safetensors file = base::parse_safetensors(std::as_bytes(std::span(bytes)), "codes");
    const base::Safetensors own = base::parse_safetensors(std::as_bytes(std::span(sample)), "sample");
    for (const char* field : {"model", "layer", "normalize", "label"}) {
        file.metadata[field] = own.text(field);
    }
    for (auto& [name, block] : file.blocks) {
        block = name == "pictures" ? ids(block.size()) : block;
    }
    base::write_safetensors(file, segment(checkpoint, 0));
    const std::int64_t rows = world().encode(checkpoint, true, 100);
    if (rows < 1 || rows > 11) {
        std::abort();
    }
}

/// The first file of recommendations to 300 users, with and without what weighed most.
std::vector<std::string> recommendation_seeds() {
    Model model = test::sample_model("dense:3", {1, 20, 1});
    model.table = test::two_tastes(300);
    std::vector<std::string> files;
    for (const std::int64_t explain : {0, 2}) {
        const std::string checkpoint = world().folder / "recommendations.ckpt";
        RecommendObserver observer;
        recommend_all(model, model.table, {.top = 3, .explain = explain, .threads = 1},
                      {.checkpoint = checkpoint, .checkpoint_every = 0.0}, observer,
                      [](std::int64_t /*user*/, const Recommendations& /*found*/) {});
        files.push_back(
            test::read_text(pipeline::segment_file(checkpoint, pipeline::recommendations_kind, 0)));
        remove_encoding_checkpoint(checkpoint);
    }
    return files;
}

/// Whoever is in it is accounted for, with items that there are.
void run_recommendations(Input input) {
    const std::string bytes = with_right_checksum(input);
    const base::Safetensors file =
        base::parse_safetensors(std::as_bytes(std::span(bytes)), "recommendations");
    const pipeline::RecommendSegment segment = pipeline::read_recommend_segment(file, 0, 20);
    for (const Recommendations& found : segment.found) {
        for (const Recommendation& each : found.items) {
            if (each.found.item < 0 || each.found.item >= 20 || std::ssize(each.because) > 20) {
                std::abort();
            }
        }
    }
    if (std::ssize(segment.found) != segment.end) {
        std::abort();
    }
}

}  // namespace

std::vector<Target> kept_codes() {
    return {{"codes", run, seeds}, {"recommendations", run_recommendations, recommendation_seeds}};
}

}  // namespace stackae::fuzz
