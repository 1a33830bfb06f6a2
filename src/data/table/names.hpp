#pragma once

#include <optional>
#include <string_view>

namespace stackae::data {

/// What a column is for, by its name: `user_id`, `CustomerID`, `movieId`, `InvoiceDate`, ….
enum class ColumnRole { unknown, user, item, rating, timestamp };
[[nodiscard]] ColumnRole role_of(std::string_view name);

/// A number, blanks around it left off; nothing where it is none, not finite, or more than a float holds.
[[nodiscard]] std::optional<double> parse_number(std::string_view text);
/// The same of a cell of a matrix, where true and false are 1 and 0, and nothing is 0.
[[nodiscard]] std::optional<double> parse_cell(std::string_view text);

}  // namespace stackae::data
