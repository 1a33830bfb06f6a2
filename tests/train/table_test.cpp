#include <Eigen/Core>
#include <Eigen/LU>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <numeric>

#include "stackae/error.hpp"
#include "stackae/recommend.hpp"
#include "stackae/train.hpp"

#include "base/rows.hpp"
#include "layers/tensors.hpp"
#include "support/catch.hpp"
#include "support/interactions.hpp"
#include "support/temporary_folder.hpp"
#include "train/training.hpp"

namespace stackae {
namespace {

TrainConfig config_of(const std::string& stack) {
    TrainConfig config;
    config.stack = parse_stack(stack);
    config.validation = 0.0;
    return config;
}

Model learnt(const Interactions& table, const std::string& stack, std::int64_t threads = 2) {
    RunOptions run;
    run.threads = threads;
    TrainObserver observer;
    return train(table, config_of(stack), run, observer);
}

Recommendations recommended(const Model& model, const RecommendOptions& options, const Interactions& user) {
    return Recommender(model, options).recommend(user, 0, 1).front();
}

/// X, users × items.
Eigen::MatrixXd dense(const Interactions& table) {
    Eigen::MatrixXd x = Eigen::MatrixXd::Zero(table.user_count(), table.item_count());
    for (std::int64_t u = 0; u < table.user_count(); ++u) {
        for (std::size_t k = 0; k < table.items_of(u).size(); ++k) {
            x(u, table.items_of(u)[k]) = double{table.values_of(u)[k]};
        }
    }
    return x;
}

/// W by the formula, in double precision.
Eigen::MatrixXd weights_of(const Interactions& table, double p, double l2, double alpha, double beta) {
    const Eigen::MatrixXd x = dense(table);
    const Eigen::VectorXd counts = (x.array() > 0).cast<double>().colwise().sum().transpose();
    const Eigen::VectorXd lengths = (x.array() > 0).cast<double>().rowwise().sum();
    const Eigen::VectorXd of_users = lengths.array().max(1.0).pow(-beta);
    Eigen::MatrixXd g = x.transpose() * of_users.asDiagonal() * x;
    g.diagonal().array() += l2 + p / (1.0 - p) * counts.array();
    const Eigen::MatrixXd inverse = g.inverse();
    Eigen::MatrixXd w(inverse.rows(), inverse.cols());
    for (Eigen::Index i = 0; i < w.rows(); ++i) {
        for (Eigen::Index j = 0; j < w.cols(); ++j) {
            w(i, j) = i == j ? 0.0
                             : -inverse(i, j) / inverse(j, j) * std::pow(std::max(counts(i), 1.0), alpha) *
                                   std::pow(std::max(counts(j), 1.0), -alpha);
        }
    }
    return w;
}

}  // namespace

TEST_CASE("The linear denoising autoencoder of a table is that of its formula") {
    Interactions table = test::two_tastes(200, 150);
    table.values[5] = 3.0F;  // not 0 and 1 alone
    const Model model = learnt(table, "edlae:0.3:l2=7:item_power=0.25:user_power=0.4");
    const Eigen::MatrixXd expected = weights_of(table, 0.3, 7.0, 0.25, 0.4);
    const Eigen::MatrixXd scores = dense(table) * expected;
    Recommender recommender(model);
    const Tensor found = recommender.scores(table, 0, 200);
    double worst = 0.0;
    for (std::int64_t u = 0; u < 200; ++u) {
        for (std::int64_t i = 0; i < 150; ++i) {
            worst =
                std::max(worst, std::abs(double{found.row(u)[static_cast<std::size_t>(i)]} - scores(u, i)));
        }
    }
    CHECK(worst < 1e-5 * scores.cwiseAbs().maxCoeff());
    CHECK(scores.cwiseAbs().maxCoeff() > 0.1);
}

TEST_CASE("Items are alike by the partial correlation that the table has, popularity apart") {
    const Interactions table = test::two_tastes(300);
    const Model model = learnt(table, "edlae:0.5:l2=2:item_power=0.3");
    const Eigen::MatrixXd x = dense(table);
    const Eigen::VectorXd counts = x.colwise().sum().transpose();
    Eigen::MatrixXd g = x.transpose() * x.rowwise().sum().array().pow(-0.2).matrix().asDiagonal() * x;
    g.diagonal() += (2.0 + counts.array()).matrix();
    const Eigen::MatrixXd p = g.inverse();
    const auto found = similar_items(model, 3, 20);
    REQUIRE(found.size() == 19);
    for (const ScoredItem& each : found) {
        CHECK(double{each.score} ==
              Approx(-p(3, each.item) / std::sqrt(p(3, 3) * p(each.item, each.item))).margin(1e-5));
    }
    CHECK(std::is_sorted(found.begin(), found.end(),
                         [](const ScoredItem& a, const ScoredItem& b) { return a.score > b.score; }));
}

TEST_CASE("A table gives the same model at any number of threads, and from its file") {
    const Interactions table = test::two_tastes(150, 300);
    const test::TemporaryFolder folder;
    const std::string stack = GENERATE("edlae", "elsa:20:epochs=2");
    save(learnt(table, stack, 1), folder / "one");
    save(learnt(table, stack, 3), folder / "three");
    CHECK(test::read_text(folder / "one") == test::read_text(folder / "three"));
    const Model back = load_model(folder / "one");
    CHECK(back.table == table);
    CHECK(back.record.pictures == 150);
}

TEST_CASE("A model's file says what the values of its table are") {
    Interactions table = test::two_tastes(30);
    table.value_mode = ValueMode::log;
    const test::TemporaryFolder folder;
    save(learnt(table, "edlae"), folder / "shop.stackae");
    CHECK(load_model(folder / "shop.stackae").table.value_mode == ValueMode::log);
}

TEST_CASE("Items of one's own taste are recommended, known ones and others only where that is asked for") {
    const Interactions table = test::two_tastes(400);
    const Model model = learnt(table, "edlae");
    const std::vector<std::int32_t> lower{0, 1, 2};
    const Interactions user = row_of_items(table, lower);
    const auto items_by = [&](const RecommendOptions& options) {
        const Recommendations found = recommended(model, options, user);
        std::vector<std::int32_t> items;
        for (const Recommendation& each : found.items) {
            items.push_back(each.found.item);
        }
        return items;
    };
    const auto five = items_by({.top = 5});
    CHECK(five.size() == 5);
    CHECK(std::all_of(five.begin(), five.end(), [](std::int32_t item) { return item >= 3 && item < 10; }));
    CHECK(items_by({.top = 100}).size() == 17);
    CHECK(items_by({.top = 100, .include_known = true}).size() == 20);
    std::vector<bool> allowed(20);
    allowed[1] = allowed[7] = allowed[15] = true;
    CHECK(items_by({.top = 100, .allowed = allowed}) == std::vector<std::int32_t>{7, 15});
    CHECK_THROWS_AS(items_by({.top = 0}), InvalidArgument);
    CHECK_THROWS_AS(items_by({.allowed = {true}}), InvalidArgument);
}

TEST_CASE("What weighed most is that of which the score falls most") {
    const Interactions table = test::two_tastes(400);
    const Model model = learnt(table, "edlae");
    const auto user = row_of_items(table, std::vector<std::int32_t>{0, 1, 12});
    const auto found = recommended(model, {.top = 3, .explain = 2}, user).items;
    REQUIRE(found.size() == 3);
    for (const Recommendation& each : found) {
        REQUIRE_FALSE(each.because.empty());
        CHECK(each.because.size() <= 2);
        for (const ScoredItem& because : each.because) {
            CHECK(double{because.score} ==
                  Approx(double{layers::tensors_of(model.layers[0])
                                    .begin()
                                    ->tensor->row(because.item)[static_cast<std::size_t>(each.found.item)]})
                      .margin(1e-6));
        }
    }
}

TEST_CASE("Who has nothing is given what most have, marked so") {
    const Interactions table = test::two_tastes(101);
    const Model model = learnt(table, "edlae");
    const Interactions nobody = row_of_items(table, {});
    const Recommendations found = recommended(model, {.top = 20}, nobody);
    CHECK(found.popular);
    REQUIRE(found.items.size() == 20);
    std::vector<float> counts(20);
    for (const std::int32_t item : table.columns) {
        counts[static_cast<std::size_t>(item)] += 1.0F;
    }
    for (std::size_t i = 0; i < 20; ++i) {
        CHECK(found.items[i].found.score == counts[static_cast<std::size_t>(found.items[i].found.item)]);
        CHECK((i == 0 || found.items[i].found.score <= found.items[i - 1].found.score));
    }
}

TEST_CASE("No byte of a user who is forgotten is left in the file") {
    Interactions table = test::two_tastes(30);
    table.users[7] = "Zoë, 7 High Street";
    Model model = learnt(table, "edlae");
    const std::string identity = model.identity();
    forget_user(model, "Zoë, 7 High Street");
    const test::TemporaryFolder folder;
    save(model, folder / "model");
    CHECK(test::read_text(folder / "model").find("High Street") == std::string::npos);
    const Model back = load_model(folder / "model");
    CHECK(back.identity() == identity);
    REQUIRE(back.table.user_count() == 29);
    for (std::int64_t u = 0; u < 29; ++u) {
        const std::int64_t before = u < 7 ? u : u + 1;
        CHECK(back.table.users[static_cast<std::size_t>(u)] == table.users[static_cast<std::size_t>(before)]);
        CHECK(std::equal(back.table.items_of(u).begin(), back.table.items_of(u).end(),
                         table.items_of(before).begin(), table.items_of(before).end()));
    }
    CHECK_THROWS_AS(forget_user(model, "Zoë, 7 High Street"), InvalidArgument);
}

TEST_CASE("Tables that cannot be are refused, with no user's id in the message") {
    const Interactions whole = test::two_tastes(10);
    const auto message_of = [](const Interactions& table) -> std::string {
        try {
            check(table);
        } catch (const InvalidArgument& error) {
            return error.what();
        }
        return "";
    };
    CHECK(message_of(whole).empty());
    std::vector<Interactions> broken(8, whole);
    broken[0].items.clear();
    broken[1].columns[1] = broken[1].columns[0];
    broken[2].columns.back() = 20;
    broken[3].values[0] = 0.0F;
    broken[4].values[0] = std::nanf("");
    broken[5].users[1] = broken[5].users[0];
    broken[6].offsets.back() += 1;
    broken[7].users.pop_back();
    for (const Interactions& table : broken) {
        CHECK(message_of(table).starts_with("table: "));
        CHECK(message_of(table).find("user 0") == std::string::npos);
    }
}

TEST_CASE(
    "The factorised linear autoencoder recommends items of one's own taste, and rebuilds better as it "
    "learns") {
    const Interactions table = test::two_tastes(400);
    TrainConfig config = config_of("elsa:6");
    config.validation = 0.2;
    test::Recorder recorder;
    const Model model = train(table, config, {}, recorder);
    REQUIRE(recorder.epochs.size() == 20);
    CHECK(*recorder.epochs.back().train_loss < 0.8 * *recorder.epochs.front().train_loss);
    CHECK(*recorder.epochs.back().validation_loss < 0.8 * *recorder.epochs.front().validation_loss);
    const auto user = row_of_items(table, std::vector<std::int32_t>{0, 1, 2});
    const auto found = recommended(model, {.top = 7}, user).items;
    REQUIRE(found.size() == 7);
    for (const Recommendation& each : found) {
        CHECK(each.found.item < 10);
    }
    for (const ScoredItem& each : similar_items(model, 3, 5)) {
        CHECK(each.item < 10);
    }
    const Tensor& weights = *layers::tensors_of(model.layers[0]).begin()->tensor;
    for (std::int64_t i = 0; i < weights.rows(); ++i) {
        CHECK(base::squared_norm(weights.row(i)) == Approx(1.0).epsilon(1e-5));
    }
}

TEST_CASE("How a factorised layer learns is its own, whatever the training says of other layers") {
    const Interactions table = test::two_tastes(90);
    const auto epochs_of = [&](const std::string& stack, std::int64_t epochs) {
        TrainConfig config = config_of(stack);
        config.epochs = epochs;
        return plan_training(table, config, {}).stages.front().epochs;
    };
    CHECK(epochs_of("elsa:4", 10) == 20);
    CHECK(epochs_of("elsa:4", 3) == 20);
    CHECK(epochs_of("elsa:4:epochs=10", 3) == 10);
    CHECK(epochs_of("elsa:4:epochs=0", 10) == 0);
    const Model untrained = learnt(table, "elsa:4:epochs=0");
    CHECK(untrained.layers.size() == 1);
}

TEST_CASE("A factorised layer keeps the weights that were best on users held out, and patience ends it") {
    const Interactions table = test::random_table(60, 30, 9, 2);  // nothing to learn but the table
    const auto trained = [&](std::int64_t epochs, std::int64_t patience, test::Recorder& recorder) {
        TrainConfig config = config_of(fmt::format("elsa:12:epochs={}", epochs));
        config.validation = 0.3;
        config.patience = patience;
        config.schedule = ScheduleKind::constant;
        return train(table, config, {}, recorder);
    };
    constexpr std::int64_t most = 30;
    test::Recorder recorder;
    const Model model = trained(most, 0, recorder);
    const auto& epochs = recorder.epochs;
    REQUIRE(std::ssize(epochs) == most);
    const auto best = std::min_element(epochs.begin(), epochs.end(), [](const auto& a, const auto& b) {
        return *a.validation_loss < *b.validation_loss;
    });
    REQUIRE(best->epoch + 2 < most);
    test::Recorder shorter;
    const Model until_best = trained(best->epoch, 0, shorter);
    const auto weights = [](const Model& of) {
        return layers::tensors_of(of.layers[0]).begin()->tensor->values();
    };
    CHECK(std::equal(weights(model).begin(), weights(model).end(), weights(until_best).begin()));
    test::Recorder patient;
    (void)trained(most, 2, patient);
    REQUIRE(std::ssize(patient.epochs) < most);
    REQUIRE(std::ssize(patient.epochs) > 2);
    const auto end = patient.epochs.end();
    CHECK(*(end - 2)->validation_loss >= *(end - 3)->validation_loss);
    CHECK(*(end - 1)->validation_loss >= *(end - 3)->validation_loss);
}

/// Mean of 2 − 2 cos(x, m) over the rows x, m the mean of the rows at length 1.
double loss_of_mean(const Interactions& table) {
    std::vector<double> mean(static_cast<std::size_t>(table.item_count()));
    const auto each_entry = [&](const auto& body) {
        for (std::size_t row = 0; row + 1 < table.offsets.size(); ++row) {
            const auto first = static_cast<std::size_t>(table.offsets[row]);
            const auto last = static_cast<std::size_t>(table.offsets[row + 1]);
            double squares = 0.0;
            for (std::size_t e = first; e < last; ++e) {
                squares += double{table.values[e]} * double{table.values[e]};
            }
            for (std::size_t e = first; e < last; ++e) {
                body(static_cast<std::size_t>(table.columns[e]),
                     double{table.values[e]} / std::sqrt(squares));
            }
        }
    };
    each_entry([&](std::size_t column, double value) { mean[column] += value; });
    const double length = std::sqrt(std::inner_product(mean.begin(), mean.end(), mean.begin(), 0.0));
    double cosines = 0.0;
    each_entry([&](std::size_t column, double value) { cosines += value * mean[column] / length; });
    return 2.0 - 2.0 * cosines / static_cast<double>(table.user_count());
}

TEST_CASE("A factorised layer that learnt nothing is tried again more slowly, and says so where none helps") {
    const auto trained = [&](const Interactions& table, const std::string& stack, std::int64_t retries,
                             double validation = 0.2) {
        TrainConfig config = config_of(stack);
        config.validation = validation;
        config.seed = 19;
        config.retries = retries;
        test::Recorder recorder;
        (void)train(table, config, {}, recorder);
        return recorder.epochs;
    };
    const Interactions table = test::two_tastes(200);
    for (const StageEpoch& epoch : trained(table, "elsa:6:epochs=2", 3, 0.0)) {
        CHECK(epoch.remark.empty());
        CHECK(*epoch.mean_loss == Approx(loss_of_mean(table)));
    }
    const std::string too_fast = "elsa:2:epochs=1:learning_rate=1000";  // the loss is above that of the start
    const auto again = trained(test::random_table(6, 30, 9, 2), too_fast, 3, 0.0);
    REQUIRE(again.size() > 1);
    CHECK(again[0].remark.find("tried again at 100") != std::string::npos);
    CHECK(*again[1].learning_rate == Approx(0.1 * *again[0].learning_rate));
    const auto once = trained(test::random_table(6, 30, 9, 2), too_fast, 0, 0.0);
    REQUIRE(once.size() == 1);
    CHECK(once[0].remark.find("nothing was learnt") != std::string::npos);
}

TEST_CASE("Rows stay sparse behind layers that keep zeros, and none of them is stored") {
    constexpr std::int64_t allowance = std::int64_t{16} << 20;  // of a chunk
    const Interactions table = test::random_table(6000, 2000, 5, 3);
    const std::string learner = GENERATE("edlae", "elsa:8");
    CAPTURE(learner);
    const auto memory = [&](const std::string& stack) {
        return plan_training(table, config_of(stack), {}).memory_bytes;
    };
    CHECK(memory("l2_norm, " + learner) < memory(learner) + allowance);
    CHECK(memory("power_norm, l2_norm, " + learner) < memory(learner) + allowance);
    if (learner == "edlae") {  // which has all rows at once, here without zeros
        CHECK(memory("contrast_norm, " + learner) > memory(learner) + allowance);
    }
}

TEST_CASE("A factorised training that is stopped again and again ends with the bytes of one that is not") {
    const Interactions table = test::two_tastes(150, 40);
    const std::string stack =
        GENERATE("elsa:5:epochs=3:batch_size=30", "l2_norm, elsa:5:epochs=2:batch_size=50",
                 "elsa:15:epochs=8:batch_size=150:learning_rate=0.3");
    TrainConfig config = config_of(stack);
    config.validation = 0.1;
    config.patience = 2;
    const test::TemporaryFolder folder;
    test::Recorder whole;
    save(train(table, config, test::on_threads(1), whole), folder / "whole");
    for (const int steps : {1, 4, 7}) {
        CAPTURE(stack, steps);
        RunOptions run = test::on_threads(2);
        run.checkpoint = folder / "pieces.ckpt";
        run.resume = true;
        std::filesystem::remove(*run.checkpoint);
        int runs = 0;
        for (bool done = false; !done; ++runs) {
            REQUIRE(runs < 100);
            test::Recorder stopper;
            stopper.read = true;
            stopper.stop_after_steps = steps + runs % 3;
            const Model model = train(table, config, run, stopper);
            done = !model.record.interrupted;
            if (done) {
                save(model, folder / "pieces");
            }
        }
        CHECK(runs > 1);
        CHECK(test::read_text(folder / "pieces") == test::read_text(folder / "whole"));
    }
}

TEST_CASE("A stack of dense layers learns a table too, and recommends by what it rebuilds") {
    const Interactions table = test::two_tastes(400);
    TrainConfig config = config_of("dense:8:activation=tanh:output=sigmoid");
    config.epochs = 60;
    config.batch_size = 20;
    config.learning_rate = 0.01;
    TrainObserver observer;
    const Model model = train(table, config, {}, observer);
    const auto user = row_of_items(table, std::vector<std::int32_t>{0, 1, 2, 4});
    double own = 0.0;
    double other = 0.0;
    const Recommendations found = recommended(model, {.top = 20}, user);
    REQUIRE(found.items.size() == 16);
    for (const Recommendation& each : found.items) {
        (each.found.item < 10 ? own : other) += double{each.found.score};
    }
    CHECK(own / 6.0 > 2.0 * other / 10.0);
}

}  // namespace stackae
