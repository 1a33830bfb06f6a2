#include "cli/encode.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "stackae/error.hpp"

#include "cli/interrupt.hpp"

namespace stackae::cli {

void EncodeSettings::declare(OptionParser& parser) {
    parser.group("Reading");
    parser.option("batch-size,b", "N", "pictures at a time; changes speed, not results",
                  integer_into(batch_size, 1, 65536));
    reading.declare(parser);
    parser.option("manifest", "FILE", "what became of every picture: CSV path,row,label,status,reason",
                  text_into(manifest));
}

void declare_layer(OptionParser& parser, std::string& output) {
    parser.option("layer", "OUTPUT",
                  "whose code: an output's name, or how many layers are run; else the model's first output",
                  text_into(output));
}

void declare_vote(OptionParser& parser, Vote& vote, std::optional<std::int64_t>& k) {
    parser.option("k", "N",
                  fmt::format("neighbours that vote ({} when not given, {} with --vote majority)",
                              voters(Vote::weighted), voters(Vote::majority)),
                  integer_into(k, 1));
    parser.option("vote", "weighted|majority",
                  "weighted: nearer ones count for more, those near to everything for less (when not given)",
                  [&vote](const std::string& text) { vote = parse<Vote>(text); });
}

void check_layer(const Model& model, const std::string& output) {
    try {
        (void)model.depth_of(output);
    } catch (const InvalidArgument& error) {
        throw UsageError(fmt::format("--layer: {}", error.what()));
    }
}

void check_gallery_memory(const ReadingOptions& reading, const std::string& file, std::int64_t more) {
    std::error_code missing;  // which is told when the file is opened
    const std::uintmax_t size = file.empty() ? 0 : std::filesystem::file_size(file, missing);
    const double codes = static_cast<double>(missing ? 0 : size) + static_cast<double>(more);
    constexpr double copies = 2.5;  // as they are, in blocks of rows, and in coarse steps
    constexpr double most = 0x1p62;
    reading.check(static_cast<std::int64_t>(std::min(copies * codes, most)),
                  "for the gallery's codes and an index of them",
                  "fewer pictures or a layer of fewer values take less, a larger --memory allows more");
}

void encode_inputs(Console& console, const EncodeRequest& request, const EncodeSettings& settings,
                   InputMonitor& monitor, const CodeSink& sink) {
    for (const std::string& note : request.inputs.notes()) {
        console.note(note);
    }
    settings.reading.check(min_encoding_memory(request), "for the model and one picture",
                           "a lower --layer may take less, a larger --memory allows more");
    const PipelineOptions options{.batch_size = settings.batch_size,
                                  .threads = settings.reading.threads,
                                  .memory = settings.reading.memory,
                                  .checkpoint = settings.kept.checkpoint,
                                  .checkpoint_every = settings.kept.checkpoint_every,
                                  .resume = settings.kept.resume,
                                  .keep_all = settings.keep_all};
    const bool all = stackae::encode_inputs(request, options, monitor.manifest(), sink);
    monitor.end_progress();
    if (!all) {
        settings.kept.tell(console);
        throw Interrupted();
    }
}

}  // namespace stackae::cli
