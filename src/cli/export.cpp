#include <filesystem>
#include <fmt/format.h>
#include <optional>

#include "stackae/export_onnx.hpp"
#include "stackae/patch_memory.hpp"
#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/model_locator.hpp"
#include "cli/output.hpp"
#include "cli/parse.hpp"

namespace stackae::cli {
namespace {

class ExportCommand : public Command {
public:
    std::string synopsis() const override { return "MODEL|GALLERY|PATCH-MEMORY -o FILE.onnx [options]"; }
    std::string about() const override {
        return "Writes a model as ONNX for other programs (onnxruntime, OpenCV): the input is a picture of\n"
               "bytes after decoding and resizing, the output its features; all between is in the file.\n"
               "Of a gallery, the output is the distance to the nearest picture of each name; of what "
               "memorize\n"
               "wrote, the map of how odd each place is.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    std::string output_;
    std::string model_;
    bool decoder_ = false;
    bool autoencoder_ = false;
    OnnxOptions options_;
};

void ExportCommand::declare(OptionParser& parser) {
    parser.group("ONNX");
    parser.option("output,o", "FILE", "the graph, .onnx", text_into(output_));
    parser.option("model,m", "MODEL", "of a gallery; else the model that made it", text_into(model_));
    parser.option("output-name", "OUTPUT",
                  "which features: an output's name (embedding, wide), or how many layers are run; else the "
                  "model's first; of a patch memory map or score",
                  text_into(options_.output));
    parser.option("input-type", "TYPE",
                  "of the input: uint8, or float32 of the same values, 0 to 255 (uint8 when not given)",
                  [this](const std::string& text) { options_.input = parse<OnnxInput>(text); });
    parser.flag("decoder", "the way back, from features to pictures", decoder_);
    parser.flag(
        "autoencoder",
        "there and back: what goes in as it is rebuilt; of a table's model the scores of all its columns",
        autoencoder_);
    parser.option(
        "opset", "N", "version of the operators, 13 to 17 (13 when not given)",
        [this](const std::string& text) { options_.opset = static_cast<int>(parse_integer(text, 13, 17)); });
}

int ExportCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (inputs.size() != 1) {
        throw UsageError("export needs one MODEL, GALLERY or PATCH-MEMORY");
    }
    if (output_.empty()) {
        throw UsageError("export needs -o FILE.onnx");
    }
    if (!lower_case(output_).ends_with(".onnx")) {
        throw UsageError(fmt::format("-o {}: a name that ends in .onnx expected", output_));
    }
    if (decoder_ && autoencoder_) {
        throw UsageError("--decoder and --autoencoder: one of them expected");
    }
    options_.part = decoder_ ? OnnxPart::decoder : autoencoder_ ? OnnxPart::autoencoder : OnnxPart::encoder;
    check_writable(output_);
    const std::string& path = inputs.front();
    ResultWriter results;
    const std::string kind =
        std::filesystem::is_regular_file(path) ? file_kind(path).value_or("") : std::string();
    if (!model_.empty() && kind != "gallery") {
        throw UsageError("-m is for a gallery");
    }
    if (kind == "gallery") {
        const Gallery gallery = load_gallery(path);
        const NamedModel named = open_gallery_model(console, gallery, path, model_);
        check_outputs({{"the gallery", path}, {"the model", named.path}}, {{"-o", output_}});
        export_onnx(named.model, gallery, options_, results.files().add(output_));
    } else if (kind == "patch memory") {
        check_outputs({{"the patch memory", path}}, {{"-o", output_}});
        export_onnx(load_patch_memory(path), options_, results.files().add(output_));
    } else {
        const std::optional<NamedModel> named = named_model(console, path);
        check_outputs({{"the model", named->path}}, {{"-o", output_}});
        export_onnx(named->model, options_, results.files().add(output_));
    }
    results.finish();
    console.note(fmt::format("wrote {}", output_));
    return exit_code::done;
}

}  // namespace

std::unique_ptr<Command> make_export_command() {
    return std::make_unique<ExportCommand>();
}

}  // namespace stackae::cli
