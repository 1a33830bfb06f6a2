#pragma once

#include <cstdint>
#include <fmt/format.h>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/features.hpp"

#include "export/output.hpp"

namespace stackae::features {

/// One format's way of writing rows. The outputs outlive it.
class Table {
public:
    Table() = default;
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    virtual ~Table() = default;

    virtual void write_row(const FeatureRow& row, std::span<const float> code) = 0;
    /// Called once, after the last row.
    virtual void end() {}
};

class CsvTable final : public Table {
public:
    CsvTable(Output& out, std::int64_t columns, bool labelled);
    void write_row(const FeatureRow& row, std::span<const float> code) override;

private:
    Output& out_;
    bool labelled_;
    fmt::memory_buffer line_;
};

class NpyTable final : public Table {
public:
    NpyTable(FileOutput& out, Output& names, std::int64_t columns, bool labelled);
    void write_row(const FeatureRow& row, std::span<const float> code) override;
    void end() override;

private:
    FileOutput& out_;
    Output& names_;
    std::int64_t columns_;
    bool labelled_;
    std::int64_t rows_ = 0;
};

class LibsvmTable final : public Table {
public:
    /// classes: where the names go at the end; may be null.
    LibsvmTable(Output& out, Output* classes, bool labelled, const std::vector<std::string>& class_names);
    void write_row(const FeatureRow& row, std::span<const float> code) override;
    void end() override;

private:
    std::int64_t label_of(const FeatureRow& row);

    Output& out_;
    Output* classes_;
    bool labelled_;
    std::vector<std::string> names_;
    std::map<std::string, std::int64_t> numbers_;
    fmt::memory_buffer line_;
};

class ProjectorTable final : public Table {
public:
    ProjectorTable(Output& tensors, Output& metadata, bool labelled);
    void write_row(const FeatureRow& row, std::span<const float> code) override;

private:
    Output& tensors_;
    Output& metadata_;
    bool labelled_;
    fmt::memory_buffer line_;
};

class JsonLinesTable final : public Table {
public:
    JsonLinesTable(Output& out, bool labelled);
    void write_row(const FeatureRow& row, std::span<const float> code) override;

private:
    Output& out_;
    bool labelled_;
    fmt::memory_buffer line_;
};

}  // namespace stackae::features
