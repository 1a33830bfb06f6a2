#include "stackae/pipeline.hpp"

#include <algorithm>

#include "stackae/error.hpp"

#include "base/rows.hpp"
#include "model/sample_model.hpp"
#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae {
namespace {

using namespace test;

/// A folder of 50 pictures of 3 × 3 pixels.
std::string table(const TemporaryFolder& folder) {
    for (int i = 0; i < 50; ++i) {
        Tensor picture({3, 3});
        std::fill(picture.values().begin(), picture.values().end(), static_cast<float>(i) / 50.0F);
        write_png(folder / (std::to_string(100 + i) + ".png"), picture);
    }
    return folder / ".";
}

class StopAfter : public InputObserver {
public:
    explicit StopAfter(const std::int64_t& seen, std::int64_t limit) : seen_(seen), limit_(limit) {}
    bool stop() override { return seen_ >= limit_; }

private:
    const std::int64_t& seen_;
    std::int64_t limit_;
};

}  // namespace

TEST_CASE("Codes come in the order of the inputs, whatever the batch and the threads") {
    const TemporaryFolder folder;
    const Inputs inputs({table(folder)});
    const Model model = sample_model("dense:2", {3, 3, 1});
    std::vector<std::vector<float>> all;
    for (const PipelineOptions& options :
         {PipelineOptions{}, {.batch_size = 1, .threads = 1}, {.batch_size = 7, .threads = 3}}) {
        InputObserver nobody;
        Manifest manifest(nobody);
        std::vector<float>& codes = all.emplace_back();
        std::string last;
        CHECK(encode_inputs({.inputs = inputs, .model = model}, options, manifest,
                            [&](const InputBatch& batch, const Tensor& batch_codes) {
                                for (const ImageEntry& entry : batch.entries) {
                                    CHECK(last < entry.path);
                                    last = entry.path;
                                }
                                codes.insert(codes.end(), batch_codes.values().begin(),
                                             batch_codes.values().end());
                            }));
        CHECK(manifest.rows() == 50);
        CHECK(codes.size() == 100);
    }
    CHECK(all[0] == all[1]);
    CHECK(all[0] == all[2]);
}

TEST_CASE("Encoding says whether the observer stopped it") {
    const TemporaryFolder folder;
    const Inputs inputs({table(folder)});
    const Model model = sample_model("dense:2", {3, 3, 1});
    std::int64_t seen = 0;
    StopAfter observer(seen, 10);
    Manifest manifest(observer);
    CHECK_FALSE(
        encode_inputs({.inputs = inputs, .model = model}, {.batch_size = 5, .threads = 1}, manifest,
                      [&](const InputBatch& batch, const Tensor&) { seen += batch.pictures.rows(); }));
    CHECK(seen == 10);
}

TEST_CASE("A model that does not fit the memory allowed is refused before it is run") {
    const TemporaryFolder folder;
    const Inputs inputs({table(folder)});
    const Model model = sample_model("dense:2", {3, 3, 1});
    const EncodeRequest request{.inputs = inputs, .model = model};
    InputObserver nobody;
    Manifest manifest(nobody);
    const auto nothing = [](const InputBatch&, const Tensor&) {};
    const std::int64_t least = min_encoding_memory(request);
    CHECK(least > model.parameters() * 4);
    CHECK_THROWS_WITH(encode_inputs(request, {.memory = least - 1}, manifest, nothing),
                      contains("needed for the model and one picture"));
    CHECK(encode_inputs(request, {.memory = least}, manifest, nothing));
}

TEST_CASE("Codes are those of the output that is named, scaled where that is asked for") {
    const TemporaryFolder folder;
    const Inputs inputs({table(folder)});
    const Model model = sample_model("dense:4, dense:2", {3, 3, 1}, {{"embedding", 2}, {"below", 1}});
    const auto squares = [&](const EncodeOptions& encode, std::int64_t columns) {
        InputObserver nobody;
        Manifest manifest(nobody);
        std::vector<double> sums;
        CHECK(encode_inputs({.inputs = inputs, .model = model, .encode = encode}, {}, manifest,
                            [&](const InputBatch&, const Tensor& codes) {
                                CHECK(codes.columns() == columns);
                                for (std::int64_t i = 0; i < codes.rows(); ++i) {
                                    sums.push_back(base::squared_norm(codes.row(i)));
                                }
                            }));
        return sums;
    };
    CHECK(squares({}, 2) == squares({.output = "embedding"}, 2));
    CHECK(squares({.output = "below"}, 4) == squares({.output = "1"}, 4));
    for (const double sum : squares({.output = "below", .l2_normalize = true}, 4)) {
        CHECK(sum == Approx(1.0));
    }
    InputObserver nobody;
    Manifest manifest(nobody);
    CHECK_THROWS_WITH(encode_inputs({.inputs = inputs, .model = model, .encode = {.output = "3"}}, {},
                                    manifest, [](const InputBatch&, const Tensor&) {}),
                      contains("1 to 2 layers expected"));
}

}  // namespace stackae
