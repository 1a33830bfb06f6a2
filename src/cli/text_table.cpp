#include "cli/text_table.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "stackae/text.hpp"

namespace stackae::cli {
namespace {

std::size_t code_points(std::string_view text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & '\xC0') != '\x80'; }));
}

}  // namespace

void TextTable::add(const std::vector<std::string>& row) {
    std::vector<std::string>& cells = rows_.emplace_back();
    std::transform(row.begin(), row.end(), std::back_inserter(cells),
                   [](const std::string& cell) { return printable(cell); });
}

std::string TextTable::text() const {
    std::vector<std::size_t> widths;
    for (const auto& row : rows_) {
        widths.resize(std::max(widths.size(), row.size()), 0);
        for (std::size_t c = 0; c < row.size(); ++c) {
            widths[c] = std::max(widths[c], code_points(row[c]));
        }
    }
    std::string out;
    for (const auto& row : rows_) {
        std::string line = "  ";
        for (std::size_t c = 0; c < row.size(); ++c) {
            const std::string fill(widths[c] - code_points(row[c]), ' ');
            line += c == 0 ? row[c] + fill : "  " + fill + row[c];
        }
        line.erase(line.find_last_not_of(' ') + 1);
        out += line + '\n';
    }
    return out;
}

}  // namespace stackae::cli
