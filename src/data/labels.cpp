#include "stackae/labels.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/file_io.hpp"
#include "data/content.hpp"
#include "data/table/record_reader.hpp"

namespace stackae {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t no_column = static_cast<std::size_t>(-1);

/// Which columns are meant.
struct Columns {
    std::size_t path = no_column;
    std::size_t label = no_column;
    std::size_t group = no_column;
};

std::vector<std::string> fields_of(std::string_view record, const data::Dialect& dialect) {
    std::vector<std::string> all;
    data::Fields fields(record, dialect);
    for (std::string_view field; fields.next(field);) {
        all.emplace_back(field);
    }
    return all;
}

Columns columns_of(const std::vector<std::string>& header, const std::string& path) {
    Columns columns;
    for (std::size_t i = 0; i < header.size(); ++i) {
        const std::string name = lower_case(header[i]);
        std::size_t* const column = name == "path" || name == "filename" ? &columns.path
                                    : name == "label"                    ? &columns.label
                                    : name == "group"                    ? &columns.group
                                                                         : nullptr;
        if (column != nullptr && *column == no_column) {
            *column = i;
        }
    }
    if (columns.path == no_column || (columns.label == no_column && columns.group == no_column)) {
        std::string found;
        for (const std::string& name : header) {
            found += (found.empty() ? "" : ",") + name;
        }
        throw InvalidArgument(
            fmt::format("{}: a header \"{}\" found, path,label, path,group or path,label,group "
                        "expected",
                        path, found.substr(0, 100)));
    }
    return columns;
}

/// Without . and .. and what ends in a slash.
std::string plain(const fs::path& path) {
    return path.lexically_normal().string();
}

std::string absolute_path(const fs::path& path) {
    std::error_code ignored;
    return plain(fs::absolute(path.empty() ? fs::path(".") : path, ignored));
}

/// What a path is from a folder, both absolute; empty where it does not lie below it.
std::string from_folder(const std::string& path, const std::string& folder) {
    const std::string within = folder.ends_with('/') ? folder : folder + "/";
    return path.starts_with(within) ? path.substr(within.size()) : "";
}

std::string first_few(const std::string& text) {
    return printable(text.substr(0, 200));
}

}  // namespace

struct LabelFile::Table {
    struct Line {
        std::int64_t number = 0;  ///< in the file, from 1
        std::string path;
        PictureLabel says;
        bool used = false;
    };

    /// The line of a picture by any of the names that it may have there.
    Line* find(const std::string& picture, const std::string& input_folder) {
        const std::string whole = absolute_path(picture);
        const std::array<std::string, 4> names{plain(picture), whole, from_folder(whole, folder),
                                               from_folder(whole, input_folder)};
        for (const std::string& name : names) {
            if (const auto found = name.empty() ? by_path.end() : by_path.find(name);
                found != by_path.end()) {
                return &lines[found->second];
            }
        }
        return nullptr;
    }

    std::string path;
    std::string folder;  ///< absolute
    bool has_labels = false;
    std::vector<Line> lines;
    std::unordered_map<std::string, std::size_t> by_path;
    std::int64_t pictures = 0;
    std::int64_t without = 0;
    std::string first_picture;
    std::string first_without;
};

LabelFile::LabelFile(const std::string& path) : table_(std::make_unique<Table>()) {
    const base::InputFile file(path);
    if (!file.size()) {
        throw IoError(fmt::format("{}: a pipe or device found, a regular file expected", path));
    }
    std::array<std::byte, 2> magic{};
    const std::size_t begun = std::min<std::uint64_t>(magic.size(), *file.size());
    file.read_at(0, std::span(magic).first(begun));
    data::PartStream plain_bytes(file, 0, *file.size());
    std::optional<data::GzipStream> unpacked;
    if (magic[0] == std::byte{0x1f} && magic[1] == std::byte{0x8b}) {
        unpacked.emplace(plain_bytes, path);
    }
    data::ByteStream& stream = unpacked ? static_cast<data::ByteStream&>(*unpacked) : plain_bytes;
    data::RecordReader reader(stream, path);
    const data::Dialect dialect(TableSeparator::comma, true, true);
    std::string_view record;
    if (!reader.next(record, dialect)) {
        throw InvalidArgument(fmt::format("{}: an empty file found, path,label,group expected", path));
    }
    const Columns columns = columns_of(fields_of(record, dialect), path);
    Table& table = *table_;
    table.path = path;
    table.folder = absolute_path(fs::path(path).parent_path());
    table.has_labels = columns.label != no_column;
    while (reader.next(record, dialect)) {
        const std::vector<std::string> fields = fields_of(record, dialect);
        const auto field = [&](std::size_t column) {
            return column < fields.size() && !fields[column].empty() ? std::optional(fields[column])
                                                                     : std::nullopt;
        };
        const std::optional<std::string> name = field(columns.path);
        if (!name) {
            throw InvalidArgument(fmt::format("{}: line {}: no path found", path, reader.line()));
        }
        const auto [known, is_new] = table.by_path.emplace(plain(*name), table.lines.size());
        if (!is_new) {
            throw InvalidArgument(fmt::format("{}: line {}: {} is named in line {} already", path,
                                              reader.line(), first_few(*name),
                                              table.lines[known->second].number));
        }
        table.lines.push_back({reader.line(), *name, {field(columns.label), field(columns.group)}});
    }
}

LabelFile::LabelFile(LabelFile&&) noexcept = default;
LabelFile& LabelFile::operator=(LabelFile&&) noexcept = default;
LabelFile::~LabelFile() = default;

ImageDataset LabelFile::apply(const ImageDataset& pictures) {
    std::error_code ignored;
    const fs::path input = pictures.path();
    const std::string folder = absolute_path(fs::is_directory(input, ignored) ? input : input.parent_path());
    std::vector<PictureLabel> labels;
    labels.reserve(static_cast<std::size_t>(pictures.size()));
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        const ImageEntry entry = pictures.entry(i);
        Table::Line* line = table_->find(entry.path, folder);
        if (line == nullptr) {
            line = table_->find(pictures.file(i), folder);
        }
        if (table_->pictures++ == 0) {
            table_->first_picture = entry.path;
        }
        if (line == nullptr && table_->without++ == 0) {
            table_->first_without = entry.path;
        }
        PictureLabel& label = labels.emplace_back();
        if (line != nullptr) {
            line->used = true;
            label = line->says;
        }
        if (!table_->has_labels) {
            label.label = entry.label;
        }
    }
    return pictures.with_labels(std::move(labels));
}

std::vector<std::string> LabelFile::notes() const {
    const Table& table = *table_;
    const auto unused = [](const Table::Line& line) { return !line.used; };
    const std::int64_t lines = std::ssize(table.lines);
    const std::int64_t left = std::count_if(table.lines.begin(), table.lines.end(), unused);
    if (left == lines && table.pictures > 0) {
        throw InvalidArgument(
            fmt::format("{}: none of {} pictures found in its {} lines{}; the first picture is {}; paths as "
                        "the manifest has "
                        "them, or relative to that file's folder or to the input, expected",
                        table.path, table.pictures, lines,
                        lines > 0 ? fmt::format(", of which line {} names {}", table.lines.front().number,
                                                first_few(table.lines.front().path))
                                  : "",
                        table.first_picture));
    }
    std::vector<std::string> notes;
    if (table.without > 0) {
        notes.push_back(fmt::format("{}: {} of {} pictures {} no line in it: {}{}", table.path, table.without,
                                    table.pictures, table.without == 1 ? "has" : "have",
                                    first_few(table.first_without), table.without > 1 ? " and others" : ""));
    }
    if (left > 0) {
        const Table::Line& first = *std::find_if(table.lines.begin(), table.lines.end(), unused);
        notes.push_back(fmt::format("{}: {} of {} lines {} no picture: line {}, {}{}", table.path, left,
                                    lines, left == 1 ? "names" : "name", first.number, first_few(first.path),
                                    left > 1 ? " and others" : ""));
    }
    return notes;
}

}  // namespace stackae
