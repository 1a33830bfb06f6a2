#include "cli/table_input.hpp"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <string_view>

#include "stackae/enum_names.hpp"
#include "stackae/text.hpp"

namespace stackae::cli {
namespace {

constexpr std::array<std::string_view, 7> endings{".csv",    ".tsv",    ".dat",   ".csv.gz",
                                                  ".tsv.gz", ".dat.gz", ".txt.gz"};

}  // namespace

void TableInput::declare(OptionParser& parser) {
    const auto mark = [this](auto& target, auto parse_value) {
        return [this, &target, parse_value](const std::string& text) {
            target = parse_value(text);
            named_ = true;
        };
    };
    const auto as_text = [](const std::string& text) { return text; };
    parser.group("Tables of users and items");
    parser.option("format", "triples|matrix|baskets|lists", "what a table's rows are; else found out",
                  mark(options_.format, [](const std::string& text) { return parse<TableFormat>(text); }));
    parser.option(
        "separator", "comma|tab|semicolon|double_colon|blank", "between fields; else found out",
        mark(options_.separator, [](const std::string& text) { return parse<TableSeparator>(text); }));
    parser.option("header", "yes|no", "whether the first line of triples is one; else found out",
                  mark(options_.header, [](const std::string& text) {
                      return std::optional(parse_either(text, "no", "yes"));
                  }));
    parser.option("user-column", "NAME",
                  "by its name in the header; in a table without one by its number from 1",
                  mark(options_.user_column, as_text));
    parser.option("item-column", "NAME", "likewise", mark(options_.item_column, as_text));
    parser.option("rating-column", "NAME", "of ratings or quantities; -: each row counts 1",
                  mark(options_.rating_column, as_text));
    parser.option("timestamp-column", "NAME", "never taken for ratings",
                  mark(options_.timestamp_column, as_text));
    parser.option(
        "value", "binary|log|raw",
        "what becomes of ratings and quantities (binary: taken or not; raw where ratings are learnt)",
        mark(value_, [](const std::string& text) { return std::optional(parse<ValueMode>(text)); }));
}

bool TableInput::is_table(const std::string& path) const {
    if (named_) {
        return true;
    }
    std::string name = path;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (std::none_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); })) {
        return false;
    }
    // A folder may be called so, and a file of arrays, which begins with zero bytes.
    std::error_code ignored;
    return !std::filesystem::is_directory(path, ignored) && std::ifstream(path, std::ios::binary).peek() != 0;
}

Interactions TableInput::read(Console& console, const std::string& path, ValueMode value) const {
    TableReport report;
    TableOptions options = options_;
    options.value = value_.value_or(value);
    Interactions table = read_interactions(path, options, report);
    console.note(fmt::format("{}: {}", path, report.sniffed));
    console.note(fmt::format(
        "{}, {}, {}{}", format_count(report.users, "user"), format_count(report.items, "item"),
        fmt::format("{} entries", format_count(report.entries)),
        report.repeats > 0 ? fmt::format(" ({} merged)", format_count(report.repeats, "repeat")) : ""));
    if (const std::string left_out = left_out_text(report); !left_out.empty()) {
        console.warn(fmt::format("{}: left out: {}", path, left_out));
    }
    return table;
}

}  // namespace stackae::cli
