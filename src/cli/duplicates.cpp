#include "stackae/duplicates.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <functional>
#include <optional>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/input_monitor.hpp"
#include "cli/interrupt.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"
#include "cli/reading.hpp"

namespace stackae::cli {
namespace {

class DuplicatesCommand : public Command {
public:
    std::string synopsis() const override { return "INPUT... [-o FILE] [options]"; }
    std::string about() const override {
        return "Finds copies: files of the same bytes, pictures of the same pixels, and pictures that lie on "
               "one\n"
               "another once they are turned, mirrored, cropped or moved. Prints CSV "
               "group,path,keep,kind,distance.\n"
               "Nothing is ever deleted.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    void check_links(const std::vector<NamedPath>& written) const;
    void tell(Console& console, const DuplicateReport& report) const;

    std::string output_;
    std::string reference_;
    std::string manifest_;
    std::string cache_;
    std::string links_;
    bool json_ = false;
    DuplicateOptions options_;
    ReadingOptions reading_;
};

void DuplicatesCommand::declare(OptionParser& parser) {
    parser.group("Copies");
    parser.option(
        "transforms", "LIST",
        "of copies, beside crops, borders, turns by some degrees, other sizes and qualities, which are "
        "always looked for: mirror,rotate90 (when not given), one of them, or none",
        [this](const std::string& text) {
            options_.mirror = text == "mirror" || text == "mirror,rotate90" || text == "rotate90,mirror";
            options_.rotate90 = text == "rotate90" || text == "mirror,rotate90" || text == "rotate90,mirror";
            if (!options_.mirror && !options_.rotate90 && text != "none") {
                throw UsageError(
                    fmt::format("'{}' found, mirror,rotate90, one of the two or none expected", text));
            }
        });
    parser.option(
        "false-pairs", "P",
        "share of all pairs of different pictures that may be taken for copies (1e-6 when not given)",
        number_into(options_.false_pairs, 1e-15, 0.5));
    parser.option("threshold", "D",
                  "distance up to which pictures are copies (a number from 0 to 1); else by --false-pairs",
                  number_into(options_.threshold, 0.0, 1.0));
    parser.option("reference", "INPUT", "only copies of pictures in there, which are kept",
                  text_into(reference_));
    parser.option(
        "keep", "RULE",
        "which of a group has keep 1: largest (most pixels, then bytes; when not given), oldest or first",
        [this](const std::string& text) { options_.keep = parse<KeepRule>(text); });
    parser.option("seed", "N", "of the copies that are planted to find the threshold (0 when not given)",
                  integer_into(options_.seed, 0));
    parser.group("Output");
    parser.option("output,o", "FILE", "else stdout", text_into(output_));
    parser.option(
        "cache", "FILE",
        "what is found, so that pictures that have not changed are not compared again; with -o, FILE.cache "
        "beside it when not given; none: not kept",
        text_into(cache_));
    parser.option("links", "DIR", "a new folder of links to the pictures, a folder a group, to look at",
                  text_into(links_));
    parser.flag("json", "one JSON object instead of CSV", json_);
    parser.option("manifest", "FILE", "what became of each picture, as CSV", text_into(manifest_));
    reading_.declare(parser);
}

void DuplicatesCommand::check_links(const std::vector<NamedPath>& written) const {
    namespace fs = std::filesystem;
    if (links_.empty()) {
        return;
    }
    try {
        check_links_folder(links_);
    } catch (const InvalidArgument& error) {
        throw UsageError(fmt::format("--links {}", error.what()));
    }
    const fs::path folder = fs::weakly_canonical(fs::absolute(links_));
    for (const NamedPath& file : written) {
        if (file.path.empty()) {
            continue;
        }
        const fs::path path = fs::weakly_canonical(fs::absolute(file.path));
        if (std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end()) {
            throw UsageError(fmt::format("--links {}: {} {} lies in it", links_, file.what, file.path));
        }
    }
}

int DuplicatesCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.empty()) {
        throw UsageError("duplicates needs an INPUT: a folder, a list, pictures, IDX or .npy");
    }
    if (output_ == "-") {
        output_.clear();
    }
    Inputs opened(inputs, reading_.picture_limits());
    std::optional<Inputs> reference;
    if (!reference_.empty()) {
        reference.emplace(std::vector{reference_}, reading_.picture_limits());
    }
    reading_.label(console, opened);
    if (cache_.empty() && !output_.empty() && !is_stream(output_)) {
        options_.cache = output_ + ".cache";
    } else if (cache_ != "none") {
        options_.cache = cache_;
    }
    check_replaces_only(options_.cache, "duplicates");
    const std::vector<NamedPath> written{
        {"-o", output_}, {"--manifest", manifest_}, {"the cache", options_.cache}};
    std::vector<NamedPath> read{{"--reference", reference_}, {"the labels", reading_.labels}};
    if (reference) {
        for (const Inputs::Source& source : reference->sources()) {
            if (source.pictures) {
                add_replaced(*source.pictures, written, read);
            }
        }
    }
    check_outputs(opened, read, written);
    check_links(written);
    catch_interrupts();
    ResultWriter results(output_);
    InputMonitor monitor(console, results.files(), manifest_);
    options_.threads = reading_.threads;
    options_.memory = reading_.limit();
    options_.limits = reading_.picture_limits();
    PartProgress progress(console, monitor);
    options_.on_progress = std::ref(progress);
    const DuplicateReport report =
        find_duplicates(opened, reference ? &*reference : nullptr, options_, monitor.manifest());
    check_interrupted();  // while pictures were read
    progress.end();
    if (!report.cache_error.empty()) {
        console.warn(fmt::format("{}; what was found is not kept for another time", report.cache_error));
    }
    monitor.manifest().finish();
    if (json_) {
        results.write(to_json(report).text() + "\n");
    } else {
        results.write("group,path,keep,kind,distance\n");
        for (std::size_t i = 0; i < report.groups.size(); ++i) {
            for (const Duplicate& member : report.groups[i]) {
                results.write(fmt::format("{},{},{},{},{:.4f}\n", i + 1, csv_field(member.entry.path),
                                          member.keep ? 1 : 0, name(member.kind), member.distance));
            }
        }
    }
    results.finish();
    if (!links_.empty()) {
        link_groups(report, links_);
    }
    tell(console, report);
    return monitor.exit_code();
}

void DuplicatesCommand::tell(Console& console, const DuplicateReport& report) const {
    std::int64_t copies = 0;
    for (const auto& group : report.groups) {
        for (const Duplicate& member : group) {
            copies += member.keep ? 0 : 1;
        }
    }
    console.note(fmt::format(
        "{} in {}, of {}", copies == 1 ? std::string("1 copy") : format_count(copies) + " copies",
        format_count(std::ssize(report.groups), "group"), format_count(report.pictures, "picture")));
    if (report.cached) {
        console.note(
            fmt::format("nothing has changed since {} was written: what was found then", options_.cache));
    }
    std::string rates;
    std::int64_t planted = 0;
    std::int64_t found = 0;
    for (const PlantedCopies& kind : report.planted) {
        rates += fmt::format("{}{} {:.0f}%", rates.empty() ? "" : ", ", kind.kind,
                             100.0 * static_cast<double>(kind.found) / static_cast<double>(kind.planted));
        planted += kind.planted;
        found += kind.found;
    }
    if (planted > 0) {
        console.note(
            fmt::format("within {:.4g} as they are and {:.4g} turned, cut or moved, of {} planted "
                        "copies {:.1f}% are found ({})",
                        report.near_threshold, report.transformed_threshold, format_count(planted),
                        100.0 * static_cast<double>(found) / static_cast<double>(planted), rates));
    }
    console.note(std::isnan(report.false_pairs)
                     ? std::string("too few pictures to tell how many pairs of different ones are that near")
                     : fmt::format("of pairs of different pictures {:.2g} are expected within it",
                                   report.false_pairs));
}

}  // namespace

std::unique_ptr<Command> make_duplicates_command() {
    return std::make_unique<DuplicatesCommand>();
}

}  // namespace stackae::cli
