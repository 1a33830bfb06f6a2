#include "cli/model_locator.hpp"

#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <vector>

#include "stackae/error.hpp"

#include "cli/output.hpp"
#include "cli/parse.hpp"

namespace stackae::cli {
namespace fs = std::filesystem;

namespace {

constexpr int digit_side = 28;  ///< of the pictures that digits.stackae learnt from

/// The one that -m names, with what a killed run left beside it completed first.
NamedModel open_chosen_model(Console& console, const std::string& path) {
    recover_outputs(console, {path});
    return {load_model(path), path};
}

}  // namespace

std::optional<std::string> shipped_model_path(ShippedModel which) {
    const char* const name = which == ShippedModel::digits ? "digits.stackae" : "photos.stackae";
    std::error_code error;
    const fs::path beside = fs::read_symlink("/proc/self/exe", error).parent_path();
    const std::array<fs::path, 4> folders{beside / "models", beside.parent_path() / "models",
                                          beside.parent_path() / STACKAE_DATA_FOLDER / "models",
                                          fs::path(STACKAE_SOURCE_FOLDER) / "models"};
    for (const fs::path& folder : folders) {
        const fs::path path = folder / name;
        if (fs::is_regular_file(path, error)) {
            return path.string();
        }
    }
    return std::nullopt;
}

ShippedModel shipped_model_for(const std::vector<const ImageDataset*>& collections) {
    bool any = false;
    for (const ImageDataset* pictures : collections) {
        try {
            PreprocessingOptions options;
            options.standardize = false;
            const Preprocessing own = choose_preprocessing(*pictures, options);
            const bool row_of_digit = own.height == 1 && own.width == digit_side * digit_side;
            if (!row_of_digit && (own.channels != 1 || own.height > digit_side || own.width > digit_side)) {
                return ShippedModel::photos;
            }
            any = true;
        } catch (const InvalidArgument&) {  // Not one can be read; what is wrong is told where they are.
        }
    }
    return any ? ShippedModel::digits : ShippedModel::photos;
}

std::optional<NamedModel> named_model(Console& console, const std::string& path) {
    return path.empty() ? std::nullopt : std::optional(open_chosen_model(console, path));
}

NamedModel shipped_model(Console& console, const std::vector<const ImageDataset*>& collections) {
    const ShippedModel which = shipped_model_for(collections);
    const auto shipped = shipped_model_path(which);
    if (!shipped) {
        throw UsageError("no model is named and none is installed; name one with -m MODEL");
    }
    NamedModel named{load_model(*shipped), *shipped};
    console.note(fmt::format("model: {} (comes with stackae, {}; -m names another)", *shipped,
                             which == ShippedModel::digits
                                 ? "for gray pictures of at most 28 pixels a side"
                                 : "for all but gray pictures of at most 28 pixels a side"));
    return named;
}

NamedModel shipped_model(Console& console, const Inputs& inputs) {
    std::vector<const ImageDataset*> collections;
    for (const Inputs::Source& source : inputs.sources()) {
        if (source.pictures) {
            collections.push_back(&*source.pictures);
        }
    }
    return shipped_model(console, collections);
}

Model open_table_model(Console& console, const std::string& path) {
    if (path.empty()) {
        throw UsageError("-m MODEL is missing, learnt by `stackae train` from a table");
    }
    NamedModel named = open_chosen_model(console, path);
    if (named.model.table.items.empty()) {
        throw InvalidArgument(fmt::format("{}: a model of pictures found, one of a table expected", path));
    }
    return std::move(named.model);
}

NamedModel open_gallery_model(Console& console, const Gallery& gallery, const std::string& gallery_path,
                              const std::string& path) {
    if (!path.empty()) {
        NamedModel named = open_chosen_model(console, path);
        try {
            check_model(gallery, named.model);
        } catch (const InvalidArgument& error) {
            throw InvalidArgument(fmt::format("{} with {}: {}", gallery_path, path, error.what()));
        }
        return named;
    }
    const fs::path hint(gallery.model_path);
    const fs::path folder = fs::path(gallery_path).parent_path();
    std::vector<std::string> candidates{hint.string(), (folder / hint).string(),
                                        (folder / hint.filename()).string()};
    if (hint.is_relative()) {  // the gallery may lie deeper than the folder it was enrolled from
        fs::path above = fs::absolute(gallery_path).lexically_normal().parent_path();
        for (; above.has_relative_path(); above = above.parent_path()) {
            candidates.push_back((above / hint).string());
        }
    }
    for (const ShippedModel which : {ShippedModel::photos, ShippedModel::digits}) {
        if (auto shipped = shipped_model_path(which)) {
            candidates.push_back(std::move(*shipped));
        }
    }
    std::string why = "which is not there";
    bool told = false;
    const auto reject = [&](const std::string& candidate, const std::string& reason) {
        if (!told && fs::path(candidate).filename() == hint.filename()) {
            why = fmt::format("but {} {}", candidate, reason);
            told = true;
        }
    };
    for (const std::string& candidate : candidates) {
        std::error_code error;
        if (!fs::is_regular_file(candidate, error)) {
            continue;
        }
        try {
            NamedModel named{load_model(candidate), candidate};
            if (named.model.identity() == gallery.model_identity) {
                console.note(fmt::format("model: {} (the one that made {})", candidate, gallery_path));
                return named;
            }
            reject(candidate, fmt::format("is another model ({})", named.model.identity()));
        } catch (const CorruptFile&) {  // whatever file a gallery names, nothing of it is told
            reject(candidate, "is no model that can be used");
        } catch (const Error& failure) {
            reject(candidate, fmt::format("cannot be used: {}", failure.what()));
        }
    }
    throw InvalidArgument(fmt::format("{}: was made with the model {} ({}), {}; name it with -m MODEL",
                                      gallery_path, gallery.model_path, gallery.model_identity, why));
}

}  // namespace stackae::cli
