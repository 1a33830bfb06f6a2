#include "data/channel_files.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <set>
#include <string_view>

#include "data/image/decoder.hpp"

namespace stackae::data {
namespace {

namespace fs = std::filesystem;

/// The stem of a file's name and which suffix ends it.
struct ChannelName {
    std::string stem;
    std::size_t channel = 0;
};

/// The suffix may name the file's ending too, as in _ch1.png.
std::optional<ChannelName> channel_name(std::string_view name, const std::vector<std::string>& suffixes) {
    const std::string_view bare = name.substr(0, name.rfind('.'));
    std::optional<ChannelName> found;
    std::size_t longest = 0;
    for (std::size_t i = 0; i < suffixes.size(); ++i) {
        for (const std::string_view whole : {bare, name}) {
            const std::string& suffix = suffixes[i];
            if (suffix.size() > longest && whole.size() > suffix.size() && whole.ends_with(suffix)) {
                longest = suffix.size();
                found = {std::string(whole.substr(0, whole.size() - suffix.size())), i};
            }
        }
    }
    return found;
}

std::string folder_of(const std::string& path) {
    const std::size_t slash = path.rfind('/');
    return slash == std::string::npos ? "" : path.substr(0, slash + 1);
}

/// Files of a folder by the stems of their names: of each channel those that are there.
using Channels = std::vector<std::vector<std::string>>;
using ChannelsByStem = std::map<std::string, Channels>;

ChannelsByStem channels_in(const std::string& folder, const std::vector<std::string>& suffixes) {
    ChannelsByStem channels;
    std::error_code error;
    for (fs::directory_iterator it(folder.empty() ? "." : folder, error);
         !error && it != fs::directory_iterator(); it.increment(error)) {
        const std::string name = it->path().filename().string();
        const auto channel = name.starts_with('.') ? std::nullopt : channel_name(name, suffixes);
        std::error_code ignored;
        if (channel && is_picture_name(name) && !it->is_directory(ignored)) {
            Channels& files = channels.try_emplace(channel->stem, suffixes.size()).first->second;
            files[channel->channel].push_back(name);
        }
    }
    return channels;
}

/// files: of each channel; none of a picture that has none at all.
void find_channels(FileEntry& entry, const std::string& stem, const Channels& files,
                   const std::vector<std::string>& suffixes) {
    const std::string folder = folder_of(entry.entry.path);
    for (std::size_t i = 0; i < suffixes.size(); ++i) {
        const std::size_t found = i < files.size() ? files[i].size() : 0;
        if (found == 0) {
            entry.failure = fmt::format("channel {}: no file {}{}.* found", suffixes[i], stem, suffixes[i]);
            entry.status = PictureStatus::missing;
            break;
        }
        if (found > 1) {
            std::vector<std::string> names = files[i];
            std::sort(names.begin(), names.end());
            entry.failure = fmt::format("channel {}: {} files found ({}), one expected", suffixes[i], found,
                                        fmt::join(names, ", "));
            entry.status = PictureStatus::unsupported;
            break;
        }
        entry.channel_files.push_back(folder + files[i].front());
    }
    if (!entry.failure.empty()) {
        entry.channel_files.clear();
    } else {
        entry.file = entry.channel_files.front();
    }
}

}  // namespace

std::optional<std::string> stem_of(const std::string& path, const std::vector<std::string>& suffixes) {
    const std::string folder = folder_of(path);
    const auto channel = channel_name(std::string_view(path).substr(folder.size()), suffixes);
    return channel ? std::optional(folder + channel->stem) : std::nullopt;
}

std::vector<FileEntry> stems_of(std::vector<FileEntry> entries, const std::vector<std::string>& suffixes) {
    std::set<std::string> seen;
    std::vector<FileEntry> stems;
    for (FileEntry& entry : entries) {
        if (const auto stem = entry.failure.empty() ? stem_of(entry.entry.path, suffixes) : std::nullopt) {
            entry.entry.path = *stem;
            if (!seen.insert(*stem).second) {
                continue;
            }
        }
        stems.push_back(std::move(entry));
    }
    return stems;
}

std::vector<FileEntry> with_channel_files(std::vector<FileEntry> entries,
                                          const std::vector<std::string>& suffixes) {
    std::map<std::string, ChannelsByStem> folders;
    for (FileEntry& entry : entries) {
        if (!entry.failure.empty()) {
            continue;
        }
        std::error_code ignored;
        if (fs::is_regular_file(entry.entry.path, ignored)) {
            const auto stem = stem_of(entry.entry.path, suffixes);
            if (!stem) {
                entry.failure = fmt::format(
                    "a file found whose name ends with none of {}; a channel of a "
                    "picture expected",
                    fmt::join(suffixes, ", "));
                entry.status = PictureStatus::unsupported;
                continue;
            }
            entry.entry.path = *stem;
        }
        const std::string folder = folder_of(entry.entry.path);
        const std::string stem = entry.entry.path.substr(folder.size());
        auto known = folders.find(folder);
        if (known == folders.end()) {
            known = folders.emplace(folder, channels_in(folder, suffixes)).first;
        }
        const auto files = known->second.find(stem);
        find_channels(entry, stem, files == known->second.end() ? Channels() : files->second, suffixes);
    }
    return entries;
}

bool names_channels(const std::string& path, const std::vector<std::string>& suffixes) {
    const std::string folder = folder_of(path);
    return !suffixes.empty() && channels_in(folder, suffixes).contains(path.substr(folder.size()));
}

}  // namespace stackae::data
