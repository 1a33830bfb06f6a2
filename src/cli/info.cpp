#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <variant>

#include "stackae/gallery.hpp"
#include "stackae/image_dataset.hpp"
#include "stackae/layer.hpp"
#include "stackae/model.hpp"
#include "stackae/patch_memory.hpp"
#include "stackae/resources.hpp"
#include "stackae/visualize.hpp"

#include "cli/checkpoint.hpp"
#include "cli/command.hpp"
#include "cli/encode.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_report.hpp"
#include "cli/output.hpp"
#include "cli/text_table.hpp"

namespace stackae::cli {
namespace {

std::string gallery_text(const Gallery& gallery, const std::string& path) {
    const auto counts = count_names(gallery);
    std::string out =
        fmt::format("{}: a gallery of {} and {}, checksum ok\n", printable(path),
                    format_count(gallery.size(), "picture"), format_count(std::ssize(counts), "name"));
    out += fmt::format("model        {} ({})\n", printable(gallery.model_path),
                       printable(gallery.model_identity));
    out += fmt::format("codes        layer {}, {}{}, {} distance\n", gallery.depth,
                       format_count(gallery.codes.columns(), "value"),
                       gallery.l2_normalize ? ", scaled to length 1" : "", name(gallery.metric));
    out += gallery.threshold == Gallery::reject_all ? std::string("threshold    nobody is given a name\n")
           : gallery.threshold
               ? fmt::format(
                     "threshold    {:.6g} ({})\n", *gallery.threshold,
                     gallery.rate_known
                         ? fmt::format(
                               "about {:.3g}% of strangers are given a name{}",
                               100.0 * gallery.false_accept_rate,
                               is_rate_coarse(gallery) ? ", which its pictures are too few to promise" : "")
                         : "all names are equally far apart: no share of strangers is known")
               : std::string("threshold    none\n");
    TextTable table;
    table.add({"name", "pictures"});
    for (const auto& [name, count] : counts) {
        table.add({name, format_count(count)});
    }
    return out + "\n" + table.text();
}

/// Their texts, as --config reads them.
std::string presets_text() {
    std::string out;
    for (const Preset& each : presets()) {
        out += fmt::format("{}{}: {}\n{}", out.empty() ? "" : "\n", each.name, each.summary,
                           to_text(preset(each.name)));
    }
    return out;
}

std::string presets_json() {
    std::vector<JsonObject> array;
    for (const Preset& each : presets()) {
        array.push_back(to_json(each));
    }
    return json_text(array);
}

/// A line a kind that begins with its name, its fields indented below.
std::string layer_kinds_text() {
    std::string out;
    for (const LayerKind& kind : layer_kinds()) {
        out += fmt::format("{}  {}\n", kind.name, kind.summary);
        for (const LayerKind::Field& field : kind.fields) {
            out += fmt::format("    {}={}  {} ({})\n", field.name,
                               field.standard.empty() ? "?" : field.standard, field.help, field.expected);
        }
        if (!kind.papers.empty()) {
            out += fmt::format("    {}\n", kind.papers);
        }
    }
    return out;
}

std::string layer_kinds_json() {
    std::vector<JsonObject> array;
    for (const LayerKind& kind : layer_kinds()) {
        std::vector<JsonObject> fields;
        for (const LayerKind::Field& field : kind.fields) {
            fields.emplace_back()
                .set("name", field.name)
                .set("default", field.standard)
                .set("expected", field.expected)
                .set("help", field.help);
        }
        array.emplace_back()
            .set("name", kind.name)
            .set("summary", kind.summary)
            .set("papers", kind.papers)
            .set("fields", fields);
    }
    return json_text(array);
}

class InfoCommand : public Command {
public:
    std::string synopsis() const override {
        return "MODEL|GALLERY|MEMORY|CHECKPOINT [options]\n       stackae info --presets\n       stackae "
               "info "
               "--layer-kinds";
    }
    std::string about() const override {
        return "Tells what is in a file of stackae, what the presets stand for, or which kinds of layers "
               "there are.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    int draw_filters(Console& console, const Model& model, const std::string& path) const;

    std::string filters_;
    std::string pictures_;
    std::string layer_;
    ReadingOptions reading_;
    bool json_ = false;
    bool presets_ = false;
    bool layer_kinds_ = false;
};

void InfoCommand::declare(OptionParser& parser) {
    parser.group("Information");
    parser.flag("json", "one JSON object", json_);
    parser.flag("presets", "the presets of `stackae train` and their values", presets_);
    parser.flag("layer-kinds", "the kinds of layers and their fields", layer_kinds_);
    parser.group("A drawing of what units look for");
    parser.option(
        "filters", "PICTURE.png",
        fmt::format("weights of the lowest layer, or what a unit of a layer above decodes to; {} units "
                    "at most",
                    max_filters),
        text_into(filters_));
    parser.option("layer", "OUTPUT",
                  "whose units: an output's name, or how many layers are run (1 when not given)",
                  text_into(layer_));
    parser.option(
        "pictures", "INPUT",
        fmt::format("draw the mean of what excites a unit most in these instead ({} of them at most)",
                    format_count(max_receptive_pictures)),
        text_into(pictures_));
    reading_.declare(parser);
}

/// Returns the exit code.
int InfoCommand::draw_filters(Console& console, const Model& model, const std::string& path) const {
    const std::string output = layer_.empty() ? "1" : layer_;
    check_layer(model, output);
    const int threads = resolve_threads(reading_.threads);
    reading_.check(encoding_bytes(model, output, threads, threads), "to run the layer",
                   "a lower --layer may take less, a larger --memory allows more");
    const std::vector<NamedPath> written{{"--filters", filters_}};
    std::vector<NamedPath> read{{"the model", path}};
    Filters filters;
    int code = exit_code::done;
    if (pictures_.empty()) {
        check_outputs(read, written);
        filters = weight_filters(model, output, threads);
    } else {
        recover_outputs(console, {pictures_});
        ImageDataset all = ImageDataset::open(pictures_, reading_.picture_limits(model.preprocessing));
        reading_.label(console, {&all});
        read.push_back({"the pictures", pictures_});
        add_replaced(all, written, read);
        check_outputs(read, written);
        std::vector<std::int64_t> some(
            static_cast<std::size_t>(std::min(all.size(), max_receptive_pictures)));
        for (std::size_t i = 0; i < some.size(); ++i) {
            some[i] = static_cast<std::int64_t>(i) * all.size() / std::ssize(some);
        }
        const ImageDataset pictures = all.subset(some);
        Progress progress(console, "pictures", pictures.size());
        filters = receptive_fields(model, output, pictures, threads,
                                   [&](std::int64_t done) { progress.update(done); });
        InputMonitor monitor(console);
        monitor.manifest().fill(pictures, filters.skipped, filters.remarks);
        monitor.manifest().finish();
        code = monitor.exit_code();
    }
    catch_interrupts();  // the drawing is written whole
    write_png(filters_, draw(filters));
    console.note(fmt::format("drew {} of {} units of layer {} in {}", filters.tiles.size(), filters.units,
                             model.depth_of(output), filters_));
    return code;
}

int InfoCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (presets_ || layer_kinds_ ? !inputs.empty() : inputs.size() != 1) {
        throw UsageError(presets_       ? "info --presets takes no file"
                         : layer_kinds_ ? "info --layer-kinds takes no file"
                                        : "info needs one MODEL, GALLERY or patch memory");
    }
    if (presets_ && layer_kinds_) {
        throw UsageError("--presets and --layer-kinds exclude each other");
    }
    if (filters_.empty() && !(layer_.empty() && pictures_.empty())) {
        throw UsageError(fmt::format("{} needs --filters", layer_.empty() ? "--pictures" : "--layer"));
    }
    check_png_name(filters_);
    int code = exit_code::done;
    ResultWriter results;
    const auto print = [&](const std::string& text, const std::string& json) {
        results.write(json_ ? json + "\n" : text);
    };
    if (presets_ || layer_kinds_) {
        presets_ ? print(presets_text(), presets_json()) : print(layer_kinds_text(), layer_kinds_json());
        results.finish();
        return exit_code::done;
    }
    const std::string& path = inputs.front();
    if (const auto checkpoint = describe_checkpoint(path)) {
        if (!filters_.empty()) {
            throw UsageError(fmt::format("--filters: {} is a checkpoint", path));
        }
        print(checkpoint->text, checkpoint->json.text());
        results.finish();
        return exit_code::done;
    }
    if (std::filesystem::is_regular_file(path) && file_kind(path) == "patch memory") {
        if (!filters_.empty()) {
            throw UsageError(fmt::format("--filters: {} is a patch memory", path));
        }
        const JsonObject memory = to_json(load_patch_memory(path));
        print(fmt::format("{}: a patch memory, checksum ok\n{}", printable(path), memory.lines()),
              JsonObject(memory).set("kind", "patch memory").set("path", path).set("checksum", "ok").text());
        results.finish();
        return exit_code::done;
    }
    const std::variant<Model, Gallery> file = load_model_or_gallery(path);
    if (const Gallery* const gallery = std::get_if<Gallery>(&file)) {
        if (!filters_.empty()) {
            throw UsageError(fmt::format("--filters: {} is a gallery and has no weights", path));
        }
        print(gallery_text(*gallery, path),
              to_json(*gallery).set("kind", "gallery").set("path", path).set("checksum", "ok").text());
    } else {
        const Model& model = std::get<Model>(file);
        if (!filters_.empty()) {
            code = draw_filters(console, model, path);
        }
        print(model_text(model, path), model_json(model, path).text());
    }
    results.finish();
    return code;
}

}  // namespace

std::unique_ptr<Command> make_info_command() {
    return std::make_unique<InfoCommand>();
}

}  // namespace stackae::cli
