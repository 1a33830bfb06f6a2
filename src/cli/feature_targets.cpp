#include "cli/feature_targets.hpp"

#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iostream>
#include <memory>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

namespace stackae::cli {

void FeatureTargets::declare(OptionParser& parser) {
    parser.option("output,o", "FILE",
                  "else stdout; .npy and .faiss bring FILE.csv with names and labels beside them",
                  text_into(output_));
    parser.option(
        "format", "NAME",
        "csv, npy, libsvm (a row without a label gets -1), projector, jsonl, npz, hdf5, parquet or faiss; "
        "else by the output's ending",
        [this](const std::string& text) { format_ = parse<FeatureFormat>(text); });
    parser.option("also", "FILE,...",
                  "the same features in these files, too, in the formats of their endings",
                  [this](const std::string& text) { also_ = split_list(text); });
}

void FeatureTargets::resolve() {
    if (output_ == "-") {
        output_.clear();
    }
    // A device or a pipe has no ending to go by.
    std::error_code ignored;
    const bool stream = output_.empty() || (std::filesystem::exists(output_, ignored) &&
                                            std::filesystem::is_other(output_, ignored));
    try {
        const FeatureFormat format = format_  ? *format_
                                     : stream ? FeatureFormat::csv
                                              : feature_format_of(output_);
        if (output_.empty() && !is_streamed(format)) {
            throw UsageError(fmt::format("--format {} needs a file: name one with -o", name(format)));
        }
        targets_.push_back({output_, format});
        for (const std::string& path : also_) {
            targets_.push_back({path, feature_format_of(path)});
        }
    } catch (const InvalidArgument& error) {
        throw UsageError(error.what());
    }
}

std::vector<NamedPath> FeatureTargets::written(bool labelled, bool sprites) const {
    std::vector<NamedPath> all;
    for (const Target& target : targets_) {
        const char* const option = &target == targets_.data() ? "-o" : "--also";
        const std::vector<std::string> files = target.path.empty()
                                                   ? std::vector<std::string>()
                                                   : feature_files(target.path, target.format, labelled);
        for (const std::string& file : files) {
            all.push_back(
                {file == target.path ? option : fmt::format("the file beside {} {},", option, target.path),
                 file});
        }
        if (sprites && target.format == FeatureFormat::projector) {
            all.push_back(
                {fmt::format("the sprite of {} {},", option, target.path), sprite_file(target.path)});
        }
    }
    return all;
}

std::string FeatureWriters::said(std::int64_t rows) const {
    return fmt::format("wrote {}: {} rows of {} features", fmt::join(files_, " and "), format_count(rows),
                       layout_.columns);
}

FeatureWriters::FeatureWriters(const FeatureTargets& targets, OutputFiles& files, Layout layout)
    : layout_(std::move(layout)) {
    for (const FeatureTargets::Target& target : targets.targets_) {
        if (target.path.empty()) {
            printed_ = target.format;
            continue;
        }
        writers_.push_back(std::make_unique<FeatureWriter>(files, target.path, target.format, layout_.columns,
                                                           layout_.labelled, layout_.class_names,
                                                           layout_.kind));
        const std::vector<std::string> some = feature_files(target.path, target.format, layout_.labelled);
        files_.insert(files_.end(), some.begin(), some.end());
        if (target.format == FeatureFormat::projector) {
            projectors_.push_back({writers_.back().get(), sprite_file(target.path)});
        }
    }
}

void FeatureWriters::write(const std::vector<FeatureRow>& rows, const Tensor& codes) {
    if (printed_) {  // only now: where no picture can be used nothing is printed
        writers_.push_back(std::make_unique<FeatureWriter>(std::cout, *std::exchange(printed_, std::nullopt),
                                                           layout_.columns, layout_.labelled,
                                                           layout_.class_names, layout_.kind));
    }
    for (const auto& writer : writers_) {
        writer->write(rows, codes);
    }
}

void FeatureWriters::set_sprite(const Tensor& picture, std::int64_t side) {
    for (const auto& [writer, path] : projectors_) {
        writer->set_sprite(picture, side);
        files_.push_back(path);
    }
}

void FeatureWriters::finish() {
    for (const auto& writer : writers_) {
        writer->finish();
    }
}

}  // namespace stackae::cli
