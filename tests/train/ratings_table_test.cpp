#include <algorithm>
#include <cmath>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/recommend.hpp"
#include "stackae/train.hpp"

#include "base/random.hpp"
#include "layers/tensors.hpp"
#include "support/catch.hpp"
#include "support/interactions.hpp"
#include "support/temporary_folder.hpp"
#include "train/training.hpp"

/// Tables whose empty places say nothing: losses of what was observed, and items as rows.
namespace stackae {
namespace {

constexpr std::int64_t users = 60;
constexpr std::int64_t items = 40;

float rating_of(std::int64_t user, std::int64_t item) {
    return (user / 7 % 2 == 0) == (item / 3 % 2 == 0) ? 5.0F : 1.0F;
}

bool is_known(std::int64_t user, std::int64_t item) {
    const base::Random random(5, base::RandomStream::plan, static_cast<std::uint32_t>(user),
                              static_cast<std::uint32_t>(item));
    return random.below(0, 10) < 6;
}

/// Two kinds of users rate two kinds of items 5 and 1; six of ten ratings are there.
Interactions ratings() {
    std::vector<std::vector<std::int32_t>> rows(users);
    for (std::int64_t user = 0; user < users; ++user) {
        for (std::int32_t item = 0; item < items; ++item) {
            if (is_known(user, item)) {
                rows[static_cast<std::size_t>(user)].push_back(item);
            }
        }
    }
    Interactions table = test::table(rows, items);
    for (std::int64_t user = 0; user < users; ++user) {
        for (std::int64_t e = table.offsets[static_cast<std::size_t>(user)];
             e < table.offsets[static_cast<std::size_t>(user) + 1]; ++e) {
            table.values[static_cast<std::size_t>(e)] =
                rating_of(user, table.columns[static_cast<std::size_t>(e)]);
        }
    }
    return table;
}

TrainConfig config_of(const std::string& text) {
    TrainConfig config;
    read_config("validation = 0\nepochs = 60\nbatch_size = 10\nlearning_rate = 0.01\n" + text, config);
    return config;
}

Model learnt(const Interactions& table, const TrainConfig& config, std::int64_t threads = 2) {
    RunOptions run;
    run.threads = threads;
    TrainObserver observer;
    return train(table, config, run, observer);
}

Model by_items(const Interactions& table) {
    return learnt(table,
                  config_of("rows = item\nstack = dense:6:activation=sigmoid\nloss = masked_squared_error"));
}

}  // namespace

TEST_CASE("Ratings that are not there are predicted by those that are, by rows of users or of items") {
    const Interactions table = ratings();
    const std::string rows = GENERATE("user", "item");
    const Model model = learnt(table, config_of("stack = dense:6:activation=sigmoid\nloss = "
                                                "masked_squared_error\nrows = " +
                                                rows));
    CHECK(model.table == table);
    CHECK(model.input_shape().size() == (rows == "item" ? users : items));
    std::vector<Rating> asked;
    for (std::int64_t user = 0; user < users; ++user) {
        for (std::int64_t item = 0; item < items; ++item) {
            if (!is_known(user, item)) {
                asked.push_back({user, item, rating_of(user, item)});
            }
        }
    }
    const std::vector<float> predicted = predict_ratings(model, asked);
    double squares = 0.0;
    for (std::size_t i = 0; i < asked.size(); ++i) {
        squares += std::pow(double{predicted[i]} - double{asked[i].value}, 2.0);
        REQUIRE((predicted[i] >= 1.0F && predicted[i] <= 5.0F));
    }
    CHECK(std::sqrt(squares / static_cast<double>(asked.size())) < 0.7);  // 2 by the mean
}

TEST_CASE("Of whom nothing is known, the mean of what is known of the other side is predicted") {
    Interactions table = ratings();
    table.users.emplace_back("silent");
    table.offsets.push_back(table.offsets.back());
    const Model model = learnt(
        table, config_of("stack = dense:6:activation=sigmoid\nloss = masked_squared_error\nepochs = 2"));
    double of_item = 0.0;
    double count = 0.0;
    for (std::int64_t user = 0; user < users; ++user) {
        of_item += is_known(user, 3) ? double{rating_of(user, 3)} : 0.0;
        count += is_known(user, 3) ? 1.0 : 0.0;
    }
    const auto predicted =
        predict_ratings(model, std::vector<Rating>{{users, 3, 0.0F}, {-1, 3, 0.0F}, {-1, -1, 0.0F}});
    CHECK(double{predicted[0]} == Approx(of_item / count));
    CHECK(predicted[1] == predicted[0]);
    double all = 0.0;
    for (const float value : table.values) {
        all += double{value};
    }
    CHECK(double{predicted[2]} == Approx(all / static_cast<double>(table.entry_count())));
}

TEST_CASE("A model of items' rows recommends to the users that it knows, and to no others") {
    const Interactions table = ratings();
    const Model model = by_items(table);
    Recommender recommender(model, {.top = 5});
    const auto found = recommender.recommend(table, 20, 11);
    for (std::int64_t user = 20; user < 31; ++user) {
        const Recommendations& own = found[static_cast<std::size_t>(user - 20)];
        REQUIRE(own.items.size() == 5);
        CHECK(rating_of(user, own.items.front().found.item) == 5.0F);
        for (const Recommendation& each : own.items) {
            CHECK_FALSE(is_known(user, each.found.item));
        }
    }
    const auto stranger = row_of_items(table, std::vector<std::int32_t>{1, 2});
    CHECK_THROWS_WITH(recommender.recommend(stranger, 0, 1), test::contains("does not know"));
    CHECK_THROWS_AS(Recommender(model, {.explain = 1}), InvalidArgument);
}

TEST_CASE("What a model of items' rows has learnt of a user is forgotten with the user") {
    Interactions table = ratings();
    table.users[7] = "Zoë, 7 High Street";
    Model model = by_items(table);
    forget_user(model, "Zoë, 7 High Street");
    const test::TemporaryFolder folder;
    save(model, folder / "model");
    CHECK(test::read_text(folder / "model").find("High Street") == std::string::npos);
    Model back = load_model(folder / "model");
    CHECK(back.table.users[7].empty());
    CHECK(back.table.items_of(7).empty());
    CHECK(back.table.entry_count() == table.entry_count() - std::ssize(table.items_of(7)));
    Encoder encoder(back);
    Tensor row({1, users});
    const Tensor without = encoder.encode(row);
    row.data()[7] = 5.0F;
    const Tensor with = encoder.encode(row);
    CHECK(std::equal(with.values().begin(), with.values().end(), without.values().begin()));
    CHECK(encoder.reconstruct(row).data()[7] == 0.0F);
    CHECK(Recommender(back, {.top = 2}).recommend(back.table, 7, 1).front().popular);
}

TEST_CASE(
    "The multinomial denoising autoencoder recommends of one's own taste, the same at any number of "
    "threads") {
    const Interactions table = test::two_tastes(300);
    const TrainConfig config = config_of(
        "stack = l2_norm, dense:12:activation=tanh, dense:6:activation=tanh\nloss = multinomial\ncorruption "
        "= "
        "dropout\ncorruption_level = 0.5\nfine_tune_epochs = 20\nfine_tune_corruption_level = 0.5\nepochs = "
        "20");
    const Model model = learnt(table, config);
    CHECK(learnt(table, config, 1).identity() == model.identity());
    const auto user = row_of_items(table, std::vector<std::int32_t>{0, 1, 2, 4});
    const Recommendations found = Recommender(model, {.top = 6}).recommend(user, 0, 1).front();
    for (const Recommendation& each : found.items) {
        CHECK(each.found.item < 10);
    }
}

TEST_CASE("Rows of a table that no layer has learnt to change are made anew and never held") {
    const Interactions table = test::two_tastes(5000);
    const std::string learns = "dense:2:activation=tanh:epochs=1";
    const auto held = [&](const std::string& stack) {
        return plan_training(table, config_of("loss = multinomial\nstack = " + stack), {}).memory_bytes;
    };
    const std::int64_t rows = table.user_count() * table.item_count() * 4;
    CHECK(held("l2_norm, " + learns) < held(learns) + rows / 2);
    CHECK(held("dense:20, " + learns) > held(learns) + rows / 2);
}

TEST_CASE("A loss of observations needs a linear output, and rows of the table") {
    const Interactions table = ratings();
    CHECK_THROWS_WITH(learnt(table, config_of("stack = dense:4:output=sigmoid\nloss = masked_squared_error")),
                      test::contains("needs a linear output"));
    CHECK_THROWS_WITH(learnt(table, config_of("stack = dense:4")), test::contains("0 to 1 expected"));
    Interactions taken = table;
    taken.values.assign(taken.values.size(), 1.0F);
    CHECK_THROWS_WITH(learnt(taken, config_of("stack = dense:4\nloss = masked_squared_error")),
                      test::contains("every value is 1"));
    CHECK_THROWS_WITH(plan_training(10, test::preprocessing_of(test::strokes(1)),
                                    config_of("rows = item\nstack = dense:4"), {}),
                      test::contains("there is no table"));
}

}  // namespace stackae
