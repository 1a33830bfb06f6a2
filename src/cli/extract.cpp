#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <iostream>
#include <optional>

#include "stackae/error.hpp"
#include "stackae/features.hpp"

#include "cli/command.hpp"
#include "cli/encode.hpp"
#include "cli/extract_table.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_locator.hpp"
#include "cli/output.hpp"

namespace stackae::cli {
namespace {

class ExtractCommand : public Command {
public:
    std::string synopsis() const override {
        return "INPUT... [-m MODEL] [-o FILE] [options]\n       stackae extract [TABLE] -m MODEL [--items] "
               "[-o "
               "FILE] [options]";
    }
    std::string about() const override {
        return "Turns pictures into feature vectors.\n"
               "INPUT is a picture, a picture folder, a .txt list of paths, IDX images (.gz too) or .npy.\n"
               "Without -o the features are printed as CSV.\n"
               "Of a table of users and items (.csv, .tsv, .dat, .txt.gz), or without one of a model of a "
               "table: "
               "each\n"
               "user's code, or with --items each item's row of the decoder.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    FeatureFormat resolve_format() const;
    int run_table(Console& console, const std::vector<std::string>& inputs, FeatureFormat format) const;

    std::string model_;
    std::string output_;
    std::optional<FeatureFormat> format_;
    EncodeOptions encode_;
    EncodeSettings settings_;
    TableInput tables_;
    bool items_ = false;
};

void ExtractCommand::declare(OptionParser& parser) {
    parser.group("Features");
    parser.option("model,m", "MODEL", "else one that comes with stackae, by what the pictures are",
                  text_into(model_));
    parser.option("output,o", "FILE", "else stdout; .npy brings FILE.csv with names and labels beside it",
                  text_into(output_));
    parser.option(
        "format", "NAME",
        "csv, npy, libsvm (a row without a label gets -1), projector or jsonl; else by the output's ending",
        [this](const std::string& text) { format_ = parse<FeatureFormat>(text); });
    settings_.kept.declare(parser, "FILE");
    declare_layer(parser, encode_.output);
    declare_normalize(parser, encode_.l2_normalize);
    parser.flag("items", "of a model of a table: of its items instead of users", items_);
    settings_.declare(parser);
    tables_.declare(parser, "table-format");
}

FeatureFormat ExtractCommand::resolve_format() const {
    // A device or a pipe has no ending to go by.
    std::error_code ignored;
    const bool stream = output_.empty() || (std::filesystem::exists(output_, ignored) &&
                                            std::filesystem::is_other(output_, ignored));
    try {
        const FeatureFormat format = format_  ? *format_
                                     : stream ? FeatureFormat::csv
                                              : feature_format_of(output_);
        if (output_.empty() && (format == FeatureFormat::npy || format == FeatureFormat::projector)) {
            throw UsageError(fmt::format("--format {} needs a file: name one with -o", name(format)));
        }
        return format;
    } catch (const InvalidArgument& error) {
        throw UsageError(error.what());
    }
}

int ExtractCommand::run_table(Console& console, const std::vector<std::string>& inputs,
                              FeatureFormat format) const {
    if (inputs.size() > 1) {
        throw UsageError("extract takes one TABLE");
    }
    tables_.refuse_option("manifest");
    tables_.refuse_option("resume");
    tables_.tell_unused(console, {"batch-size", "checkpoint-every"});
    return extract_table(console, {.tables = tables_,
                                   .reading = settings_.reading,
                                   .input = inputs.empty() ? "" : inputs.front(),
                                   .model = model_,
                                   .output = output_,
                                   .format = format,
                                   .encode = encode_,
                                   .items = items_});
}

int ExtractCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.empty() && model_.empty()) {
        throw UsageError("extract needs an INPUT: a picture, a folder, a list, IDX or .npy");
    }
    if (output_ == "-") {
        output_.clear();
    }
    const FeatureFormat format = resolve_format();
    if (inputs.empty() || tables_.is_table(inputs.front())) {
        return run_table(console, inputs, format);
    }
    if (items_) {
        throw UsageError("--items are of a model of a table, without INPUT");
    }
    std::optional<NamedModel> named = named_model(console, model_);
    Inputs opened(inputs, settings_.reading.picture_limits(preprocessing_of(named)));
    settings_.reading.label(console, opened);
    const NamedModel model = named ? std::move(*named) : shipped_model(console, opened);
    check_layer(model.model, encode_.output);
    const std::int64_t columns = model.model.code_size(encode_.output);
    const std::vector<std::string> files =
        output_.empty() ? std::vector<std::string>{} : feature_files(output_, format, opened.labelled());
    std::vector<NamedPath> written{{"--manifest", settings_.manifest}};
    for (const std::string& file : files) {
        written.push_back({file == output_ ? "-o" : fmt::format("the file beside -o {},", output_), file});
    }
    check_outputs(opened, {{"the model", model.path}, {"the labels", settings_.reading.labels}}, written);
    settings_.kept.keep_beside(console, output_);
    catch_interrupts();
    OutputFiles set(stop_waiting);
    std::optional<FeatureWriter> writer;
    if (!output_.empty()) {
        writer.emplace(set, output_, format, columns, opened.labelled(), model.model.record.class_names);
    }
    InputMonitor monitor(console, set, settings_.manifest);
    std::vector<FeatureRow> rows;
    const auto encode_all = [&] {
        encode_inputs(console, {.inputs = opened, .model = model.model, .encode = encode_}, settings_,
                      monitor, [&](const InputBatch& batch, const Tensor& codes) {
                          if (!writer) {  // only now: where no picture can be used nothing is printed
                              writer.emplace(std::cout, format, columns, opened.labelled(),
                                             model.model.record.class_names);
                          }
                          rows.clear();
                          for (const ImageEntry& entry : batch.entries) {
                              rows.push_back({entry.path, entry.label});
                          }
                          writer->write(rows, codes);
                      });
        monitor.manifest().finish();
        writer->finish();
        set.commit();
    };
    settings_.kept.or_tell_room(console, encode_all);
    settings_.kept.drop(console);
    if (!output_.empty()) {
        console.note(fmt::format("wrote {}: {} rows of {} features", fmt::join(files, " and "),
                                 format_count(monitor.manifest().rows()), columns));
    }
    return monitor.exit_code();
}

}  // namespace

std::unique_ptr<Command> make_extract_command() {
    return std::make_unique<ExtractCommand>();
}

}  // namespace stackae::cli
