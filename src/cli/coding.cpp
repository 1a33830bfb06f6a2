#include "cli/coding.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <utility>

#include "base/memory.hpp"
#include "base/threads.hpp"
#include "cli/encoding_team.hpp"
#include "cli/interrupt.hpp"
#include "model/footprint.hpp"

namespace stackae::cli {

void CodingOptions::declare(OptionParser& parser) {
    parser.group("Reading");
    parser.option("batch-size,b", "N", "pictures at a time; changes speed, not results",
                  integer_into(batch_size, 1, 65536));
    reading.declare(parser);
    parser.option("manifest", "FILE", "what became of every picture: CSV path,row,label,status,reason",
                  text_into(manifest));
}

void CodeOptions::declare(OptionParser& parser) {
    parser.option("layer", "N", "whose code, 1 is the lowest; else the last but for radial units",
                  integer_into(layer, 1, 1'000'000));
    parser.option("normalize", "none|l2",
                  "l2 scales every code to length 1; else as the model says for its code",
                  [this](const std::string& text) {
                      if (text != "l2" && text != "none") {
                          throw UsageError(fmt::format("'{}' is neither none nor l2", text));
                      }
                      l2_normalize = text == "l2";
                  });
}

EncodeOptions CodeOptions::encode(const Model& model) const {
    const bool code = layer == 0 || layer == model.code_layer();
    return {.layer = layer, .l2_normalize = l2_normalize.value_or(code && model.l2_normalize)};
}

void check_layer(const Model& model, int layer) {
    if (layer > model.depth()) {
        throw UsageError(fmt::format("--layer {}: the model has layers 1 to {}", layer, model.depth()));
    }
}

void check_gallery_memory(const ReadingOptions& reading, const std::string& file, std::int64_t more) {
    std::error_code missing;  // which is told when the file is opened
    const std::uintmax_t size = file.empty() ? 0 : std::filesystem::file_size(file, missing);
    const double codes = static_cast<double>(missing ? 0 : size) + static_cast<double>(more);
    constexpr double copies = 2.5;  // as they are, in blocks of rows, and in coarse steps
    reading.check(base::whole_bytes(copies * codes), "for the gallery's codes and an index of them",
                  "fewer pictures or a layer of fewer values take less, a larger --memory allows more");
}

namespace {

/// How pictures are shared out so that what encodes them stays within half of the memory; the other half is
/// for the model, for pictures read ahead and for what is done with the codes.
struct Shares {
    std::int64_t batch;  ///< pictures
    int members;         ///< of the team
};

Shares share_memory(const CodingRun& run, const CodingOptions& options, std::int64_t batch, int threads) {
    // Twice, since as many batches wait to be encoded or taken out.
    const auto bytes = [&](std::int64_t pictures) {
        return 2 * encoding::encoding_bytes(run.model, run.encode.layer, 1, pictures);
    };
    const std::int64_t weights = run.model.parameters() * static_cast<std::int64_t>(sizeof(float));
    options.reading.check(weights + bytes(1), "for the model and one picture",
                          "a lower --layer may take less, a larger --memory allows more");
    const std::int64_t half = options.reading.limit() / 2;
    while (batch > 1 && threads * bytes(batch) > half) {
        batch = (batch + 1) / 2;
    }
    return {batch, static_cast<int>(std::clamp<std::int64_t>(half / bytes(batch), 1, threads))};
}

}  // namespace

void encode_inputs(Console& console, const CodingRun& run, const CodingOptions& options, Account& account,
                   const CodeSink& sink) {
    for (const std::string& note : run.inputs.notes()) {
        console.note(note);
    }
    const std::int64_t pictures = std::max<std::int64_t>(1, run.inputs.size());
    const int threads = pictures == 1 ? 1 : base::resolve_threads(options.reading.threads);
    const std::int64_t share = (pictures + threads - 1) / threads;  // fewer are work for all threads, too
    const Shares shares = share_memory(run, options, std::min(options.batch_size, share), threads);
    Progress progress(console, "pictures", run.inputs.size());
    InputReader reader(run.inputs, run.model.recipe,
                       {.batch_size = shares.batch,
                        .threads = threads,
                        .memory = base::reading_memory(options.reading.memory),
                        .need_label = run.need_label,
                        .label = run.label},
                       account, progress);
    EncodingTeam team(run.model, run.encode, threads, shares.members);
    const auto hand_on = [&] {
        check_interrupted();
        const EncodedBatch encoded = team.pop();
        sink(encoded.batch, encoded.codes);
    };
    for (InputBatch batch; reader.next(batch); batch = {}) {
        if (team.full()) {
            hand_on();
        }
        team.push(std::move(batch));
    }
    while (!team.empty()) {
        hand_on();
    }
    check_interrupted();
}

}  // namespace stackae::cli
