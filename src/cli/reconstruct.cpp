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

constexpr int max_drawn_channels = 3;

/// Whether a file gets a drawing: also a device, which has no ending.
bool draws(const std::string& path) {
    const std::string name = lower_case(path);
    return !name.ends_with(".npy") && !name.ends_with(".tif") && !name.ends_with(".tiff");
}

void check_name(const std::string& path) {
    if (draws(path)) {
        check_png_name(path);
    }
}

class ReconstructCommand : public Command {
public:
    std::string synopsis() const override { return "INPUT... -o FILE [-m MODEL] [options]"; }
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
    /// Of what is rebuilt alone, in the pictures' own units.
    void collect_numbers(const Preprocessing& preprocessing, const Tensor& rebuilt);
    void write_numbers(const OutputFile& file, const Preprocessing& preprocessing) const;

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
    parser.option("model,m", "MODEL", "else one that comes with stackae, by what the pictures are",
                  text_into(model_));
    parser.option(
        "layer", "OUTPUT",
        "from whose code: an output's name, or how many layers are run; else the one that the model "
        "rebuilds pictures from",
        text_into(encode_.output));
    parser.group("The drawing");
    parser.option(
        "output,o", "FILE",
        ".png: originals above their reconstructions, of 3 channels at most; .npy and .tif: what is "
        "rebuilt alone, of any number, as floats in the pictures' own units; else nothing is drawn",
        text_into(output_));
    parser.option("columns", "N", "pictures in a row (10 when not given)", integer_into(columns_, 1, 1000));
    parser.option("limit", "N", "pictures drawn or written (100 when not given); errors are printed for all",
                  integer_into(limit_, 1, 10000));
    parser.option("scale", "N", "pixels drawn for a pixel; else small pictures are enlarged",
                  integer_into(scale_, 1, 64));
    settings_.declare(parser);
}

int ReconstructCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.empty()) {
        throw UsageError("reconstruct needs an INPUT: a picture, a folder, a list, IDX or .npy");
    }
    check_name(output_);
    if (!output_.empty()) {
        check_writable(output_);
    }
    std::optional<NamedModel> named = named_model(console, model_);
    Inputs opened(inputs, settings_.reading.picture_limits(preprocessing_of(named)));
    settings_.reading.label(console, opened);
    const NamedModel model = named ? std::move(*named) : shipped_model(console, opened);
    check_layer(model.model, encode_.output);
    const bool as_numbers = !output_.empty() && !draws(output_);
    if (!output_.empty() && !as_numbers && model.model.preprocessing.channels > max_drawn_channels) {
        throw UsageError(fmt::format("{}: pictures of {} cannot be drawn in a PNG; name a .npy or .tif file",
                                     output_, channels_text(model.model.preprocessing)));
    }
    if (encode_.output.empty() && model.model.reconstruction.depth > 0) {
        encode_.output = std::to_string(model.model.reconstruction.depth);
    }
    if (const std::size_t layer = model.model.uninvertible_layer(model.model.depth_of(encode_.output))) {
        throw InvalidArgument(
            fmt::format("{}: layer {}, {}, cannot be inverted: nothing is rebuilt from its code", model.path,
                        layer, model.model.layers[layer - 1].type()));
    }
    check_outputs(opened, {{"the model", model.path}, {"the labels", settings_.reading.labels}},
                  {{"-o", output_}, {"--manifest", settings_.manifest}});
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
            as_numbers ? collect_numbers(preprocessing, rebuilt)
                       : collect(preprocessing, batch.pictures, rebuilt);
        });
    monitor.manifest().finish();
    const auto drawn = std::ssize(rebuilt_);
    if (drawing && as_numbers) {
        write_numbers(*drawing, preprocessing);
    } else if (drawing) {
        write_png(*drawing, draw_reconstructions(preprocessing, std::move(originals_), std::move(rebuilt_),
                                                 columns_, scale_));
    }
    results.finish();
    if (drawing) {
        const char* const first_ones = drawn < monitor.manifest().rows() ? "the first " : "";
        console.note(as_numbers ? fmt::format("wrote {}{} rebuilt pictures to {}", first_ones, drawn, output_)
                                : fmt::format("drew {}{} pictures in {}, originals above reconstructions",
                                              first_ones, drawn, output_));
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

void ReconstructCommand::collect_numbers(const Preprocessing& preprocessing, const Tensor& rebuilt) {
    const std::int64_t wanted = std::min(limit_ - std::ssize(rebuilt_), rebuilt.rows());
    const Tensor numbers = to_numbers(preprocessing, rebuilt);
    for (std::int64_t i = 0; i < wanted; ++i) {
        rebuilt_.emplace_back(numbers.row(i).begin(), numbers.row(i).end());
    }
}

void ReconstructCommand::write_numbers(const OutputFile& file, const Preprocessing& preprocessing) const {
    Tensor pictures(
        {std::ssize(rebuilt_), preprocessing.height, preprocessing.width, preprocessing.channels});
    float* to = pictures.data();
    for (const Tile& picture : rebuilt_) {
        to = std::copy(picture.begin(), picture.end(), to);
    }
    lower_case(output_).ends_with(".npy") ? write_npy(file, pictures) : write_tiff(file, pictures);
}

}  // namespace

std::unique_ptr<Command> make_reconstruct_command() {
    return std::make_unique<ReconstructCommand>();
}

}  // namespace stackae::cli
