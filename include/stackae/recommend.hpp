#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "stackae/interactions.hpp"
#include "stackae/model.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

struct RecommendOptions {
    std::int64_t top = 10;       ///< items a user at most, 1 or more
    bool include_known = false;  ///< items that the user has already are ranked too
    /// For each item whether it may be recommended; empty: all may.
    std::vector<bool> allowed = {};
    std::int64_t explain = 0;  ///< known items that are named with each recommendation, at most
    int threads = 0;           ///< 0: one a core; results are the same at any number
};

struct ScoredItem {
    std::int32_t item = 0;  ///< of Model::table
    float score = 0.0F;     ///< how high the row's value of it is rebuilt

    friend bool operator==(const ScoredItem&, const ScoredItem&) = default;
};

struct Recommendation {
    ScoredItem found;
    /// Known items that raised its score most, each with how much the score falls where the item is taken out
    /// of the row; those that raised it alone.
    std::vector<ScoredItem> because;
};

struct Recommendations {
    /// By falling score; of equal ones the first item of the table before the others.
    std::vector<Recommendation> items;
    /// Nothing is known of the user: these are the items that most users have, with how many as the score.
    bool popular = false;
};

/// Ranks items for users by what they have: a user's row is rebuilt by the model's autoencoder, and an item's
/// score is the value that it is given there. It keeps what it needs of the model but the table, which must
/// outlive it. Use one per thread.
class Recommender {
public:
    /// Throws InvalidArgument where the model was not learnt from a table, cannot rebuild a row, or an option
    /// is out of its range.
    explicit Recommender(const Model& model, RecommendOptions options = {});
    ~Recommender();
    Recommender(Recommender&&) noexcept;
    Recommender& operator=(Recommender&&) noexcept;

    /// Of rows [first, first + count) of a table of the same items, which may be of users that the model has
    /// never seen, unless items are the rows that it was learnt from: then throws InvalidArgument. What such
    /// a model knows of a user is its own table's.
    [[nodiscard]] std::vector<Recommendations> recommend(const Interactions& users, std::int64_t first,
                                                         std::int64_t count);
    /// Scores of all items: count × items.
    [[nodiscard]] Tensor scores(const Interactions& users, std::int64_t first, std::int64_t count);
    /// Users that are best taken at a time.
    [[nodiscard]] std::int64_t batch_size() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// What a model rebuilds of the rows that it was learnt from, where they have no value or another, within the
/// range of the table's values. Of a row of which nothing is known, or a column of −1, it is the mean of the
/// user's values, of the item's where there are none, else of all. `value` is not looked at. Throws as
/// Recommender().
[[nodiscard]] std::vector<float> predict_ratings(const Model& model, std::span<const Rating> asked,
                                                 int threads = 0);

/// The number of a user or an item of a model's table, by its id. Throws InvalidArgument where there is none;
/// the message names the id, which the caller was given.
[[nodiscard]] std::int64_t user_number(const Interactions& table, std::string_view id);
[[nodiscard]] std::int32_t item_number(const Interactions& table, std::string_view id);

/// A row of its own for a user who has these items of a table, whatever their order; repeats count once. An
/// item's value is the mean of those that the table has for it (of what was taken or not: 1).
[[nodiscard]] Interactions row_of_items(const Interactions& table, std::span<const std::int32_t> items);

/// Items like one, without itself, most alike first: by what the lowest layer has learnt of its inputs
/// (Layer::input_similarity()), else, and where items are the rows, by the cosine of their features
/// (TableEncoder::items()). Throws as these.
[[nodiscard]] std::vector<ScoredItem> similar_items(const Model& model, std::int32_t item, std::int64_t top);

/// Takes a user out of the model's table: no byte of the id and of what it had is left there. What was learnt
/// stays, but where items are the rows: there what leads from and to the user is set to 0, and the user's
/// place is kept without an id. Throws as user_number().
void forget_user(Model& model, std::string_view id);

}  // namespace stackae
