#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"
#include "stackae/image_dataset.hpp"
#include "stackae/text.hpp"
#include "stackae/visualize.hpp"

#include "cli/command.hpp"
#include "cli/encode.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_locator.hpp"
#include "cli/output.hpp"

namespace stackae::cli {
namespace {

class ReconstructCommand : public Command {
public:
    std::string synopsis() const override { return "INPUT... -o PICTURE.png [-m MODEL] [options]"; }
    std::string about() const override {
        return "Draws pictures above what the model rebuilds from their codes, and prints CSV\n"
               "path,squared_error: the sum of (rebuilt - original)^2 over the values of a picture, in "
               "their\n"
               "own units (standardisation is undone).";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    void collect(const Preprocessing& preprocessing, const Tensor& originals, const Tensor& rebuilt);

    std::string model_;
    std::string output_;
    std::int64_t columns_ = 10;
    std::int64_t limit_ = 100;
    std::int64_t scale_ = 0;  ///< 0: by visible_scale()
    EncodeOptions encode_;
    EncodeSettings settings_;
    std::vector<Tile> originals_;
    std::vector<Tile> rebuilt_;
};

void ReconstructCommand::declare(OptionParser& parser) {
    parser.group("Reconstruction");
    parser.option("model,m", "MODEL", "else the model that comes with stackae", text_into(model_));
    parser.option(
        "layer", "OUTPUT",
        "from whose code: an output's name, or how many layers are run; else the one that the model "
        "rebuilds pictures from",
        text_into(encode_.output));
    parser.group("The drawing");
    parser.option("output,o", "PICTURE.png", "originals above their reconstructions; else none is drawn",
                  text_into(output_));
    parser.option("columns", "N", "pictures in a row (10 when not given)", integer_into(columns_, 1, 1000));
    parser.option("limit", "N", "pictures drawn (100 when not given); errors are printed for all",
                  integer_into(limit_, 1, 10000));
    parser.option("scale", "N", "pixels drawn for a pixel; else small pictures are enlarged",
                  integer_into(scale_, 1, 64));
    settings_.declare(parser);
}

int ReconstructCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.empty()) {
        throw UsageError("reconstruct needs an INPUT: a picture, a folder, a list, IDX or .npy");
    }
    check_png_name(output_);
    if (!output_.empty()) {
        check_writable(output_);
    }
    const Inputs opened(inputs, settings_.reading.picture_limits());
    const NamedModel model = open_model(console, model_);
    check_layer(model.model, encode_.output);
    if (encode_.output.empty() && model.model.reconstruction.depth > 0) {
        encode_.output = std::to_string(model.model.reconstruction.depth);
    }
    if (const std::size_t layer = model.model.uninvertible_layer(model.model.depth_of(encode_.output))) {
        throw InvalidArgument(
            fmt::format("{}: layer {}, {}, cannot be inverted: nothing is rebuilt from its code", model.path,
                        layer, model.model.layers[layer - 1].type()));
    }
    check_outputs(opened, {{"the model", model.path}}, {{"-o", output_}, {"--manifest", settings_.manifest}});
    const Preprocessing& preprocessing = model.model.preprocessing;
    catch_interrupts();
    ResultWriter results;
    std::optional<OutputFile> drawing;
    if (!output_.empty()) {
        drawing = results.files().add(output_);
    }
    InputMonitor monitor(console, results.files(), settings_.manifest);
    Encoder decoder(model.model, {.output = encode_.output,
                                  .threads = opened.size() == 1 ? 1 : settings_.reading.threads});
    bool first = true;
    encode_inputs(
        console, {.inputs = opened, .model = model.model, .encode = encode_}, settings_, monitor,
        [&](const InputBatch& batch, const Tensor& codes) {
            results.write(first ? "path,squared_error\n" : "");
            first = false;
            const Tensor rebuilt = decoder.decode(codes);
            const std::vector<double> errors = squared_errors(preprocessing, batch.pictures, rebuilt);
            for (std::size_t i = 0; i < errors.size(); ++i) {
                results.write(fmt::format("{},{:.6g}\n", csv_field(batch.entries[i].path), errors[i]));
            }
            collect(preprocessing, batch.pictures, rebuilt);
        });
    monitor.manifest().finish();
    const auto drawn = std::ssize(originals_);
    if (drawing) {
        write_png(*drawing, draw_reconstructions(preprocessing, std::move(originals_), std::move(rebuilt_),
                                                 columns_, scale_));
    }
    results.finish();
    if (drawing) {
        console.note(fmt::format("drew {}{} pictures in {}, originals above reconstructions",
                                 drawn < monitor.manifest().rows() ? "the first " : "", drawn, output_));
    }
    return monitor.exit_code();
}

/// Keeps what is to be drawn, as pixels.
void ReconstructCommand::collect(const Preprocessing& preprocessing, const Tensor& originals,
                                 const Tensor& rebuilt) {
    const std::int64_t wanted = std::min(limit_ - std::ssize(originals_), originals.rows());
    if (output_.empty() || wanted <= 0) {
        return;
    }
    const Tensor shown = to_pixels(preprocessing, originals);
    const Tensor shown_rebuilt = to_pixels(preprocessing, rebuilt);
    for (std::int64_t i = 0; i < wanted; ++i) {
        originals_.emplace_back(shown.row(i).begin(), shown.row(i).end());
        rebuilt_.emplace_back(shown_rebuilt.row(i).begin(), shown_rebuilt.row(i).end());
    }
}

}  // namespace

std::unique_ptr<Command> make_reconstruct_command() {
    return std::make_unique<ReconstructCommand>();
}

}  // namespace stackae::cli
