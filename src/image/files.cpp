#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <string_view>
#include <sys/stat.h>

#include "stackae/error.hpp"

#include "core/file_io.hpp"
#include "image/decode.hpp"
#include "image/source.hpp"

namespace stackae::image {
namespace {

namespace fs = std::filesystem;

/// One file a picture.
class FileSource : public Pictures::Source {
public:
    FileSource(std::string path, std::vector<PictureEntry> entries, const PictureLimits& limits)
        : path_(std::move(path)), entries_(std::move(entries)), limits_(limits) {
        labelled_ = std::any_of(entries_.begin(), entries_.end(),
                                [](const PictureEntry& entry) { return entry.label.has_value(); });
    }
    /// The only picture came through a pipe, which can be read but once.
    FileSource(std::string path, std::vector<std::byte> piped, const PictureLimits& limits)
        : FileSource(path, std::vector<PictureEntry>{{path, std::nullopt}}, limits) {
        piped_ = std::move(piped);
    }

    [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(entries_.size()); }
    [[nodiscard]] PictureEntry entry(std::int64_t i) const override {
        return entries_[static_cast<std::size_t>(i)];
    }
    [[nodiscard]] const std::string& path() const override { return path_; }
    [[nodiscard]] bool labelled() const override { return labelled_; }
    [[nodiscard]] Picture load(std::int64_t i, const Recipe* recipe) const override {
        if (piped_) {
            return decode(*piped_, {limits_, recipe});
        }
        // Several threads may each have a picture of an eighth of what one may take: of 44 megapixels in
        // colour.
        constexpr std::int64_t part = 8;
        PictureLimits limits = limits_;
        limits.max_bytes = std::max<std::int64_t>(1, limits_.max_bytes / part);
        try {
            return decode_file(entries_[static_cast<std::size_t>(i)].path, {limits, recipe});
        } catch (const BadPicture& bad) {
            if (bad.status() != PictureStatus::too_large) {
                throw;
            }
        }
        throw LargePicture();
    }
    [[nodiscard]] Picture load_large(std::int64_t i, const Recipe* recipe) const override {
        return decode_file(entries_[static_cast<std::size_t>(i)].path, {limits_, recipe});
    }

private:
    std::string path_;
    std::vector<PictureEntry> entries_;
    PictureLimits limits_;
    std::optional<std::vector<std::byte>> piped_;
    bool labelled_ = false;
};

/// Walks a folder. Links are followed, but never back into a folder that is being walked.
class Walk {
public:
    explicit Walk(std::string root) : root_(std::move(root)) {}

    /// Relative paths of all pictures, unsorted.
    std::vector<std::string> run() {
        std::error_code error;
        folder("", error);
        if (error) {
            throw IoError(fmt::format("{}: cannot read folder: {}", root_, error.message()));
        }
        return std::move(found_);
    }

private:
    void folder(const std::string& relative, std::error_code& error) {
        const std::string path = relative.empty() ? root_ : root_ + "/" + relative;
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0) {
            error.assign(errno, std::generic_category());
            return;
        }
        const std::pair<dev_t, ino_t> identity(status.st_dev, status.st_ino);
        if (std::find(above_.begin(), above_.end(), identity) != above_.end()) {
            return;
        }
        fs::directory_iterator it(path, error);
        if (error) {
            return;
        }
        above_.push_back(identity);
        for (; !error && it != fs::directory_iterator(); it.increment(error)) {
            const std::string name = it->path().filename().string();
            if (!name.starts_with('.')) {
                entry(*it, relative.empty() ? name : relative + "/" + name, name);
            }
        }
        above_.pop_back();
    }

    void entry(const fs::directory_entry& item, const std::string& relative, const std::string& name) {
        std::error_code error;
        if (item.is_regular_file(error)) {  // most are, and the folder's listing says so
            if (is_picture_name(name)) {
                found_.push_back(relative);
            }
            return;
        }
        const fs::file_status status = item.status(error);
        if (status.type() == fs::file_type::directory) {
            std::error_code failure;
            folder(relative, failure);
            if (failure) {
                found_.push_back(relative);  // so that it is reported as unreadable, not lost
            }
            return;
        }
        // A link to nothing, or a file that cannot be looked at, is kept: reading it will say why.
        const bool special =
            !error && status.type() != fs::file_type::regular && status.type() != fs::file_type::not_found;
        if (!special && is_picture_name(name)) {
            found_.push_back(relative);
        }
    }

    std::string root_;
    std::vector<std::string> found_;
    std::vector<std::pair<dev_t, ino_t>> above_;
};

std::optional<std::string> label_of(const std::string& relative) {
    const std::size_t slash = relative.find('/');
    return slash == std::string::npos ? std::nullopt : std::optional(relative.substr(0, slash));
}

}  // namespace

SourcePointer open_file(const std::string& path, const PictureLimits& limits) {
    std::error_code ignored;
    if (fs::is_fifo(path, ignored)) {
        return std::make_shared<FileSource>(path, core::read_file(path, most_file_bytes(limits)), limits);
    }
    return std::make_shared<FileSource>(path, std::vector<PictureEntry>{{path, std::nullopt}}, limits);
}

SourcePointer open_folder(const std::string& path, const PictureLimits& limits) {
    std::vector<std::string> relative = Walk(path).run();
    if (relative.empty()) {
        throw InvalidArgument(fmt::format("{}: folder without a picture", path));
    }
    std::sort(relative.begin(), relative.end());  // char_traits<char> compares as unsigned bytes
    const std::string root = path.ends_with('/') ? path : path + "/";
    std::vector<PictureEntry> entries;
    entries.reserve(relative.size());
    for (const std::string& name : relative) {
        entries.push_back({root + name, label_of(name)});
    }
    return std::make_shared<FileSource>(path, std::move(entries), limits);
}

SourcePointer open_list(const std::string& path, const PictureLimits& limits) {
    const std::vector<std::byte> content = core::read_file(path);
    std::string_view text(reinterpret_cast<const char*>(content.data()), content.size());
    if (text.starts_with("\xEF\xBB\xBF")) {
        text.remove_prefix(3);  // byte order mark
    }
    const fs::path folder = fs::path(path).parent_path();
    std::vector<PictureEntry> entries;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line.find_first_not_of(" \t") == std::string_view::npos || line.starts_with('#')) {
            continue;
        }
        const std::size_t tab = line.find('\t');
        PictureEntry entry{(folder / line.substr(0, tab)).string(), std::nullopt};
        if (tab != std::string_view::npos && tab + 1 < line.size()) {
            entry.label = line.substr(tab + 1);
        }
        entries.push_back(std::move(entry));
    }
    if (entries.empty()) {
        throw InvalidArgument(fmt::format("{}: list without a path", path));
    }
    return std::make_shared<FileSource>(path, std::move(entries), limits);
}

}  // namespace stackae::image
