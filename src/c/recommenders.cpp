#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "stackae/interactions_file.hpp"
#include "stackae/recommend.hpp"
#include "stackae/stackae.h"

#include "c/call.hpp"
#include "c/handles.hpp"
#include "c/options.hpp"
#include "c/pool.hpp"

using namespace stackae::c;
using stackae::Interactions;
using stackae::Recommender;
using stackae::ScoredItem;

struct stackae_recommender {
    std::shared_ptr<const stackae::Model> model;
    int threads;
    Pool<Recommender> recommenders;
};

struct stackae_recommendations {
    std::vector<std::string> items;
    std::vector<stackae_recommendation> all;
};

namespace {

void set(stackae_table** table, Interactions made) {
    put(table, "table", std::unique_ptr<stackae_table>(new stackae_table{std::move(made)}));
}

stackae::ValueMode read_value_mode(const char* const* options) {
    return stackae::parse<stackae::ValueMode>(*read_options<TableSet>(options).value);
}

std::vector<std::string> texts_of(const char* const* texts, std::int64_t n, const char* what) {
    check_at_least(what, 0, n);
    std::vector<std::string> all;
    for (std::int64_t i = 0; i < n; ++i) {
        all.emplace_back(&given((&given(texts, what))[i], what));
    }
    return all;
}

std::unique_ptr<stackae_recommendations> made_of(const Interactions& table,
                                                 const std::vector<ScoredItem>& found) {
    auto made = std::make_unique<stackae_recommendations>();
    for (const ScoredItem& one : found) {
        made->items.push_back(table.items[static_cast<std::size_t>(one.item)]);
    }
    for (std::size_t i = 0; i < found.size(); ++i) {
        made->all.push_back({made->items[i].c_str(), double{found[i].score}});
    }
    return made;
}

/// For a row of a table of the model's items.
std::unique_ptr<stackae_recommendations> recommend(Recommender& recommender, const Interactions& rows,
                                                   std::int64_t row) {
    std::vector<ScoredItem> found;
    const std::vector<stackae::Recommendations> all = recommender.recommend(rows, row, 1);
    for (const stackae::Recommendation& one : all.front().items) {
        found.push_back(one.found);
    }
    return made_of(rows, found);
}

}  // namespace

stackae_status stackae_table_open(const char* path, const char* const* options, stackae_table** table,
                                  char** message) {
    return call(message, [&] {
        stackae::TableReport report;
        set(table,
            stackae::read_interactions(&given(path, "path"), {.value = read_value_mode(options)}, report));
    });
}

stackae_status stackae_table_from_entries(const char* const* users, int64_t user_count,
                                          const char* const* items, int64_t item_count,
                                          const int64_t* of_users, const int64_t* of_items,
                                          const float* values, int64_t n, const char* const* options,
                                          stackae_table** table, char** message) {
    return call(message, [&] {
        check_at_least("entries", 0, n);
        std::vector<stackae::Rating> entries;
        for (std::int64_t i = 0; i < n; ++i) {
            entries.push_back({(&given(of_users, "of_users"))[i], (&given(of_items, "of_items"))[i],
                               values != nullptr ? values[i] : 1.0F});
        }
        set(table, stackae::make_interactions(texts_of(users, user_count, "users"),
                                              texts_of(items, item_count, "items"), entries,
                                              read_value_mode(options)));
    });
}

int64_t stackae_table_user_count(const stackae_table* table) {
    return table != nullptr ? table->table.user_count() : 0;
}

int64_t stackae_table_item_count(const stackae_table* table) {
    return table != nullptr ? table->table.item_count() : 0;
}

void stackae_table_free(stackae_table* table) {
    delete table;
}

stackae_status stackae_recommender_create(const stackae_model* model, const char* const* options,
                                          stackae_recommender** recommender, char** message) {
    return call(message, [&] {
        const auto read = read_options<RecommenderSet>(options);
        const std::shared_ptr<const stackae::Model> of = given(model, "model").model;
        const stackae::RecommendOptions recommend{
            .top = read.top, .include_known = read.include_known, .threads = static_cast<int>(read.threads)};
        auto made = std::unique_ptr<stackae_recommender>(new stackae_recommender{
            of, recommend.threads,
            Pool<Recommender>([of, recommend] { return Recommender(*of, recommend); })});
        // The first is made at once: what cannot be is told here.
        const stackae::SignalGuard guard(recommend.threads);
        made->recommenders.with([](Recommender& /*one*/) {});
        put(recommender, "recommender", std::move(made));
    });
}

stackae_status stackae_recommender_for_user(const stackae_recommender* recommender, const char* user,
                                            stackae_recommendations** recommendations, char** message) {
    return compute(message, recommender != nullptr ? recommender->threads : 1, [&] {
        const Interactions& table = given(recommender, "recommender").model->table;
        const std::int64_t row = stackae::user_number(table, &given(user, "user"));
        recommender->recommenders.with(
            [&](Recommender& one) { put(recommendations, "recommendations", recommend(one, table, row)); });
    });
}

stackae_status stackae_recommender_for_items(const stackae_recommender* recommender, const char* const* items,
                                             int64_t n, stackae_recommendations** recommendations,
                                             char** message) {
    return compute(message, recommender != nullptr ? recommender->threads : 1, [&] {
        const Interactions& table = given(recommender, "recommender").model->table;
        std::vector<std::int32_t> numbers;
        for (const std::string& item : texts_of(items, n, "items")) {
            numbers.push_back(stackae::item_number(table, item));
        }
        const Interactions row = stackae::row_of_items(table, numbers);
        recommender->recommenders.with(
            [&](Recommender& one) { put(recommendations, "recommendations", recommend(one, row, 0)); });
    });
}

stackae_status stackae_recommender_similar_items(const stackae_recommender* recommender, const char* item,
                                                 int64_t top, stackae_recommendations** recommendations,
                                                 char** message) {
    return compute(message, recommender != nullptr ? recommender->threads : 1, [&] {
        const stackae::Model& model = *given(recommender, "recommender").model;
        check_at_least("top", 1, top);
        const std::int32_t number = stackae::item_number(model.table, &given(item, "item"));
        put(recommendations, "recommendations",
            made_of(model.table, stackae::similar_items(model, number, top)));
    });
}

void stackae_recommender_free(stackae_recommender* recommender) {
    delete recommender;
}

int64_t stackae_recommendations_count(const stackae_recommendations* recommendations) {
    return recommendations != nullptr ? std::ssize(recommendations->all) : 0;
}

const stackae_recommendation* stackae_recommendations_at(const stackae_recommendations* recommendations,
                                                         int64_t i) {
    return i >= 0 && i < stackae_recommendations_count(recommendations)
               ? &recommendations->all[static_cast<std::size_t>(i)]
               : nullptr;
}

void stackae_recommendations_free(stackae_recommendations* recommendations) {
    delete recommendations;
}
