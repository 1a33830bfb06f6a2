#include "stackae/image_dataset.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <string_view>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/enum_names.hpp"
#include "data/arrays.hpp"
#include "data/channel_files.hpp"
#include "data/image/pages.hpp"
#include "data/source.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<PictureStatus> =
    base::names_of<PictureStatus>("status", {{PictureStatus::ok, "ok"},
                                             {PictureStatus::missing, "missing"},
                                             {PictureStatus::unreadable, "unreadable"},
                                             {PictureStatus::corrupt, "corrupt"},
                                             {PictureStatus::too_large, "too_large"},
                                             {PictureStatus::unsupported, "unsupported"},
                                             {PictureStatus::out_of_memory, "out_of_memory"}});
template const char* name(PictureStatus);

namespace {

namespace fs = std::filesystem;

/// Some entries of another source.
class Subset : public ImageDataset::Source {
public:
    Subset(data::SourcePointer base, std::vector<std::int64_t> entries)
        : base_(std::move(base)), entries_(std::move(entries)) {
        labelled_ = base_->labelled() && std::any_of(entries_.begin(), entries_.end(), [&](std::int64_t i) {
                        return base_->entry(i).label.has_value();
                    });
    }

    [[nodiscard]] std::int64_t size() const override { return static_cast<std::int64_t>(entries_.size()); }
    [[nodiscard]] ImageEntry entry(std::int64_t i) const override { return base_->entry(at(i)); }
    [[nodiscard]] std::string file(std::int64_t i) const override { return base_->file(at(i)); }
    [[nodiscard]] const std::string& path() const override { return base_->path(); }
    [[nodiscard]] bool labelled() const override { return labelled_; }
    [[nodiscard]] std::vector<std::string> notes() const override { return base_->notes(); }
    [[nodiscard]] ChannelFiles channel_files() const override { return base_->channel_files(); }
    [[nodiscard]] std::int64_t row_length() const override { return base_->row_length(); }
    [[nodiscard]] data::Picture load(std::int64_t i, const Preprocessing* preprocessing) const override {
        return base_->load(at(i), preprocessing);
    }
    [[nodiscard]] data::Picture load_large(std::int64_t i,
                                           const Preprocessing* preprocessing) const override {
        return base_->load_large(at(i), preprocessing);
    }
    [[nodiscard]] std::mutex& large_pictures() const override { return base_->large_pictures(); }

private:
    [[nodiscard]] std::int64_t at(std::int64_t i) const { return entries_[static_cast<std::size_t>(i)]; }

    data::SourcePointer base_;
    std::vector<std::int64_t> entries_;
    bool labelled_ = false;
};

/// Another source with other labels.
class Labelled : public ImageDataset::Source {
public:
    Labelled(data::SourcePointer base, std::vector<PictureLabel> labels)
        : base_(std::move(base)), labels_(std::move(labels)) {
        labelled_ = std::any_of(labels_.begin(), labels_.end(),
                                [](const PictureLabel& says) { return says.label.has_value(); });
    }

    [[nodiscard]] std::int64_t size() const override { return base_->size(); }
    [[nodiscard]] ImageEntry entry(std::int64_t i) const override {
        const PictureLabel& says = labels_[static_cast<std::size_t>(i)];
        return {base_->entry(i).path, says.label, says.group};
    }
    [[nodiscard]] std::string file(std::int64_t i) const override { return base_->file(i); }
    [[nodiscard]] const std::string& path() const override { return base_->path(); }
    [[nodiscard]] bool labelled() const override { return labelled_; }
    [[nodiscard]] std::vector<std::string> notes() const override { return base_->notes(); }
    [[nodiscard]] ChannelFiles channel_files() const override { return base_->channel_files(); }
    [[nodiscard]] std::int64_t row_length() const override { return base_->row_length(); }
    [[nodiscard]] data::Picture load(std::int64_t i, const Preprocessing* preprocessing) const override {
        return base_->load(i, preprocessing);
    }
    [[nodiscard]] data::Picture load_large(std::int64_t i,
                                           const Preprocessing* preprocessing) const override {
        return base_->load_large(i, preprocessing);
    }
    [[nodiscard]] std::mutex& large_pictures() const override { return base_->large_pictures(); }

private:
    data::SourcePointer base_;
    std::vector<PictureLabel> labels_;
    bool labelled_ = false;
};

enum class Kind { other, idx, npy, npz };

/// Where `file.npz#name` names an array of an archive: the place of its #.
std::optional<std::size_t> array_name_at(const std::string& path) {
    std::error_code ignored;
    const std::size_t at = path.rfind('#');
    const bool named = at != std::string::npos && lower_case(path.substr(0, at)).ends_with(".npz") &&
                       !fs::exists(path, ignored) && fs::is_regular_file(path.substr(0, at), ignored);
    return named ? std::optional(at) : std::nullopt;
}

bool is_list_name(const std::string& path) {
    return lower_case(path).ends_with(".txt");
}

/// By the ending where it promises something, else by the first bytes.
Kind kind_of(const std::string& path) {
    const std::string name = lower_case(fs::path(path).filename().string());
    if (is_list_name(path)) {
        return Kind::other;
    }
    if (name.ends_with(".npy") || name.ends_with(".npy.gz")) {
        return Kind::npy;
    }
    if (name.ends_with(".npz")) {
        return Kind::npz;
    }
    if (name.ends_with("ubyte") || name.ends_with(".idx")) {
        return Kind::idx;
    }
    const base::InputFile file(path);
    std::array<std::byte, 8> head{};
    const auto count =
        static_cast<std::size_t>(std::min<std::uint64_t>(head.size(), file.size().value_or(0)));
    file.read_at(0, std::span<std::byte>(head).first(count));
    const data::Bytes bytes(data::ByteSpan(head).first(count), true);
    if (bytes.has(0, data::npy_magic)) {
        return Kind::npy;
    }
    if (bytes.has(0, "PK\3\4")) {
        return Kind::npz;
    }
    const bool idx = count >= 4 && bytes.u16(0) == 0 && bytes.u8(2) >= 0x08 && bytes.u8(2) <= 0x0E &&
                     bytes.u8(3) >= 1 && bytes.u8(3) <= 4;
    return idx || bytes.has(0, "\x1f\x8b") ? Kind::idx : Kind::other;
}

}  // namespace

data::SourcePointer data::open_array(const std::string& path, const PictureLimits& limits) {
    if (const auto at = array_name_at(path)) {
        return open_npz(path.substr(0, *at), path.substr(*at + 1), limits);
    }
    switch (kind_of(path)) {
        case Kind::idx:
            return open_idx(path, limits);
        case Kind::npy:
            return open_npy(path, limits);
        case Kind::npz:
            return open_npz(path, std::nullopt, limits);
        case Kind::other:
            break;
    }
    return nullptr;
}

ImageDataset::ImageDataset(std::shared_ptr<const Source> source) : source_(std::move(source)) {}
ImageDataset::ImageDataset(ImageDataset&&) noexcept = default;
ImageDataset& ImageDataset::operator=(ImageDataset&&) noexcept = default;
ImageDataset::~ImageDataset() = default;

ImageDataset ImageDataset::open(const std::string& path, const PictureLimits& limits) {
    if (limits.max_pixels < 1 || limits.memory < 1) {
        throw InvalidArgument(fmt::format("{}: limits of {} pixels and {} bytes found, at least 1 expected",
                                          path, limits.max_pixels, limits.memory));
    }
    if (array_name_at(path)) {
        return ImageDataset(data::open_array(path, limits));
    }
    std::error_code error;
    const fs::file_status status = fs::status(path, error);
    if (!fs::exists(status) &&
        (data::names_page(path) || data::names_channels(path, limits.channel_suffixes))) {
        return ImageDataset(data::open_file(path, limits));
    }
    if (!fs::exists(status)) {
        throw IoError(fmt::format("{}: cannot open: {}", path,
                                  error ? error.message() : std::string(std::strerror(ENOENT))));
    }
    if (fs::is_directory(status)) {
        return ImageDataset(data::open_folder(path, limits));
    }
    if (!fs::is_regular_file(status)) {
        return ImageDataset(data::open_pipe(path, limits));
    }
    if (is_list_name(path)) {
        return ImageDataset(data::open_list(path, limits));
    }
    data::SourcePointer array = data::open_array(path, limits);
    return ImageDataset(array ? std::move(array) : data::open_file(path, limits));
}

ImageDataset ImageDataset::from_entries(const std::string& path, std::vector<ImageEntry> entries,
                                        const PictureLimits& limits) {
    return ImageDataset(data::named_source(path, std::move(entries), limits));
}

ImageDataset ImageDataset::from_tensor(Tensor pictures, std::vector<std::string> labels) {
    return ImageDataset(data::tensor_source(std::move(pictures), std::move(labels)));
}

std::int64_t ImageDataset::size() const {
    return source_->size();
}

ImageEntry ImageDataset::entry(std::int64_t i) const {
    return source_->entry(i);
}

std::string ImageDataset::file(std::int64_t i) const {
    return source_->file(i);
}

const std::string& ImageDataset::path() const {
    return source_->path();
}

std::vector<std::string> ImageDataset::notes() const {
    return source_->notes();
}

bool ImageDataset::labelled() const {
    return source_->labelled();
}

ImageDataset ImageDataset::with_labels(std::vector<PictureLabel> labels) const {
    if (std::ssize(labels) != size()) {
        throw InvalidArgument(fmt::format("{}: {} labels found, {} expected", path(), labels.size(), size()));
    }
    return ImageDataset(std::make_shared<Labelled>(source_, std::move(labels)));
}

ImageDataset ImageDataset::subset(std::span<const std::int64_t> entries) const {
    for (const std::int64_t i : entries) {
        if (i < 0 || i >= size()) {
            throw InvalidArgument(
                fmt::format("{}: subset: entry {} found, 0 to {} expected", path(), i, size() - 1));
        }
    }
    return ImageDataset(
        std::make_shared<Subset>(source_, std::vector<std::int64_t>(entries.begin(), entries.end())));
}

}  // namespace stackae
