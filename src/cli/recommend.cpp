#include "stackae/recommend.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/model_locator.hpp"
#include "cli/output.hpp"
#include "cli/table_input.hpp"

namespace stackae::cli {
namespace {

/// Ids of items that stand one a line.
std::vector<std::string> lines_of(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        if (!line.empty() && line.back() == '\r') {
            line.pop_back();
        }
        if (!line.empty()) {
            lines.push_back(line);
        }
    }
    if (!file.eof()) {
        throw IoError(fmt::format("{}: cannot be read", path));
    }
    return lines;
}

/// Fields apart by commas, in quotes where they have one in them.
std::vector<std::string> split_csv(const std::string& text) {
    std::vector<std::string> fields{""};
    bool quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '"') {
            const bool twice = quoted && i + 1 < text.size() && text[i + 1] == '"';
            quoted = twice || !quoted;
            fields.back() += twice ? "\"" : "";
            i += twice ? 1 : 0;
        } else if (text[i] == ',' && !quoted) {
            fields.emplace_back();
        } else {
            fields.back() += text[i];
        }
    }
    return fields;
}

/// The model of a table, by an option's text.
Model open_table_model(Console& console, const std::string& path) {
    if (path.empty()) {
        throw UsageError("-m MODEL is missing, learnt by `stackae train` from a table");
    }
    NamedModel named = open_model(console, path);
    if (named.model.table.items.empty()) {
        throw InvalidArgument(fmt::format("{}: a model of pictures found, one of a table expected", path));
    }
    return std::move(named.model);
}

class RecommendCommand : public Command {
public:
    std::string synopsis() const override {
        return "-m MODEL --user ID | --bought A,B | --new-user FILE | --all";
    }
    std::string about() const override {
        return "Names the items that suit users best, by a model that `stackae train` learnt from a table.\n"
               "Prints CSV user,rank,item,score.";
    }
    void declare(OptionParser& parser) override;
    int run(Console& console, const std::vector<std::string>& inputs) override;

private:
    void check_usage(const std::vector<std::string>& inputs) const;
    RecommendOptions options_of(const Interactions& table) const;
    Interactions rows_of(Console& console, const Interactions& table) const;
    void write(ResultWriter& results, const Interactions& table, const std::string& user,
               const Recommendations& found);
    int forget(Console& console, Model& model) const;

    std::string model_;
    std::string output_;
    std::string user_;
    std::string bought_;
    std::string new_users_;
    std::string only_;
    std::string exclude_;
    std::string forget_;
    RecommendOptions recommend_;
    bool all_ = false;
    bool json_ = false;
    bool first_ = true;  ///< nothing was written yet
    TableInput tables_;
};

void RecommendCommand::declare(OptionParser& parser) {
    parser.group("Recommendation");
    parser.option("model,m", "MODEL", "learnt by `stackae train` from a table", text_into(model_));
    parser.option("user", "ID", "a user of that table", text_into(user_));
    parser.option("bought", "A,B,...", "a user who is not in the table and has these items",
                  text_into(bought_));
    parser.option("new-user", "FILE", "a table of users who are not in the model's", text_into(new_users_));
    parser.flag("all", "every user of the model's table", all_);
    parser.option("top", "N", "items a user", integer_into(recommend_.top, 1));
    parser.flag("include-known", "rank what a user has already too", recommend_.include_known);
    parser.option("only", "FILE", "items to choose from, one a line", text_into(only_));
    parser.option("exclude", "FILE", "items that are not recommended, one a line", text_into(exclude_));
    parser.option("explain", "N", "name N of the user's items that weighed most",
                  integer_into(recommend_.explain, 1));
    parser.option("forget", "ID", "take a user out of the model's file, and do no more", text_into(forget_));
    parser.option("threads,j", "N", "0: one a core", integer_into(recommend_.threads, 0, 1024));
    parser.group("Output");
    parser.option("output,o", "FILE", "else stdout", text_into(output_));
    parser.flag("json", "one JSON object instead of CSV", json_);
    tables_.declare(parser);
}

void RecommendCommand::check_usage(const std::vector<std::string>& inputs) const {
    if (!inputs.empty()) {
        throw UsageError(
            fmt::format("'{}' found, no input expected: the model knows its users", inputs.front()));
    }
    const int named = (user_.empty() ? 0 : 1) + (bought_.empty() ? 0 : 1) + (new_users_.empty() ? 0 : 1) +
                      (all_ ? 1 : 0) + (forget_.empty() ? 0 : 1);
    if (named != 1) {
        throw UsageError("one of --user, --bought, --new-user, --all and --forget is expected");
    }
}

int RecommendCommand::run(Console& console, const std::vector<std::string>& inputs) {
    check_usage(inputs);
    Model model = open_table_model(console, model_);
    if (!forget_.empty()) {
        return forget(console, model);
    }
    check_outputs(
        {{"the model", model_}, {"--only", only_}, {"--exclude", exclude_}, {"--new-user", new_users_}},
        {{"-o", output_}});
    const Interactions& table = model.table;
    const Interactions rows = rows_of(console, table);
    Recommender recommender(model, options_of(table));
    catch_interrupts();
    ResultWriter results(output_);
    results.write(
        json_ ? R"({"users": [)"
              : (recommend_.explain > 0 ? "user,rank,item,score,because\n" : "user,rank,item,score\n"));
    Progress progress(console, "recommending", rows.user_count());
    std::int64_t unknown = 0;
    for (std::int64_t done = 0; done < rows.user_count();) {
        check_interrupted();
        const std::int64_t count = std::min(recommender.batch_size(), rows.user_count() - done);
        const auto found = recommender.recommend(rows, done, count);
        for (std::int64_t i = 0; i < count; ++i) {
            const std::string& user = rows.users[static_cast<std::size_t>(done + i)];
            write(results, table, user, found[static_cast<std::size_t>(i)]);
            unknown += found[static_cast<std::size_t>(i)].popular ? 1 : 0;
        }
        progress.update(done += count);
    }
    results.write(json_ ? "\n]}\n" : "");
    results.finish();
    if (unknown > 0) {
        console.note(fmt::format("{} of whom nothing is known: given what most users have",
                                 format_count(unknown, "user")));
    }
    return exit_code::done;
}

RecommendOptions RecommendCommand::options_of(const Interactions& table) const {
    RecommendOptions options = recommend_;
    if (!only_.empty()) {
        options.allowed.assign(table.items.size(), false);
        for (const std::string& item : lines_of(only_)) {
            options.allowed[static_cast<std::size_t>(item_number(table, item))] = true;
        }
    }
    if (!exclude_.empty()) {
        options.allowed.resize(table.items.size(), true);
        for (const std::string& item : lines_of(exclude_)) {
            options.allowed[static_cast<std::size_t>(item_number(table, item))] = false;
        }
    }
    return options;
}

/// A table's users with the model's items; items that the model does not know are left out and counted.
Interactions with_items_of(Console& console, const Interactions& from, const Interactions& table) {
    Interactions rows;
    rows.users = from.users;
    rows.items = table.items;
    std::unordered_map<std::string_view, std::int32_t> known;
    for (const std::string& item : table.items) {
        known.emplace(item, static_cast<std::int32_t>(known.size()));
    }
    std::vector<std::int32_t> numbers(from.items.size(), -1);
    std::int64_t unknown = 0;
    for (std::size_t i = 0; i < from.items.size(); ++i) {
        const auto found = known.find(from.items[i]);
        numbers[i] = found == known.end() ? -1 : found->second;
        unknown += found == known.end() ? 1 : 0;
    }
    for (std::int64_t user = 0; user < from.user_count(); ++user) {
        std::vector<std::pair<std::int32_t, float>> entries;
        for (std::size_t k = 0; k < from.items_of(user).size(); ++k) {
            const std::int32_t item = numbers[static_cast<std::size_t>(from.items_of(user)[k])];
            if (item >= 0) {
                entries.emplace_back(item, from.values_of(user)[k]);
            }
        }
        std::sort(entries.begin(), entries.end());
        for (const auto& [item, value] : entries) {
            rows.columns.push_back(item);
            rows.values.push_back(value);
        }
        rows.offsets.push_back(std::ssize(rows.columns));
    }
    if (unknown > 0) {
        console.warn(fmt::format("{} that the model does not know left out", format_count(unknown, "item")));
    }
    return rows;
}

Interactions RecommendCommand::rows_of(Console& console, const Interactions& table) const {
    if (all_) {
        return table;
    }
    if (!new_users_.empty()) {
        return with_items_of(console, tables_.read(console, new_users_), table);
    }
    if (!bought_.empty()) {
        std::vector<std::int32_t> items;
        for (const std::string& item : split_csv(bought_)) {
            items.push_back(item_number(table, item));
        }
        return row_of_items(table, items);
    }
    const std::int64_t user = user_number(table, user_);
    Interactions rows;
    rows.items = table.items;
    rows.users.push_back(user_);
    rows.columns.assign(table.items_of(user).begin(), table.items_of(user).end());
    rows.values.assign(table.values_of(user).begin(), table.values_of(user).end());
    rows.offsets.push_back(std::ssize(rows.columns));
    return rows;
}

void RecommendCommand::write(ResultWriter& results, const Interactions& table, const std::string& user,
                             const Recommendations& found) {
    const auto id = [&](const ScoredItem& item) -> const std::string& {
        return table.items[static_cast<std::size_t>(item.item)];
    };
    if (json_) {
        std::vector<JsonObject> items;
        for (const Recommendation& each : found.items) {
            JsonObject item;
            item.set("item", id(each.found)).set("score", double{each.found.score});
            std::vector<JsonObject> because;
            for (const ScoredItem& known : each.because) {
                because.push_back(JsonObject().set("item", id(known)).set("weight", double{known.score}));
            }
            if (recommend_.explain > 0) {
                item.set("because", because);
            }
            items.push_back(item);
        }
        results.write(
            (first_ ? "\n" : ",\n") +
            JsonObject().set("user", user).set("popular", found.popular).set("items", items).text());
        first_ = false;
        return;
    }
    int rank = 0;
    for (const Recommendation& each : found.items) {
        std::string because;
        for (const ScoredItem& known : each.because) {
            because += (because.empty() ? "" : "; ") + id(known);
        }
        if (found.popular) {
            because = "popular";
        }
        results.write(fmt::format("{},{},{},{:.6g}{}\n", csv_field(user), ++rank, csv_field(id(each.found)),
                                  each.found.score,
                                  recommend_.explain > 0 ? "," + csv_field(because) : std::string()));
    }
}

int RecommendCommand::forget(Console& console, Model& model) const {
    forget_user(model, forget_);
    save(model, model_);
    console.note(fmt::format("{}: one user fewer, {} left", model_, format_count(model.table.user_count())));
    return exit_code::done;
}

class SimilarItemsCommand : public Command {
public:
    std::string synopsis() const override { return "-m MODEL ITEM... [--top N]"; }
    std::string about() const override {
        return "Names the items that are most like others, by a model that `stackae train` learnt from a "
               "table.\n"
               "Prints CSV of,rank,item,similarity.";
    }
    void declare(OptionParser& parser) override {
        parser.group("Similar items");
        parser.option("model,m", "MODEL", "learnt by `stackae train` from a table", text_into(model_));
        parser.option("top", "N", "items to name", integer_into(top_, 1));
        parser.group("Output");
        parser.option("output,o", "FILE", "else stdout", text_into(output_));
        parser.flag("json", "one JSON object instead of CSV", json_);
    }
    int run(Console& console, const std::vector<std::string>& inputs) override {
        if (inputs.empty()) {
            throw UsageError("similar-items needs an ITEM");
        }
        const Model model = open_table_model(console, model_);
        check_outputs({{"the model", model_}}, {{"-o", output_}});
        ResultWriter results(output_);
        std::vector<JsonObject> all;
        results.write(json_ ? "" : "of,rank,item,similarity\n");
        for (const std::string& input : inputs) {
            std::vector<JsonObject> items;
            int rank = 0;
            for (const ScoredItem& each : similar_items(model, item_number(model.table, input), top_)) {
                const std::string& id = model.table.items[static_cast<std::size_t>(each.item)];
                items.push_back(JsonObject().set("item", id).set("similarity", double{each.score}));
                results.write(json_ ? ""
                                    : fmt::format("{},{},{},{:.6g}\n", csv_field(input), ++rank,
                                                  csv_field(id), each.score));
            }
            all.push_back(JsonObject().set("of", input).set("items", items));
        }
        results.write(json_ ? JsonObject().set("items", all).text() + "\n" : "");
        results.finish();
        return exit_code::done;
    }

private:
    std::string model_;
    std::string output_;
    std::int64_t top_ = 10;
    bool json_ = false;
};

}  // namespace

std::unique_ptr<Command> make_recommend_command() {
    return std::make_unique<RecommendCommand>();
}

std::unique_ptr<Command> make_similar_items_command() {
    return std::make_unique<SimilarItemsCommand>();
}

}  // namespace stackae::cli
