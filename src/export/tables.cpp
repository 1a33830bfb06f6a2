#include "export/tables.hpp"

#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <ostream>
#include <string_view>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/json.hpp"
#include "stackae/text.hpp"

#include "base/json.hpp"
#include "export/little_endian.hpp"
#include "export/npy_header.hpp"

namespace stackae::features {
namespace {

/// `,label` or nothing.
std::string label_field(const FeatureRow& row, bool labelled) {
    return labelled ? fmt::format(",{}", csv_field(row.label.value_or(""))) : "";
}

std::string name_field(const FeatureRow& row, RowKind kind) {
    return kind == RowKind::filename ? csv_field(row.path) : csv_bytes(row.path);
}

/// For formats in which a line end or a tab cannot be written.
std::string one_line(std::string_view name) {
    std::string text = to_utf8(name);
    for (char& c : text) {
        if (c == '\t' || c == '\n' || c == '\r') {
            c = ' ';
        }
    }
    return text;
}

/// A table of lines of text.
class TextTable : public Table {
protected:
    TextTable(Output& out, const TableOptions& options)
        : out_(out), labelled_(options.labelled), kind_(options.kind) {}

    void put(std::string_view text) { line_.append(text.data(), text.data() + text.size()); }
    void put(float value) { fmt::format_to(std::back_inserter(line_), "{}", value); }
    void write_line() {
        put("\n");
        const std::string_view line(line_.data(), line_.size());
        line_.clear();  // before a write that may fail; the bytes stay where they are
        out_.write(line);
    }

    Output& out_;
    bool labelled_;
    RowKind kind_;
    fmt::memory_buffer line_;
};

class CsvTable final : public TextTable {
public:
    CsvTable(Output& out, const TableOptions& options) : TextTable(out, options) {
        put(name(kind_));
        put(labelled_ ? ",label" : "");
        for (std::int64_t i = 0; i < options.columns; ++i) {
            fmt::format_to(std::back_inserter(line_), ",f{}", i);
        }
        write_line();
    }

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        put(name_field(row, kind_));
        put(label_field(row, labelled_));
        for (const float value : code) {
            put(",");
            put(value);
        }
        write_line();
    }
};

class NamesTable final : public TextTable {
public:
    NamesTable(Output& out, const TableOptions& options) : TextTable(out, options) {
        put(fmt::format("row,{}{}", name(kind_), labelled_ ? ",label" : ""));
        write_line();
    }

    void write_row(const FeatureRow& row, std::span<const float> /*code*/) override {
        put(fmt::format("{},{}{}", rows_++, name_field(row, kind_), label_field(row, labelled_)));
        write_line();
    }

private:
    std::int64_t rows_ = 0;
};

/// The floats of all rows behind a header that says how many rows there are; names are beside it.
class HeadedTable final : public Table {
public:
    using Header = std::string(std::int64_t rows, std::int64_t columns);

    HeadedTable(FileOutput& out, Output& names, Header& header, const TableOptions& options)
        : out_(out), names_(names, options), header_(header), columns_(options.columns) {
        out_.write(header_(0, columns_));
    }

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        out_.write(std::as_bytes(code));
        names_.write_row(row, code);
        ++rows_;
    }
    void end() override { out_.patch(header_(rows_, columns_)); }

private:
    FileOutput& out_;
    NamesTable names_;
    Header& header_;
    std::int64_t columns_;
    std::int64_t rows_ = 0;
};

std::string npy_floats(std::int64_t rows, std::int64_t columns) {
    return npy_header("<f4", fmt::format("{}, {}", rows, columns));
}

/// Of a flat index of FAISS for Euclidean distances, IndexFlatL2, as its write_index() writes it
/// (https://github.com/facebookresearch/faiss, impl/index_write.cpp).
std::string faiss_header(std::int64_t rows, std::int64_t columns) {
    constexpr std::int64_t unused = std::int64_t{1} << 20U;
    std::string text = "IxF2";
    put_number<std::int32_t>(text, static_cast<std::int32_t>(columns));
    put_number<std::int64_t>(text, rows);
    put_number<std::int64_t>(text, unused);
    put_number<std::int64_t>(text, unused);
    put_number<std::uint8_t>(text, 1);  // there is nothing to train
    put_number<std::int32_t>(text, 1);  // METRIC_L2
    put_number<std::uint64_t>(text, static_cast<std::uint64_t>(rows * columns));
    return text;
}

class LibsvmTable final : public TextTable {
public:
    /// classes: where the names go at the end; may be null.
    LibsvmTable(Output& out, Output* classes, const TableOptions& options)
        : TextTable(out, options), classes_(classes) {
        for (const std::string& name : options.class_names) {
            label_of({"", name});
        }
    }

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        fmt::format_to(std::back_inserter(line_), "{}", label_of(row));
        for (std::size_t i = 0; i < code.size(); ++i) {
            // The last one always, since readers take the number of features from the largest index.
            if (code[i] != 0.0F || i + 1 == code.size()) {
                fmt::format_to(std::back_inserter(line_), " {}:{}", i + 1, code[i]);
            }
        }
        write_line();
    }
    void end() override {
        for (const std::string& name : names_) {
            if (classes_ != nullptr) {
                classes_->write(one_line(name) + '\n');
            }
        }
    }

private:
    /// New names are numbered as they come.
    std::int64_t label_of(const FeatureRow& row) {
        if (!labelled_) {
            return 0;
        }
        if (!row.label) {
            return -1;
        }
        const auto [found, added] = numbers_.emplace(*row.label, std::ssize(names_));
        if (added) {
            names_.push_back(*row.label);
        }
        return found->second;
    }

    Output* classes_;
    std::vector<std::string> names_;
    std::map<std::string, std::int64_t> numbers_;
};

class ProjectorTable final : public TextTable {
public:
    /// files: of vectors, names and what leads to both.
    ProjectorTable(const std::vector<FileOutput*>& files, const TableOptions& options)
        : TextTable(*files[0], options), files_(files), columns_(options.columns) {
        if (labelled_) {
            files_[1]->write(fmt::format("{}\tlabel\n", name(kind_)));
        }
    }

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        for (std::size_t i = 0; i < code.size(); ++i) {
            put(i == 0 ? "" : "\t");
            put(code[i]);
        }
        write_line();
        const std::string label = labelled_ ? fmt::format("\t{}", one_line(row.label.value_or(""))) : "";
        files_[1]->write(one_line(row.path) + label + '\n');
        ++rows_;
    }

    void end() override {
        const auto file_name = [](const FileOutput& file) {
            return std::filesystem::path(file.path()).filename().string();
        };
        JsonObject one;
        one.set("tensorName", "features")
            .set_json("tensorShape", fmt::format("[{},{}]", rows_, columns_))
            .set("tensorPath", file_name(*files_[0]))
            .set("metadataPath", file_name(*files_[1]));
        if (sprite_side_ > 0) {
            one.set("sprite",
                    JsonObject()
                        .set("imagePath", std::filesystem::path(sprite_).filename().string())
                        .set_json("singleImageDim", fmt::format("[{},{}]", sprite_side_, sprite_side_)));
        }
        files_[2]->write(JsonObject().set("embeddings", std::vector<JsonObject>{one}).text() + '\n');
    }

    void set_sprite(const std::string& path, std::int64_t side) override {
        sprite_ = path;
        sprite_side_ = side;
    }

private:
    std::vector<FileOutput*> files_;
    std::string sprite_;
    std::int64_t sprite_side_ = 0;
    std::int64_t columns_;
    std::int64_t rows_ = 0;
};

class JsonLinesTable final : public TextTable {
public:
    JsonLinesTable(Output& out, const TableOptions& options) : TextTable(out, options) {}

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        put(fmt::format("{{\"{}\":{}", name(kind_), base::print_json(row.path)));
        if (labelled_) {
            put(",\"label\":" + (row.label ? base::print_json(*row.label) : "null"));
        }
        put(",\"features\":[");
        for (std::size_t i = 0; i < code.size(); ++i) {
            put(i == 0 ? "" : ",");
            if (std::isfinite(code[i])) {
                put(code[i]);
            } else {
                put("null");
            }
        }
        put("]}");
        write_line();
    }
};

}  // namespace

void StreamOutput::write(std::string_view text) {
    errno = 0;
    stream_.write(text.data(), static_cast<std::streamsize>(text.size()));
    check();
}

void StreamOutput::sync() {
    errno = 0;
    stream_.flush();
    check();
}

void StreamOutput::check() const {
    if (!stream_) {
        throw IoError(fmt::format("features: cannot write to the output stream: {}",
                                  errno != 0 ? std::strerror(errno) : "full or closed"));
    }
}

std::unique_ptr<Table> make_text_table(FeatureFormat format, Output& rows, Output* side,
                                       const TableOptions& options) {
    switch (format) {
        case FeatureFormat::csv:
            return std::make_unique<CsvTable>(rows, options);
        case FeatureFormat::libsvm:
            return std::make_unique<LibsvmTable>(rows, side, options);
        case FeatureFormat::jsonl:
            return std::make_unique<JsonLinesTable>(rows, options);
        default:
            throw InvalidArgument(
                fmt::format("features: {} needs a file; one of csv, libsvm, jsonl can be written to a stream",
                            name(format)));
    }
}

std::unique_ptr<Table> make_table(FeatureFormat format, const std::vector<FileOutput*>& files,
                                  const TableOptions& options) {
    FileOutput& rows = *files.front();
    switch (format) {
        case FeatureFormat::npy:
            return std::make_unique<HeadedTable>(rows, *files[1], npy_floats, options);
        case FeatureFormat::npz:
            return make_npz_table(rows, options);
        case FeatureFormat::hdf5:
            return make_hdf5_table(rows, options);
        case FeatureFormat::parquet:
            return make_parquet_table(rows, options);
        case FeatureFormat::faiss:
            return std::make_unique<HeadedTable>(rows, *files[1], faiss_header, options);
        case FeatureFormat::projector:
            return std::make_unique<ProjectorTable>(files, options);
        default:
            return make_text_table(format, rows, files.size() > 1 ? files[1] : nullptr, options);
    }
}

}  // namespace stackae::features
