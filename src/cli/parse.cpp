#include "cli/parse.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace stackae::cli {
namespace {

std::string range_text(double low, double high) {
    const bool has_low = low > std::numeric_limits<double>::lowest();
    const bool has_high = high < 9.2e18;
    if (has_low && has_high) {
        return fmt::format(" from {:.12g} to {:.12g}", low, high);
    }
    return has_low ? fmt::format(" of at least {:.12g}", low) : std::string();
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i + 1;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i] == b[j] ? 0U : 1U);
            diagonal = row[j + 1];
            row[j + 1] = std::min({replaced, row[j] + 1, diagonal + 1});
        }
    }
    return row.back();
}

/// The number that all of a text is; nothing where it is none.
template <class Number, class... Format>
std::optional<Number> number_in(std::string_view text, Format... format) {
    Number value{};
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, value, format...);
    return error == std::errc() && stop == end ? std::optional(value) : std::nullopt;
}

}  // namespace

std::int64_t parse_integer(std::string_view text, std::int64_t low, std::int64_t high) {
    const auto value = number_in<std::int64_t>(text);
    if (!value || *value < low || *value > high) {
        throw UsageError(fmt::format("'{}' is not a whole number{}", text,
                                     range_text(static_cast<double>(low), static_cast<double>(high))));
    }
    return *value;
}

double parse_number(std::string_view text, double low, double high) {
    const auto value = number_in<double>(text);
    if (!value || !(*value >= low && *value <= high)) {
        throw UsageError(fmt::format("'{}' is not a number{}", text, range_text(low, high)));
    }
    return *value;
}

double parse_duration(std::string_view text) {
    double unit = 1.0;
    std::string_view digits = text;
    if (!digits.empty() && std::string_view("smh").find(digits.back()) != std::string_view::npos) {
        unit = digits.back() == 'h' ? 3600.0 : digits.back() == 'm' ? 60.0 : 1.0;
        digits.remove_suffix(1);
    }
    const auto value = number_in<double>(digits, std::chars_format::fixed);
    if (!value || !(*value > 0.0) || *value * unit > 1e9) {
        throw UsageError(fmt::format("'{}' is not a time such as 90s, 10m or 2h", text));
    }
    return *value * unit;
}

double parse_interval(std::string_view text) {
    return text == "0" || text == "0s" ? 0.0 : parse_duration(text);
}

std::int64_t parse_bytes(std::string_view text) {
    static constexpr std::string_view suffixes = "KMGT";
    std::string_view digits = text;
    if (digits.ends_with("iB")) {
        digits.remove_suffix(2);
    } else if (digits.ends_with('B')) {
        digits.remove_suffix(1);
    }
    double unit = 1.0;
    if (!digits.empty()) {
        const auto power = suffixes.find(static_cast<char>(digits.back() & ~0x20));
        if (power != std::string_view::npos) {
            unit = std::ldexp(1.0, 10 * (static_cast<int>(power) + 1));
            digits.remove_suffix(1);
        }
    }
    const auto value = number_in<double>(digits, std::chars_format::fixed);
    if (!value || !(*value >= 0.0) || *value * unit >= 0x1p62) {
        throw UsageError(fmt::format("'{}' is not an amount of memory such as 512M or 2G", text));
    }
    return static_cast<std::int64_t>(*value * unit);
}

PictureSize parse_picture_size(std::string_view text) {
    const auto cross = text.find_first_of("xX");
    try {
        const int first = static_cast<int>(parse_integer(text.substr(0, cross), 1, 4096));
        if (cross == std::string_view::npos) {
            return {first, first};
        }
        return {first, static_cast<int>(parse_integer(text.substr(cross + 1), 1, 4096))};
    } catch (const UsageError&) {
        throw UsageError(
            fmt::format("'{}' is not a size such as 64 or 48x64 (height x width, 1 to 4096)", text));
    }
}

bool parse_either(std::string_view text, std::string_view first, std::string_view second) {
    if (text != first && text != second) {
        throw UsageError(fmt::format("'{}' is neither {} nor {}", text, first, second));
    }
    return text == second;
}

std::vector<std::string> split_list(std::string_view text) {
    std::vector<std::string> parts;
    for (std::size_t begin = 0; begin <= text.size();) {
        const std::size_t end = std::min(text.find(',', begin), text.size());
        if (end == begin) {
            throw UsageError(fmt::format("'{}' has an empty value; expected a list such as a,b,c", text));
        }
        parts.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    return parts;
}

std::optional<std::string> nearest_word(std::string_view word, const std::vector<std::string>& candidates) {
    std::optional<std::string> best;
    // Two letters swapped are two edits; a short word is anything after as many.
    std::size_t fewest = word.size() <= 3 ? 2 : std::max<std::size_t>(2, word.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        // A word cut short, as in --val for --validation, counts as one edit.
        const bool begins = word.size() >= 2 && candidate.starts_with(word);
        const std::size_t edits = begins ? 1 : edit_distance(word, candidate);
        if (edits < fewest) {
            fewest = edits;
            best = candidate;
        }
    }
    return best;
}

}  // namespace stackae::cli
