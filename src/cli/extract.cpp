#include <fmt/format.h>
#include <fmt/ranges.h>
#include <optional>

#include "stackae/features.hpp"

#include "cli/command.hpp"
#include "cli/draw_sprite.hpp"
#include "cli/encode.hpp"
#include "cli/extract_table.hpp"
#include "cli/feature_targets.hpp"
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
    int run_table(Console& console, const std::vector<std::string>& inputs) const;

    std::string model_;
    FeatureTargets targets_;
    bool no_sprite_ = false;
    EncodeOptions encode_;
    EncodeSettings settings_;
    TableInput tables_;
    bool items_ = false;
};

void ExtractCommand::declare(OptionParser& parser) {
    parser.group("Features");
    parser.option("model,m", "MODEL", "else one that comes with stackae, by what the pictures are",
                  text_into(model_));
    targets_.declare(parser);
    parser.flag("no-sprite", "no thumbnails of the pictures for the projector", no_sprite_);
    settings_.kept.declare(parser, "FILE");
    declare_layer(parser, encode_.output);
    declare_normalize(parser, encode_.l2_normalize);
    parser.flag("items", "of a model of a table: of its items instead of users", items_);
    settings_.declare(parser);
    tables_.declare(parser, "table-format");
}

int ExtractCommand::run_table(Console& console, const std::vector<std::string>& inputs) const {
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
                                   .targets = targets_,
                                   .encode = encode_,
                                   .items = items_});
}

int ExtractCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.empty() && model_.empty()) {
        throw UsageError("extract needs an INPUT: a picture, a folder, a list, IDX or .npy");
    }
    targets_.resolve();
    if (inputs.empty() || tables_.is_table(inputs.front())) {
        return run_table(console, inputs);
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
    std::vector<NamedPath> written = targets_.written(opened.labelled(), !no_sprite_);
    written.push_back({"--manifest", settings_.manifest});
    check_outputs(opened, {{"the model", model.path}, {"the labels", settings_.reading.labels}}, written);
    settings_.kept.keep_beside(console, targets_.output());
    catch_interrupts();
    OutputFiles set(stop_waiting);
    FeatureWriters writers(targets_, set,
                           {columns, opened.labelled(), model.model.record.class_names, RowKind::filename});
    InputMonitor monitor(console, set, settings_.manifest);
    std::vector<FeatureRow> rows;
    const bool sprite = writers.has_projector() && !no_sprite_;
    std::vector<std::int64_t> indices;  // of all rows, for that
    std::int64_t first = 0;
    const auto encode_all = [&] {
        encode_inputs(console, {.inputs = opened, .model = model.model, .encode = encode_}, settings_,
                      monitor, [&](const InputBatch& batch, const Tensor& codes) {
                          rows.clear();
                          for (const ImageEntry& entry : batch.entries) {
                              rows.push_back({entry.path, entry.label});
                          }
                          writers.write(rows, codes);
                          if (sprite) {
                              const std::vector<std::int64_t> some = batch.indices(first);
                              indices.insert(indices.end(), some.begin(), some.end());
                              first = batch.end;
                          }
                      });
        monitor.manifest().finish();
        if (sprite) {
            if (const auto sheet =
                    draw_sprite(console, opened, indices, model.model.preprocessing, settings_.reading)) {
                writers.set_sprite(sheet->picture(), sheet->thumbnail());
            }
        }
        writers.finish();
        set.commit();
    };
    settings_.kept.or_tell_room(console, encode_all);
    settings_.kept.drop(console);
    if (writers.has_files()) {
        console.note(writers.said(monitor.manifest().rows()));
    }
    return monitor.exit_code();
}

}  // namespace

std::unique_ptr<Command> make_extract_command() {
    return std::make_unique<ExtractCommand>();
}

}  // namespace stackae::cli
