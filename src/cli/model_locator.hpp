#pragma once

#include <optional>
#include <string>
#include <vector>

#include "stackae/gallery.hpp"
#include "stackae/image_dataset.hpp"
#include "stackae/inputs.hpp"
#include "stackae/model.hpp"

#include "cli/console.hpp"

namespace stackae::cli {

/// The models that come with the program.
enum class ShippedModel {
    photos,  ///< photos.stackae, the one for whatever pictures
    digits,  ///< digits.stackae
};

/// Where one of them lies: beside the program, in the installed share folder, or in the source checkout it
/// was built from.
[[nodiscard]] std::optional<std::string> shipped_model_path(ShippedModel which);

/// digits where the pictures of every collection are gray and their median height and width at most 28
/// (choose_preprocessing() looks at them), or rows of 784 numbers; else photos. Collections of which not one
/// picture can be read have no say, and of them alone it is photos.
[[nodiscard]] ShippedModel shipped_model_for(const std::vector<const ImageDataset*>& collections);

/// A model and the path it was read from.
struct NamedModel {
    Model model;
    std::string path;
};

/// The model that -m names, if it names one. Throws what load_model() throws.
[[nodiscard]] std::optional<NamedModel> named_model(Console& console, const std::string& path);

/// How pictures lie in their files for the model, or for those that come with the program where none is
/// named.
[[nodiscard]] inline Preprocessing preprocessing_of(const std::optional<NamedModel>& named) {
    return named ? named->model.preprocessing : Preprocessing{};
}

/// Where none is named: the shipped one for these pictures (said on the console). Throws UsageError when it
/// is not installed, and what load_model() throws.
[[nodiscard]] NamedModel shipped_model(Console& console, const std::vector<const ImageDataset*>& collections);
[[nodiscard]] NamedModel shipped_model(Console& console, const Inputs& inputs);

/// A model at `path` that was learnt from a table. Throws InvalidArgument where it is one of pictures.
[[nodiscard]] Model open_table_model(Console& console, const std::string& path);

/// The model that made a gallery: the one at `path` when given, else where the gallery says it was (also seen
/// from the gallery's folder), else a shipped one when it is the same. Throws InvalidArgument when it is
/// another model or cannot be found, and what load_model() throws.
[[nodiscard]] NamedModel open_gallery_model(Console& console, const Gallery& gallery,
                                            const std::string& gallery_path, const std::string& path);

}  // namespace stackae::cli
