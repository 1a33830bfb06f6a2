#include <filesystem>
#include <fmt/format.h>
#include <string>

#include "stackae/duplicates.hpp"
#include "stackae/error.hpp"

#include "pipeline/picture_file.hpp"

namespace stackae {

void link_groups(const DuplicateReport& report, const std::string& folder) {
    namespace fs = std::filesystem;
    const auto check = [](const std::error_code& failed, const std::string& operation, const fs::path& path) {
        if (failed) {
            throw IoError(fmt::format("{}: cannot {}: {}", path.string(), operation, failed.message()));
        }
    };
    std::error_code failed;
    if (fs::exists(folder, failed) && !(fs::is_directory(folder, failed) && fs::is_empty(folder, failed))) {
        throw InvalidArgument(fmt::format(
            "{}: a folder of links: something is there, no folder or an empty one expected", folder));
    }
    fs::create_directories(folder, failed);
    check(failed, "make the folder", folder);
    const std::size_t digits = std::to_string(report.groups.size()).size();
    for (std::size_t i = 0; i < report.groups.size(); ++i) {
        const fs::path group_folder = fs::path(folder) / fmt::format("{:0{}}", i + 1, digits);
        fs::create_directory(group_folder, failed);
        check(failed, "make the folder", group_folder);
        for (std::size_t k = 0; k < report.groups[i].size(); ++k) {
            const Duplicate& member = report.groups[i][k];
            const fs::path file = fs::absolute(pipeline::file_and_place(member.entry.path).first, failed);
            check(failed, "tell where it is", member.entry.path);
            const fs::path link =
                group_folder / fmt::format("{}-{}-{}", k, name(member.kind), file.filename().string());
            fs::create_symlink(file, link, failed);
            check(failed, "make the link", link);
        }
    }
}

}  // namespace stackae
