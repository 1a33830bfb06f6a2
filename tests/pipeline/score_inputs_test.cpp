#include "stackae/score_inputs.hpp"

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/memorize.hpp"

#include "base/random.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

using namespace stackae;

namespace {

constexpr std::int64_t side = 32;
constexpr std::int64_t pictures = 30;

Tensor noise(std::int64_t count, std::uint32_t part) {
    Tensor values({count, side, side});
    const base::Random random(3, base::RandomStream::patches, part);
    for (std::int64_t i = 0; i < values.size(); ++i) {
        values.data()[i] = base::Random::uniform(random.block(static_cast<std::uint32_t>(i))[0]);
    }
    return values;
}

const PatchMemory& memory() {
    static const PatchMemory learnt = [] {
        InputObserver nobody;
        Manifest manifest(nobody);
        return memorize(Inputs(ImageDataset::from_tensor(noise(12, 0))), {}, manifest);
    }();
    return learnt;
}

/// Stops once so many pictures were scored.
class Stopper : public InputObserver {
public:
    explicit Stopper(std::int64_t most) : most_(most) {}
    bool stop() override { return scored >= most_; }
    void on_resumed(std::int64_t done, std::int64_t /*of*/) override { resumed = done; }

    std::int64_t scored = 0;
    std::int64_t resumed = 0;

private:
    std::int64_t most_;
};

struct Run {
    bool all = false;
    std::int64_t resumed = 0;
    std::int64_t maps = 0;
    std::vector<double> scores{};
    std::vector<double> reconstructions{};
};

Run run(const PipelineOptions& options, std::int64_t most = 1000, const std::string& maps = "none") {
    const Inputs inputs(ImageDataset::from_tensor(noise(pictures, 1)));
    Stopper stopper(most);
    Manifest manifest(stopper);
    Run found;
    found.all = score_inputs({inputs, memory(), maps}, options, manifest,
                             [&](const InputBatch& batch, const std::vector<AnomalyScore>& scores) {
                                 REQUIRE(batch.entries.size() == scores.size());
                                 stopper.scored += std::ssize(scores);
                                 for (const AnomalyScore& score : scores) {
                                     found.scores.push_back(score.score);
                                     found.reconstructions.push_back(score.reconstruction);
                                     found.maps += score.map.empty() ? 0 : 1;
                                 }
                             });
    found.resumed = stopper.resumed;
    return found;
}

PipelineOptions in_pieces(const test::TemporaryFolder& folder) {
    PipelineOptions options;
    options.checkpoint = folder / "scores.ckpt";
    options.checkpoint_every = 0.0;
    return options;
}

}  // namespace

TEST_CASE("Scores that were kept are those of a run that was never stopped", "[pipeline]") {
    const Run whole = run({});
    REQUIRE(whole.all);
    REQUIRE(std::ssize(whole.scores) == pictures);
    CHECK(whole.maps == pictures);
    const test::TemporaryFolder folder;
    PipelineOptions options = in_pieces(folder);
    const Run stopped = run(options, 16);
    CHECK_FALSE(stopped.all);
    REQUIRE(has_score_checkpoint(options.checkpoint));
    const ScoringProgress kept = load_scoring_progress(options.checkpoint);
    CHECK(kept.pictures == 16);
    CHECK(kept.memory == memory().identity());

    options.resume = true;
    const Run rest = run(options);
    CHECK(rest.all);
    CHECK(rest.resumed == 16);
    CHECK(rest.maps == pictures - 16);
    CHECK(rest.scores == whole.scores);
    CHECK(rest.reconstructions == whole.reconstructions);
    CHECK(remove_score_checkpoint(options.checkpoint));
    CHECK_FALSE(std::filesystem::exists(options.checkpoint));
}

TEST_CASE("Scores by another memory, or drawn otherwise, are not gone on with", "[pipeline]") {
    const test::TemporaryFolder folder;
    PipelineOptions options = in_pieces(folder);
    CHECK_FALSE(run(options, 8).all);
    options.resume = true;
    CHECK_THROWS_WITH(run(options, 1000, "maps/"),
                      test::contains("maps: maps/ found, none in the checkpoint"));
    PatchMemory other = memory();
    other.codes.data()[0] += 1.0F;
    CHECK(other.identity() != memory().identity());
    const Inputs inputs(ImageDataset::from_tensor(noise(pictures, 1)));
    InputObserver nobody;
    Manifest manifest(nobody);
    CHECK_THROWS_WITH(score_inputs({inputs, other, "none"}, options, manifest,
                                   [](const InputBatch&, const std::vector<AnomalyScore>&) {}),
                      test::contains("the checkpoint is of another run: memory"));
}
