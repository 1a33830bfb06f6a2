#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace stackae::data {

/// What a column is for, by its name: `user_id`, `CustomerID`, `movieId`, `InvoiceDate`, ….
enum class ColumnRole { unknown, user, item, rating, timestamp };
[[nodiscard]] ColumnRole role_of(std::string_view name);

/// A column that an option calls by its number from 1, from 0; −1 where the text is none of so many.
[[nodiscard]] std::int64_t column_number(std::string_view text, std::int64_t columns);
/// Whether a cell says that there is no value: `NA`, `n/a`, `null`, `-`, `?`, ….
[[nodiscard]] bool says_missing(std::string_view cell);

/// A number, blanks around it left off; nothing where it is none, not finite, or more than a float holds.
[[nodiscard]] std::optional<double> parse_number(std::string_view text);
/// The same of a cell of a matrix, where true and false are 1 and 0, and nothing is 0.
[[nodiscard]] std::optional<double> parse_cell(std::string_view text);

}  // namespace stackae::data
