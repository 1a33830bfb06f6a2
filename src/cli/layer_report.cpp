#include "cli/layer_report.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <sstream>

#include "stackae/evaluate.hpp"

#include "cli/values.hpp"

namespace stackae::cli {

std::vector<std::string> layer_lines(const Model& model) {
    const LayerAccuracy& first = model.layer_accuracies.front();
    std::vector<std::string> lines{fmt::format(
        "which layer: accuracy of the {} nearest neighbours on {} labelled pictures held out, among "
        "{} others",
        first.k, format_count(first.pictures), format_count(first.neighbours))};
    TextTable table;
    table.add({"layer", "values", "l2", "cosine"});
    for (const LayerAccuracy& accuracy : model.layer_accuracies) {
        table.add({fmt::format("{}", accuracy.layer), fmt::format("{}", model.code_size(accuracy.layer)),
                   fmt::format("{:.1f} %", 100.0 * accuracy.l2),
                   fmt::format("{:.1f} %", 100.0 * accuracy.cosine)});
    }
    std::istringstream text(table.text());
    for (std::string line; std::getline(text, line);) {
        lines.push_back(line);
    }
    if (std::ssize(model.layer_accuracies) < model.depth()) {
        lines.emplace_back("  other layers have too many values to be compared by neighbours");
    }
    return lines;
}

std::string recommendation(const Model& model) {
    const int layer = recommended_layer(model);
    const LayerAccuracy& best = *std::find_if(model.layer_accuracies.begin(), model.layer_accuracies.end(),
                                              [layer](const auto& one) { return one.layer == layer; });
    const double p = best.best();
    // Two more of either outcome (Agresti & Coull 1998), so that a share of 0 or 1 has an error too.
    const double n = static_cast<double>(best.pictures) + 4.0;
    const double mild = (p * static_cast<double>(best.pictures) + 2.0) / n;
    const double error = std::sqrt(mild * (1.0 - mild) / n);
    return fmt::format("layer {} (kNN {:.1f} % ± {:.1f} on {} pictures held out) — recommended: --layer {}{}",
                       layer, 100.0 * p, 100.0 * error, format_count(best.pictures), layer,
                       best.cosine > best.l2 ? " --metric cosine" : "");
}

}  // namespace stackae::cli
