#include "stackae/text.hpp"

#include "support/catch.hpp"

namespace stackae::base {

TEST_CASE("CSV fields are quoted only where they must be") {
    CHECK(csv_field("a b/ü.png") == "a b/ü.png");
    CHECK(csv_field("") == "");
    CHECK(csv_field("a,b") == "\"a,b\"");
    CHECK(csv_field("say \"hi\"") == "\"say \"\"hi\"\"\"");
    CHECK(csv_field("two\nlines") == "\"two\nlines\"");
    CHECK(csv_field("\r") == "\"\r\"");
}

TEST_CASE("A name that is not UTF-8 becomes UTF-8 from which it can be had back") {
    CHECK(to_utf8("日本/ü.png") == "日本/ü.png");
    CHECK(to_utf8("back\\slash") == "back\\slash");
    CHECK(to_utf8("caf\xe9.png") == "caf\\xe9.png");
    CHECK(to_utf8("\\caf\xe9") == "\\x5ccaf\\xe9");
    for (const char* text : {"日本/ü.png", "caf\xe9.png", "\\caf\xe9", "\\x5c", "\\x", "\xff\\x4", ""}) {
        CHECK(from_utf8(to_utf8(text)) == text);
    }
    CHECK(from_utf8("in\\xe9") == "in\xe9");
    CHECK(csv_field("caf\xe9, no tea") == "\"caf\\xe9, no tea\"");
    CHECK(csv_bytes("caf\xe9, no tea") == "\"caf\xe9, no tea\"");
    CHECK(csv_bytes("caf\xe9\\") == "caf\xe9\\");
    for (const char* wrong : {"\xc0\xaf", "\xed\xa0\x80", "\xf5", "\xe2\x82"}) {
        CHECK_FALSE(is_utf8(wrong));
        CHECK(is_utf8(to_utf8(wrong)));
    }
}

TEST_CASE("Only the letters from A to Z have a lower case here") {
    CHECK(lower_case("A.TIFF [Z] 9") == "a.tiff [z] 9");
    CHECK(lower_case("Ü\xc9@`{") == "Ü\xc9@`{");
}

}  // namespace stackae::base
