#include "cli/memorizing.hpp"

#include <cstring>
#include <fmt/format.h>
#include <functional>

#include "stackae/text.hpp"

#include "cli/interrupt.hpp"
#include "cli/model_locator.hpp"
#include "cli/parse.hpp"

namespace stackae::cli {

namespace {

/// What a user may not expect of the sizes of pictures.
void tell(Console& console, const GoodPictureSizes& sizes, const MemorizeOptions& options) {
    const auto more = [](int greatest, int least, double by) { return greatest > by * least; };
    constexpr double differs = 1.1;
    constexpr double much = 2.0;
    if (more(sizes.greatest_height, sizes.least_height, differs) ||
        more(sizes.greatest_width, sizes.least_width, differs)) {
        console.warn(fmt::format(
            "good pictures of {} to {} x {} to {} pixels, all brought to {} x {}: odd ones are told best "
            "where parts are photographed in one size",
            sizes.least_width, sizes.greatest_width, sizes.least_height, sizes.greatest_height, sizes.width,
            sizes.height));
    }
    if (sizes.channels > 1 && sizes.some_gray && sizes.some_coloured) {
        console.warn("some good pictures are gray and some coloured: odd ones are told best among one kind");
    }
    const double reduced = options.tile > 0 ? 1.0 : much;
    if (more(sizes.greatest_width, sizes.width, reduced) ||
        more(sizes.greatest_height, sizes.height, reduced)) {
        const char* const advice = options.image_size > 0 ? ", as --img-size asks for"
                                   : options.tile > 0
                                       ? ""
                                       : "; memorize --tile 512 looks at them in their own size (slower)";
        console.note(fmt::format(
            "pictures of up to {} x {} pixels are looked at in {} x {}: a defect of a few pixels may be "
            "lost{}",
            sizes.greatest_width, sizes.greatest_height, sizes.width, sizes.height, advice));
    }
}

}  // namespace

void MemorizeSettings::declare(OptionParser& parser) {
    // Each says that it was named.
    const auto option = [&](const char* name, const char* value, const char* help, auto read) {
        parser.option(
            name, value, help,
            [this, read, known = std::string(name, std::strcspn(name, ","))](const std::string& text) {
                named = known;
                read(text);
            });
    };
    option("model,m", "MODEL",
           "a stack of convolutions whose maps are compared; else units are learnt from the good pictures "
           "themselves",
           text_into(model));
    option("layer", "OUTPUT",
           "of the model: an output's name, or how many layers are run; else the deepest map",
           text_into(options.output));
    option(
        "method", "METHOD",
        "what tells odd positions: memory (nearest good code), gaussian, reconstruction, or auto: what tells "
        "planted defects best (when not given)",
        [this](const std::string& text) {
            if (text == "auto") {
                options.method.reset();
            } else if (text == "memory" || text == "gaussian" || text == "reconstruction") {
                options.method = parse<AnomalyMethod>(text);
            } else {
                throw UsageError(
                    fmt::format("'{}' found, auto, memory, gaussian or reconstruction expected", text));
            }
        });
    option("img-size", "N",
           "pixels of the longer side that pictures are looked at in, at most (512 when not given, 4096 with "
           "--tile)",
           [this](const std::string& text) {
               options.image_size = static_cast<int>(parse_integer(text, 32, Preprocessing::max_side));
           });
    option(
        "tile", "N",
        "a picture is as odd as the oddest of its tiles of N pixels a side, so that defects of a few pixels "
        "are found in large pictures; else as its whole is",
        integer_into(options.tile, 64, Preprocessing::max_side));
    option(
        "stride", "N",
        "pixels between the positions that are compared: 4, or what the model's maps have, or more (when not "
        "given 8, of pictures below 128 pixels 4)",
        integer_into(options.stride, 1, Preprocessing::max_side));
    option("codes", "N", "of positions kept in the memory, at most (10000 when not given)",
           integer_into(options.max_codes, 1, 10'000'000));
    option("region", "FILE", "a picture that is white where pictures are looked at",
           text_into(options.region));
    option("seed", "N", "of everything random (0 when not given)", integer_into(options.seed, 0));
}

PatchMemory MemorizeSettings::run(Console& console, const Inputs& good, const ReadingOptions& reading,
                                  InputMonitor& monitor) {
    if (std::optional<NamedModel> given = named_model(console, model)) {
        options.model = std::move(given->model);
    }
    options.threads = reading.threads;
    options.memory = reading.limit();
    options.limits = reading.picture_limits();
    PartProgress progress(console, monitor);
    options.on_progress = std::ref(progress);
    options.on_sizes = [&](const GoodPictureSizes& sizes) { tell(console, sizes, options); };
    return memorize(good, options, monitor.manifest());
}

void tell(Console& console, const PatchMemory& memory) {
    std::string told;
    double sum = 0.0;
    for (const PlantedDefects& defects : memory.planted) {
        told += fmt::format("{}{} {:.2f}", told.empty() ? "" : ", ", defects.kind, defects.auroc);
        sum += defects.auroc / static_cast<double>(memory.planted.size());
    }
    console.note(fmt::format("{} at {} x {} pixels, {} x {} positions, {} codes of {} values",
                             format_count(memory.pictures, "good picture"), memory.preprocessing.width,
                             memory.preprocessing.height, memory.width, memory.height,
                             format_count(memory.codes.rows()), memory.dimension()));
    console.note(fmt::format("odd is: {}", to_text(memory.rule)));
    console.note(fmt::format("planted defects told from good pictures: AUROC {:.3f} ({})", sum, told));
    constexpr double hardly = 0.6;  // chance is 0.5
    if (sum < hardly) {
        console.warn(
            "that is hardly better than chance: the good pictures are too few, or too different from one "
            "another; take them alike, from one side and in one light, or name the --region that matters");
    }
    for (const GoodPicture& picture : memory.oddest_good) {
        if (&picture == &memory.oddest_good.front()) {
            console.note(
                "oddest of the good pictures, which settle the threshold (is one of them not good?):");
        }
        console.note(fmt::format("  {} {:.4g}", printable(picture.path), picture.score));
    }
}

void tell(Console& console, const AnomalyThreshold& threshold, double false_alarm) {
    console.note(
        threshold.promised <= false_alarm
            ? fmt::format("threshold {:.4g}: at most {:.2g} % of good pictures are above it (at 95 %, "
                          "by {})",
                          threshold.threshold, 100.0 * threshold.promised,
                          format_count(threshold.pictures, "good picture"))
            : fmt::format("threshold {:.4g}: of {} {:.2g} % of false alarms cannot be promised; {:.2g} % "
                          "can, at 95 %",
                          threshold.threshold, format_count(threshold.pictures, "good picture"),
                          100.0 * false_alarm, 100.0 * threshold.promised));
}

}  // namespace stackae::cli
