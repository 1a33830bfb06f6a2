#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <initializer_list>
#include <string_view>
#include <sys/stat.h>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "data/channel_files.hpp"
#include "data/file_source.hpp"
#include "data/image/channels.hpp"
#include "data/image/decode.hpp"
#include "data/image/pages.hpp"

namespace stackae::data {
namespace {

namespace fs = std::filesystem;

/// A picture whose channels lie in pages or files of their own. They are held beside the picture.
Picture decode_channels(const FileEntry& file, const PictureLimits& limits) {
    const std::size_t count = std::max(file.channel_files.size(), file.channel_pages.size());
    PictureLimits each = limits;
    each.max_bytes = std::max<std::int64_t>(1, limits.max_bytes / static_cast<std::int64_t>(2 * count));
    each.pages = PageSelection::first;
    std::vector<ChannelPart> parts;
    for (std::size_t i = 0; i < count; ++i) {
        const bool in_file = i < file.channel_files.size();
        const std::string& path = in_file ? file.channel_files[i] : file.path();
        const Page page = in_file ? Page{} : file.channel_pages[i];
        parts.push_back({in_file ? fs::path(path).filename().string() : fmt::format("page {}", i + 1),
                         [&each, path, page] {
                             return decode_file(path, {each, nullptr, page});
                         },
                         in_file});
    }
    return joined_channels(parts);
}

/// One file a picture.
class FileSource : public ImageDataset::Source {
public:
    FileSource(std::string path, std::vector<FileEntry> entries, const PictureLimits& limits,
               std::vector<std::string> notes)
        : path_(std::move(path)),
          entries_(limits.channel_suffixes.empty()
                       ? with_pages(std::move(entries), limits)
                       : with_channel_files(std::move(entries), limits.channel_suffixes)),
          limits_(limits),
          notes_(std::move(notes)) {
        labelled_ = std::any_of(entries_.begin(), entries_.end(),
                                [](const FileEntry& file) { return file.entry.label.has_value(); });
    }

    [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(entries_.size()); }
    [[nodiscard]] ImageEntry entry(std::int64_t i) const override { return at(i).entry; }
    [[nodiscard]] std::string file(std::int64_t i) const override { return at(i).path(); }
    [[nodiscard]] const std::string& path() const override { return path_; }
    [[nodiscard]] bool labelled() const override { return labelled_; }
    [[nodiscard]] Picture load(std::int64_t i, const Preprocessing* preprocessing) const override {
        if (!at(i).failure.empty()) {
            throw BadPicture(at(i).status, at(i).failure);
        }
        // Several threads may each have a picture, and a file, of an eighth of what one may take, up to 128
        // MiB: 44 megapixels of JPEG in colour.
        constexpr std::int64_t part = 8;
        constexpr std::int64_t most = std::int64_t{128} << 20U;
        PictureLimits limits = limits_;
        limits.max_bytes = std::clamp<std::int64_t>(limits_.max_bytes / part, 1, most);
        try {
            return decode_entry(i, {limits, preprocessing});
        } catch (const BadPicture& bad) {
            if (bad.status() != PictureStatus::too_large) {
                throw;
            }
        }
        throw LargePicture();
    }
    [[nodiscard]] Picture load_large(std::int64_t i, const Preprocessing* preprocessing) const override {
        return decode_entry(i, {limits_, preprocessing});
    }
    [[nodiscard]] std::vector<std::string> notes() const override { return notes_; }
    [[nodiscard]] ChannelFiles channel_files() const override {
        return {limits_.pages == PageSelection::channels && limits_.channel_suffixes.empty(),
                limits_.channel_suffixes};
    }

private:
    [[nodiscard]] const FileEntry& at(std::int64_t i) const { return entries_[static_cast<std::size_t>(i)]; }
    [[nodiscard]] Picture decode_entry(std::int64_t i, DecodeOptions options) const {
        const FileEntry& file = at(i);
        if (!file.channel_files.empty() || !file.channel_pages.empty()) {
            return decode_channels(file, options.limits);
        }
        options.page = file.page;
        return decode_file(file.path(), options);
    }

    std::string path_;
    std::vector<FileEntry> entries_;
    PictureLimits limits_;
    std::vector<std::string> notes_;
    bool labelled_ = false;
};

bool ends_with_any(const std::string& name, std::initializer_list<std::string_view> endings) {
    const std::string lower = lower_case(name);
    return std::any_of(endings.begin(), endings.end(),
                       [&](std::string_view ending) { return lower.ends_with(ending); });
}

/// Whether a file can be named as an input itself.
bool is_collection_name(const std::string& name) {
    return ends_with_any(name, {".npy", ".npz", ".npy.gz", ".idx", "ubyte", ".idx.gz", "ubyte.gz", ".txt"});
}

/// Whether a file may hold pictures in a way that is not read.
bool is_foreign_collection_name(const std::string& name) {
    return ends_with_any(name, {".csv", ".tsv", ".zip", ".tar", ".tgz", ".gz", ".xz", ".zst", ".7z", ".rar",
                                ".h5", ".hdf5", ".mat", ".parquet", ".tfrecord", ".pt", ".pkl"});
}

/// A file below a folder that is to be a picture.
struct Found {
    std::string relative;   ///< path
    std::string failure{};  ///< of a folder that cannot be read: why
};

/// Walks a folder. Links are followed, but never back into a folder that is being walked.
class Walk {
public:
    explicit Walk(std::string root) : root_(std::move(root)) {}

    /// All pictures, unsorted. Throws IoError, InvalidArgument where there is none.
    std::vector<Found> run() {
        std::error_code error;
        folder("", error);
        if (error) {
            throw IoError(fmt::format("{}: cannot read folder: {}", root_, error.message()));
        }
        if (found_.empty()) {
            throw InvalidArgument(fmt::format("{}: folder without a picture{}", root_, hint()));
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
                found_.push_back({relative});
            } else if (collection_.empty() && is_collection_name(name)) {
                collection_ = relative;
            } else if (foreign_.empty() && is_foreign_collection_name(name)) {
                foreign_ = relative;
            }
            return;
        }
        const fs::file_status status = item.status(error);
        if (status.type() == fs::file_type::directory) {
            std::error_code failure;
            folder(relative, failure);
            if (failure) {  // so that it is reported, not lost
                found_.push_back({relative, fmt::format("cannot read folder: {}", failure.message())});
            }
            return;
        }
        // A link to nothing or to itself, and what may not be looked at, may have been a folder. A pipe or a
        // device under a picture's name is kept as well: reading them will say why.
        const bool unknown =
            status.type() == fs::file_type::not_found || status.type() == fs::file_type::none;
        if (unknown || is_picture_name(name)) {
            found_.push_back({relative});
        }
    }

    /// What the folder holds instead of pictures.
    [[nodiscard]] std::string hint() const {
        if (!collection_.empty()) {
            return fmt::format("; it holds {}: name that file", collection_);
        }
        return foreign_.empty() ? ""
                                : fmt::format(
                                      "; it holds {}, which is not read: pictures are read from files of "
                                      "their own, .npy, .npz or IDX",
                                      foreign_);
    }

    std::string root_;
    std::vector<Found> found_;
    std::string collection_;  ///< a file that could be named itself
    std::string foreign_;     ///< one that might hold pictures, but is not read
    std::vector<std::pair<dev_t, ino_t>> above_;
};

std::optional<std::string> label_of(const std::string& relative) {
    const std::size_t slash = relative.find('/');
    return slash == std::string::npos ? std::nullopt : std::optional(relative.substr(0, slash));
}

/// Of files of a folder that are channels, the pictures, in the order of their own names. notes: gets how
/// many files were passed over.
std::vector<FileEntry> pictures_of_channels(std::vector<FileEntry> files, const std::string& folder,
                                            const std::vector<std::string>& suffixes,
                                            std::vector<std::string>& notes) {
    const auto others = static_cast<std::int64_t>(std::erase_if(files, [&](const FileEntry& file) {
        return file.failure.empty() && !stem_of(file.entry.path, suffixes);
    }));
    if (files.empty()) {
        throw InvalidArgument(fmt::format("{}: no picture found whose name ends with {} before its ending",
                                          folder, fmt::join(suffixes, " or ")));
    }
    if (others > 0) {
        notes.push_back(fmt::format("{}: {} passed over, since the names end with none of {}", folder,
                                    format_count(others, "picture"), fmt::join(suffixes, ", ")));
    }
    std::vector<FileEntry> pictures = stems_of(std::move(files), suffixes);
    std::stable_sort(pictures.begin(), pictures.end(),
                     [](const FileEntry& a, const FileEntry& b) { return a.entry.path < b.entry.path; });
    return pictures;
}

}  // namespace

SourcePointer file_source(std::string path, std::vector<FileEntry> entries, const PictureLimits& limits,
                          std::vector<std::string> notes) {
    return std::make_shared<FileSource>(std::move(path), std::move(entries), limits, std::move(notes));
}

SourcePointer open_file(const std::string& path, const PictureLimits& limits) {
    return file_source(path, {{{path, std::nullopt}}}, limits);
}

SourcePointer open_folder(const std::string& path, const PictureLimits& limits) {
    std::vector<Found> found = Walk(path).run();
    std::sort(found.begin(), found.end(), [](const Found& a, const Found& b) {
        return a.relative < b.relative;  // char_traits<char> compares as unsigned bytes
    });
    const std::string root = path.ends_with('/') ? path : path + "/";
    std::vector<FileEntry> entries;
    entries.reserve(found.size());
    for (Found& file : found) {
        entries.push_back({{root + file.relative, label_of(file.relative)}, std::move(file.failure)});
    }
    std::vector<std::string> notes;
    if (!limits.channel_suffixes.empty()) {
        entries = pictures_of_channels(std::move(entries), path, limits.channel_suffixes, notes);
    }
    return file_source(path, std::move(entries), limits, std::move(notes));
}

}  // namespace stackae::data
