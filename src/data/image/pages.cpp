#include "data/image/pages.hpp"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/file_io.hpp"
#include "base/parallel.hpp"
#include "base/threads.hpp"
#include "data/image/decode.hpp"
#include "data/image/picture.hpp"
#include "data/image/tiff_pages.hpp"

namespace stackae::data {
namespace {

bool has_tiff_ending(std::string_view path) {
    const std::string lower = lower_case(path);
    return lower.ends_with(".tif") || lower.ends_with(".tiff");
}

bool is_file(const std::string& path) {
    struct stat status {};
    return ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

/// The pictures that a path names.
struct NamedPages {
    std::string file{};                                ///< where it is not the path
    std::vector<Page> pages{};                         ///< empty: the file is one picture
    std::string failure{};                             ///< why they cannot be had
    PictureStatus status = PictureStatus::unreadable;  ///< of the failure
};

/// None of a file that is no TIFF.
NamedPages pages_in(const std::string& path) {
    const auto failed = [](const BadPicture& bad) { return NamedPages{{}, {}, bad.what(), bad.status()}; };
    try {
        const base::InputFile file(path, base::Readable::regular_files);
        return {{}, tiff_pages(RandomAccess(file))};
    } catch (const BadPicture& bad) {
        return failed(bad);
    } catch (const IoError& failure) {
        return failed(bad_file(path, failure));
    }
}

/// The number after the last #, where it stands for a page of a file that is there.
std::optional<std::size_t> selected_page(const std::string& path) {
    const std::size_t mark = path.rfind('#');
    std::size_t number = 0;
    if (mark == std::string::npos || mark + 1 == path.size()) {
        return std::nullopt;
    }
    const char* end = path.data() + path.size();
    const auto [stop, error] = std::from_chars(path.data() + mark + 1, end, number);
    const bool page = error == std::errc() && stop == end && number > 0;
    return page && !is_file(path) && is_file(path.substr(0, mark)) ? std::optional(number) : std::nullopt;
}

NamedPages named_pages(const std::string& path, bool only, const PictureLimits& limits) {
    NamedPages named;
    if (const auto number = selected_page(path)) {
        std::string file = path.substr(0, path.rfind('#'));
        named = pages_in(file);
        if (!named.pages.empty()) {
            named.file = std::move(file);
            if (*number <= named.pages.size()) {
                named.pages = {named.pages[*number - 1]};
            } else {
                named.failure = fmt::format("page {} named, {} found", *number, named.pages.size());
                named.status = PictureStatus::missing;
                named.pages.clear();
            }
        }
    } else if (limits.pages != PageSelection::first && (only || has_tiff_ending(path))) {
        named = pages_in(path);
        if (named.pages.size() == 1) {
            named.pages.clear();
        }
    }
    return named;
}

}  // namespace

bool names_page(const std::string& path) {
    return selected_page(path).has_value();
}

std::vector<FileEntry> with_pages(std::vector<FileEntry> entries, const PictureLimits& limits) {
    std::vector<NamedPages> named(entries.size());
    constexpr std::size_t together = 256;
    const std::size_t parts = (entries.size() + together - 1) / together;
    const auto name_part = [&](std::int64_t part) {
        const auto first = static_cast<std::size_t>(part) * together;
        for (std::size_t i = first; i < std::min(entries.size(), first + together); ++i) {
            if (entries[i].failure.empty()) {
                named[i] = named_pages(entries[i].entry.path, entries.size() == 1, limits);
            }
        }
    };
    base::parallel_for(static_cast<std::int64_t>(parts), base::resolve_threads(limits.threads),
                       [&] { return name_part; });
    std::vector<FileEntry> result;
    result.reserve(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
        FileEntry& file = entries[i];
        NamedPages& found = named[i];
        if (!found.failure.empty()) {
            file.failure = std::move(found.failure);
            file.status = found.status;
        }
        if (!found.file.empty()) {
            file.file = std::move(found.file);
            file.page = found.pages.empty() ? Page{} : found.pages.front();
        }
        if (limits.pages == PageSelection::channels && file.file.empty() && !found.pages.empty()) {
            file.channel_pages = std::move(found.pages);
            found.pages.clear();
        }
        if (found.pages.empty() || !file.file.empty()) {
            result.push_back(std::move(file));
            continue;
        }
        for (std::size_t k = 0; k < found.pages.size(); ++k) {
            FileEntry& page = result.emplace_back();
            page.entry = {fmt::format("{}#{}", file.entry.path, k + 1), file.entry.label};
            page.file = file.entry.path;
            page.page = found.pages[k];
        }
    }
    return result;
}

}  // namespace stackae::data
