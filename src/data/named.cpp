#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <utility>
#include <variant>

#include "stackae/error.hpp"

#include "data/file_source.hpp"
#include "data/image/picture.hpp"

namespace stackae::data {
namespace {

namespace fs = std::filesystem;

/// `digits.npy#12` as its array and the row's number.
struct RowName {
    std::string array;
    std::int64_t row = 0;
};

std::optional<RowName> row_name(const std::string& path) {
    const std::size_t mark = path.rfind('#');
    if (mark == std::string::npos) {
        return std::nullopt;
    }
    std::int64_t row = 0;
    const char* const end = path.data() + path.size();
    const auto [stop, error] = std::from_chars(path.data() + mark + 1, end, row);
    std::error_code ignored;
    const bool number = error == std::errc() && stop == end && row >= 0 && !fs::exists(path, ignored);
    return number ? std::optional(RowName{path.substr(0, mark), row}) : std::nullopt;
}

/// An array that rows of are named, opened once.
struct Opened {
    SourcePointer source{};  ///< null where it is none
    std::string failure{};   ///< why it cannot be opened
    PictureStatus status = PictureStatus::corrupt;
};

Opened open_named(const std::string& path, const PictureLimits& limits) {
    // Of `file.npz#name` the file is looked for.
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored) &&
        !fs::is_regular_file(path.substr(0, path.rfind('#')), ignored)) {
        return {};
    }
    try {
        return {open_array(path, limits)};
    } catch (const IoError& error) {
        return {nullptr, error.what(), PictureStatus::unreadable};
    } catch (const CorruptFile& error) {
        return {nullptr, error.what(), PictureStatus::corrupt};
    } catch (const Error& error) {
        return {nullptr, error.what(), PictureStatus::unsupported};
    }
}

/// Whether a path is that of a pipe or device of the process that named it.
bool is_passing(const std::string& path) {
    return path.starts_with("/dev/") || path.starts_with("/proc/");
}

/// Pictures by their names, in whatever holds each.
class NamedSource : public ImageDataset::Source {
public:
    NamedSource(std::string path, std::vector<ImageEntry> entries, const PictureLimits& limits)
        : path_(std::move(path)) {
        std::map<std::string, Opened> arrays;
        std::vector<FileEntry> files;
        for (ImageEntry& entry : entries) {
            labelled_ = labelled_ || entry.label.has_value();
            FileEntry file;
            if (is_passing(entry.path)) {
                file.failure = "came through a pipe or device, which cannot be read again";
            } else if (const auto name = row_name(entry.path)) {
                const auto [place, is_new] = arrays.try_emplace(name->array);
                if (is_new) {
                    place->second = open_named(name->array, limits);
                }
                const Opened& array = place->second;
                if (array.source && name->row < array.source->size()) {
                    places_.emplace_back(Row{array.source, name->row, std::move(entry.label)});
                    continue;
                }
                file.failure =
                    array.source ? fmt::format("row {} named, {} rows found", name->row, array.source->size())
                                 : array.failure;
                file.status = array.source ? PictureStatus::missing : array.status;
            }
            file.entry = std::move(entry);
            places_.emplace_back(static_cast<std::int64_t>(files.size()));
            files.push_back(std::move(file));
        }
        files_ = file_source(path_, std::move(files), limits);
    }

    [[nodiscard]] std::int64_t size() const override { return std::ssize(places_); }
    [[nodiscard]] ImageEntry entry(std::int64_t i) const override {
        const Row* const row = row_at(i);
        return row != nullptr ? ImageEntry{row->array->entry(row->index).path, row->label}
                              : files_->entry(file_at(i));
    }
    [[nodiscard]] std::string file(std::int64_t i) const override {
        const Row* const row = row_at(i);
        return row != nullptr ? row->array->file(row->index) : files_->file(file_at(i));
    }
    [[nodiscard]] const std::string& path() const override { return path_; }
    [[nodiscard]] bool labelled() const override { return labelled_; }
    [[nodiscard]] ChannelFiles channel_files() const override { return files_->channel_files(); }
    [[nodiscard]] Picture load(std::int64_t i, const Preprocessing* preprocessing) const override {
        const Row* const row = row_at(i);
        if (row == nullptr) {
            return files_->load(file_at(i), preprocessing);
        }
        const std::int64_t length = row->array->row_length();
        if (preprocessing != nullptr && length > 0 && length != preprocessing->size()) {
            throw BadPicture(PictureStatus::unsupported, fmt::format("a row of {} values found, {} expected",
                                                                     length, preprocessing->size()));
        }
        return row->array->load(row->index, preprocessing);
    }
    [[nodiscard]] Picture load_large(std::int64_t i, const Preprocessing* preprocessing) const override {
        return files_->load_large(file_at(i), preprocessing);  // rows are never put off
    }

private:
    struct Row {
        SourcePointer array;
        std::int64_t index;
        std::optional<std::string> label;
    };

    [[nodiscard]] const Row* row_at(std::int64_t i) const {
        return std::get_if<Row>(&places_[static_cast<std::size_t>(i)]);
    }
    [[nodiscard]] std::int64_t file_at(std::int64_t i) const {
        return std::get<std::int64_t>(places_[static_cast<std::size_t>(i)]);
    }

    std::string path_;
    SourcePointer files_;
    std::vector<std::variant<std::int64_t, Row>> places_;  ///< in files_, or of an array
    bool labelled_ = false;
};

}  // namespace

SourcePointer named_source(const std::string& path, std::vector<ImageEntry> entries, PictureLimits limits) {
    if (limits.pages == PageSelection::all) {  // a name stands for one picture; other pages have theirs
        limits.pages = PageSelection::first;
    }
    return std::make_shared<NamedSource>(path, std::move(entries), limits);
}

}  // namespace stackae::data
