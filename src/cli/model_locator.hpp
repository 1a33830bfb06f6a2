#pragma once

#include <optional>
#include <string>

#include "stackae/gallery.hpp"
#include "stackae/model.hpp"

#include "cli/console.hpp"

namespace stackae::cli {

/// Where the model that comes with the program lies: beside the program, in the installed share folder, or in
/// the source checkout it was built from.
[[nodiscard]] std::optional<std::string> shipped_model_path();

/// A model and the path it was read from.
struct NamedModel {
    Model model;
    std::string path;
};

/// The model at `path`, or the shipped one when the path is empty (said on the console). Throws UsageError
/// when there is none, and what load_model() throws.
[[nodiscard]] NamedModel open_model(Console& console, const std::string& path);

/// The same of a model that was learnt from a table. Throws InvalidArgument where it is one of pictures.
[[nodiscard]] Model open_table_model(Console& console, const std::string& path);

/// The model that made a gallery: the one at `path` when given, else where the gallery says it was (also seen
/// from the gallery's folder), else the shipped one when it is the same. Throws InvalidArgument when it is
/// another model or cannot be found, and what load_model() throws.
[[nodiscard]] NamedModel open_gallery_model(Console& console, const Gallery& gallery,
                                            const std::string& gallery_path, const std::string& path);

}  // namespace stackae::cli
