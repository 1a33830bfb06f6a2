#include "cli/map_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>

#include "stackae/anomaly_maps.hpp"
#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "cli/parse.hpp"

namespace stackae::cli {
namespace {

namespace fs = std::filesystem;

/// Without links and dots, whether it is there or not.
fs::path whole(const std::string& path) {
    std::error_code ignored;
    const fs::path absolute = fs::weakly_canonical(path, ignored);
    return absolute.has_filename() ? absolute : absolute.parent_path();
}

/// Whether a path is a folder or below it.
bool is_in(const fs::path& path, const fs::path& folder) {
    return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

}  // namespace

void MapFolder::check(const std::vector<std::string>& inputs, const std::vector<NamedPath>& written) const {
    if (path.empty()) {
        return;
    }
    const fs::path own = whole(path);
    for (const std::string& input : inputs) {
        if (is_in(own, whole(input)) || is_in(whole(input), own)) {
            throw UsageError(fmt::format(
                "--maps {}: a folder apart from {} expected: maps in it would be scored the next time", path,
                input));
        }
    }
    for (const NamedPath& file : written) {
        if (!file.path.empty() && is_in(whole(file.path), own)) {
            throw UsageError(fmt::format("{} {} found, a file that is not in the folder of --maps expected",
                                         file.what, file.path));
        }
    }
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        return;
    }
    if (!fs::is_directory(path, ignored)) {
        throw UsageError(fmt::format("--maps {}: a file found, a folder expected", path));
    }
    for (const auto& file : fs::directory_iterator(path)) {
        const std::string name = file.path().filename().string();
        if (!anomaly_map_number(name)) {
            throw UsageError(
                fmt::format("--maps {}: {} found, a new folder expected, or one of maps alone, which "
                            "are replaced",
                            path, name));
        }
    }
}

void MapFolder::create() const {
    fs::create_directories(path);
}

void MapFolder::remove_from(std::size_t number) const {
    for (const auto& file : fs::directory_iterator(path)) {
        const auto found = anomaly_map_number(file.path().filename().string());
        if (found && *found >= number) {
            fs::remove(file.path());
        }
    }
}

void MapFolder::draw(std::size_t number, const ImageEntry& entry, const PatchMemory& memory,
                     std::span<const float> picture, const AnomalyScore& score) const {
    write_anomaly_map(path, number, entry.path, memory, picture, score, threshold, raw);
}

void MapFolder::check_drawn(std::size_t number, const ImageEntry& entry) const {
    for (const std::string& file : anomaly_map_files(path, number, entry.path, raw)) {
        std::error_code ignored;
        if (!fs::exists(file, ignored)) {
            throw IoError(fmt::format(
                "{}: not found, a map that the run that was stopped had drawn expected; remove its "
                "checkpoint to begin anew",
                file));
        }
    }
}

std::string MapFolder::text() const {
    return path.empty() ? "none"
                        : printable(fmt::format("{}{}, for a threshold of {}", whole(path).string(),
                                                raw ? " with numbers" : "", threshold));
}

}  // namespace stackae::cli
