#include "stackae/recommend.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/table_encoder.hpp"

#include "search/top_k.hpp"

namespace stackae {
namespace {

/// Of rows and of their scores, each; as many as layers that multiply rows take at a time, since less than
/// that is filled up.
constexpr std::int64_t batch_floats = std::int64_t{32} << 20U;
constexpr std::int64_t max_batch = 256;

constexpr float never = -std::numeric_limits<float>::infinity();

/// The first `top` of the items by falling score, without those that are never recommended.
std::vector<ScoredItem> best(std::span<const float> scores, std::int64_t top) {
    search::TopK found;  // of what is lowest
    found.reset(std::min(top, std::ssize(scores)));
    for (std::size_t i = 0; i < scores.size(); ++i) {
        if (-scores[i] < found.worst()) {
            found.push(-scores[i], static_cast<std::int64_t>(i));
        }
    }
    auto rows = found.settle();
    std::sort(rows.begin(), rows.end());
    std::vector<ScoredItem> items;
    for (const auto& row : rows) {
        items.push_back({static_cast<std::int32_t>(row.row), -row.score});
    }
    return items;
}

/// Of each item, over the users who have it; of one that nobody has, over all entries.
std::vector<float> mean_values(const Interactions& table) {
    std::vector<double> sums(table.items.size());
    double all = 0.0;
    for (std::size_t i = 0; i < table.columns.size(); ++i) {
        sums[static_cast<std::size_t>(table.columns[i])] += double{table.values[i]};
        all += double{table.values[i]};
    }
    const std::vector<std::int64_t> counts = item_counts(table);
    const double usual = table.values.empty() ? 1.0 : all / static_cast<double>(table.values.size());
    std::vector<float> means;
    for (std::size_t i = 0; i < sums.size(); ++i) {
        means.push_back(static_cast<float>(counts[i] > 0 ? sums[i] / static_cast<double>(counts[i]) : usual));
    }
    return means;
}

std::int64_t number_of(const std::vector<std::string>& ids, std::string_view id, const char* what) {
    const auto found = std::find(ids.begin(), ids.end(), id);
    if (found == ids.end()) {
        throw InvalidArgument(
            fmt::format("{} \"{}\": not found among the {} that the model knows", what, id, ids.size()));
    }
    return found - ids.begin();
}

bool is_by_item(const Model& model) {
    return model.record.config.rows == TableRow::item;
}

/// Of so many values, with what is rebuilt of them.
std::int64_t rows_at_a_time(std::int64_t columns) {
    return std::clamp<std::int64_t>(batch_floats / columns, 1, max_batch);
}

/// What is known of a rating's sides without a model.
float mean_rating(const Interactions& table, const Interactions& turned, const Rating& rating) {
    const auto mean = [](std::span<const float> values) {
        return static_cast<float>(std::accumulate(values.begin(), values.end(), 0.0) /
                                  static_cast<double>(values.size()));
    };
    if (rating.user >= 0 && !table.values_of(rating.user).empty()) {
        return mean(table.values_of(rating.user));
    }
    if (rating.item >= 0 && !turned.values_of(rating.item).empty()) {
        return mean(turned.values_of(rating.item));
    }
    return mean(table.values);
}

void check_rebuilds(const Model& model) {
    if (model.table.items.empty()) {
        throw InvalidArgument("recommendations: a model of pictures found, one of a table expected");
    }
    if (const std::size_t layer = model.uninvertible_layer(model.reconstruction.depth); layer > 0) {
        throw InvalidArgument(fmt::format("recommendations: layer {}, {}, cannot rebuild its input", layer,
                                          model.layers[layer - 1].type()));
    }
}

}  // namespace

struct Recommender::State {
    State(const Model& model, RecommendOptions wanted)
        : table(model.table),
          encoder(model, {.threads = wanted.threads}),
          options(std::move(wanted)),
          counts(item_counts(model.table)) {
        if (is_by_item(model)) {
            turned = transposed(model.table);
            for (std::size_t i = 0; i < table.users.size(); ++i) {
                numbers.emplace(table.users[i], static_cast<std::int64_t>(i));
            }
        }
    }

    const Interactions& table;
    Encoder encoder;
    RecommendOptions options;
    std::vector<std::int64_t> counts;  ///< of users who have each item
    // Where items are the rows:
    Interactions turned;                                         ///< items × users
    std::unordered_map<std::string_view, std::int64_t> numbers;  ///< of the table's users

    [[nodiscard]] bool by_item() const { return !turned.items.empty(); }
    /// A column of all rows for each of those users.
    Tensor columns_of(const Interactions& users, std::int64_t first, std::int64_t count);

    void leave_out(const Interactions& users, std::int64_t user, std::span<float> scores) const;
    void explain(const Interactions& users, std::int64_t user, std::vector<Recommendation>& items);
};

Recommender::Recommender(const Model& model, RecommendOptions options) {
    check_rebuilds(model);
    if (options.explain > 0 && is_by_item(model)) {
        throw InvalidArgument("explanations: a model whose rows are items found, one of users expected");
    }
    if (options.top < 1 ||
        (!options.allowed.empty() && std::ssize(options.allowed) != model.table.item_count())) {
        throw InvalidArgument(
            fmt::format("recommendations: top {} and {} items to choose from found, 1 or more "
                        "and {} expected",
                        options.top, options.allowed.size(), model.table.item_count()));
    }
    state_ = std::make_unique<State>(model, std::move(options));
}

Recommender::~Recommender() = default;
Recommender::Recommender(Recommender&&) noexcept = default;
Recommender& Recommender::operator=(Recommender&&) noexcept = default;

std::int64_t Recommender::batch_size() const {
    if (state_->by_item()) {  // all rows are rebuilt for any number of users
        return std::clamp<std::int64_t>(batch_floats / state_->table.item_count(), 1,
                                        std::max<std::int64_t>(1, state_->table.user_count()));
    }
    return rows_at_a_time(state_->table.item_count());
}

Tensor Recommender::scores(const Interactions& users, std::int64_t first, std::int64_t count) {
    if (users.item_count() != state_->table.item_count()) {
        throw InvalidArgument(fmt::format("recommendations: rows of {} items found, {} expected",
                                          users.item_count(), state_->table.item_count()));
    }
    return state_->by_item() ? state_->columns_of(users, first, count)
                             : state_->encoder.reconstruct(dense_rows(users, first, count));
}

Tensor Recommender::State::columns_of(const Interactions& users, std::int64_t first, std::int64_t count) {
    std::vector<std::int64_t> columns;
    for (std::int64_t i = first; i < first + count; ++i) {
        const auto found = numbers.find(users.users[static_cast<std::size_t>(i)]);
        if (found == numbers.end()) {
            throw InvalidArgument(
                "recommendations: a user that the model does not know found; one whose rows are items knows "
                "the users of its table alone");
        }
        columns.push_back(found->second);
    }
    Tensor scores({count, table.item_count()});
    const std::int64_t some = rows_at_a_time(table.user_count());
    for (std::int64_t item = 0; item < table.item_count(); item += some) {
        const std::int64_t n = std::min(some, table.item_count() - item);
        const Tensor rebuilt = encoder.reconstruct(dense_rows(turned, item, n));
        for (std::int64_t i = 0; i < n; ++i) {
            for (std::int64_t user = 0; user < count; ++user) {
                scores.row(user)[static_cast<std::size_t>(item + i)] =
                    rebuilt.row(i)[static_cast<std::size_t>(columns[static_cast<std::size_t>(user)])];
            }
        }
    }
    return scores;
}

void Recommender::State::leave_out(const Interactions& users, std::int64_t user,
                                   std::span<float> scores) const {
    for (std::size_t i = 0; i < options.allowed.size(); ++i) {
        scores[i] = options.allowed[i] ? scores[i] : never;
    }
    for (const std::int32_t item : users.items_of(user)) {
        float& score = scores[static_cast<std::size_t>(item)];
        score = options.include_known ? score : never;
    }
}

std::vector<Recommendations> Recommender::recommend(const Interactions& users, std::int64_t first,
                                                    std::int64_t count) {
    Tensor all = scores(users, first, count);
    std::vector<Recommendations> found(static_cast<std::size_t>(count));
    for (std::int64_t i = 0; i < count; ++i) {
        Recommendations& own = found[static_cast<std::size_t>(i)];
        own.popular = users.items_of(first + i).empty();
        if (own.popular) {
            std::transform(state_->counts.begin(), state_->counts.end(), all.row(i).begin(),
                           [](std::int64_t users_of) { return static_cast<float>(users_of); });
        }
        state_->leave_out(users, first + i, all.row(i));
        for (const ScoredItem& item : best(all.row(i), state_->options.top)) {
            own.items.push_back({item, {}});
        }
        if (state_->options.explain > 0 && !own.popular) {
            state_->explain(users, first + i, own.items);
        }
    }
    return found;
}

/// By the user's row without one of its items, for each of these.
void Recommender::State::explain(const Interactions& users, std::int64_t user,
                                 std::vector<Recommendation>& items) {
    const auto known = users.items_of(user);
    const Tensor whole = dense_rows(users, user, 1);
    const std::int64_t at_a_time = rows_at_a_time(whole.columns());
    for (std::int64_t first = 0; first < std::ssize(known); first += at_a_time) {
        const std::int64_t count = std::min(at_a_time, std::ssize(known) - first);
        Tensor without({count, whole.columns()});
        for (std::int64_t k = 0; k < count; ++k) {
            const auto to = without.row(k);
            std::copy(whole.values().begin(), whole.values().end(), to.begin());
            to[static_cast<std::size_t>(known[static_cast<std::size_t>(first + k)])] = 0.0F;
        }
        const Tensor scored = encoder.reconstruct(without);
        for (Recommendation& item : items) {
            for (std::int64_t k = 0; k < count; ++k) {
                const float fall =
                    item.found.score - scored.row(k)[static_cast<std::size_t>(item.found.item)];
                if (fall > 0.0F) {
                    item.because.push_back({known[static_cast<std::size_t>(first + k)], fall});
                }
            }
        }
    }
    for (Recommendation& item : items) {
        std::stable_sort(item.because.begin(), item.because.end(),
                         [](const ScoredItem& a, const ScoredItem& b) { return a.score > b.score; });
        item.because.resize(static_cast<std::size_t>(std::min(options.explain, std::ssize(item.because))));
    }
}

std::vector<float> predict_ratings(const Model& model, std::span<const Rating> asked, int threads) {
    check_rebuilds(model);
    const bool by_item = is_by_item(model);
    const Interactions& table = model.table;
    if (table.values.empty()) {
        throw InvalidArgument("ratings: a model of a table without entries found");
    }
    const Interactions turned = transposed(table);
    const Interactions& rows = by_item ? turned : table;
    const auto low = std::min_element(table.values.begin(), table.values.end());
    const auto high = std::max_element(table.values.begin(), table.values.end());
    std::vector<float> predicted(asked.size());
    std::vector<std::pair<std::int64_t, std::size_t>> of_rows;  // those that are rebuilt, and what of them
    for (std::size_t i = 0; i < asked.size(); ++i) {
        const auto [row, column] =
            by_item ? std::pair(asked[i].item, asked[i].user) : std::pair(asked[i].user, asked[i].item);
        if (row < 0 || column < 0 || rows.items_of(row).empty()) {
            predicted[i] = mean_rating(table, turned, asked[i]);
        } else {
            of_rows.emplace_back(row, i);
        }
    }
    std::sort(of_rows.begin(), of_rows.end());
    Encoder encoder(model, {.threads = threads});
    for (std::size_t begin = 0; begin < of_rows.size();) {
        const std::int64_t first = of_rows[begin].first;
        const std::int64_t count =
            std::min(rows_at_a_time(rows.item_count()), of_rows.back().first + 1 - first);
        const Tensor rebuilt = encoder.reconstruct(dense_rows(rows, first, count));
        for (; begin < of_rows.size() && of_rows[begin].first < first + count; ++begin) {
            const auto [row, i] = of_rows[begin];
            const std::int64_t column = by_item ? asked[i].user : asked[i].item;
            predicted[i] =
                std::clamp(rebuilt.row(row - first)[static_cast<std::size_t>(column)], *low, *high);
        }
    }
    return predicted;
}

std::int64_t user_number(const Interactions& table, std::string_view id) {
    return number_of(table.users, id, "user");
}

std::int32_t item_number(const Interactions& table, std::string_view id) {
    return static_cast<std::int32_t>(number_of(table.items, id, "item"));
}

Interactions row_of_items(const Interactions& table, std::span<const std::int32_t> items) {
    Interactions row;
    row.users = {"new"};
    row.items = table.items;
    row.value_mode = table.value_mode;
    row.columns.assign(items.begin(), items.end());
    std::sort(row.columns.begin(), row.columns.end());
    row.columns.erase(std::unique(row.columns.begin(), row.columns.end()), row.columns.end());
    const std::vector<float> values = mean_values(table);
    for (const std::int32_t item : row.columns) {
        row.values.push_back(values[static_cast<std::size_t>(item)]);
    }
    row.offsets.push_back(std::ssize(row.columns));
    return row;
}

namespace {

/// The cosine of an item's features and those of all.
Tensor alike_by_features(const Model& model, std::int32_t item) {
    TableEncoder encoder(model, {.l2_normalize = true});
    const Tensor own = encoder.items(item, 1);
    Tensor alike({model.table.item_count()});
    for (std::int64_t first = 0; first < alike.size(); first += encoder.batch_size()) {
        const Tensor codes = encoder.items(first, std::min(encoder.batch_size(), alike.size() - first));
        for (std::int64_t i = 0; i < codes.rows(); ++i) {
            alike.data()[first + i] = static_cast<float>(
                std::inner_product(own.values().begin(), own.values().end(), codes.row(i).begin(), 0.0));
        }
    }
    return alike;
}

}  // namespace

std::vector<ScoredItem> similar_items(const Model& model, std::int32_t item, std::int64_t top) {
    if (model.table.items.empty() || item < 0 || item >= model.table.item_count()) {
        throw InvalidArgument(
            fmt::format("similar items: item {} of {} found", item, model.table.item_count()));
    }
    Tensor alike = is_by_item(model) ? Tensor() : model.layers[0].input_similarity(item);
    if (alike.empty()) {
        alike = alike_by_features(model, item);
    }
    alike.data()[item] = never;
    return best(alike.values(), top);
}

namespace {

/// What the layers have learnt of a value of a row becomes 0.
void forget_input(Model& model, std::int64_t input) {
    for (std::size_t i = 0; i < model.layers.size(); ++i) {
        const Layer& layer = model.layers[i];
        std::shared_ptr<const Layer> without = layer.without_input(input);
        if (!without) {
            throw InvalidArgument(fmt::format("layer {}, {}: what it learnt of a user cannot be taken out",
                                              i + 1, layer.type()));
        }
        const bool learns = layer.is_trained();
        model.layers.replace(i, std::move(without));
        if (learns) {
            return;
        }
    }
}

}  // namespace

void forget_user(Model& model, std::string_view id) {
    Interactions& table = model.table;
    const std::int64_t user = user_number(table, id);
    if (is_by_item(model)) {
        forget_input(model, user);
    }
    const auto begin = static_cast<std::ptrdiff_t>(table.offsets[static_cast<std::size_t>(user)]);
    const auto end = static_cast<std::ptrdiff_t>(table.offsets[static_cast<std::size_t>(user) + 1]);
    table.columns.erase(table.columns.begin() + begin, table.columns.begin() + end);
    table.values.erase(table.values.begin() + begin, table.values.begin() + end);
    std::transform(table.offsets.begin() + user + 1, table.offsets.end(), table.offsets.begin() + user + 1,
                   [&](std::int64_t offset) { return offset - (end - begin); });
    if (is_by_item(model)) {
        table.users[static_cast<std::size_t>(user)].clear();
    } else {
        table.users.erase(table.users.begin() + user);
        table.offsets.erase(table.offsets.begin() + user + 1);
    }
}

}  // namespace stackae
