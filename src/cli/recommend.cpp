#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fstream>
#include <optional>

#include "stackae/error.hpp"
#include "stackae/recommend_all.hpp"
#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/interrupt.hpp"
#include "cli/kept_work.hpp"
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

/// The numbers of a table's items. Throws InvalidArgument that names the first of those that are not in it.
/// where: an option.
std::vector<std::int32_t> item_numbers(const Interactions& table, const std::vector<std::string>& ids,
                                       const std::string& where) {
    constexpr std::size_t most_named = 5;
    std::vector<std::int32_t> numbers = numbers_among(table.items, ids);
    std::vector<std::string> unknown;
    std::int64_t count = 0;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        count += numbers[i] < 0 ? 1 : 0;
        if (numbers[i] < 0 && unknown.size() < most_named) {
            unknown.push_back(fmt::format("\"{}\"", printable(ids[i])));
        }
    }
    if (count > 0) {
        throw InvalidArgument(fmt::format("{}: {} {}{}: not found among the {} that the model knows", where,
                                          count == 1 ? "item" : format_count(count) + " items",
                                          fmt::join(unknown, ", "), count > std::ssize(unknown) ? ", …" : "",
                                          table.items.size()));
    }
    return numbers;
}

/// Shows how far it is, and stops where the user interrupts.
class RecommendMonitor : public RecommendObserver {
public:
    RecommendMonitor(Console& console, std::int64_t users)
        : console_(console), progress_(console, "recommending", users, "users") {}

    void on_recommended(std::int64_t done, std::int64_t /*of*/) override { progress_.update(done); }
    void on_resumed(std::int64_t done, std::int64_t of) override {
        console_.note(
            fmt::format("the recommendations to the first {} of {} are those of the run that was stopped",
                        format_count(done), format_count(of, "user")));
    }
    void on_checkpoint_failed(const std::string& why) override {
        console_.warn(fmt::format("warning: no checkpoint: {}; the run goes on", why));
    }
    bool stop() override { return interrupted(); }

private:
    Console& console_;
    Progress progress_;
};

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
    /// Nothing where they are the model's own.
    std::optional<Interactions> rows_of(Console& console, const Interactions& table) const;
    std::vector<std::string> bought_items() const;
    void recommend(Console& console, const Model& model, const Interactions& rows,
                   const RecommendOptions& options);
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
    bool first_ = true;         ///< nothing was written yet
    std::int64_t popular_ = 0;  ///< users who were given what most have
    KeptWork kept_{.kind = KeptKind::recommendations};
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
    kept_.declare(parser, "FILE");
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
    if (model.record.config.rows == TableRow::item && !(bought_.empty() && new_users_.empty())) {
        throw UsageError(fmt::format(
            "{}: a model whose rows are items, which knows the users of its table alone; --user or --all "
            "expected",
            model_));
    }
    check_outputs(
        {{"the model", model_}, {"--only", only_}, {"--exclude", exclude_}, {"--new-user", new_users_}},
        {{"-o", output_}});
    const std::optional<Interactions> others = rows_of(console, model.table);
    const Interactions& rows = others ? *others : model.table;
    const RecommendOptions options = options_of(model.table);
    if (!output_.empty() && output_ != "-") {
        check_writable(output_);
    }
    kept_.keep_beside(console, output_);
    catch_interrupts();
    kept_.or_tell_room(console, [&] { recommend(console, model, rows, options); });
    kept_.drop(console);
    if (popular_ > 0) {
        console.note(fmt::format("{} of whom nothing is known: given what most users have",
                                 format_count(popular_, "user")));
    }
    return exit_code::done;
}

void RecommendCommand::recommend(Console& console, const Model& model, const Interactions& rows,
                                 const RecommendOptions& options) {
    std::optional<ResultWriter> results;
    const auto begin = [&] {
        results.emplace(output_);
        results->write(
            json_ ? R"({"users": [)"
                  : (recommend_.explain > 0 ? "user,rank,item,score,because\n" : "user,rank,item,score\n"));
    };
    const RecommendAllOptions all{
        .checkpoint = kept_.checkpoint, .checkpoint_every = kept_.checkpoint_every, .resume = kept_.resume};
    bool done = false;
    {
        RecommendMonitor monitor(console, rows.user_count());
        done = recommend_all(model, rows, options, all, monitor,
                             [&](std::int64_t user, const Recommendations& found) {
                                 if (!results) {  // only now: what cannot be done prints nothing
                                     begin();
                                 }
                                 const std::string& id = rows.users[static_cast<std::size_t>(user)];
                                 if (!id.empty()) {  // else forgotten
                                     write(*results, model.table, id, found);
                                     popular_ += found.popular ? 1 : 0;
                                 }
                             });
    }
    if (!done) {
        kept_.tell(console);
        throw Interrupted();
    }
    if (!results) {
        begin();
    }
    results->write(json_ ? "\n]}\n" : "");
    results->finish();
}

RecommendOptions RecommendCommand::options_of(const Interactions& table) const {
    RecommendOptions options = recommend_;
    const auto allow = [&](const std::string& option, const std::string& file, bool allowed) {
        if (!file.empty()) {
            options.allowed.resize(table.items.size(), !allowed);
            for (const std::int32_t item :
                 item_numbers(table, lines_of(file), fmt::format("{} {}", option, file))) {
                options.allowed[static_cast<std::size_t>(item)] = allowed;
            }
        }
    };
    allow("--only", only_, true);
    allow("--exclude", exclude_, false);
    return options;
}

std::optional<Interactions> RecommendCommand::rows_of(Console& console, const Interactions& table) const {
    if (all_) {
        return std::nullopt;
    }
    if (!new_users_.empty()) {
        return tables_.read_for(console, new_users_, table);
    }
    if (!bought_.empty()) {
        if (table.value_mode != ValueMode::binary) {
            console.note(fmt::format(
                "--bought: the model was learnt with --value {}: each item has the mean of its values there",
                name(table.value_mode)));
        }
        return row_of_items(table, item_numbers(table, bought_items(), "--bought"));
    }
    const std::int64_t user = user_number(table, user_);
    Interactions rows;
    rows.items = table.items;
    rows.value_mode = table.value_mode;
    rows.users.push_back(user_);
    rows.columns.assign(table.items_of(user).begin(), table.items_of(user).end());
    rows.values.assign(table.values_of(user).begin(), table.values_of(user).end());
    rows.offsets.push_back(rows.entry_count());
    return rows;
}

std::vector<std::string> RecommendCommand::bought_items() const {
    try {
        return split_csv(bought_);
    } catch (const InvalidArgument& error) {
        throw UsageError(fmt::format("--bought: {}", error.what()));
    }
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
        results.write(fmt::format("{},{},{},{:.6g}{}\n", csv_bytes(user), ++rank, csv_bytes(id(each.found)),
                                  each.found.score,
                                  recommend_.explain > 0 ? "," + csv_bytes(because) : std::string()));
    }
}

int RecommendCommand::forget(Console& console, Model& model) const {
    forget_user(model, forget_);
    save(model, model_);
    const auto& users = model.table.users;
    const auto left = std::count_if(users.begin(), users.end(), [](const auto& id) { return !id.empty(); });
    console.note(fmt::format("{}: one user fewer, {} left", model_, format_count(left)));
    return exit_code::done;
}

}  // namespace

std::unique_ptr<Command> make_recommend_command() {
    return std::make_unique<RecommendCommand>();
}

}  // namespace stackae::cli
