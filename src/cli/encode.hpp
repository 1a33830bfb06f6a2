#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "stackae/pipeline.hpp"

#include "cli/console.hpp"
#include "cli/input_monitor.hpp"
#include "cli/option_parser.hpp"
#include "cli/reading.hpp"

namespace stackae::cli {

/// What the commands that run pictures through a model have in common.
struct EncodeSettings {
    std::int64_t batch_size = PipelineOptions{}.batch_size;
    std::string manifest;
    ReadingOptions reading;
    bool resume = false;
    double checkpoint_every = PipelineOptions{}.checkpoint_every;
    bool keep_all = PipelineOptions{}.keep_all;
    std::string checkpoint;  ///< see keep_codes_beside()

    /// Declares --batch-size, --manifest and those of ReadingOptions in a group of their own.
    void declare(OptionParser& parser);
    /// Declares --resume and --checkpoint-every. output: what stands for the output's name.
    void declare_resume(OptionParser& parser, const std::string& output);
    /// From here on codes are kept in `OUTPUT.ckpt`, unless the output is a device or a pipe, or is empty.
    /// Throws UsageError where a checkpoint is there that nobody asked to go on with, or where one is asked
    /// for that cannot be.
    void keep_codes_beside(Console& console, const std::string& output);
    /// Once the output is safe; where the checkpoint stays, says why.
    void drop_codes(Console& console) const;
    /// Runs write(); where it fails since a disk is full, perhaps by the codes that are kept, says what to
    /// do.
    void or_tell_room(Console& console, const std::function<void()>& write) const;
    /// To a user who has stopped the run: how to go on, where codes are kept.
    void tell_kept(Console& console) const;
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
/// Throws UsageError, which lists what there is, when the model has no such output.
void check_layer(const Model& model, const std::string& output);

/// Throws InvalidArgument where the codes of a gallery, once more as an index to search, take more than the
/// memory allowed. file: of a gallery to be read, or empty; more: bytes of codes that are to come.
void check_gallery_memory(const ReadingOptions& reading, const std::string& file, std::int64_t more = 0);

/// stackae::encode_inputs(), told of on the console. Throws Interrupted.
void encode_inputs(Console& console, const EncodeRequest& request, const EncodeSettings& settings,
                   InputMonitor& monitor, const CodeSink& sink);

}  // namespace stackae::cli
