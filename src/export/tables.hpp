#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
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

/// What a table is like, whatever its format.
struct TableOptions {
    std::int64_t columns;
    bool labelled;
    const std::vector<std::string>& class_names;  ///< of LIBSVM's numbers, in their order
};

/// A table in files. side: the second of feature_files(), or null where there is one file.
[[nodiscard]] std::unique_ptr<Table> make_table(FeatureFormat format, FileOutput& rows, FileOutput* side,
                                                const TableOptions& options);
/// A table in a stream. Throws InvalidArgument for formats that need files.
[[nodiscard]] std::unique_ptr<Table> make_table(FeatureFormat format, Output& rows,
                                                const TableOptions& options);

}  // namespace stackae::features
