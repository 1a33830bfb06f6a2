#pragma once

#include <cstdint>
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

    /// Declares --batch-size, --manifest and those of ReadingOptions in a group of their own.
    void declare(OptionParser& parser);
};

/// Declares --layer and --normalize.
void declare_layer(OptionParser& parser, LayerSelection& selection);
/// Throws UsageError when the model has no such layer (0: the last).
void check_layer(const Model& model, int layer);

/// Throws InvalidArgument where the codes of a gallery, once more as an index to search, take more than the
/// memory allowed. file: of a gallery to be read, or empty; more: bytes of codes that are to come.
void check_gallery_memory(const ReadingOptions& reading, const std::string& file, std::int64_t more = 0);

/// stackae::encode_inputs(), told of on the console. Throws Interrupted.
void encode_inputs(Console& console, const EncodeRequest& request, const EncodeSettings& settings,
                   InputMonitor& monitor, const CodeSink& sink);

}  // namespace stackae::cli
