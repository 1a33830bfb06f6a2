#include "export/tables.hpp"

#include <bit>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <iterator>
#include <map>
#include <ostream>
#include <string_view>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/json.hpp"

namespace stackae::features {
namespace {

static_assert(std::endian::native == std::endian::little, "NPY files are written as <f4");

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

constexpr std::size_t npy_header_size = 128;

/// Version 1.0, always of the same size, so that the number of rows can be set at the end. Two numbers of 19
/// digits fit.
std::string npy_header(std::int64_t rows, std::int64_t columns) {
    std::string header = "\x93NUMPY";
    constexpr std::size_t prefix = 10;
    header += {'\x01', '\x00', static_cast<char>(npy_header_size - prefix), '\x00'};
    header += fmt::format("{{'descr': '<f4', 'fortran_order': False, 'shape': ({}, {}), }}", rows, columns);
    header.resize(npy_header_size - 1, ' ');
    header += '\n';
    return header;
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

class NpyTable final : public Table {
public:
    NpyTable(FileOutput& out, Output& names, const TableOptions& options)
        : out_(out),
          names_(names),
          columns_(options.columns),
          labelled_(options.labelled),
          kind_(options.kind) {
        out_.write(npy_header(0, columns_));
        names_.write(fmt::format("row,{}{}\n", name(kind_), labelled_ ? ",label" : ""));
    }

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        out_.write(std::as_bytes(code));
        names_.write(fmt::format("{},{}{}\n", rows_, name_field(row, kind_), label_field(row, labelled_)));
        ++rows_;
    }
    void end() override { out_.patch(npy_header(rows_, columns_)); }

private:
    FileOutput& out_;
    Output& names_;
    std::int64_t columns_;
    bool labelled_;
    RowKind kind_;
    std::int64_t rows_ = 0;
};

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
    ProjectorTable(Output& tensors, Output& metadata, const TableOptions& options)
        : TextTable(tensors, options), metadata_(metadata) {
        if (labelled_) {
            metadata_.write(fmt::format("{}\tlabel\n", name(kind_)));
        }
    }

    void write_row(const FeatureRow& row, std::span<const float> code) override {
        for (std::size_t i = 0; i < code.size(); ++i) {
            put(i == 0 ? "" : "\t");
            put(code[i]);
        }
        write_line();
        const std::string label = labelled_ ? fmt::format("\t{}", one_line(row.label.value_or(""))) : "";
        metadata_.write(one_line(row.path) + label + '\n');
    }

private:
    Output& metadata_;
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

std::unique_ptr<Table> make_table(FeatureFormat format, FileOutput& rows, FileOutput* side,
                                  const TableOptions& options) {
    if (format == FeatureFormat::npy) {
        return std::make_unique<NpyTable>(rows, *side, options);
    }
    if (format == FeatureFormat::projector) {
        return std::make_unique<ProjectorTable>(rows, *side, options);
    }
    return make_text_table(format, rows, side, options);
}

}  // namespace stackae::features
