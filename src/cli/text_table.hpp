#pragma once

#include <string>
#include <vector>

namespace stackae::cli {

/// Rows of text in columns: the first to the left, the others to the right.
class TextTable {
public:
    /// Cells are made printable().
    void add(const std::vector<std::string>& row);
    /// Every line ended, and indented by two; columns two spaces apart, widths counted in code points.
    [[nodiscard]] std::string text() const;

private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace stackae::cli
