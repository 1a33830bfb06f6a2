#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <string_view>

#include "stackae/error.hpp"

#include "base/file_io.hpp"
#include "data/channel_files.hpp"
#include "data/file_source.hpp"
#include "data/image/channels.hpp"
#include "data/image/decode.hpp"
#include "data/image/tiff_pages.hpp"

namespace stackae::data {
namespace {

namespace fs = std::filesystem;

/// Longer lists are refused.
constexpr std::uint64_t longest_list = std::uint64_t{1} << 30U;

/// A line that begins with # is a path where such a file exists, and also where no blank follows: a path that
/// is missing is told of, never passed over.
bool is_comment(std::string_view line, const fs::path& folder) {
    const std::size_t end = line.find_first_not_of('#');
    const bool blank = end == std::string_view::npos || line[end] == ' ' || line[end] == '\t';
    std::error_code ignored;
    return line.starts_with('#') && blank && !fs::exists(folder / line.substr(0, line.find('\t')), ignored);
}

/// Without a byte order mark. Throws InvalidArgument for what is no text in UTF-8.
std::string_view text_of_list(std::string_view text, const std::string& path) {
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
        throw InvalidArgument(fmt::format("{}: UTF-16 found, UTF-8 expected", path));
    }
    if (text.find('\0') != std::string_view::npos) {
        throw InvalidArgument(
            fmt::format("{}: no text found (byte {} is 0); a list of paths, one a line, expected", path,
                        text.find('\0')));
    }
    if (text.starts_with("\xEF\xBB\xBF")) {
        text.remove_prefix(3);
    }
    return text;
}

/// folder: what paths are relative to.
SourcePointer parse_list(const std::string& path, std::string_view content, const fs::path& folder,
                         const PictureLimits& limits) {
    std::string_view text = text_of_list(content, path);
    std::vector<FileEntry> entries;
    std::int64_t comments = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        if (line.find_first_not_of(" \t") == std::string_view::npos) {
            continue;
        }
        if (is_comment(line, folder)) {
            ++comments;
            continue;
        }
        const std::size_t tab = line.find('\t');
        ImageEntry entry{(folder / line.substr(0, tab)).string(), std::nullopt};
        if (tab != std::string_view::npos && tab + 1 < line.size()) {
            entry.label = line.substr(tab + 1);
        }
        entries.push_back({std::move(entry)});
    }
    if (entries.empty()) {
        throw InvalidArgument(fmt::format("{}: list without a path", path));
    }
    std::vector<std::string> notes;
    if (comments > 0) {
        notes.push_back(fmt::format("{}: {} taken for {}", path,
                                    comments == 1 ? "a line that begins with # was"
                                                  : fmt::format("{} lines that begin with # were", comments),
                                    comments == 1 ? "a comment" : "comments"));
    }
    if (!limits.channel_suffixes.empty()) {
        entries = stems_of(std::move(entries), limits.channel_suffixes);
    }
    return file_source(path, std::move(entries), limits, std::move(notes));
}

std::string_view as_text(const std::vector<std::byte>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// A picture that came through a pipe, which cannot be read again, or its pages.
class PipedPicture : public ImageDataset::Source {
public:
    PipedPicture(std::string path, std::vector<std::byte> file, const PictureLimits& limits)
        : path_(std::move(path)), file_(std::move(file)), limits_(limits) {
        if (limits.pages != PageSelection::first) {
            pages_ = tiff_pages(RandomAccess(file_));
        }
        if (pages_.size() < 2) {
            pages_ = {Page{}};  // the picture
        }
    }

    [[nodiscard]] std::int64_t size() const override { return joins() ? 1 : std::ssize(pages_); }
    [[nodiscard]] ImageEntry entry(std::int64_t i) const override {
        return {size() == 1 ? path_ : fmt::format("{}#{}", path_, i + 1), std::nullopt};
    }
    [[nodiscard]] std::string file(std::int64_t /*i*/) const override { return path_; }
    [[nodiscard]] const std::string& path() const override { return path_; }
    [[nodiscard]] bool labelled() const override { return false; }
    [[nodiscard]] ChannelFiles channel_files() const override {
        return {limits_.pages == PageSelection::channels};
    }
    [[nodiscard]] Picture load(std::int64_t i, const Preprocessing* preprocessing) const override {
        if (!joins()) {
            return load_page(pages_[static_cast<std::size_t>(i)], preprocessing);
        }
        std::vector<ChannelPart> parts;
        for (std::size_t k = 0; k < pages_.size(); ++k) {
            parts.push_back(
                {fmt::format("page {}", k + 1), [this, k] { return load_page(pages_[k], nullptr); }});
        }
        return joined_channels(parts);
    }

private:
    /// Whether the pages are channels of one picture.
    [[nodiscard]] bool joins() const { return limits_.pages == PageSelection::channels && pages_.size() > 1; }
    [[nodiscard]] Picture load_page(const Page& page, const Preprocessing* preprocessing) const {
        return decode(file_, {.limits = limits_, .preprocessing = preprocessing, .page = page});
    }

    std::string path_;
    std::vector<std::byte> file_;
    PictureLimits limits_;
    std::vector<Page> pages_;
};

}  // namespace

SourcePointer open_list(const std::string& path, const PictureLimits& limits) {
    const std::vector<std::byte> content = base::read_file(path, longest_list);
    return parse_list(path, as_text(content), fs::path(path).parent_path(), limits);
}

SourcePointer open_pipe(const std::string& path, const PictureLimits& limits) {
    std::vector<std::byte> content = base::read_file(path, max_file_bytes(limits));
    const bool picture = std::any_of(decoders().begin(), decoders().end(),
                                     [&](const Decoder& decoder) { return decoder.recognizes(content); });
    if (picture || as_text(content).find('\0') != std::string_view::npos) {
        return std::make_shared<PipedPicture>(path, std::move(content), limits);
    }
    return parse_list(path, as_text(content), {}, limits);
}

}  // namespace stackae::data
