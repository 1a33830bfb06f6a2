#include "export/tables.hpp"

#include <bit>
#include <cmath>
#include <iterator>

#include "stackae/text.hpp"

#include "base/json.hpp"

namespace stackae::features {
namespace {

static_assert(std::endian::native == std::endian::little, "NPY files are written as <f4");

void append(fmt::memory_buffer& line, std::string_view text) {
    line.append(text.data(), text.data() + text.size());
}

void append(fmt::memory_buffer& line, float value) {
    fmt::format_to(std::back_inserter(line), "{}", value);
}

std::string_view text_of(const fmt::memory_buffer& line) {
    return {line.data(), line.size()};
}

/// `,label` or nothing.
std::string label_field(const FeatureRow& row, bool labelled) {
    return labelled ? fmt::format(",{}", csv_field(row.label.value_or(""))) : "";
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

}  // namespace

CsvTable::CsvTable(Output& out, std::int64_t columns, bool labelled) : out_(out), labelled_(labelled) {
    append(line_, labelled ? "filename,label" : "filename");
    for (std::int64_t i = 0; i < columns; ++i) {
        fmt::format_to(std::back_inserter(line_), ",f{}", i);
    }
    append(line_, "\n");
    out_.write(text_of(line_));
}

void CsvTable::write_row(const FeatureRow& row, std::span<const float> code) {
    line_.clear();
    append(line_, csv_field(row.path));
    append(line_, label_field(row, labelled_));
    for (const float value : code) {
        append(line_, ",");
        append(line_, value);
    }
    append(line_, "\n");
    out_.write(text_of(line_));
}

NpyTable::NpyTable(FileOutput& out, Output& names, std::int64_t columns, bool labelled)
    : out_(out), names_(names), columns_(columns), labelled_(labelled) {
    out_.write(npy_header(0, columns));
    names_.write(labelled ? "row,filename,label\n" : "row,filename\n");
}

void NpyTable::write_row(const FeatureRow& row, std::span<const float> code) {
    out_.write(std::as_bytes(code));
    names_.write(fmt::format("{},{}{}\n", rows_, csv_field(row.path), label_field(row, labelled_)));
    ++rows_;
}

void NpyTable::end() {
    out_.patch(npy_header(rows_, columns_));
}

LibsvmTable::LibsvmTable(Output& out, Output* classes, bool labelled,
                         const std::vector<std::string>& class_names)
    : out_(out), classes_(classes), labelled_(labelled) {
    for (const std::string& name : class_names) {
        label_of({"", name});
    }
}

/// New names are numbered as they come.
std::int64_t LibsvmTable::label_of(const FeatureRow& row) {
    if (!labelled_) {
        return 0;
    }
    if (!row.label) {
        return -1;
    }
    const auto [found, added] = numbers_.emplace(*row.label, static_cast<std::int64_t>(names_.size()));
    if (added) {
        names_.push_back(*row.label);
    }
    return found->second;
}

void LibsvmTable::write_row(const FeatureRow& row, std::span<const float> code) {
    line_.clear();
    fmt::format_to(std::back_inserter(line_), "{}", label_of(row));
    for (std::size_t i = 0; i < code.size(); ++i) {
        // The last one always, since readers take the number of features from the largest index.
        if (code[i] != 0.0F || i + 1 == code.size()) {
            fmt::format_to(std::back_inserter(line_), " {}:{}", i + 1, code[i]);
        }
    }
    append(line_, "\n");
    out_.write(text_of(line_));
}

void LibsvmTable::end() {
    if (classes_ == nullptr) {
        return;
    }
    for (const std::string& name : names_) {
        classes_->write(one_line(name) + '\n');
    }
}

ProjectorTable::ProjectorTable(Output& tensors, Output& metadata, bool labelled)
    : tensors_(tensors), metadata_(metadata), labelled_(labelled) {
    if (labelled_) {
        metadata_.write("filename\tlabel\n");
    }
}

void ProjectorTable::write_row(const FeatureRow& row, std::span<const float> code) {
    line_.clear();
    for (std::size_t i = 0; i < code.size(); ++i) {
        append(line_, i == 0 ? "" : "\t");
        append(line_, code[i]);
    }
    append(line_, "\n");
    tensors_.write(text_of(line_));
    const std::string label = labelled_ ? fmt::format("\t{}", one_line(row.label.value_or(""))) : "";
    metadata_.write(one_line(row.path) + label + '\n');
}

JsonLinesTable::JsonLinesTable(Output& out, bool labelled) : out_(out), labelled_(labelled) {}

void JsonLinesTable::write_row(const FeatureRow& row, std::span<const float> code) {
    line_.clear();
    append(line_, "{\"filename\":" + base::print_json(row.path));
    if (labelled_) {
        append(line_, ",\"label\":" + (row.label ? base::print_json(*row.label) : "null"));
    }
    append(line_, ",\"features\":[");
    for (std::size_t i = 0; i < code.size(); ++i) {
        append(line_, i == 0 ? "" : ",");
        if (std::isfinite(code[i])) {
            append(line_, code[i]);
        } else {
            append(line_, "null");
        }
    }
    append(line_, "]}\n");
    out_.write(text_of(line_));
}

}  // namespace stackae::features
