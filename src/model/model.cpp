#include "stackae/model.hpp"

#include <charconv>
#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <set>

#include "stackae/error.hpp"
#include "stackae/image_dataset.hpp"

#include "base/fields.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/rows.hpp"
#include "base/with_context.hpp"
#include "layers/tensors.hpp"
#include "model/model_json.hpp"

namespace stackae {
namespace {

void add(const Stack& stack, base::Hash& hash) {
    for (const auto& layer : stack.layers()) {
        hash.add(layer->type());
        hash.add(std::string_view(base::print_json(layers::fields_of(*layer).json())));
        for (const auto& row : layers::tensors_of(*layer)) {
            hash.add(std::span<const std::int64_t>(row.shape));
            hash.add(std::span<const float>(row.tensor->values()));
        }
    }
}

void check_depth(const char* what, std::size_t depth, std::size_t min, const Model& model) {
    if (depth < min || depth > model.layers.size()) {
        throw InvalidArgument(
            fmt::format("{}: {} layers found, {} to {} expected", what, depth, min, model.layers.size()));
    }
}

/// That a file of it could be read again.
void check_record(TrainingRecord record) {
    base::with_context("record", [&] {
        base::fields_of(record.config).check();
        for (StageEpoch& epoch : record.history) {
            table_of(epoch).check();
        }
        for (DepthAccuracy& accuracy : record.accuracies) {
            table_of(accuracy).check();
        }
    });
}

void check_outputs(const Model& model) {
    if (model.outputs.empty()) {
        throw InvalidArgument("outputs: none found, at least 1 expected");
    }
    for (const NamedOutput& output : model.outputs) {
        check_depth("outputs", output.depth, 1, model);
        if (output.name.empty() || output.name.front() < 'a' || output.name.front() > 'z') {
            throw InvalidArgument(fmt::format(
                "outputs: \"{}\" found, a name that begins with a small letter expected", output.name));
        }
    }
}

}  // namespace

std::string data_identity(const ImageDataset& pictures) {
    base::Hash hash;
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        const ImageEntry entry = pictures.entry(i);
        hash.add(std::string_view(entry.path).substr(entry.path.rfind('/') + 1));
        hash.add(std::string_view(entry.label.value_or("")));
        if (entry.group) {
            hash.add(std::string_view(*entry.group));
        }
    }
    return hash.hex();
}

std::string data_identity(const Interactions& table) {
    base::Hash hash;
    for (const auto* ids : {&table.users, &table.items}) {
        hash.add(std::ssize(*ids));
        for (const std::string& id : *ids) {
            hash.add(std::string_view(id));
        }
    }
    hash.add(std::span<const std::int64_t>(table.offsets));
    hash.add(std::as_bytes(std::span(table.columns)));
    hash.add(std::span<const float>(table.values));
    return hash.hex();
}

Preprocessing preprocessing_of(const Interactions& table, TableRow rows) {
    Preprocessing preprocessing;
    preprocessing.height = 1;
    preprocessing.width = static_cast<int>(rows == TableRow::item ? table.user_count() : table.item_count());
    return preprocessing;
}

std::size_t Model::depth_of(std::string_view output) const {
    std::string names;
    for (const NamedOutput& named : outputs) {
        if (output.empty() || output == named.name) {
            return named.depth;
        }
        names += named.name + ", ";
    }
    std::size_t depth = 0;
    const auto [end, error] = std::from_chars(output.data(), output.data() + output.size(), depth);
    const bool whole = error == std::errc{} && end == output.data() + output.size();
    if (!whole || depth < 1 || depth > layers.size()) {
        throw InvalidArgument(
            fmt::format("output: \"{}\" found, {}or 1 to {} layers expected", output, names, layers.size()));
    }
    return depth;
}

std::int64_t Model::code_size(std::string_view output) const {
    return layers.output_shape(input_shape(), depth_of(output)).size();
}

std::vector<std::size_t> Model::code_depths() const {
    std::set<std::size_t> depths;
    for (std::size_t depth = 1; depth < layers.size(); ++depth) {
        if (layers[depth].is_trained()) {
            depths.insert(depth);
        }
    }
    for (const NamedOutput& output : outputs) {
        depths.insert(output.depth);
    }
    return {depths.begin(), depths.end()};
}

std::size_t Model::uninvertible_layer(std::size_t depth) const {
    const bool by_head = !reconstruction.head.empty() && depth >= reconstruction.depth;
    const std::size_t lowest = by_head ? reconstruction.depth : 0;
    while (depth > lowest && layers[depth - 1].is_invertible()) {
        --depth;
    }
    return depth > lowest ? depth : 0;
}

std::int64_t Model::parameters() const {
    return layers.parameters() + reconstruction.head.parameters();
}

std::string Model::identity() const {
    base::Hash hash;
    hash.add(std::string_view(base::print_json(fields_of(preprocessing).json())));
    if (has_own_channels(preprocessing)) {
        hash.add(std::string_view(base::print_json(channels_json(preprocessing))));
    }
    for (const std::vector<float>* values : {&preprocessing.mean, &preprocessing.deviation}) {
        hash.add(static_cast<std::int64_t>(values->size()));
        hash.add(std::span<const float>(*values));
    }
    add(layers, hash);
    hash.add(static_cast<std::int64_t>(reconstruction.depth));
    add(reconstruction.head, hash);
    for (const std::string& item : table.items) {
        hash.add(std::string_view(item));
    }
    return hash.hex();
}

void check(const Model& model) {
    validate(model.preprocessing);
    for (const auto& [name, values] :
         {std::pair("preprocessing.mean", &model.preprocessing.mean),
          std::pair("preprocessing.deviation", &model.preprocessing.deviation)}) {
        if (!base::all_finite(*values)) {
            throw InvalidArgument(fmt::format("{}: a value that is not a finite number found", name));
        }
    }
    if (model.layers.empty() || model.layers.size() > Stack::max_size) {
        throw InvalidArgument(
            fmt::format("layers: {} found, 1 to {} expected", model.layers.size(), Stack::max_size));
    }
    model.layers.check(model.input_shape());
    check_outputs(model);
    const Reconstruction& reconstruction = model.reconstruction;
    check_depth("reconstruction", reconstruction.depth, 0, model);
    if (!reconstruction.head.empty()) {
        const Shape code = model.layers.output_shape(model.input_shape(), reconstruction.depth);
        base::with_context("reconstruction", [&] { reconstruction.head.check(code); });
        const Shape rebuilt = reconstruction.head.output_shape(code, reconstruction.head.size());
        if (rebuilt != model.input_shape()) {
            throw InvalidArgument(fmt::format("reconstruction: an output of {} found, {} expected",
                                              to_text(rebuilt), to_text(model.input_shape())));
        }
    }
    check_record(model.record);
    if (!model.table.items.empty()) {
        check(model.table);
        const bool by_item = model.record.config.rows == TableRow::item;
        const std::int64_t columns = by_item ? model.table.user_count() : model.table.item_count();
        if (columns != model.input_shape().size()) {
            throw InvalidArgument(fmt::format("table: {} {} found, {} expected", columns,
                                              by_item ? "users" : "items", model.input_shape().size()));
        }
    }
    std::size_t below = 0;
    for (const DepthAccuracy& accuracy : model.record.accuracies) {
        check_depth("accuracies", accuracy.depth, below + 1, model);
        below = accuracy.depth;
    }
    if (model.record.pictures < 0) {
        throw InvalidArgument(fmt::format("pictures: {} found, 0 or more expected", model.record.pictures));
    }
}

}  // namespace stackae
