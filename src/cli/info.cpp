#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <numeric>

#include "stackae/gallery.hpp"
#include "stackae/model.hpp"
#include "stackae/pictures.hpp"

#include "cli/command.hpp"
#include "cli/results.hpp"
#include "cli/tiles.hpp"
#include "core/json.hpp"
#include "core/safetensors.hpp"
#include "model/json.hpp"

namespace stackae::cli {
namespace {

constexpr std::int64_t most_filters = 400;

/// "key  value" lines of a flat JSON object; what is absent is left out.
std::string lines(const nlohmann::json& object) {
    std::string out;
    for (const auto& [key, value] : object.items()) {
        if (value.is_null() || value == "" || value == nlohmann::json::array()) {
            continue;
        }
        std::string text = value.is_string() ? value.get<std::string>() : core::print_json(value);
        if (value.is_array()) {
            text = text.substr(1, text.size() - 2);
            std::erase(text, '"');
        }
        out += fmt::format("  {:<26}{}\n", key, text);
    }
    return out;
}

std::string layers_text(const Model& model) {
    TextTable table;
    table.add({"layer", "inputs", "units", "encoder", "decoder", "tied", "epochs", "loss", "mean's loss"});
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const DenseLayer& layer = model.layers[i];
        std::vector<std::string> row{fmt::format("{}", i + 1),
                                     fmt::format("{}", layer.inputs()),
                                     fmt::format("{}", layer.units()),
                                     name(layer.activation),
                                     name(layer.decoder),
                                     layer.tied() ? "yes" : "no"};
        const auto last = std::find_if(model.history.rbegin(), model.history.rend(), [&](const auto& record) {
            return record.layer == static_cast<int>(i) + 1;
        });
        if (last == model.history.rend()) {
            row.insert(row.end(), {"0", "-", "-"});
        } else {
            const double loss = std::isnan(last->validation_loss) ? last->train_loss : last->validation_loss;
            row.insert(row.end(), {fmt::format("{}", last->epoch), fmt::format("{:.4f}", loss),
                                   fmt::format("{:.4f}", last->mean_loss)});
        }
        table.add(std::move(row));
    }
    return table.text();
}

std::string model_text(const Model& model, const std::string& path) {
    const Recipe& recipe = model.recipe;
    std::string out = fmt::format("{}: a model of {} layers{}, checksum ok\n", path, model.layers.size(),
                                  model.interrupted ? ", training was interrupted" : "");
    out += fmt::format("identity     {}\nparameters   {}\ncode         {} values\n", model.identity(),
                       format_count(model.parameters()), model.code_size());
    out += fmt::format("trained on   {} ({} pictures)\n", model.trained_on, format_count(model.pictures));
    if (!model.class_names.empty()) {
        out += "classes      ";
        for (std::size_t i = 0; i < model.class_names.size(); ++i) {
            out += (i == 0 ? "" : ", ") + model.class_names[i];
        }
        out += '\n';
    }
    double seconds = 0.0;
    for (const EpochRecord& record : model.history) {
        seconds += record.seconds;
    }
    const auto tuned = std::count_if(model.history.begin(), model.history.end(),
                                     [](const EpochRecord& record) { return record.layer == 0; });
    out += fmt::format("history      {} epochs in {}{}\n", model.history.size(), format_duration(seconds),
                       tuned > 0 ? fmt::format(", {} of them fine-tuning; last loss {:.4f}", tuned,
                                               model.history.back().train_loss)
                                 : "");
    out += "\nlayers\n" + layers_text(model);
    out += fmt::format("\nrecipe: {} values a picture\n{}", recipe.size(), lines(to_json(recipe)));
    return out +
           fmt::format("\noptions (preset {})\n{}", model.options.preset, lines(to_json(model.options)));
}

nlohmann::json model_json(const Model& model, const std::string& path) {
    nlohmann::json object = to_json(model);
    object["kind"] = "model";
    object["path"] = path;
    object["identity"] = model.identity();
    object["parameters"] = model.parameters();
    object["code_size"] = model.code_size();
    object["checksum"] = "ok";
    return object;
}

std::map<std::string, std::int64_t> count_names(const Gallery& gallery) {
    std::map<std::string, std::int64_t> counts;
    for (const std::string& name : gallery.names) {
        ++counts[name];
    }
    return counts;
}

std::string gallery_text(const Gallery& gallery, const std::string& path) {
    const auto counts = count_names(gallery);
    std::string out = fmt::format("{}: a gallery of {} pictures and {} names, checksum ok\n", path,
                                  format_count(gallery.size()), counts.size());
    out += fmt::format("model        {} ({})\n", gallery.model_path, gallery.model_identity);
    out += fmt::format("codes        layer {}, {} values{}, {} distance\n", gallery.layer,
                       gallery.codes.columns(), gallery.l2_normalize ? ", scaled to length 1" : "",
                       name(gallery.metric));
    out += gallery.threshold == Gallery::nobody ? std::string("threshold    nobody is given a name\n")
           : gallery.threshold
               ? fmt::format("threshold    {:.6g} (about {:.3g}% of strangers are given a name)\n",
                             *gallery.threshold, 100.0 * gallery.false_accept)
               : std::string("threshold    none\n");
    TextTable table;
    table.add({"name", "pictures"});
    for (const auto& [name, count] : counts) {
        table.add({name, format_count(count)});
    }
    return out + "\n" + table.text();
}

nlohmann::json gallery_json(const Gallery& gallery, const std::string& path) {
    nlohmann::json names = nlohmann::json::object();
    for (const auto& [name, count] : count_names(gallery)) {
        names[name] = count;
    }
    return {{"kind", "gallery"},
            {"path", path},
            {"checksum", "ok"},
            {"pictures", gallery.size()},
            {"names", names},
            {"model_path", gallery.model_path},
            {"model_identity", gallery.model_identity},
            {"layer", gallery.layer},
            {"code_size", gallery.codes.columns()},
            {"l2_normalize", gallery.l2_normalize},
            {"metric", name(gallery.metric)},
            {"threshold", gallery.threshold ? nlohmann::json(*gallery.threshold) : nlohmann::json()},
            {"false_accept", gallery.false_accept}};
}

std::string presets_text() {
    std::string out;
    for (const Preset& preset : presets()) {
        out += fmt::format("{}{}: {}\n{}", out.empty() ? "" : "\n", preset.name, preset.summary,
                           lines(to_json(preset.options)));
    }
    return out;
}

nlohmann::json presets_json() {
    nlohmann::json array = nlohmann::json::array();
    for (const Preset& preset : presets()) {
        array.push_back(
            {{"name", preset.name}, {"summary", preset.summary}, {"options", to_json(preset.options)}});
    }
    return array;
}

/// Rows of the first layer's weights with the largest norms, in their own order.
std::vector<std::int64_t> strongest(const Tensor& weights) {
    std::vector<double> norms;
    for (std::int64_t unit = 0; unit < weights.rows(); ++unit) {
        const auto row = weights.row(unit);
        norms.push_back(std::inner_product(row.begin(), row.end(), row.begin(), 0.0));
    }
    std::vector<std::int64_t> units(norms.size());
    std::iota(units.begin(), units.end(), std::int64_t{0});
    if (std::ssize(units) > most_filters) {
        std::stable_sort(units.begin(), units.end(), [&](std::int64_t a, std::int64_t b) {
            return norms[static_cast<std::size_t>(a)] > norms[static_cast<std::size_t>(b)];
        });
        units.resize(most_filters);
        std::sort(units.begin(), units.end());
    }
    return units;
}

/// Each unit's weights as a picture: 0 is gray, the largest magnitude black or white.
void draw_filters(const Model& model, const std::string& path) {
    const Recipe& recipe = model.recipe;
    const Tensor& weights = model.layers.front().weights;
    std::vector<std::vector<float>> tiles;
    for (const std::int64_t unit : strongest(weights)) {
        const auto row = weights.row(unit);
        float largest = 0.0F;
        for (const float weight : row) {
            largest = std::max(largest, std::abs(weight));
        }
        std::vector<float>& tile = tiles.emplace_back();
        for (const float weight : row) {
            tile.push_back(largest > 0.0F ? 0.5F + 0.5F * weight / largest : 0.5F);
        }
    }
    const auto columns = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(tiles.size()))));
    write_png(path, draw_tiles(tiles, {.height = recipe.height,
                                       .width = recipe.width,
                                       .channels = recipe.channels,
                                       .columns = columns,
                                       .scale = visible_scale(2 * recipe.height, 2 * recipe.width)}));
}

class InfoCommand : public Command {
public:
    std::string synopsis() const override { return "MODEL|GALLERY [options]\n       stackae info --presets"; }
    std::string about() const override {
        return "Tells what is in a file of stackae, or what the presets stand for.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    std::string filters_;
    bool json_ = false;
    bool presets_ = false;
};

void InfoCommand::declare(OptionParser& parser) {
    parser.group("Information");
    parser.flag("json", "one JSON object", json_);
    parser.option("filters", "PICTURE.png",
                  fmt::format("draw the first layer's weights, the {} strongest units at most", most_filters),
                  text_into(filters_));
    parser.flag("presets", "the presets of `stackae train` and their values", presets_);
}

int InfoCommand::run(Console& console, const std::vector<std::string>& inputs) {
    if (presets_ ? !inputs.empty() : inputs.size() != 1) {
        throw UsageError(presets_ ? "info --presets takes no file" : "info needs one MODEL or GALLERY");
    }
    check_png_name(filters_);
    Results results;
    const auto print = [&](const std::string& text, const nlohmann::json& object) {
        results.write(json_ ? core::print_json(object) + "\n" : text);
    };
    if (presets_) {
        print(presets_text(), presets_json());
        results.finish();
        return exit_code::done;
    }
    const std::string& path = inputs.front();
    const auto metadata = core::read_safetensors(path).metadata;
    const auto kind = metadata.find("kind");
    if (kind != metadata.end() && kind->second == "gallery") {
        if (!filters_.empty()) {
            throw UsageError(fmt::format("--filters: {} is a gallery and has no weights", path));
        }
        const Gallery gallery = load_gallery(path);
        print(gallery_text(gallery, path), gallery_json(gallery, path));
    } else {
        const Model model = load_model(path);
        if (!filters_.empty()) {
            check_outputs({{"the model", path}}, {{"--filters", filters_}});
            draw_filters(model, filters_);
            console.note(fmt::format("drew {} of {} units in {}",
                                     std::min(most_filters, model.layers.front().units()),
                                     model.layers.front().units(), filters_));
        }
        print(model_text(model, path), model_json(model, path));
    }
    results.finish();
    return exit_code::done;
}

}  // namespace

std::unique_ptr<Command> make_info_command() {
    return std::make_unique<InfoCommand>();
}

}  // namespace stackae::cli
