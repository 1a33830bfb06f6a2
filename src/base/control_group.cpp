#include "base/control_group.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <limits>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace stackae::base {
namespace {

namespace fs = std::filesystem;

/// A hierarchy of groups that is mounted somewhere: a line of mountinfo.
struct Mount {
    std::string group;  ///< that its top folder is
    fs::path folder;
    std::string type;
    std::string options;
};

std::vector<std::string> words_of(const std::string& line) {
    std::istringstream stream(line);
    std::vector<std::string> words;
    for (std::string word; stream >> word;) {
        words.push_back(std::move(word));
    }
    return words;
}

/// Whether `word` is one of those between commas.
bool lists(std::string list, std::string_view word) {
    std::replace(list.begin(), list.end(), ',', ' ');
    const std::vector<std::string> words = words_of(list);
    return std::find(words.begin(), words.end(), word) != words.end();
}

/// mountinfo writes a space as \040, and so on.
std::string unescaped(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        int code = 0;
        const char* const digits = text.data() + i + 1;
        if (text[i] == '\\' && i + 3 < text.size() &&
            std::from_chars(digits, digits + 3, code, 8).ptr == digits + 3) {
            out += static_cast<char>(code);
            i += 3;
        } else {
            out += text[i];
        }
    }
    return out;
}

/// proc(5): id, parent, device, root, mount point, options, optional fields, "-", type, source, options.
std::vector<Mount> mounts_of(const fs::path& root) {
    std::ifstream file(root / "proc/self/mountinfo");
    std::vector<Mount> mounts;
    for (std::string line; std::getline(file, line);) {
        const std::vector<std::string> words = words_of(line);
        const auto dash = std::find(words.begin(), words.end(), "-");
        if (dash - words.begin() >= 6 && words.end() - dash >= 4 &&
            (dash[1] == "cgroup" || dash[1] == "cgroup2")) {
            mounts.push_back({unescaped(words[3]), root / fs::path(unescaped(words[4])).relative_path(),
                              dash[1], dash[3]});
        }
    }
    return mounts;
}

std::optional<std::int64_t> number_in(const std::string& word) {
    std::int64_t value = 0;
    const char* const end = word.data() + word.size();
    const auto [stop, error] = std::from_chars(word.data(), end, value);
    return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

std::vector<std::string> words_in(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return words_of(line);
}

std::optional<std::int64_t> number_in(const fs::path& path) {
    const std::vector<std::string> words = words_in(path);
    return words.size() == 1 ? number_in(words.front()) : std::nullopt;  // version 2 says "max" for none
}

template <class Value>
void lower(std::optional<Value>& limit, Value value) {
    limit = std::min(limit.value_or(value), value);
}

void lower_cores(GroupLimits& limits, std::optional<std::int64_t> quota, std::optional<std::int64_t> period) {
    if (quota && period && *quota > 0 && *period > 0) {  // version 1 says −1 for no quota
        lower(limits.cores, static_cast<double>(*quota) / static_cast<double>(*period));
    }
}

/// What one group says by itself.
void read_group(const fs::path& folder, bool cpu, bool memory, GroupLimits& limits) {
    if (cpu) {
        const std::vector<std::string> both = words_in(folder / "cpu.max");
        if (both.size() == 2) {
            lower_cores(limits, number_in(both[0]), number_in(both[1]));
        }
        lower_cores(limits, number_in(folder / "cpu.cfs_quota_us"), number_in(folder / "cpu.cfs_period_us"));
    }
    if (memory) {
        for (const char* name : {"memory.max", "memory.limit_in_bytes"}) {
            const auto bytes = number_in(folder / name);
            if (bytes && *bytes > 0) {
                lower(limits.memory, *bytes);
            }
        }
    }
}

/// The process's group as folders below the mount point, the mount's own group left off; empty where the
/// group lies outside of what is mounted (inside a namespace), of which the top is all that can be seen.
fs::path below_mount(const Mount& mount, const std::string& group) {
    const fs::path path = fs::path(group).lexically_relative(mount.group);
    return path.empty() || *path.begin() == ".." || path == "." ? fs::path() : path;
}

}  // namespace

GroupLimits group_limits(const fs::path& root) {
    GroupLimits limits;
    const std::vector<Mount> mounts = mounts_of(root);
    std::ifstream file(root / "proc/self/cgroup");
    // A line a hierarchy: its number, its controllers (none: version 2), the process's group.
    for (std::string line; std::getline(file, line);) {
        const std::size_t first = line.find(':');
        const std::size_t second = line.find(':', first == std::string::npos ? first : first + 1);
        if (second == std::string::npos) {
            continue;
        }
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const std::string group = line.substr(second + 1);
        const bool unified = controllers.empty();
        const bool cpu = unified || lists(controllers, "cpu");
        const bool memory = unified || lists(controllers, "memory");
        for (const Mount& mount : mounts) {
            const bool same = unified
                                  ? mount.type == "cgroup2"
                                  : mount.type == "cgroup" && ((cpu && lists(mount.options, "cpu")) ||
                                                               (memory && lists(mount.options, "memory")));
            if (!same) {
                continue;
            }
            fs::path folder = mount.folder;
            read_group(folder, cpu, memory, limits);
            for (const fs::path& part : below_mount(mount, group)) {
                folder /= part;
                read_group(folder, cpu, memory, limits);
            }
        }
    }
    return limits;
}

}  // namespace stackae::base
