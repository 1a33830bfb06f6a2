#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "stackae/neighbours.hpp"
#include "stackae/pipeline.hpp"

#include "cli/console.hpp"
#include "cli/input_monitor.hpp"
#include "cli/kept_work.hpp"
#include "cli/option_parser.hpp"
#include "cli/reading.hpp"

namespace stackae::cli {

/// What the commands that run pictures through a model have in common.
struct EncodeSettings {
    std::int64_t batch_size = PipelineOptions{}.batch_size;
    std::string manifest;
    ReadingOptions reading;
    KeptWork kept;
    bool keep_all = PipelineOptions{}.keep_all;

    /// Declares --batch-size, --manifest and those of ReadingOptions in a group of their own.
    void declare(OptionParser& parser);
};

/// Declares --layer, an output as Model::depth_of() takes it.
void declare_layer(OptionParser& parser, std::string& output);
/// Declares --normalize. l2_normalize: a bool, or an optional one.
template <class Flag>
void declare_normalize(OptionParser& parser, Flag& l2_normalize) {
    parser.option(
        "normalize", "none|l2", "l2 scales every code to length 1 (none when not given)",
        [&l2_normalize](const std::string& text) { l2_normalize = parse_either(text, "none", "l2"); });
}
/// Declares --k and --vote; voters() says how many vote where --k is absent.
void declare_vote(OptionParser& parser, Vote& vote, std::optional<std::int64_t>& k);
/// Throws UsageError, which lists what there is, when the model has no such output.
void check_layer(const Model& model, const std::string& output);

/// Throws InvalidArgument where the codes of a gallery, once more as an index to search, take more than the
/// memory allowed. file: of a gallery to be read, or empty; more: bytes of codes that are to come.
void check_gallery_memory(const ReadingOptions& reading, const std::string& file, std::int64_t more = 0);

/// stackae::encode_inputs(), told of on the console. Throws Interrupted.
void encode_inputs(Console& console, const EncodeRequest& request, const EncodeSettings& settings,
                   InputMonitor& monitor, const CodeSink& sink);

}  // namespace stackae::cli
