#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/text.hpp"

/// What a person types, into values.
namespace stackae::cli {

/// The command line itself is wrong: exit code 2.
class UsageError : public std::runtime_error {
public:
    using std::runtime_error::runtime_error;
};

/// A whole number in [low, high]. Throws UsageError with the text and the range.
[[nodiscard]] std::int64_t parse_integer(std::string_view text, std::int64_t low,
                                         std::int64_t high = std::numeric_limits<std::int64_t>::max());
/// A number in [low, high]; infinity where high is infinite. Throws UsageError with the text and the range.
[[nodiscard]] double parse_number(std::string_view text, double low,
                                  double high = std::numeric_limits<double>::infinity());
/// Seconds: `90`, `90s`, `10m`, `1.5h`. Throws UsageError.
[[nodiscard]] double parse_duration(std::string_view text);
/// The same of what may be done without a pause: 0 and 0s are times too.
[[nodiscard]] double parse_interval(std::string_view text);
/// Bytes: `1500`, `64K`, `512M`, `2G`, `1T` (powers of 1024; an ending B or iB is fine). Throws UsageError.
[[nodiscard]] std::int64_t parse_bytes(std::string_view text);

struct PictureSize {
    int height = 0;
    int width = 0;
    friend bool operator==(const PictureSize&, const PictureSize&) = default;
};
/// `64` for 64 × 64, or `HxW`. Throws UsageError.
[[nodiscard]] PictureSize parse_picture_size(std::string_view text);

/// Which of two words it is: true for the second. Throws UsageError for any other.
[[nodiscard]] bool parse_either(std::string_view text, std::string_view first, std::string_view second);

/// `a,b,c` into its parts. Throws UsageError on an empty part.
[[nodiscard]] std::vector<std::string> split_list(std::string_view text);

/// `a,b,c`, each part through `parse_one`.
template <class ParseOne>
[[nodiscard]] auto parse_list(std::string_view text, ParseOne parse_one) {
    std::vector<decltype(parse_one(std::string_view{}))> values;
    for (const std::string& part : split_list(text)) {
        values.push_back(parse_one(part));
    }
    return values;
}

/// The word that was probably meant: the one with the fewest edits (Levenshtein 1966), if they are few.
[[nodiscard]] std::optional<std::string> nearest_word(std::string_view word,
                                                      const std::vector<std::string>& candidates);

}  // namespace stackae::cli
