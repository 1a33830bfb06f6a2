#pragma once

#include <string>

namespace stackae::cli {

/// What the first lines of a file say it is, by what is there and not by its name.
enum class TextKind {
    paths,    ///< most lines name files that are there; the first one may be a header
    numbers,  ///< nothing but whole numbers, several of them in a line: users and their items
    fields,   ///< of lines none of which may be a path, and which have commas, tabs, semicolons or blanks in
              ///< them
    unknown,  ///< none of these, or no regular file of text
};

/// Looks at the beginning of a regular file. In a line a path may be followed by a comma, a tab or a
/// semicolon, and is relative to the file's folder or to the current one.
[[nodiscard]] TextKind text_kind(const std::string& path);

}  // namespace stackae::cli
