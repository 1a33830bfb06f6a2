#include "cli/evaluate_odd.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <numeric>
#include <random>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate_anomalies.hpp"
#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/memorizing.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/text_table.hpp"

namespace stackae::cli {
namespace {

/// A random half of pictures, and the other.
std::pair<ImageDataset, ImageDataset> halves(const ImageDataset& pictures, std::uint64_t seed) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(pictures.size()));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    // The same everywhere: the engine is settled by the standard, and no distribution is used.
    std::mt19937_64 random(seed);
    for (std::size_t i = order.size(); i > 1; --i) {
        std::swap(order[i - 1], order[static_cast<std::size_t>(random() % i)]);
    }
    const auto middle = order.begin() + (std::ssize(order) + 1) / 2;
    std::vector<std::int64_t> first(order.begin(), middle);
    std::vector<std::int64_t> second(middle, order.end());
    std::sort(first.begin(), first.end());
    std::sort(second.begin(), second.end());
    return {pictures.subset(first), pictures.subset(second)};
}

std::string report(const AnomalyEvaluation& result, const PatchMemory& memory) {
    std::string out =
        fmt::format("rule   {}\ndata   {}, {}\n\nodd pictures: area under the ROC\n", to_text(memory.rule),
                    format_count(result.good, "good picture"), format_count(result.odd, "odd picture"));
    TextTable table;
    table.add({"score", fmt::format("{:.4f}", result.auroc)});
    table.add({"reconstruction error", fmt::format("{:.4f}", result.reconstruction_auroc)});
    for (const AnomalyEvaluation::Kind& kind : result.kinds) {
        table.add({fmt::format("score, {} ({})", printable(kind.label), kind.pictures),
                   fmt::format("{:.4f}", kind.auroc)});
    }
    out += table.text();
    if (result.pixel_auroc && result.pro) {
        TextTable pixels;
        pixels.add({"area under the ROC", fmt::format("{:.4f}", *result.pixel_auroc)});
        pixels.add({"per-region overlap (PRO)", fmt::format("{:.4f}", *result.pro)});
        out += fmt::format("\npixels: {}\n", format_count(result.masks, "mask")) + pixels.text();
    }
    TextTable roc;
    roc.add({"threshold", "good above", "odd above"});
    for (std::size_t i = 0; i < result.roc.size(); i += i < 5 ? 1 : 10) {
        const RocPoint& point = result.roc[i];
        roc.add({fmt::format("{:.4g}", point.threshold), fmt::format("{:.1f} %", 100.0 * point.false_alarms),
                 fmt::format("{:.1f} %", 100.0 * point.found)});
    }
    return out + "\nreceiver operating characteristic\n" + roc.text();
}

}  // namespace

int evaluate_odd(Console& console, const OddEvaluation& wanted) {
    if (wanted.good.empty() || wanted.odd.empty()) {
        throw UsageError("evaluate needs both, --good and --odd");
    }
    if (std::error_code ignored;
        !wanted.masks.empty() && !std::filesystem::is_directory(wanted.masks, ignored)) {
        throw UsageError(fmt::format("--masks {}: a folder expected, none found", wanted.masks));
    }
    ImageDataset good = ImageDataset::open(wanted.good, wanted.reading.picture_limits());
    const ImageDataset odd = ImageDataset::open(wanted.odd, wanted.reading.picture_limits());
    if (!wanted.memory.empty() && !wanted.model.empty()) {
        throw UsageError("--patch-memory has its model: -m is of one that is learnt");
    }
    if (!wanted.reading.labels.empty()) {
        throw UsageError("--labels: kinds of odd pictures are the folders that they are in");
    }
    InputMonitor monitor(console);
    PatchMemory memory;
    if (!wanted.memory.empty()) {
        memory = load_patch_memory(wanted.memory);
    } else {
        auto [learn, measure] = halves(good, wanted.seed);
        constexpr std::int64_t least = 6;
        if (good.size() < least) {
            throw InvalidArgument(fmt::format("{}: {} found, {} or more expected: a half is learnt from",
                                              wanted.good, format_count(good.size(), "good picture"), least));
        }
        MemorizeSettings settings;
        settings.model = wanted.model;
        settings.options.seed = wanted.seed;
        memory = settings.run(console, Inputs(std::move(learn)), wanted.reading, monitor);
        monitor.manifest().finish();
        tell(console, memory);
        good = std::move(measure);
    }
    const AnomalyEvaluation result =
        evaluate_anomalies(memory, good, odd,
                           {.masks = wanted.masks,
                            .limits = wanted.reading.picture_limits(memory.preprocessing),
                            .threads = wanted.reading.threads});
    catch_interrupts();
    ResultWriter results;
    results.write(wanted.json ? to_json(result).set("rule", to_text(memory.rule)).text() + "\n"
                              : report(result, memory));
    results.finish();
    const auto skipped = std::ssize(result.skipped_good) + std::ssize(result.skipped_odd);
    if (skipped > 0) {
        console.warn(fmt::format("{} skipped", format_count(skipped, "picture")));
    }
    return skipped > 0 ? exit_code::skipped : monitor.exit_code();
}

}  // namespace stackae::cli
