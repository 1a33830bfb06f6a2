#include <fmt/format.h>
#include <limits>
#include <optional>

#include "stackae/gallery.hpp"
#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/encode.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_locator.hpp"
#include "cli/output.hpp"

namespace stackae::cli {
namespace {

class RecognizeCommand : public Command {
public:
    std::string synopsis() const override { return "INPUT... -g GALLERY [-m MODEL] [options]"; }
    std::string about() const override {
        return "Names pictures by those near them in a gallery, or calls them unknown.\n"
               "Prints CSV path,name,distance; with --top path,rank,name,distance.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    void begin(ResultWriter& results, std::optional<double> threshold, Metric metric) const;
    void write(ResultWriter& results, const ImageEntry& entry, const Recognition& found,
               std::optional<double> threshold, bool first) const;

    std::string gallery_;
    std::string model_;
    std::string output_;
    RecognizeOptions recognize_;
    std::optional<std::int64_t> top_;
    std::optional<double> false_accept_rate_;
    bool json_ = false;
    EncodeSettings settings_;
};

void RecognizeCommand::declare(OptionParser& parser) {
    parser.group("Recognition");
    parser.option("gallery,g", "GALLERY", "made by `stackae enroll`", text_into(gallery_));
    parser.option("model,m", "MODEL", "else the model that made the gallery", text_into(model_));
    declare_vote(parser, recognize_.vote, recognize_.k);
    parser.option("metric", "l2|cosine", "else the gallery's",
                  [this](const std::string& text) { recognize_.metric = parse<Metric>(text); });
    parser.option("top", "N",
                  "print N names of every picture, the vote's winner and the nearest others; those "
                  "beyond the threshold as unknown",
                  integer_into(top_, 1));
    parser.option("threshold", "D",
                  "distance beyond which a picture is unknown (inf: none is); else the gallery's",
                  number_into(recognize_.threshold, 0.0));
    parser.option("false-accept", "P", "calibrate the threshold anew: share of strangers that may be named",
                  number_into(false_accept_rate_, 1e-9, 1.0 - 1e-9));
    parser.group("Output");
    parser.option("output,o", "FILE", "else stdout", text_into(output_));
    parser.flag("json", "one JSON object instead of CSV", json_);
    settings_.declare(parser);
}

int RecognizeCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.empty() || gallery_.empty()) {
        throw UsageError(inputs.empty() ? "recognize needs an INPUT: a picture, a folder, a list, IDX or .npy"
                                        : "recognize needs -g GALLERY, made by `stackae enroll`");
    }
    if (recognize_.threshold && false_accept_rate_) {
        throw UsageError("--threshold and --false-accept exclude each other");
    }
    recover_outputs(console, {gallery_});
    check_gallery_memory(settings_.reading, gallery_);
    Gallery gallery = load_gallery(gallery_);
    if (recognize_.vote == Vote::weighted && gallery.size() > NeighbourIndex::scale_rows) {
        constexpr auto float_bytes = static_cast<std::int64_t>(sizeof(float));
        check_gallery_memory(settings_.reading, gallery_,
                             NeighbourIndex::scale_rows * gallery.codes.columns() * float_bytes);
    }
    const NamedModel model = open_gallery_model(console, gallery, gallery_, model_);
    if (false_accept_rate_) {
        gallery.metric = recognize_.metric.value_or(gallery.metric);
        calibrate(gallery, *false_accept_rate_, settings_.reading.threads);
    }
    Inputs opened(inputs, settings_.reading.picture_limits(model.model.preprocessing));
    settings_.reading.label(console, opened);
    recognize_.top = top_.value_or(1);
    recognize_.threads = opened.size() == 1 ? 1 : settings_.reading.threads;
    if (output_ == "-") {
        output_.clear();
    }
    check_outputs(
        opened,
        {{"the model", model.path}, {"the gallery", gallery_}, {"the labels", settings_.reading.labels}},
        {{"-o", output_}, {"--manifest", settings_.manifest}});
    Recognizer recognizer(gallery, recognize_);
    const std::int64_t k = recognize_.k.value_or(1);
    if (recognize_.vote == Vote::majority && k >= gallery.size() && k > 1) {
        console.note(fmt::format("--k {}: all {} pictures of the gallery vote, whatever a picture looks like",
                                 k, gallery.size()));
    }
    catch_interrupts();
    ResultWriter results(output_);
    InputMonitor monitor(console, results.files(), settings_.manifest);
    bool first = true;
    const EncodeOptions encode{.output = std::to_string(gallery.depth), .l2_normalize = gallery.l2_normalize};
    encode_inputs(console, {.inputs = opened, .model = model.model, .encode = encode}, settings_, monitor,
                  [&](const InputBatch& batch, const Tensor& codes) {
                      if (first) {
                          begin(results, recognizer.threshold(), recognize_.metric.value_or(gallery.metric));
                      }
                      const std::vector<Recognition> found = recognizer.recognize(codes);
                      for (std::size_t i = 0; i < found.size(); ++i) {
                          write(results, batch.entries[i], found[i], recognizer.threshold(), first);
                          first = false;
                      }
                  });
    monitor.manifest().finish();
    results.write(json_ ? "\n]}\n" : "");
    results.finish();
    return monitor.exit_code();
}

void RecognizeCommand::begin(ResultWriter& results, std::optional<double> threshold, Metric metric) const {
    if (json_) {
        // The picture objects follow as they are found, so the outermost object is written by hand.
        results.write(fmt::format(R"({{"gallery": {}, "metric": "{}", "threshold": {}, "pictures": [)",
                                  json_text(gallery_), name(metric),
                                  json_text(threshold.value_or(std::numeric_limits<double>::infinity()))));
    } else {
        results.write(top_ ? "path,rank,name,distance\n" : "path,name,distance\n");
    }
}

void RecognizeCommand::write(ResultWriter& results, const ImageEntry& entry, const Recognition& found,
                             std::optional<double> threshold, bool first) const {
    if (json_) {
        results.write((first ? "\n" : ",\n") + to_json(found).set("path", entry.path).text());
    } else if (!top_) {
        results.write(
            fmt::format("{},{},{:.6g}\n", csv_field(entry.path), csv_field(found.name), found.distance));
    } else {
        int rank = 0;
        for (const Candidate& candidate : found.top) {
            const bool known = !threshold || candidate.distance <= *threshold;
            results.write(fmt::format("{},{},{},{:.6g}\n", csv_field(entry.path), ++rank,
                                      csv_field(known ? candidate.name : "unknown"), candidate.distance));
        }
    }
}

}  // namespace

std::unique_ptr<Command> make_recognize_command() {
    return std::make_unique<RecognizeCommand>();
}

}  // namespace stackae::cli
