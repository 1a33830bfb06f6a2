#include <limits>

#include "stackae/json.hpp"

#include "support/catch.hpp"

namespace stackae {

TEST_CASE("An object's keys are in byte order, and a later value takes an earlier one's place") {
    JsonObject object;
    object.set("b", 1).set("a", "x").set("b", true).set("c", nullptr);
    CHECK(object.text() == R"({"a":"x","b":true,"c":null})");
    CHECK(JsonObject().text() == "{}");
    CHECK(JsonObject().set("in", object).set("all", std::vector<JsonObject>(2)).text() ==
          R"({"all":[{},{}],"in":{"a":"x","b":true,"c":null}})");
}

TEST_CASE("Numbers are in the fewest digits that give them again, and null where they are not finite") {
    CHECK(json_text(0.1) == "0.1");
    CHECK(json_text(3.0) == "3.0");
    CHECK(json_text(std::numeric_limits<double>::infinity()) == "null");
    CHECK(JsonObject().set("n", std::numeric_limits<double>::quiet_NaN()).text() == R"({"n":null})");
    CHECK(JsonObject().set("n", std::numeric_limits<std::int64_t>::min()).text() ==
          R"({"n":-9223372036854775808})");
}

TEST_CASE("Any bytes make a valid text and a valid key") {
    CHECK(json_text("a\"\\\n") == R"("a\"\\\n")");
    CHECK(json_text("caf\xe9") == R"("caf\\xe9")");
    CHECK(JsonObject().set("\xe9", "\xe9").text() == R"({"\\xe9":"\\xe9"})");
}

TEST_CASE("What an object tells a person is a line a value, without those that are absent") {
    JsonObject object;
    object.set("name", "a\nb").set("none", nullptr).set("empty", "").set("size", 7);
    object.set_json("list", R"(["x","y"])").set_json("nothing", "[]");
    CHECK(object.lines() ==
          "  list                      x,y\n"
          "  name                      a\\nb\n"
          "  size                      7\n");
}

}  // namespace stackae
