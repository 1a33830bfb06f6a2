#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <variant>

#include "stackae/evaluate.hpp"
#include "stackae/gallery.hpp"
#include "stackae/layer.hpp"
#include "stackae/model.hpp"
#include "stackae/pictures.hpp"
#include "stackae/resources.hpp"
#include "stackae/visualize.hpp"

#include "cli/command.hpp"
#include "cli/depth_report.hpp"
#include "cli/encode.hpp"
#include "cli/interrupt.hpp"
#include "cli/results.hpp"
#include "cli/stack_text.hpp"

namespace stackae::cli {
namespace {

/// The last epoch of a layer's training, or nullptr.
const EpochRecord* last_epoch(const Model& model, std::size_t layer) {
    const auto found = std::find_if(model.history.rbegin(), model.history.rend(), [&](const auto& record) {
        return record.layer == static_cast<int>(layer);
    });
    return found == model.history.rend() ? nullptr : &*found;
}

/// A layer's loss, and that of the mean of its input.
std::vector<std::string> losses_text(const EpochRecord* last) {
    if (last == nullptr) {
        return {"-", "-"};
    }
    const double loss = std::isnan(last->validation_loss) ? last->train_loss : last->validation_loss;
    return {fmt::format("{:.4f}", loss), fmt::format("{:.4f}", last->mean_loss)};
}

std::string pooling_text(const ConvolutionShape& shape) {
    const std::string what = shape.pooling == Pooling::average ? "mean" : "max";
    if (shape.pool_size == 0) {
        return fmt::format("{0}, grid {1}x{1}", what, shape.grid);
    }
    const std::string cells = fmt::format("{0} {1}x{1}", what, shape.pool_size);
    return shape.pool_stride == shape.pool_size ? cells : fmt::format("{} step {}", cells, shape.pool_stride);
}

std::string convolutions_text(const Model& model) {
    TextTable table;
    table.add({"layer", "patch", "whitened", "units", "code", "pooling", "maps", "active", "threshold",
               "loss", "mean's loss"});
    for (std::size_t i = 0; i < model.convolutions.size(); ++i) {
        const ConvolutionLayer& layer = model.convolutions[i];
        const ConvolutionShape& s = layer.shape;
        const auto share = activation_rate(model, i);
        std::vector<std::string> row{fmt::format("{}", i + 1),
                                     fmt::format("{0}x{0}x{1}", s.kernel, s.channels),
                                     fmt::format("{}", s.whitened),
                                     fmt::format("{}", s.units),
                                     s.two_sided     ? "both signs"
                                     : s.unit_length ? "unit length"
                                     : s.root        ? "root"
                                                     : "positive",
                                     pooling_text(s),
                                     map_text(s),
                                     share ? fmt::format("{:.3g} %", 100.0 * *share) : "-",
                                     s.unit_length ? "-" : fmt::format("{:.3g}", mean_threshold(layer))};
        const auto losses = losses_text(last_epoch(model, i + 1));
        row.insert(row.end(), losses.begin(), losses.end());
        table.add(row);
    }
    return table.text();
}

std::string layers_text(const Model& model) {
    TextTable table;
    table.add({"layer", "inputs", "units", "encoder", "decoder", "tied", "epochs", "loss", "mean's loss"});
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const DenseLayer& layer = model.layers[i];
        const std::size_t number = model.convolutions.size() + i + 1;
        const EpochRecord* last = last_epoch(model, number);
        std::vector<std::string> row{
            fmt::format("{}", number),
            fmt::format("{}", layer.inputs()),
            fmt::format("{}", layer.units()),
            name(layer.activation) + std::string(layer.of_roots ? " of roots" : ""),
            name(layer.decoder) + std::string(i + 1 == model.layers.size() && !model.picture_weights.empty()
                                                  ? ", to pictures"
                                                  : ""),
            layer.tied() ? "yes" : "no",
            last != nullptr            ? fmt::format("{}", last->epoch)
            : is_closed_form(model, i) ? "closed form"
                                       : "0"};
        const auto losses = losses_text(last);
        row.insert(row.end(), losses.begin(), losses.end());
        table.add(row);
    }
    return table.text();
}

std::string radial_text(const Model& model) {
    const RadialLayer& radial = *model.radial;
    TextTable table;
    table.add({"layer", "inputs", "units", "mixed", "gamma"});
    table.add({fmt::format("{}", model.depth()), fmt::format("{}", radial.inputs()),
               fmt::format("{}", radial.units()), fmt::format("{} at a time", radial.block()),
               fmt::format("{:.3g}", radial.gamma)});
    return table.text();
}

std::string model_text(const Model& model, const std::string& path) {
    const Recipe& recipe = model.recipe;
    std::string out = fmt::format("{}: a model of {} layers{}, checksum ok\n", printable(path), model.depth(),
                                  model.interrupted ? ", training was interrupted" : "");
    out += fmt::format("identity     {}\nparameters   {}\ncode         {} values{}\n", model.identity(),
                       format_count(model.parameters()), model.code_size(),
                       model.l2_normalize ? ", scaled to length 1 unless --normalize says otherwise" : "");
    out += fmt::format("trained on   {} ({} pictures)\n", printable(model.trained_on),
                       format_count(model.pictures));
    if (!model.class_names.empty()) {
        out += "classes      ";
        for (std::size_t i = 0; i < model.class_names.size(); ++i) {
            out += (i == 0 ? "" : ", ") + printable(model.class_names[i]);
        }
        out += '\n';
    }
    double seconds = 0.0;
    for (const EpochRecord& record : model.history) {
        seconds += record.seconds;
    }
    const auto tuned = std::count_if(model.history.begin(), model.history.end(),
                                     [](const EpochRecord& record) { return record.layer == 0; });
    out += fmt::format("history      {} epochs in {}{}\n", model.history.size(), format_duration(seconds),
                       tuned > 0 ? fmt::format(", {} of them fine-tuning; last loss {:.4f}", tuned,
                                               model.history.back().train_loss)
                                 : "");
    out += model.convolutions.empty() ? "" : "\nconvolutional layers\n" + convolutions_text(model);
    out += model.layers.empty()         ? ""
           : model.convolutions.empty() ? "\nlayers\n" + layers_text(model)
                                        : "\ndense layers\n" + layers_text(model);
    out += model.radial ? "\nradial units\n" + radial_text(model) : "";
    if (!model.layer_accuracies.empty()) {
        out += '\n';
        for (const std::string& line : depth_lines(model)) {
            out += line + '\n';
        }
        out += recommendation(model) + '\n';
    }
    out += fmt::format("\nrecipe: {} values a picture\n{}", recipe.size(), to_json(recipe).lines());
    return out + fmt::format("\noptions (preset {})\n{}", printable(model.options.preset),
                             to_json(model.options).lines());
}

JsonObject model_json(const Model& model, const std::string& path) {
    JsonObject object = to_json(model);
    object.set("kind", "model").set("path", path).set("checksum", "ok").set("recommended_layer", nullptr);
    return model.layer_accuracies.empty() ? object
                                          : object.set("recommended_layer", recommended_layer(model));
}

std::string gallery_text(const Gallery& gallery, const std::string& path) {
    const auto counts = count_names(gallery);
    std::string out = fmt::format("{}: a gallery of {} pictures and {} names, checksum ok\n", printable(path),
                                  format_count(gallery.size()), counts.size());
    out += fmt::format("model        {} ({})\n", printable(gallery.model_path),
                       printable(gallery.model_identity));
    out += fmt::format("codes        layer {}, {} values{}, {} distance\n", gallery.layer,
                       gallery.codes.columns(), gallery.l2_normalize ? ", scaled to length 1" : "",
                       name(gallery.metric));
    out += gallery.threshold == Gallery::nobody ? std::string("threshold    nobody is given a name\n")
           : gallery.threshold
               ? fmt::format("threshold    {:.6g} ({})\n", *gallery.threshold,
                             gallery.rate_known
                                 ? fmt::format("about {:.3g}% of strangers are given a name",
                                               100.0 * gallery.false_accept)
                                 : "all names are equally far apart: no share of strangers is known")
               : std::string("threshold    none\n");
    TextTable table;
    table.add({"name", "pictures"});
    for (const auto& [name, count] : counts) {
        table.add({name, format_count(count)});
    }
    return out + "\n" + table.text();
}

std::string presets_text() {
    std::string out;
    for (const Preset& preset : presets()) {
        out += fmt::format("{}{}: {}\n{}", out.empty() ? "" : "\n", preset.name, preset.summary,
                           to_json(preset.options).lines());
    }
    return out;
}

std::string presets_json() {
    std::vector<JsonObject> array;
    for (const Preset& preset : presets()) {
        array.push_back(to_json(preset));
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
        return "MODEL|GALLERY [options]\n       stackae info --presets\n       stackae info --layer-kinds";
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
    int layer_ = 1;
    bool layer_named_ = false;
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
    parser.option("layer", "N", "whose units, 1 is the lowest (1 when not given)",
                  [this](const std::string& text) {
                      layer_ = static_cast<int>(parse_integer(text, 1, 1'000'000));
                      layer_named_ = true;
                  });
    parser.option(
        "pictures", "INPUT",
        fmt::format("draw the mean of what excites a unit most in these instead ({} of them at most)",
                    format_count(max_receptive_pictures)),
        text_into(pictures_));
    reading_.declare(parser);
}

/// Returns the exit code.
int InfoCommand::draw_filters(Console& console, const Model& model, const std::string& path) const {
    check_layer(model, layer_);
    const int threads = resolve_threads(reading_.threads);
    reading_.check(encoding_bytes(model, layer_, threads, threads), "to run the layer",
                   "a lower --layer may take less, a larger --memory allows more");
    const std::vector<NamedPath> written{{"--filters", filters_}};
    std::vector<NamedPath> read{{"the model", path}};
    Filters filters;
    int code = exit_code::done;
    if (pictures_.empty()) {
        check_outputs(read, written);
        filters = weight_filters(model, layer_, threads);
    } else {
        recover_outputs(console, {pictures_});
        const Pictures all = Pictures::open(pictures_, reading_.picture_limits());
        read.push_back({"the pictures", pictures_});
        add_replaced(all, written, read);
        check_outputs(read, written);
        std::vector<std::int64_t> some(
            static_cast<std::size_t>(std::min(all.size(), max_receptive_pictures)));
        for (std::size_t i = 0; i < some.size(); ++i) {
            some[i] = static_cast<std::int64_t>(i) * all.size() / std::ssize(some);
        }
        const Pictures pictures = all.subset(some);
        Progress progress(console, "pictures", pictures.size());
        filters = receptive_fields(model, layer_, pictures, threads,
                                   [&](std::int64_t done) { progress.update(done); });
        InputMonitor monitor(console);
        monitor.manifest().fill(pictures, filters.skipped, filters.remarks);
        monitor.manifest().finish();
        code = monitor.exit_code();
    }
    catch_interrupts();  // the drawing is written whole
    write_png(filters_, draw(filters));
    console.note(fmt::format("drew {} of {} units of layer {} in {}", filters.tiles.size(), filters.units,
                             layer_, filters_));
    return code;
}

int InfoCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (presets_ || layer_kinds_ ? !inputs.empty() : inputs.size() != 1) {
        throw UsageError(presets_       ? "info --presets takes no file"
                         : layer_kinds_ ? "info --layer-kinds takes no file"
                                        : "info needs one MODEL or GALLERY");
    }
    if (presets_ && layer_kinds_) {
        throw UsageError("--presets and --layer-kinds exclude each other");
    }
    if (filters_.empty() && (layer_named_ || !pictures_.empty())) {
        throw UsageError(fmt::format("{} needs --filters", layer_named_ ? "--layer" : "--pictures"));
    }
    check_png_name(filters_);
    int code = exit_code::done;
    Results results;
    const auto print = [&](const std::string& text, const std::string& json) {
        results.write(json_ ? json + "\n" : text);
    };
    if (presets_ || layer_kinds_) {
        presets_ ? print(presets_text(), presets_json()) : print(layer_kinds_text(), layer_kinds_json());
        results.finish();
        return exit_code::done;
    }
    const std::string& path = inputs.front();
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
