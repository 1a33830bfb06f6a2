#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "stackae/model.hpp"

/// Values as JSON objects whose keys are the fields' names, enums by name(), what is absent or not a number
/// as null. The model file and `--json` share them.
namespace stackae {

[[nodiscard]] nlohmann::json json_value(const TrainOptions& options);
/// Without mean and deviation, which are tensors in the file; `standardized` says whether there are any.
[[nodiscard]] nlohmann::json json_value(const Recipe& recipe);
[[nodiscard]] nlohmann::json json_value(const EpochRecord& record);
[[nodiscard]] nlohmann::json json_value(const LayerAccuracy& accuracy);
/// Everything but the values of its tensors; a layer has activation, decoder, tied, inputs and units.
[[nodiscard]] nlohmann::json json_value(const Model& model);

/// The inverse. Every value is bounded as validate() does it; a missing key, a wrong type or value throws
/// CorruptFile "{where}: {key}: …". An option that is not there keeps its default, so that models written
/// before it existed can be read; options of no layers at all (of a model made by hand) stay unchecked.
[[nodiscard]] TrainOptions read_train_options(const nlohmann::json& value, const std::string& where);
/// mean and deviation stay empty; `standardized` is left to the caller.
[[nodiscard]] Recipe read_recipe(const nlohmann::json& value, const std::string& where);
[[nodiscard]] ConvolutionShape read_convolution_shape(const nlohmann::json& value, const std::string& where);
[[nodiscard]] LayerAccuracy read_layer_accuracy(const nlohmann::json& value, const std::string& where);
[[nodiscard]] EpochRecord read_epoch_record(const nlohmann::json& value, const std::string& where);

}  // namespace stackae
