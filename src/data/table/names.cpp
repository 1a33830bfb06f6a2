#include "data/table/names.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "stackae/text.hpp"

#include "data/table/fields.hpp"

namespace stackae::data {
namespace {

constexpr std::array users{"user",    "u",       "uid",     "customer", "cust",   "client",
                           "visitor", "member",  "account", "reviewer", "person", "household",
                           "buyer",   "shopper", "session", "reader",   "viewer", "listener"};
constexpr std::array items{"item", "i", "iid", "product", "article", "sku", "asin", "isbn", "parentasin"};
// With an ending alone: they may be products by themselves.
constexpr std::array kinds_of_items{"movie", "book",  "song",   "track", "artist", "game",  "film",
                                    "show",  "anime", "recipe", "poi",   "venue",  "stock", "business"};
constexpr std::array ratings{"rating", "score", "stars",  "value",     "count", "quantity", "qty",
                             "weight", "plays", "amount", "playcount", "r",     "overall",  "freq"};
constexpr std::array times{"timestamp", "time", "date", "datetime", "ts", "day", "unixtime", "t"};
constexpr std::array endings{"identifier", "number", "name", "code", "id", "no", "nr"};

constexpr std::array missing{"na",  "n/a",     "#n/a", "nan", "null", "none",
                             "nil", "missing", "-",    "--",  "?",    "."};

template <class Words>
bool holds(const Words& words, std::string_view word) {
    return std::find(words.begin(), words.end(), word) != words.end();
}

}  // namespace

ColumnRole role_of(std::string_view name) {
    std::string word;
    for (const char byte : lower_case(name)) {
        if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9')) {
            word += byte;
        }
    }
    std::string stem = word;
    for (const std::string_view ending : endings) {
        if (word.size() > ending.size() && word.ends_with(ending)) {
            stem = word.substr(0, word.size() - ending.size());
            break;
        }
    }
    for (const std::string& each : {word, stem}) {
        if (holds(users, each)) {
            return ColumnRole::user;
        }
        if (holds(items, each) || (each != word && holds(kinds_of_items, each))) {
            return ColumnRole::item;
        }
        if (holds(ratings, each)) {
            return ColumnRole::rating;
        }
        if (holds(times, each)) {
            return ColumnRole::timestamp;
        }
    }
    return word.ends_with("date") || word.ends_with("time") || word.ends_with("timestamp")
               ? ColumnRole::timestamp
               : ColumnRole::unknown;
}

std::int64_t column_number(std::string_view text, std::int64_t columns) {
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stop, error] = std::from_chars(text.data(), end, number);
    return error == std::errc() && stop == end && number >= 1 && number <= columns ? number - 1 : -1;
}

bool says_missing(std::string_view cell) {
    return holds(missing, lower_case(trim_blanks(cell)));
}

std::optional<double> parse_number(std::string_view text) {
    text = trim_blanks(text);
    if (text.size() > 1 && text.front() == '+' && text[1] != '-') {
        text.remove_prefix(1);
    }
    double value = 0.0;
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc() && stop == text.data() + text.size();
    const bool held = std::isfinite(value) && std::abs(value) <= std::numeric_limits<float>::max();
    return whole && held ? std::optional(value) : std::nullopt;
}

std::optional<double> parse_cell(std::string_view text) {
    if (text == "0" || text.empty()) {
        return 0.0;
    }
    if (text == "1") {
        return 1.0;
    }
    const std::string word = text.size() <= 5 ? lower_case(text) : std::string();
    if (word == "true" || word == "false") {
        return word == "true" ? 1.0 : 0.0;
    }
    text = trim_blanks(text);
    return text.empty() ? std::optional(0.0) : parse_number(text);
}

}  // namespace stackae::data
