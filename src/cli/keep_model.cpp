#include "cli/keep_model.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <new>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "cli/model_report.hpp"
#include "cli/output.hpp"

namespace stackae::cli {
namespace {

namespace fs = std::filesystem;

/// `a/b.stackae` as `a/b.WORD.stackae`.
fs::path with_word(const fs::path& path, const std::string& word) {
    const std::string ending = path.has_extension() ? path.extension().string() : ".stackae";
    return path.parent_path() / fmt::format("{}.{}{}", path.stem().string(), word, ending);
}

/// A word of a shell's command line.
std::string shell_word(const std::string& word) {
    std::string text = "'";
    for (const char c : word) {
        text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return text + "'";
}

/// `trained on 1,797 pictures of 10 classes, dense:100, dense:30; interrupted after 1 of 2 layers`.
std::string text_of(const Model& model) {
    const TrainingRecord& record = model.record;
    const std::size_t classes = record.class_names.size();
    const std::size_t planned = record.config.stack.size();
    std::string text =
        fmt::format("trained on {}{}, {}", format_count(record.pictures, row_of(model)),
                    classes > 0 ? fmt::format(" of {} class{}", classes, classes == 1 ? "" : "es") : "",
                    to_text(planned > 0 ? record.config.stack : model.layers));
    if (record.interrupted) {
        text += planned > model.layers.size()
                    ? fmt::format("; interrupted after {} of {} layers", model.layers.size(), planned)
                    : "; interrupted";
    }
    return text;
}

}  // namespace

std::optional<StandingModel> standing_model(const std::string& path) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored) || fs::is_empty(path, ignored)) {
        return std::nullopt;
    }
    try {
        const Model model = load_model(path);
        return StandingModel{model.record.data, text_of(model), !model.record.interrupted};
    } catch (const Error& error) {
        return StandingModel{"", error.what(), false};
    }
}

std::vector<std::string> spare_places(const std::string& path, const std::string& home,
                                      const std::string& temporary) {
    std::vector<fs::path> folders;
    if (!is_stream(path)) {
        folders.push_back(fs::absolute(path).parent_path());
    }
    folders.push_back(fs::absolute("."));
    for (const std::string& folder : {home, temporary}) {
        if (!folder.empty()) {
            folders.push_back(fs::absolute(folder));
        }
    }
    std::vector<std::string> places;
    for (const fs::path& folder : folders) {
        const fs::path file = folder / fs::path(path).filename();
        fs::path place = with_word(file, "kept").lexically_normal();
        std::error_code ignored;
        for (int number = 2; fs::exists(place, ignored); ++number) {
            place = with_word(file, fmt::format("kept-{}", number)).lexically_normal();
        }
        if (std::find(places.begin(), places.end(), place.string()) == places.end()) {
            places.push_back(place.string());
        }
    }
    return places;
}

KeptModel keep_model(Console& console, const Model& model, const std::string& output) {
    KeptModel kept{output};
    if (model.record.interrupted) {
        const auto standing = standing_model(output);
        kept.beside = standing && standing->complete;
        kept.path = kept.beside ? with_word(output, "partial").string() : output;
    }
    std::string why;
    try {
        save(model, kept.path);
        return kept;
    } catch (const Error& error) {
        why = error.what();
    } catch (const std::bad_alloc&) {
        why = fmt::format("{}: cannot write: out of memory", kept.path);
    }
    std::error_code ignored;
    const char* const home = std::getenv("HOME");
    const auto places =
        spare_places(kept.path, home == nullptr ? "" : home, fs::temp_directory_path(ignored).string());
    for (const std::string& place : places) {
        try {
            save(model, place);
        } catch (const std::exception&) {
            continue;  // the next one
        }
        console.warn(why);
        console.warn(fmt::format(
            "the model is in {} instead{}", place,
            is_stream(kept.path)
                ? ""
                : fmt::format("; move it with: mv {} {}", shell_word(place), shell_word(kept.path))));
        kept.path = place;
        kept.elsewhere = true;
        return kept;
    }
    throw IoError(fmt::format("{}; the model is lost, since {} could not be written either", why,
                              fmt::join(places, ", ")));
}

std::string kept_text(const Model& model, const KeptModel& kept, const std::string& output) {
    return fmt::format("kept {} of {} layers in {}{}", model.layers.size(), model.record.config.stack.size(),
                       kept.path,
                       kept.beside ? fmt::format("; the finished model {} is as it was", output) : "");
}

std::string outcome_text(const Model& model, const KeptModel& kept, const std::string& output) {
    return model.record.interrupted ? "interrupted; " + kept_text(model, kept, output)
                                    : fmt::format("wrote {}: {}, {}", kept.path,
                                                  format_count(std::ssize(model.layers.layers()), "layer"),
                                                  format_count(model.parameters(), "parameter"));
}

}  // namespace stackae::cli
