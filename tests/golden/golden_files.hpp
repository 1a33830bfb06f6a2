#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>

#include "stackae/gallery.hpp"
#include "stackae/model.hpp"

/// Files as a version wrote them, a folder a version, and what they gave then: every later version opens them
/// and gives the same. A model NAME.stackae and a gallery NAME.gallery have that in NAME.stackae.json and
/// NAME.gallery.json.
namespace golden {

/// How far a number may be off, as a share of it or, where that is less than 1, of 1: other processors and
/// another order of sums.
inline constexpr double tolerance = 1e-4;

/// n pictures of whole numbers' making: a bright row or column and some noise, in [0, 1]; n × height × width
/// × channels.
[[nodiscard]] stackae::Tensor bars(std::int64_t n, const stackae::Shape& shape);

/// Codes of each output and pictures as they are rebuilt, of three pictures.
[[nodiscard]] nlohmann::json results(const stackae::Model& model);
/// Who three pictures are, by that gallery of the model, and their nearest.
[[nodiscard]] nlohmann::json results(const stackae::Gallery& gallery, const stackae::Model& model);

/// The largest deviation of a number, as `tolerance` is meant; infinite where anything else differs or is
/// missing. What is found beside what is expected is passed over.
[[nodiscard]] double deviation(const nlohmann::json& expected, const nlohmann::json& found);

/// Trains small models of every kind of layer, makes galleries of every kind with them, and writes all with
/// what they give. Throws std::runtime_error where the folder is there already: what a version wrote is never
/// written again.
void write_files(const std::string& folder);

}  // namespace golden
