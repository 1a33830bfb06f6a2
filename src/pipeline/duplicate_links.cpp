#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <string>
#include <vector>

#include "stackae/duplicates.hpp"
#include "stackae/error.hpp"

#include "pipeline/picture_file.hpp"

namespace stackae {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t max_name = 200;  ///< bytes of a file's name that a link keeps, the last ones

void check(const std::error_code& failed, const std::string& operation, const fs::path& path) {
    if (failed) {
        throw IoError(fmt::format("{}: cannot {}: {}", path.string(), operation, failed.message()));
    }
}

std::string end_of(const std::string& name) {
    std::size_t first = name.size() - std::min(name.size(), max_name);
    while (first > 0 && first < name.size() && (static_cast<unsigned char>(name[first]) & 0xC0U) == 0x80U) {
        ++first;  // within a character
    }
    return name.substr(first);
}

/// made: folders that were made, appended.
void link_all(const DuplicateReport& report, const std::string& folder, std::vector<fs::path>& made) {
    std::error_code failed;
    const std::size_t digits = std::to_string(report.groups.size()).size();
    for (std::size_t i = 0; i < report.groups.size(); ++i) {
        const fs::path group = fs::path(folder) / fmt::format("{:0{}}", i + 1, digits);
        if (fs::create_directory(group, failed)) {
            made.push_back(group);
        }
        check(failed, "make the folder", group);
        for (std::size_t k = 0; k < report.groups[i].size(); ++k) {
            const Duplicate& member = report.groups[i][k];
            const fs::path file = fs::absolute(pipeline::file_and_place(member.entry.path).first, failed);
            check(failed, "tell where it is", member.entry.path);
            const fs::path link =
                group / fmt::format("{}-{}-{}", k, name(member.kind), end_of(file.filename().string()));
            fs::create_symlink(file, link, failed);
            check(failed, "make the link", link);
        }
    }
}

}  // namespace

void check_links_folder(const std::string& folder) {
    std::error_code failed;
    const fs::file_status status = fs::status(folder, failed);
    if (fs::exists(status) && !(fs::is_directory(status) && fs::is_empty(folder, failed) && !failed)) {
        throw InvalidArgument(fmt::format(
            "{}: a folder of links: something is there, no folder or an empty one expected", folder));
    }
}

void link_groups(const DuplicateReport& report, const std::string& folder) {
    check_links_folder(folder);
    std::error_code failed;
    fs::create_directories(folder, failed);
    check(failed, "make the folder", folder);
    std::vector<fs::path> made;
    try {
        link_all(report, folder, made);
    } catch (const Error&) {
        for (const fs::path& group : made) {
            fs::remove_all(group, failed);
        }
        throw;
    }
}

}  // namespace stackae
