#pragma once

#include <string>
#include <vector>

namespace stackae::cli {

/// Rows of text in columns: the first to the left, the others to the right.
class TextTable {
public:
    /// Cells are made printable().
    void add(const std::vector<std::string>& row);
    /// Every line indented and ended; columns two spaces apart, widths counted in code points.
    [[nodiscard]] std::string text(int indent = 2) const;

private:
    std::vector<std::vector<std::string>> rows_;
};

}  // namespace stackae::cli
