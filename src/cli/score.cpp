#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/patch_memory.hpp"
#include "stackae/score_inputs.hpp"
#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/input_monitor.hpp"
#include "cli/interrupt.hpp"
#include "cli/kept_work.hpp"
#include "cli/map_folder.hpp"
#include "cli/memorizing.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/reading.hpp"

namespace stackae::cli {
namespace {

struct Scored {
    std::string path;
    double score = 0.0;
    double reconstruction = 0.0;
};

class ScoreCommand : public Command {
public:
    std::string synopsis() const override {
        return "INPUT... --patch-memory FILE|--good GOOD [-o FILE] [--maps DIR] [options]";
    }
    std::string about() const override {
        return "Tells odd pictures, and where in them. Prints CSV "
               "path,score,threshold,anomalous,reconstruction:\n"
               "a higher score is odder, anomalous is 1 above the threshold.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    /// skipped: whether one of the good pictures was.
    [[nodiscard]] PatchMemory learn(Console& console, const Inputs& good, bool& skipped);
    [[nodiscard]] std::vector<Scored> score(Console& console, const Inputs& inputs, const PatchMemory& memory,
                                            InputMonitor& monitor) const;
    void print(ResultWriter& results, const std::vector<Scored>& scored, double threshold) const;

    std::string memory_path_;
    std::string good_;
    std::string output_;
    std::string manifest_;
    bool sort_ = false;
    bool json_ = false;
    bool fail_on_findings_ = false;
    std::optional<double> false_alarm_;
    std::optional<double> threshold_;
    MemorizeSettings settings_;
    MapFolder maps_;
    KeptWork kept_{.kind = KeptKind::scores};
    ReadingOptions reading_;
};

void ScoreCommand::declare(OptionParser& parser) {
    parser.group("What is good");
    parser.option("patch-memory", "FILE", "written by memorize", text_into(memory_path_));
    parser.option("good", "GOOD", "good pictures to learn from now, in place of a memory", text_into(good_));
    settings_.declare(parser);
    parser.group("Odd pictures");
    parser.option("false-alarm", "P",
                  "share of good pictures that may be taken for odd ones (0.01 when not given)",
                  number_into(false_alarm_, 1e-6, 0.5));
    parser.option("threshold", "S", "a score above which pictures are odd, in place of --false-alarm",
                  number_into(threshold_, -1e9, 1e9));
    parser.flag("fail-on-findings", "ends with 4 where a picture is odd", fail_on_findings_);
    parser.group("Output");
    parser.option("output,o", "FILE", "else stdout", text_into(output_));
    parser.flag("sort", "the oddest first", sort_);
    parser.option("maps", "DIR", "a folder of heat maps, a PNG a picture", text_into(maps_.path));
    parser.flag("raw-maps", "the maps' numbers beside them, as .npy", maps_.raw);
    parser.flag("json", "one JSON object instead of CSV", json_);
    parser.option("manifest", "FILE", "what became of each picture, as CSV", text_into(manifest_));
    kept_.declare(parser, "FILE");
    reading_.declare(parser);
}

PatchMemory ScoreCommand::learn(Console& console, const Inputs& good, bool& skipped) {
    InputMonitor monitor(console);
    PatchMemory learnt = settings_.run(console, good, reading_, monitor);
    check_interrupted();
    monitor.manifest().finish();
    skipped = monitor.exit_code() != exit_code::done;
    tell(console, learnt);
    return learnt;
}

void ScoreCommand::print(ResultWriter& results, const std::vector<Scored>& scored, double threshold) const {
    if (json_) {
        std::vector<JsonObject> pictures;
        for (const Scored& one : scored) {
            pictures.push_back(JsonObject()
                                   .set("path", one.path)
                                   .set("score", one.score)
                                   .set("anomalous", one.score > threshold)
                                   .set("reconstruction", one.reconstruction));
        }
        results.write(JsonObject().set("threshold", threshold).set("pictures", pictures).text() + "\n");
        return;
    }
    results.write("path,score,threshold,anomalous,reconstruction\n");
    for (const Scored& one : scored) {
        results.write(fmt::format("{},{:.6g},{:.6g},{},{:.6g}\n", csv_field(one.path), one.score, threshold,
                                  one.score > threshold ? 1 : 0, one.reconstruction));
    }
}

std::vector<Scored> ScoreCommand::score(Console& console, const Inputs& inputs, const PatchMemory& memory,
                                        InputMonitor& monitor) const {
    const bool drawing = !maps_.path.empty();
    if (drawing) {
        maps_.create();
    }
    // Those of earlier runs go, but for what a run that is gone on with has drawn.
    bool cleared = !drawing;
    const auto clear_from = [&](std::size_t number) {
        if (!std::exchange(cleared, true)) {
            maps_.remove_from(number);
        }
    };
    const PipelineOptions options{.threads = reading_.threads,
                                  .memory = reading_.memory,
                                  .checkpoint = kept_.checkpoint,
                                  .checkpoint_every = kept_.checkpoint_every,
                                  .resume = kept_.resume,
                                  .keep_all = true};
    std::vector<Scored> scored;
    const bool all =
        score_inputs({inputs, memory, maps_.text()}, options, monitor.manifest(),
                     [&](const InputBatch& batch, const std::vector<AnomalyScore>& found) {
                         for (std::size_t i = 0; i < found.size(); ++i) {
                             const std::size_t number = scored.size();
                             const ImageEntry& entry = batch.entries[i];
                             if (drawing && found[i].map.empty()) {
                                 maps_.check_drawn(number, entry);
                             } else if (drawing) {
                                 clear_from(number);
                                 maps_.draw(number, entry, memory,
                                            batch.pictures.row(static_cast<std::int64_t>(i)), found[i]);
                             }
                             scored.push_back({entry.path, found[i].score, found[i].reconstruction});
                         }
                     });
    monitor.end_progress();
    if (!all) {
        kept_.tell(console);
        throw Interrupted();
    }
    clear_from(scored.size());
    return scored;
}

int ScoreCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.empty()) {
        throw UsageError("score needs an INPUT: a picture, a folder, a list, IDX or .npy");
    }
    if (memory_path_.empty() && good_.empty()) {
        throw UsageError("score needs --patch-memory FILE, or --good with good pictures to learn from");
    }
    if (!memory_path_.empty() && !good_.empty()) {
        throw UsageError("score takes --patch-memory or --good, not both");
    }
    if (threshold_ && false_alarm_) {
        throw UsageError("score takes --threshold or --false-alarm, not both");
    }
    std::error_code ignored;
    if (std::filesystem::is_directory(memory_path_, ignored)) {
        throw UsageError(fmt::format(
            "--patch-memory {}: a folder found, a file that memorize has written expected; a folder of good "
            "pictures is named by --good",
            memory_path_));
    }
    if (maps_.raw && maps_.path.empty()) {
        throw UsageError("--raw-maps needs --maps DIR");
    }
    if (output_ == "-") {
        output_.clear();
    }
    if (!memory_path_.empty() && !settings_.named.empty()) {
        throw UsageError(fmt::format(
            "--{}: a memory of --patch-memory has its own already; options of what is learnt need --good",
            settings_.named));
    }
    const std::vector<NamedPath> written{{"-o", output_}, {"--manifest", manifest_}};
    maps_.check(inputs, written);
    std::vector<NamedPath> read{{"--patch-memory", memory_path_},
                                {"the model", settings_.model},
                                {"the region", settings_.options.region},
                                {"the labels", reading_.labels}};
    std::optional<PatchMemory> stored;
    std::optional<Inputs> good;
    if (memory_path_.empty()) {
        good.emplace(std::vector{good_}, reading_.picture_limits());
        check_outputs(*good, read, written);
    } else {
        stored = load_patch_memory(memory_path_);
    }
    // Before anything is learnt: what cannot be opened or written is told at once.
    Inputs opened(inputs,
                  stored ? reading_.picture_limits(stored->preprocessing) : reading_.picture_limits());
    check_outputs(opened, read, written);
    for (const NamedPath& file : written) {
        if (!file.path.empty()) {
            check_writable(file.path);
        }
    }
    kept_.keep_beside(console, output_);
    catch_interrupts();
    bool skipped_good = false;
    const PatchMemory known = stored ? std::move(*stored) : learn(console, *good, skipped_good);
    reading_.label(console, opened);
    double& threshold = maps_.threshold;
    if (threshold_) {
        threshold = *threshold_;
    } else {
        const double rate = false_alarm_.value_or(default_false_alarm);
        const AnomalyThreshold calibrated = anomaly_threshold(known, rate);
        tell(console, calibrated, rate);
        threshold = calibrated.threshold;
    }
    ResultWriter results(output_);
    InputMonitor monitor(console, results.files(), manifest_);
    std::vector<Scored> scored;
    kept_.or_tell_room(console, [&] {
        scored = score(console, opened, known, monitor);
        monitor.manifest().finish();
        if (sort_) {
            std::stable_sort(scored.begin(), scored.end(),
                             [](const Scored& a, const Scored& b) { return a.score > b.score; });
        }
        print(results, scored, threshold);
        results.finish();
    });
    kept_.drop(console);
    const auto odd =
        std::count_if(scored.begin(), scored.end(), [&](const Scored& one) { return one.score > threshold; });
    console.note(fmt::format("{} of {} {} odd", format_count(odd),
                             format_count(std::ssize(scored), "picture"), odd == 1 ? "is" : "are"));
    if (odd > 0 && fail_on_findings_) {
        return exit_code::found;
    }
    return skipped_good ? exit_code::skipped : monitor.exit_code();
}

}  // namespace

std::unique_ptr<Command> make_score_command() {
    return std::make_unique<ScoreCommand>();
}

}  // namespace stackae::cli
