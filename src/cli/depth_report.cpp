#include "cli/depth_report.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <sstream>

#include "stackae/evaluate.hpp"
#include "stackae/text.hpp"

#include "cli/text_table.hpp"

namespace stackae::cli {

std::vector<std::string> depth_lines(const Model& model) {
    const std::vector<DepthAccuracy>& accuracies = model.record.accuracies;
    const DepthAccuracy& first = accuracies.front();
    std::vector<std::string> lines{fmt::format(
        "which layer: accuracy of the {} nearest neighbours on {} labelled pictures held out, among "
        "{} others",
        first.k, format_count(first.pictures), format_count(first.neighbours))};
    TextTable table;
    table.add({"layer", "kind", "values", "l2", "cosine"});
    for (const DepthAccuracy& accuracy : accuracies) {
        const Layer& layer = model.layers[accuracy.depth - 1];
        table.add({fmt::format("{}", accuracy.depth), std::string(layer.type()),
                   fmt::format("{}", layer.output_shape().size()),
                   fmt::format("{:.1f} %", 100.0 * accuracy.l2),
                   fmt::format("{:.1f} %", 100.0 * accuracy.cosine)});
    }
    std::istringstream text(table.text());
    for (std::string line; std::getline(text, line);) {
        lines.push_back(line);
    }
    if (accuracies.size() < model.code_depths().size()) {
        lines.emplace_back("  other layers have too many values to be compared by neighbours");
    }
    return lines;
}

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

}  // namespace stackae::cli
