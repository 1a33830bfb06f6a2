#include "cli/table_or_list.hpp"

#include <filesystem>
#include <string>

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::cli {
namespace {

using test::write_text;

TextKind kind(const test::TemporaryFolder& folder, const std::string& content) {
    write_text(folder / "file.txt", content);
    return text_kind(folder / "file.txt");
}

TEST_CASE("A list of paths and a table are told apart by what is in them") {
    const test::TemporaryFolder folder;
    write_text(folder / "a b.png", "");
    write_text(folder / "12", "");
    CHECK(kind(folder, "0 13 57\n1 4\n2\n") == TextKind::numbers);
    CHECK(kind(folder,
               "\xEF\xBB\xBF"
               "0\t13\r\n\r\n1\t4\r\n") == TextKind::numbers);
    CHECK(kind(folder, "anna bread\nbert milk bread\n") == TextKind::fields);
    CHECK(kind(folder, "anna,bread\n7,8\n") == TextKind::fields);
    // Most lines name files; a header need not.
    CHECK(kind(folder, "gone away\na b.png\tcat\n") == TextKind::paths);
    CHECK(kind(folder, "\"a b.png\",cat\n") == TextKind::paths);
    CHECK(kind(folder, "11\n12\n") == TextKind::paths);
    CHECK(kind(folder, "path,label\na b.png,cat\n12,dog\ngone,dog\n") == TextKind::paths);
    CHECK(kind(folder, folder / "12" + ";x\n") == TextKind::paths);
    // Users and items may be called as files are.
    CHECK(kind(folder, "12,item\np,a\np,b\nq,a\n") == TextKind::unknown);
    CHECK(kind(folder, "12\t1\n7\t1\n8\t3\n") == TextKind::numbers);
    // What could be a path is not taken for a table.
    CHECK(kind(folder, "folder/anna bread\n") == TextKind::unknown);
    CHECK(kind(folder, "gone away.PNG\tcat\n") == TextKind::unknown);
    CHECK(kind(folder, "one\ntwo\n") == TextKind::unknown);
    CHECK(kind(folder, "1\n2\n") == TextKind::unknown);
    CHECK(kind(folder, "") == TextKind::unknown);
    CHECK(kind(folder, std::string("0 1\n\0", 5)) == TextKind::unknown);
    CHECK(text_kind(folder / "nowhere") == TextKind::unknown);
    CHECK(text_kind(folder / ".") == TextKind::unknown);
    CHECK(kind(folder, std::string(100'000, '1')) == TextKind::unknown);
}

}  // namespace
}  // namespace stackae::cli
