#include <fmt/format.h>

#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/input_monitor.hpp"
#include "cli/interrupt.hpp"
#include "cli/memorizing.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/reading.hpp"

namespace stackae::cli {
namespace {

class MemorizeCommand : public Command {
public:
    std::string synopsis() const override { return "GOOD... -o FILE [options]"; }
    std::string about() const override {
        return "Learns what good pictures look like, position by position, into a patch memory for score.\n"
               "How odd pictures are told is chosen by defects that are planted in the good ones.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    std::string output_;
    std::string manifest_;
    bool json_ = false;
    double false_alarm_ = default_false_alarm;
    MemorizeSettings settings_;
    ReadingOptions reading_;
};

void MemorizeCommand::declare(OptionParser& parser) {
    parser.group("Memory");
    settings_.declare(parser);
    parser.option(
        "false-alarm", "P",
        "share of good pictures that the threshold that is told may take for odd ones (0.01 when not "
        "given); score has its own",
        number_into(false_alarm_, 1e-6, 0.5));
    parser.group("Output");
    parser.option("output,o", "FILE", "the patch memory", text_into(output_));
    parser.flag("json", "what is in it as one JSON object", json_);
    parser.option("manifest", "FILE", "what became of each picture, as CSV", text_into(manifest_));
    reading_.declare(parser);
}

int MemorizeCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.empty()) {
        throw UsageError("memorize needs GOOD: a folder, a list, IDX or .npy of good pictures");
    }
    if (output_.empty()) {
        throw UsageError("memorize needs -o FILE, the patch memory");
    }
    if (output_ == "-") {
        throw UsageError("-o -: a file expected, since a patch memory is no text");
    }
    check_replaces_only(output_, "patch memory");
    check_writable(output_);
    Inputs good(inputs, reading_.picture_limits());
    reading_.label(console, good);
    check_outputs(good, {{"the model", settings_.model}, {"the region", settings_.options.region}},
                  {{"-o", output_}, {"--manifest", manifest_}});
    catch_interrupts();
    ResultWriter results;
    OutputFile file = results.files().add(output_);
    InputMonitor monitor(console, results.files(), manifest_);
    const PatchMemory memory = settings_.run(console, good, reading_, monitor);
    check_interrupted();
    monitor.manifest().finish();
    const AnomalyThreshold threshold = anomaly_threshold(memory, false_alarm_);
    save(memory, file);
    if (json_) {
        results.write(to_json(memory)
                          .set("threshold", threshold.threshold)
                          .set("false_alarm", threshold.promised)
                          .text() +
                      "\n");
    }
    results.finish();
    tell(console, memory);
    tell(console, threshold, false_alarm_);
    console.note(fmt::format("wrote {}", output_));
    return monitor.exit_code();
}

}  // namespace

std::unique_ptr<Command> make_memorize_command() {
    return std::make_unique<MemorizeCommand>();
}

}  // namespace stackae::cli
