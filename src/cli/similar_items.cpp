#include <fmt/format.h>

#include "stackae/error.hpp"
#include "stackae/recommend.hpp"
#include "stackae/text.hpp"

#include "cli/command.hpp"
#include "cli/model_locator.hpp"
#include "cli/output.hpp"

namespace stackae::cli {
namespace {

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
        std::string lines = "of,rank,item,similarity\n";
        std::vector<JsonObject> all;
        for (const std::string& input : inputs) {
            std::vector<JsonObject> items;
            int rank = 0;
            for (const ScoredItem& each : similar_items(model, item_number(model.table, input), top_)) {
                const std::string& id = model.table.items[static_cast<std::size_t>(each.item)];
                items.push_back(JsonObject().set("item", id).set("similarity", double{each.score}));
                lines +=
                    fmt::format("{},{},{},{:.6g}\n", csv_bytes(input), ++rank, csv_bytes(id), each.score);
            }
            all.push_back(JsonObject().set("of", input).set("items", items));
        }
        ResultWriter results(output_);
        results.write(json_ ? JsonObject().set("items", all).text() + "\n" : lines);
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

std::unique_ptr<Command> make_similar_items_command() {
    return std::make_unique<SimilarItemsCommand>();
}

}  // namespace stackae::cli
