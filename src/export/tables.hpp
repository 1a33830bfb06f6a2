#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/features.hpp"

#include "base/atomic_file.hpp"

namespace stackae::features {

/// Where a table's text goes.
class Output {
public:
    Output() = default;
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    virtual ~Output() = default;

    /// Throws IoError.
    virtual void write(std::string_view text) = 0;
    /// Everything written has arrived, or IoError is thrown.
    virtual void sync() = 0;
};

/// A file that takes its name when its set is committed.
class FileOutput final : public Output {
public:
    explicit FileOutput(base::AtomicFile& file) : file_(file) {}
    void write(std::string_view text) override { file_.write(text); }
    void write(std::span<const std::byte> bytes) { file_.write(bytes); }
    /// Replaces the file's beginning.
    void patch(std::string_view text) { file_.patch(0, std::as_bytes(std::span(text))); }
    void sync() override { file_.sync(); }
    [[nodiscard]] const std::string& path() const { return file_.path(); }

private:
    base::AtomicFile& file_;
};

/// A stream of the caller's.
class StreamOutput final : public Output {
public:
    explicit StreamOutput(std::ostream& stream) : stream_(stream) {}
    void write(std::string_view text) override;
    void sync() override;

private:
    void check() const;

    std::ostream& stream_;
};

/// One format's way of writing rows. The outputs outlive it.
class Table {
public:
    Table() = default;
    Table(const Table&) = delete;
    Table& operator=(const Table&) = delete;
    virtual ~Table() = default;

    virtual void write_row(const FeatureRow& row, std::span<const float> code) = 0;
    /// Where thumbnails of the rows are, of so many pixels a side; for the projector.
    virtual void set_sprite(const std::string& /*path*/, std::int64_t /*side*/) {}
    /// Called once, after the last row.
    virtual void end() {}
};

/// What a table is like, whatever its format.
struct TableOptions {
    std::int64_t columns;
    bool labelled;
    const std::vector<std::string>& class_names;  ///< of LIBSVM's numbers, in their order
    RowKind kind;
};

/// A table in files, those of feature_files() in their order.
[[nodiscard]] std::unique_ptr<Table> make_table(FeatureFormat format, const std::vector<FileOutput*>& files,
                                                const TableOptions& options);
/// The same of the formats that a stream can take. Throws InvalidArgument for the others.
[[nodiscard]] std::unique_ptr<Table> make_text_table(FeatureFormat format, Output& rows, Output* side,
                                                     const TableOptions& options);

// What make_table() makes, each in a file of its own.
[[nodiscard]] std::unique_ptr<Table> make_npz_table(FileOutput& out, const TableOptions& options);
[[nodiscard]] std::unique_ptr<Table> make_hdf5_table(FileOutput& out, const TableOptions& options);
[[nodiscard]] std::unique_ptr<Table> make_parquet_table(FileOutput& out, const TableOptions& options);

}  // namespace stackae::features
