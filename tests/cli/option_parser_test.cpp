#include "cli/option_parser.hpp"

#include "support/catch.hpp"

namespace stackae::cli {
namespace {

/// A parser with one option of each sort, and what it filled.
struct Sample {
    OptionParser parser{"sample", "INPUT [options]", "About it."};
    std::string model;
    std::int64_t k = 5;
    std::optional<double> threshold;
    bool json = false;
    std::vector<std::string> order;

    Sample() {
        parser.group("First");
        parser.option("model,m", "MODEL", "the model", [this](const std::string& text) {
            model = text;
            order.push_back("model");
        });
        parser.option("k", "N", "neighbours", integer_into(k, 1));
        parser.group("Second");
        parser.option("threshold", "D", "a distance", number_into(threshold, -10.0));
        parser.flag("json", "as JSON", [this] {
            json = true;
            order.push_back("json");
        });
    }
};

TEST_CASE("Options and inputs come in any order") {
    Sample sample;
    CHECK(sample.parser.parse({"a.png", "--k=3", "-m", "x y", "b.png", "--threshold", "-1.5"}) ==
          std::vector<std::string>{"a.png", "b.png"});
    CHECK(sample.model == "x y");
    CHECK(sample.k == 3);
    CHECK(sample.threshold == -1.5);
    CHECK_FALSE(sample.json);
}

TEST_CASE("What is not given keeps its default") {
    Sample sample;
    CHECK(sample.parser.parse({}).empty());
    CHECK(sample.k == 5);
    CHECK_FALSE(sample.threshold);
}

TEST_CASE("After -- everything is an input") {
    Sample sample;
    CHECK(sample.parser.parse({"-mX", "--", "--json", "-m", "c.png"}) ==
          std::vector<std::string>{"--json", "-m", "c.png"});
    CHECK(sample.model == "X");
    CHECK_FALSE(sample.json);
    CHECK(OptionParser::asks_for_help({"a", "--help"}));
    CHECK_FALSE(OptionParser::asks_for_help({"--", "--help"}));
}

TEST_CASE("Handlers run in the order of their declaration") {
    Sample sample;
    CHECK(sample.parser.parse({"--json", "--model", "m"}).empty());
    CHECK(sample.order == std::vector<std::string>{"model", "json"});
}

TEST_CASE("A wrong value is told with its option") {
    const auto message = [](const std::vector<std::string>& arguments) {
        try {
            (void)Sample().parser.parse(arguments);
        } catch (const UsageError& error) {
            return std::string(error.what());
        }
        return std::string("no error");
    };
    CHECK(message({"--k", "0"}) == "--k: '0' is not a whole number of at least 1");
    CHECK(message({"--modle", "x"}) == "sample has no option '--modle'; did you mean --model?");
    CHECK(message({"--mod", "x"}) == "sample has no option '--mod'; did you mean --model?");
    CHECK(message({"-z"}) == "sample has no option '-z'");
    CHECK(message({"--model"}).find("--model") != std::string::npos);
    CHECK(message({"--k", "1", "--k", "2"}).find("more than once") != std::string::npos);
    CHECK(message({"--json=yes"}) != "no error");
}

TEST_CASE("Help shows the groups, the options and what stands for their values") {
    const std::string help = Sample().parser.help();
    CHECK(help.starts_with("usage: stackae sample INPUT [options]\n\nAbout it.\n\nFirst:\n"));
    CHECK(help.find("-m [ --model ] MODEL") != std::string::npos);
    CHECK(help.find("Second:\n") < help.find("--threshold D"));
}

}  // namespace
}  // namespace stackae::cli
