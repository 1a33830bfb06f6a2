#include "cli/coding.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "cli/encoding_team.hpp"
#include "cli/interrupt.hpp"
#include "core/threads.hpp"

namespace stackae::cli {

void CodingOptions::declare(OptionParser& parser) {
    parser.group("Reading");
    parser.option("batch-size,b", "N", "pictures at a time; changes speed, not results",
                  integer_into(batch_size, 1, 65536));
    parser.option("threads,j", "N", "0: one a core", integer_into(threads, 0, core::most_threads));
    parser.option("max-pixels", "N", "pictures of more pixels are skipped",
                  integer_into(limits.max_pixels, 1));
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

void encode_inputs(Console& console, const CodingRun& run, const CodingOptions& options, Account& account,
                   const CodeSink& sink) {
    const std::int64_t pictures = std::max<std::int64_t>(1, run.inputs.size());
    const int threads = pictures == 1 ? 1 : core::resolve_threads(options.threads);
    const std::int64_t share = (pictures + threads - 1) / threads;  // fewer are work for all threads, too
    Progress progress(console, "pictures", run.inputs.size());
    InputReader reader(run.inputs, run.model.recipe,
                       {.batch_size = std::min(options.batch_size, share),
                        .threads = threads,
                        .need_label = run.need_label,
                        .label = run.label},
                       account, progress);
    EncodingTeam team(run.model, run.encode, threads);
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
