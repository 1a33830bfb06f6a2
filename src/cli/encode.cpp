#include "cli/encode.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "stackae/error.hpp"

#include "cli/interrupt.hpp"
#include "cli/output.hpp"

namespace stackae::cli {

void EncodeSettings::declare(OptionParser& parser) {
    parser.group("Reading");
    parser.option("batch-size,b", "N", "pictures at a time; changes speed, not results",
                  integer_into(batch_size, 1, 65536));
    reading.declare(parser);
    parser.option("manifest", "FILE", "what became of every picture: CSV path,row,label,status,reason",
                  text_into(manifest));
}

void EncodeSettings::declare_resume(OptionParser& parser, const std::string& output) {
    parser.flag("resume",
                fmt::format("go on where {}.ckpt is, with the options that it was begun with", output),
                resume);
    parser.option("checkpoint-every", "TIME",
                  fmt::format("how often codes are kept in {}.ckpt, until all are there (5m when not given; "
                              "0: after every batch); "
                              "also when a run is interrupted",
                              output),
                  [this](const std::string& text) { checkpoint_every = parse_interval(text); });
}

void EncodeSettings::keep_codes_beside(Console& console, const std::string& output) {
    if (output.empty() || is_stream(output)) {
        if (resume) {
            throw UsageError("--resume needs a file as the output, beside which codes are kept: -o FILE");
        }
        return;
    }
    checkpoint = output + ".ckpt";
    std::error_code ignored;
    if (std::filesystem::exists(checkpoint, ignored) && !std::filesystem::is_directory(checkpoint, ignored)) {
        throw UsageError(fmt::format(
            "{}: a file of that name is there and is no checkpoint; remove it, or name another output",
            checkpoint));
    }
    if (!resume && has_encoding_checkpoint(checkpoint)) {
        throw UsageError(
            fmt::format("{} holds codes of a run that was stopped: --resume goes on with them; "
                        "remove the folder to begin anew",
                        checkpoint));
    }
    if (resume && !has_encoding_checkpoint(checkpoint)) {
        console.note(fmt::format("there is no {}: the run begins at the beginning", checkpoint));
    }
}

void EncodeSettings::drop_codes(Console& console) const {
    try {
        if (!checkpoint.empty() && !remove_encoding_checkpoint(checkpoint)) {
            console.note(
                fmt::format("the folder {} stays: other files are in it, or another run has it", checkpoint));
        }
    } catch (const Error& error) {
        console.warn(fmt::format("warning: {}", error.what()));
    }
}

void EncodeSettings::or_tell_room(Console& console, const std::function<void()>& write) const {
    try {
        write();
    } catch (const IoError&) {
        constexpr std::uintmax_t little = std::uintmax_t{16} << 20U;
        std::error_code error;
        if (!checkpoint.empty() && has_encoding_checkpoint(checkpoint) &&
            std::filesystem::space(checkpoint, error).available < little) {
            console.warn(
                fmt::format("the codes made so far are in {}: --resume goes on with them once there "
                            "is room; removing the folder makes room, too, but then all is encoded "
                            "anew",
                            checkpoint));
        }
        throw;
    }
}

void EncodeSettings::tell_kept(Console& console) const {
    if (!checkpoint.empty() && has_encoding_checkpoint(checkpoint)) {
        console.warn(fmt::format("--resume goes on with {}", checkpoint));
    }
}

void declare_layer(OptionParser& parser, std::string& output) {
    parser.option("layer", "OUTPUT",
                  "whose code: an output's name, or how many layers are run; else the model's first output",
                  text_into(output));
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
                                  .checkpoint = settings.checkpoint,
                                  .checkpoint_every = settings.checkpoint_every,
                                  .resume = settings.resume,
                                  .keep_all = settings.keep_all};
    const bool all = stackae::encode_inputs(request, options, monitor.manifest(), sink);
    monitor.end_progress();
    if (!all) {
        settings.tell_kept(console);
        throw Interrupted();
    }
}

}  // namespace stackae::cli
