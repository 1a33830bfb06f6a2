#include "stackae/recommend_all.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/pipeline.hpp"

#include "base/safetensors.hpp"
#include "model/sample_model.hpp"
#include "pipeline/recommend_checkpoint.hpp"
#include "support/catch.hpp"
#include "support/interactions.hpp"
#include "support/temporary_folder.hpp"

namespace stackae {
namespace {

using namespace test;
namespace fs = std::filesystem;

/// A model of a table of 700 users × 20 items, three batches of the recommender; the last user has nothing.
Model sample_table_model() {
    Model model = sample_model("dense:3:activation=tanh", {1, 20, 1});
    model.table = two_tastes(699);
    model.table.users.emplace_back("nobody");
    model.table.offsets.push_back(model.table.entry_count());
    return model;
}

/// Stops after so many questions.
class Stopper : public RecommendObserver {
public:
    explicit Stopper(int after = 1'000'000) : left_(after) {}
    bool stop() override { return --left_ < 0; }
    void on_resumed(std::int64_t done, std::int64_t /*of*/) override { resumed = done; }
    void on_checkpoint_failed(const std::string& why) override { failures.push_back(why); }

    std::int64_t resumed = 0;
    std::vector<std::string> failures;

private:
    int left_;
};

/// What came to whom, one after the other.
struct Outcome {
    bool all = false;
    std::vector<std::int64_t> users;
    std::vector<Recommendations> found;
};

bool same(const Outcome& a, const Outcome& b) {
    return a.users == b.users &&
           std::equal(a.found.begin(), a.found.end(), b.found.begin(), b.found.end(),
                      [](const Recommendations& x, const Recommendations& y) {
                          return x.popular == y.popular &&
                                 std::equal(x.items.begin(), x.items.end(), y.items.begin(), y.items.end(),
                                            [](const Recommendation& p, const Recommendation& q) {
                                                return p.found == q.found && p.because == q.because;
                                            });
                      });
}

Outcome run(const Model& model, const RecommendOptions& recommend, const RecommendAllOptions& options,
            RecommendObserver& observer) {
    Outcome outcome;
    outcome.all = recommend_all(model, model.table, recommend, options, observer,
                                [&](std::int64_t user, const Recommendations& found) {
                                    outcome.users.push_back(user);
                                    outcome.found.push_back(found);
                                });
    return outcome;
}

const RecommendOptions three_with_reasons{.top = 3, .explain = 2, .threads = 1};

TEST_CASE("Recommendations to all users are those to each, in order") {
    const Model model = sample_table_model();
    Stopper observer;
    const Outcome outcome = run(model, three_with_reasons, {}, observer);
    REQUIRE(outcome.users.size() == 700);
    CHECK(std::is_sorted(outcome.users.begin(), outcome.users.end()));
    CHECK(outcome.found.back().popular);
    Recommender recommender(model, three_with_reasons);
    const auto own = recommender.recommend(model.table, 300, 2);
    CHECK(own[0].items[0].found == outcome.found[300].items[0].found);
    CHECK(own[0].items[0].because == outcome.found[300].items[0].because);
    CHECK_FALSE(own[0].items[0].because.empty());
}

TEST_CASE("Recommendations that were stopped anywhere go on as if they had not been") {
    const Model model = sample_table_model();
    Stopper patient;
    const Outcome whole = run(model, three_with_reasons, {}, patient);
    for (const double every : {0.0, 1e6}) {
        const TemporaryFolder folder;
        RecommendAllOptions options{.checkpoint = folder / "all.ckpt", .checkpoint_every = every};
        for (int batches = 0; batches <= 3; ++batches) {
            Stopper stopper(batches);
            const Outcome some = run(model, three_with_reasons, options, stopper);
            CHECK_FALSE(some.all);
            options.resume = true;
            CHECK(has_recommend_checkpoint(options.checkpoint) == (batches > 0));
            Stopper observer;
            const Outcome rest = run(model, three_with_reasons, options, observer);
            CHECK(rest.all);
            CHECK(same(whole, rest));
            CHECK(observer.resumed >= std::min<std::int64_t>(256 * batches, 1));
            CHECK(observer.failures.empty());
            if (every == 0.0) {
                CHECK(load_recommend_progress(options.checkpoint).users == 700);
            }
            CHECK(remove_recommend_checkpoint(options.checkpoint));
            CHECK_FALSE(fs::exists(options.checkpoint));
        }
    }
}

TEST_CASE("Recommendations do not go on with those of another run, and say what differs") {
    const Model model = sample_table_model();
    const TemporaryFolder folder;
    RecommendAllOptions options{.checkpoint = folder / "all.ckpt", .checkpoint_every = 0.0};
    Stopper stopper(1);
    (void)run(model, three_with_reasons, options, stopper);
    options.resume = true;
    Stopper observer;
    const auto message = [&](const Model& other, const RecommendOptions& recommend) {
        try {
            (void)run(other, recommend, options, observer);
        } catch (const InvalidArgument& error) {
            return std::string(error.what());
        }
        return std::string("it went on");
    };
    CHECK_THAT(message(model, {.top = 4, .explain = 2}), contains("top: 4 found, 3 in the checkpoint"));
    CHECK_THAT(message(model, {.top = 3}), contains("explain: 0 found, 2"));
    RecommendOptions some = three_with_reasons;
    some.allowed.assign(20, true);
    some.allowed[3] = false;
    CHECK_THAT(message(model, some), contains("items to choose from: "));
    Model forgetful = model;
    forget_user(forgetful, "user 600");
    CHECK_THAT(message(forgetful, three_with_reasons), contains("table: "));
    CHECK_THAT(message(sample_table_model(), three_with_reasons), contains("it went on"));
}

TEST_CASE("Recommendations neither go on with kept codes nor remove them") {
    const Model model = sample_table_model();
    const TemporaryFolder folder;
    RecommendAllOptions options{.checkpoint = folder / "all.ckpt", .checkpoint_every = 0.0};
    fs::create_directories(options.checkpoint);
    const std::string codes = pipeline::segment_file(options.checkpoint, pipeline::codes_kind, 0);
    write_text(codes, "codes");
    Stopper observer;
    CHECK(run(model, three_with_reasons, options, observer).all);
    REQUIRE(observer.failures.size() == 1);
    CHECK_THAT(observer.failures.front(),
               contains("codes of a run that was stopped found, recommendations expected"));
    options.resume = true;
    CHECK_THROWS_WITH(run(model, three_with_reasons, options, observer),
                      contains("codes of a run that was stopped found, recommendations expected"));
    const std::string own = pipeline::segment_file(options.checkpoint, pipeline::recommendations_kind, 0);
    write_text(own, "recommendations");
    CHECK_FALSE(remove_recommend_checkpoint(options.checkpoint));
    CHECK_FALSE(fs::exists(own));
    CHECK(read_text(codes) == "codes");
    write_text(own, "recommendations");
    CHECK_FALSE(remove_encoding_checkpoint(options.checkpoint));
    CHECK_FALSE(fs::exists(codes));
    CHECK(read_text(own) == "recommendations");
}

TEST_CASE("A checkpoint of recommendations that is damaged is told of") {
    const Model model = sample_table_model();
    const TemporaryFolder folder;
    RecommendAllOptions options{.checkpoint = folder / "all.ckpt", .checkpoint_every = 0.0};
    Stopper stopper(1);
    (void)run(model, three_with_reasons, options, stopper);
    options.resume = true;
    const std::string path = pipeline::segment_file(options.checkpoint, pipeline::recommendations_kind, 0);
    const base::Safetensors intact = base::read_safetensors(path);
    const auto message = [&](std::size_t at, char byte, std::ptrdiff_t cut) {
        base::Safetensors file = intact;
        std::string& bytes = file.blocks.front().second;
        bytes[at] = byte;
        bytes.resize(bytes.size() - static_cast<std::size_t>(cut));
        base::write_safetensors(file, path);
        Stopper observer;
        try {
            (void)run(model, three_with_reasons, options, observer);
        } catch (const CorruptFile& error) {
            return std::string(error.what());
        }
        return std::string("it went on");
    };
    CHECK_THAT(message(0, 0, 0), contains("it went on"));
    CHECK_THAT(message(0, 2, 0), contains("2 found, 0 to 1 expected"));
    CHECK_THAT(message(4, 21, 0), contains("21 found, 0 to 20 expected"));
    CHECK_THAT(message(8, 20, 0), contains("item 20 found, less than 20 expected"));
    CHECK_THAT(message(0, 0, 1), contains("more expected"));
    CHECK_THAT(message(0, 0, std::ssize(intact.blocks.front().second)), contains("0 users found"));
}

TEST_CASE("A checkpoint of recommendations that cannot be written costs no more than itself") {
    const Model model = sample_table_model();
    const TemporaryFolder folder;
    write_text(folder / "file", "");
    Stopper observer;
    const Outcome outcome = run(model, three_with_reasons,
                                {.checkpoint = folder / "file/all.ckpt", .checkpoint_every = 0.0}, observer);
    CHECK(outcome.all);
    CHECK(outcome.users.size() == 700);
    CHECK(observer.failures.size() == 1);
}

}  // namespace
}  // namespace stackae
