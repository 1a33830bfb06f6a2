#include "cli/table_or_list.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <vector>

#include "stackae/text.hpp"

namespace stackae::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t most_bytes = std::size_t{64} << 10U;
constexpr std::size_t most_lines = 50;

/// Those that are not empty, and end in what is looked at.
std::vector<std::string> first_lines(const std::string& path) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) {
        return {};  // what is read from a pipe cannot be read again
    }
    std::string head(most_bytes, '\0');
    std::ifstream file(path, std::ios::binary);
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
    head.resize(static_cast<std::size_t>(file.gcount()));
    if (head.find('\0') != std::string::npos) {
        return {};
    }
    std::vector<std::string> lines;
    std::size_t begin = head.starts_with("\xEF\xBB\xBF") ? 3 : 0;
    while (begin < head.size() && lines.size() < most_lines) {
        const std::size_t end = std::min(head.find_first_of("\r\n", begin), head.size());
        if (end == head.size() && head.size() == most_bytes) {
            break;  // a line that is cut
        }
        if (head.find_first_not_of(" \t", begin) < end) {
            lines.push_back(head.substr(begin, end - begin));
        }
        begin = end + 1;
    }
    return lines;
}

bool is_file(const fs::path& folder, std::string_view path) {
    std::error_code ignored;
    return !path.empty() &&
           (fs::is_regular_file(folder / path, ignored) || fs::is_regular_file(path, ignored));
}

/// The whole line, or up to a separator; in quotes, too.
bool names_file(const fs::path& folder, std::string_view line) {
    if (is_file(folder, line)) {
        return true;
    }
    std::string_view field = line.substr(0, line.find_first_of(",;\t"));
    if (field.size() > 1 && field.front() == '"' && field.back() == '"') {
        field = field.substr(1, field.size() - 2);
    }
    return is_file(folder, field);
}

/// Whether it could be a path: it has a folder in it, or ends as pictures' names do.
bool looks_like_path(std::string_view line) {
    constexpr std::array<std::string_view, 14> endings{".png",  ".jpg", ".jpeg", ".bmp",  ".tif",
                                                       ".tiff", ".gif", ".pgm",  ".webp", ".ppm",
                                                       ".jp2",  ".jxl", ".heic", ".avif"};
    const std::string lower = lower_case(line.substr(0, line.find('\t')));
    return line.find('/') != std::string_view::npos ||
           std::any_of(endings.begin(), endings.end(),
                       [&](std::string_view ending) { return lower.ends_with(ending); });
}

bool is_number_row(const std::string& line) {
    return line.find_first_not_of("0123456789 \t") == std::string::npos;
}

}  // namespace

TextKind text_kind(const std::string& path) {
    const std::vector<std::string> lines = first_lines(path);
    const fs::path folder = fs::path(path).parent_path();
    const auto names = [&](const std::string& line) { return names_file(folder, line); };
    const auto named = std::count_if(lines.begin(), lines.end(), names);
    // The first line may be a header.
    const auto rows = std::ssize(lines) - (lines.size() > 1 && !names(lines.front()) ? 1 : 0);
    if (named > rows / 2) {
        return TextKind::paths;
    }
    const bool numbers = std::all_of(lines.begin(), lines.end(), is_number_row);
    if (lines.empty() || (named > 0 && !numbers) ||
        std::any_of(lines.begin(), lines.end(), looks_like_path)) {
        return TextKind::unknown;
    }
    const auto several = [](const std::string& line) {
        return line.find_first_of(" \t,;", line.find_first_not_of(" \t")) != std::string::npos;
    };
    if (std::none_of(lines.begin(), lines.end(), several)) {
        return TextKind::unknown;
    }
    return numbers ? TextKind::numbers : TextKind::fields;
}

}  // namespace stackae::cli
