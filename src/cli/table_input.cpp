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

#include "cli/parse.hpp"
#include "cli/table_or_list.hpp"

namespace stackae::cli {
namespace {

/// Options that several commands have.
constexpr std::array<std::string_view, 20> of_pictures{
    "img-size",      "channels",        "crop-mode",     "background",     "contrast-norm",
    "standardize",   "no-standardize",  "budget",        "max-pixels",     "pages",
    "no-comparison", "augment",         "augment-shift", "augment-rotate", "augment-scale",
    "augment-shear", "augment-elastic", "channel-range", "channel-suffix", "labels"};

constexpr std::array<std::string_view, 7> endings{".csv",    ".tsv",    ".dat",   ".csv.gz",
                                                  ".tsv.gz", ".dat.gz", ".txt.gz"};

}  // namespace

void TableInput::declare(OptionParser& parser, const std::string& format) {
    parser_ = &parser;
    format_ = format;
    const auto mark = [this](auto& target, auto parse_value) {
        return [this, &target, parse_value](const std::string& text) {
            target = parse_value(text);
            named_ = true;
        };
    };
    const auto as_text = [](const std::string& text) { return text; };
    parser.group("Tables of users and items");
    parser.option(format, "triples|matrix|baskets|lists", "what a table's rows are; else found out",
                  mark(options_.format, [](const std::string& text) { return parse<TableFormat>(text); }));
    parser.option(
        "separator", "comma|tab|semicolon|double_colon|blank", "between fields; else found out",
        mark(options_.separator, [](const std::string& text) { return parse<TableSeparator>(text); }));
    parser.option("header", "yes|no", "whether the first line of triples is one; else found out",
                  mark(options_.header, [](const std::string& text) {
                      return std::optional(parse_either(text, "no", "yes"));
                  }));
    parser.option("user-column", "NAME", "by its name in the header, else by its number from 1",
                  mark(options_.user_column, as_text));
    parser.option("item-column", "NAME", "likewise", mark(options_.item_column, as_text));
    parser.option("rating-column", "NAME", "of ratings or quantities; -: each row counts 1",
                  mark(options_.rating_column, as_text));
    parser.option("timestamp-column", "NAME", "never taken for ratings",
                  mark(options_.timestamp_column, as_text));
    parser.option(
        "value", "binary|log|raw",
        "what becomes of ratings and quantities (binary: taken or not; raw where ratings are learnt)",
        [this](const std::string& text) {
            named_ = named_ || !parser_->is_from_file("value");
            value_ = parse<ValueMode>(text);
        });
}

void TableInput::tell_unused(Console& console, const std::vector<std::string>& more) const {
    std::vector<std::string> options(of_pictures.begin(), of_pictures.end());
    options.insert(options.end(), more.begin(), more.end());
    for (const std::string& option : options) {
        if (parser_->is_typed(option)) {
            console.warn(fmt::format("warning: --{} is not used: it is of pictures", option));
        }
    }
}

void TableInput::refuse_option(const std::string& option) const {
    if (parser_->is_typed(option)) {
        throw UsageError(
            fmt::format("--{} is of pictures, and a table of users and items was given", option));
    }
}

std::string TableInput::config_lines(ValueMode value) {
    return fmt::format("# How the table is read: what becomes of ratings and quantities.\nvalue = {}\n",
                       name(value));
}

bool TableInput::is_table(const std::string& path) const {
    if (named_) {
        return true;
    }
    std::string name = path;
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    if (name.ends_with(".txt")) {
        switch (text_kind(path)) {
            case TextKind::numbers:
                return true;
            case TextKind::fields:
                throw UsageError(
                    fmt::format("{}: lines that name no files found, paths of pictures expected, one a line; "
                                "where it is a table of users and items, --{} says what its rows are",
                                path, format_));
            default:
                return false;
        }
    }
    if (std::none_of(endings.begin(), endings.end(),
                     [&](std::string_view ending) { return name.ends_with(ending); })) {
        return false;
    }
    // A folder may be called so, and a file of arrays, which begins with zero bytes.
    std::error_code ignored;
    if (std::filesystem::is_directory(path, ignored) || std::ifstream(path, std::ios::binary).peek() == 0) {
        return false;
    }
    if (text_kind(path) == TextKind::paths) {
        throw UsageError(fmt::format(
            "{}: a table whose lines begin with names of files that are there found, users and items "
            "expected; a list of pictures is called .txt and has a path a line, then, after a tab, a "
            "label if there is one; --{} triples takes the names for users",
            path, format_));
    }
    return true;
}

Interactions TableInput::read(Console& console, const std::string& path, ValueMode value,
                              const LeftOutSink& on_left_out) const {
    TableOptions options = options_;
    options.value = value_.value_or(value);
    return read(console, path, options, on_left_out);
}

Interactions TableInput::read_like(Console& console, const std::string& path,
                                   const Interactions& learnt) const {
    if (value_ && *value_ != learnt.value_mode) {
        throw UsageError(fmt::format("--value {} found, {} expected, by which the model was learnt",
                                     name(*value_), name(learnt.value_mode)));
    }
    return read(console, path, learnt.value_mode);
}

Interactions TableInput::read_for(Console& console, const std::string& path,
                                  const Interactions& learnt) const {
    const Interactions table = read_like(console, path, learnt);
    const std::vector<std::int32_t> numbers = numbers_among(learnt.items, table.items);
    const auto unknown = std::count(numbers.begin(), numbers.end(), -1);
    if (unknown > 0) {
        console.warn(fmt::format("{} that the model does not know left out", format_count(unknown, "item")));
    }
    return with_items(table, learnt.items);
}

Interactions TableInput::read(Console& console, const std::string& path, const TableOptions& options,
                              const LeftOutSink& on_left_out) {
    TableReport report;
    Interactions table = read_interactions(path, options, report, on_left_out);
    console.note(fmt::format("{}: {}", path, report.sniffed));
    console.note(fmt::format(
        "{}, {}, {}{}", format_count(report.users, "user"), format_count(report.items, "item"),
        report.entries == 1 ? "1 entry" : format_count(report.entries) + " entries",
        report.repeats > 0 ? fmt::format(" ({} merged)", format_count(report.repeats, "repeat")) : ""));
    if (const std::string left_out = left_out_text(report); !left_out.empty()) {
        console.warn(fmt::format("{}: left out: {}", path, left_out));
    }
    return table;
}

}  // namespace stackae::cli
