#pragma once

#include <fmt/format.h>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/interactions_file.hpp"

#include "data/make.hpp"

/// Tables of purchases for the tests.
namespace stackae::test {

/// What is read of a table.
struct TableRead {
    Interactions made;
    TableReport report;

    /// Users with what they took, in order: `ann: milk bread=2 | bob: tea`; a value of 1 is not written.
    [[nodiscard]] std::string text() const {
        std::string text;
        for (std::int64_t user = 0; user < made.user_count(); ++user) {
            text += (user == 0 ? "" : " | ") + made.users[static_cast<std::size_t>(user)] + ":";
            const auto items = made.items_of(user);
            const auto values = made.values_of(user);
            for (std::size_t i = 0; i < items.size(); ++i) {
                text += " " + made.items[static_cast<std::size_t>(items[i])];
                text += values[i] == 1.0F ? "" : fmt::format("={:.4g}", values[i]);
            }
        }
        return text;
    }
};

inline TableRead read_table_file(const std::string& path, const TableOptions& options = {}) {
    TableRead read;
    read.made = read_interactions(path, options, read.report);
    return read;
}

inline TableRead read_table(const std::string& content, const TableOptions& options = {}) {
    const TemporaryFolder folder;
    write_text(folder / "shop.csv", content);
    return read_table_file(folder / "shop.csv", options);
}

inline std::string table_text(const std::string& content, const TableOptions& options = {}) {
    return read_table(content, options).text();
}

/// What the table is taken for.
inline std::string sniffed(const std::string& content, const TableOptions& options = {}) {
    return read_table(content, options).report.sniffed;
}

/// Why a table is refused; nothing where it is not.
inline std::string refusal(const std::string& content, const TableOptions& options = {}) {
    try {
        (void)read_table(content, options);
    } catch (const InvalidArgument& error) {
        const std::string text = error.what();
        return text.substr(text.find("shop.csv: ") + std::string("shop.csv: ").size());
    }
    return "";
}

}  // namespace stackae::test
