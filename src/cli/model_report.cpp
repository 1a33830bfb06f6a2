#include "cli/model_report.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <optional>
#include <sstream>
#include <vector>

#include "stackae/evaluate.hpp"
#include "stackae/text.hpp"

#include "cli/compare_with_pca.hpp"
#include "cli/text_table.hpp"

namespace stackae::cli {
namespace {

/// A line a layer. Texts of any length come last, so that numbers stand below one another.
std::string layers_text(const Stack& layers) {
    TextTable table;
    std::vector<std::string> texts{"text"};
    table.add({"layer", "input", "output", "parameters"});
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const Layer& layer = layers[i];
        table.add({fmt::format("{}", i + 1), to_text(layer.input_shape()), to_text(layer.output_shape()),
                   format_count(layer.parameters())});
        texts.push_back(layer.text());
    }
    std::istringstream lines(table.text());
    std::string out;
    std::string line;
    for (const std::string& text : texts) {
        std::getline(lines, line);
        out += line + "  " + text + '\n';
    }
    return out;
}

std::string outputs_text(const Model& model) {
    std::string out;
    for (const NamedOutput& output : model.outputs) {
        const Shape code = model.layers.output_shape(model.input_shape(), output.depth);
        out += fmt::format("{}{}: layer {}, {}", out.empty() ? "" : "; ", printable(output.name),
                           output.depth, format_count(code.size(), "value"));
    }
    return out;
}

std::string reconstruction_text(const Model& model) {
    const Reconstruction& reconstruction = model.reconstruction;
    if (const std::size_t layer = model.uninvertible_layer(reconstruction.depth)) {
        return fmt::format("nothing: layer {}, {}, cannot be inverted", layer,
                           model.layers[layer - 1].type());
    }
    return fmt::format(
        "from layer {} by {}", reconstruction.depth,
        reconstruction.head.empty() ? "the layers' own decoders" : to_text(reconstruction.head));
}

std::string table_text(const Interactions& table) {
    const std::int64_t entries = table.entry_count();
    return fmt::format("{}, {}, {} ({} values)", format_count(table.user_count(), "user"),
                       format_count(table.item_count(), "item"),
                       entries == 1 ? "1 entry" : format_count(entries) + " entries", name(table.value_mode));
}

/// A line a stage: its number of epochs, and its last one's values.
std::string training_text(const std::vector<StageEpoch>& history) {
    const auto text = [](const std::optional<double>& value) {
        return value ? fmt::format("{:.4f}", *value) : std::string("-");
    };
    TextTable table;
    table.add({"stage", "epochs", "loss", "validation loss", "mean's loss", "dead units"});
    for (std::size_t i = 0; i < history.size(); ++i) {
        const StageEpoch& last = history[i];
        if (i + 1 < history.size() && history[i + 1].stage == last.stage) {
            continue;
        }
        table.add({last.stage, fmt::format("{}", last.epoch), text(last.train_loss),
                   text(last.validation_loss), text(last.mean_loss),
                   last.dead_units ? fmt::format("{:.1f} %", 100.0 * *last.dead_units) : "-"});
    }
    return table.text();
}

std::string classes_text(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) {
        out += (out.empty() ? "" : ", ") + printable(name);
    }
    return out;
}

/// `layer 2 (kNN 71.2 % ± 0.9 on 2,500 pictures held out) — recommended: --layer 2 --metric cosine`.
std::string recommendation(const Model& model) {
    const std::size_t depth = recommended_depth(model);
    const std::vector<DepthAccuracy>& accuracies = model.record.accuracies;
    const DepthAccuracy& best = *std::find_if(accuracies.begin(), accuracies.end(),
                                              [depth](const auto& one) { return one.depth == depth; });
    const double p = best.best();
    // Two more of either outcome (Agresti & Coull 1998), so that a share of 0 or 1 has an error too.
    const double n = static_cast<double>(best.pictures) + 4.0;
    const double mild = (p * static_cast<double>(best.pictures) + 2.0) / n;
    const double error = std::sqrt(mild * (1.0 - mild) / n);
    return fmt::format("layer {} (kNN {:.1f} % ± {:.1f} on {} pictures held out) — recommended: --layer {}{}",
                       depth, 100.0 * p, 100.0 * error, format_count(best.pictures), depth,
                       best.cosine > best.l2 ? " --metric cosine" : "");
}

}  // namespace

std::string depth_report(const Model& model) {
    const std::vector<DepthAccuracy>& accuracies = model.record.accuracies;
    const DepthAccuracy& first = accuracies.front();
    std::string out = fmt::format(
        "which layer: accuracy of the {} nearest neighbours on {} labelled pictures held out, among "
        "{} others\n",
        first.k, format_count(first.pictures), format_count(first.neighbours));
    TextTable table;
    table.add({"layer", "kind", "values", "l2", "cosine"});
    for (const DepthAccuracy& accuracy : accuracies) {
        const Layer& layer = model.layers[accuracy.depth - 1];
        table.add({fmt::format("{}", accuracy.depth), std::string(layer.type()),
                   fmt::format("{}", layer.output_shape().size()),
                   fmt::format("{:.1f} %", 100.0 * accuracy.l2),
                   fmt::format("{:.1f} %", 100.0 * accuracy.cosine)});
    }
    out += table.text();
    if (accuracies.size() < model.code_depths().size()) {
        out += "  other layers have too many values to be compared by neighbours\n";
    }
    return out + recommendation(model);
}

std::string row_of(const Model& model) {
    return model.table.items.empty() ? "picture" : name(*model.record.config.rows);
}

std::string model_text(const Model& model, const std::string& path) {
    const TrainingRecord& record = model.record;
    std::string out = fmt::format("{}: a model of {}{}, checksum ok\n", printable(path),
                                  format_count(std::ssize(model.layers.layers()), "layer"),
                                  record.interrupted ? ", training was interrupted" : "");
    out +=
        fmt::format("identity     {}\nparameters   {}\noutputs      {}\nrebuilds     {}\n", model.identity(),
                    format_count(model.parameters()), outputs_text(model), reconstruction_text(model));
    out += fmt::format("trained on   {}{}\n", format_count(record.pictures, row_of(model)),
                       record.data.empty() ? "" : ", " + printable(record.data));
    out += model.table.items.empty() ? "" : fmt::format("knows        {}\n", table_text(model.table));
    out +=
        record.class_names.empty() ? "" : fmt::format("classes      {}\n", classes_text(record.class_names));
    out += "\nlayers\n" + layers_text(model.layers);
    out += record.history.empty() ? "" : "\ntraining\n" + training_text(record.history);
    for (const StageEpoch& epoch : record.history) {
        out += epoch.remark.empty()
                   ? ""
                   : fmt::format("{}, epoch {}: {}\n", epoch.stage, epoch.epoch, printable(epoch.remark));
    }
    if (record.reconstruction) {
        out += '\n' + reconstruction_report(*record.reconstruction) + '\n';
    }
    if (!record.accuracies.empty()) {
        out += '\n' + depth_report(model) + '\n';
    }
    out += fmt::format("\npreprocessing: {} values {} {}\n{}", model.preprocessing.size(),
                       row_of(model) == "item" ? "an" : "a", row_of(model),
                       to_json(model.preprocessing).lines());
    return out + fmt::format("\nconfiguration (preset {})\n{}", printable(record.config.preset),
                             to_json(record.config).lines());
}

JsonObject model_json(const Model& model, const std::string& path) {
    JsonObject object = to_json(model);
    object.set("kind", "model").set("path", path).set("checksum", "ok").set("recommended_depth", nullptr);
    return model.record.accuracies.empty() ? object
                                           : object.set("recommended_depth", recommended_depth(model));
}

}  // namespace stackae::cli
