#include "cli/parse.hpp"

#include <limits>

#include "support/catch.hpp"

namespace stackae::cli {
namespace {

TEST_CASE("Whole numbers are taken whole and in their range") {
    CHECK(parse_integer("0", 0) == 0);
    CHECK(parse_integer("-3", -5, 5) == -3);
    CHECK(parse_integer("9223372036854775807", 0) == std::numeric_limits<std::int64_t>::max());
    for (const char* wrong : {"", " 1", "1 ", "1.5", "1e3", "0x10", "ten", "9223372036854775808", "-1"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parse_integer(wrong, 0), UsageError);
    }
    CHECK_THROWS_AS(parse_integer("6", 0, 5), UsageError);
}

TEST_CASE("Numbers refuse what is no number") {
    CHECK(parse_number("0.25", 0.0) == 0.25);
    CHECK(parse_number("1e-3", 0.0) == 1e-3);
    CHECK(parse_number("inf", 0.0) == std::numeric_limits<double>::infinity());
    for (const char* wrong : {"", "nan", "1,5", "0.5x", "-0.1", "1e999"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parse_number(wrong, 0.0), UsageError);
    }
    CHECK_THROWS_AS(parse_number("inf", 0.0, 1.0), UsageError);
}

TEST_CASE("Memory is read with its unit") {
    CHECK(parse_bytes("1500") == 1500);
    CHECK(parse_bytes("64K") == 65536);
    CHECK(parse_bytes("64kB") == 65536);
    CHECK(parse_bytes("1.5M") == 1572864);
    CHECK(parse_bytes("2G") == 2147483648);
    CHECK(parse_bytes("2GiB") == 2147483648);
    CHECK(parse_bytes("1T") == 1099511627776);
    for (const char* wrong : {"", "G", "2X", "-1G", "2 G", "1e30G", "9999999999T", "infG", "nan"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parse_bytes(wrong), UsageError);
    }
}

TEST_CASE("A picture's size is a number, or height x width") {
    CHECK(parse_picture_size("64") == PictureSize{64, 64});
    CHECK(parse_picture_size("48x64") == PictureSize{48, 64});
    CHECK(parse_picture_size("1X4096") == PictureSize{1, 4096});
    for (const char* wrong : {"", "x", "48x", "x64", "0", "4097", "48x64x3", "-1x5", "48*64"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(parse_picture_size(wrong), UsageError);
    }
}

TEST_CASE("Lists have no empty parts") {
    CHECK(split_list("a") == std::vector<std::string>{"a"});
    CHECK(split_list("a,b,c") == std::vector<std::string>{"a", "b", "c"});
    for (const char* wrong : {"", ",", "a,", ",a", "a,,b"}) {
        CAPTURE(wrong);
        CHECK_THROWS_AS(split_list(wrong), UsageError);
    }
    CHECK(parse_list("3,4", [](std::string_view text) { return parse_integer(text, 1); }) ==
          std::vector<std::int64_t>{3, 4});
}

TEST_CASE("A slip of the finger finds the word that was meant") {
    const std::vector<std::string> words{"train", "extract", "enroll", "evaluate", "k", "validation"};
    CHECK(nearest_word("tarin", words) == "train");
    CHECK(nearest_word("evalute", words) == "evaluate");
    CHECK(nearest_word("enrol", words) == "enroll");
    CHECK(nearest_word("val", words) == "validation");
    CHECK(nearest_word("xyzzy", words) == std::nullopt);
    CHECK(nearest_word("anything", {}) == std::nullopt);
}

TEST_CASE("What is printed is one line of UTF-8, whatever a file's name holds") {
    CHECK(printable("ü\n\x1b[31m") == "ü\\n\\x1b[31m");
    CHECK(printable("caf\xe9.png") == "caf\\xe9.png");
}

TEST_CASE("Counts, bytes and times read as people write them") {
    CHECK(format_count(0) == "0");
    CHECK(format_count(999) == "999");
    CHECK(format_count(1000) == "1,000");
    CHECK(format_count(1234567) == "1,234,567");
    CHECK(format_count(-123456) == "-123,456");
    CHECK(format_bytes(1023) == "1023 bytes");
    CHECK(format_bytes(1536) == "1.5 KiB");
    CHECK(format_bytes(std::int64_t{3} << 30) == "3.0 GiB");
    CHECK(format_duration(0.42) == "0.42 s");
    CHECK(format_duration(3.14) == "3.1 s");
    CHECK(format_duration(59.4) == "59 s");
    CHECK(format_duration(59.6) == "1:00 min");
    CHECK(format_duration(185) == "3:05 min");
    CHECK(format_duration(7390) == "2:03:10 h");
    CHECK(format_duration(std::numeric_limits<double>::quiet_NaN()) == "unknown");
    CHECK(format_duration(std::numeric_limits<double>::infinity()) == "unknown");
}

TEST_CASE("What a terminal would obey is told instead") {
    CHECK(printable("a\x1b[2J\n\tb\x7f") == "a\\x1b[2J\\n\\tb\\x7f");
    CHECK(printable("\xC2\x9B"
                    "31m") == "\\u009b31m");
    CHECK(printable("Zo\xC3\xAB \xC2\xA9 \xE2\x82\xAC") == "Zo\xC3\xAB \xC2\xA9 \xE2\x82\xAC");
}

}  // namespace
}  // namespace stackae::cli
