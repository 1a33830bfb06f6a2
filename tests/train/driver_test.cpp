#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/neighbours.hpp"
#include "stackae/train.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "layers/chain.hpp"
#include "layers/trainer.hpp"
#include "support/catch.hpp"
#include "train/training.hpp"

namespace stackae {
namespace {

constexpr int side = 14;

/// Bars that lie or stand, at a random place, on a dark ground with a little noise; even rows lie.
Tensor bars(std::int64_t n) {
    Tensor pictures({n, side, side});
    for (std::int64_t i = 0; i < n; ++i) {
        const auto bits =
            base::Random(5, base::RandomStream::plan, static_cast<std::uint32_t>(i), 0).block(0);
        const int place = 2 + static_cast<int>(bits[0] % (side - 4));
        for (int y = 0; y < side; ++y) {
            for (int x = 0; x < side; ++x) {
                const int across = i % 2 == 0 ? y : x;
                const auto noise = base::Random(6, base::RandomStream::plan, static_cast<std::uint32_t>(i), 1)
                                       .block(static_cast<std::uint32_t>(y * side + x))[0];
                pictures.row(i)[static_cast<std::size_t>(y * side + x)] =
                    (std::abs(across - place) <= 1 ? 0.9F : 0.05F) + 0.05F * base::Random::uniform(noise);
            }
        }
    }
    return pictures;
}

class Recorder : public TrainObserver {
public:
    void on_epoch(const StageEpoch& epoch) override { stages.push_back(epoch.stage); }
    void on_stage(const StageInfo& info) override {
        const std::string& stage = info.name;
        if (seen.empty() || seen.back() != stage) {
            seen.push_back(stage);
        }
    }
    bool stop() override { return asked++ >= stop_after; }

    std::vector<std::string> stages;
    std::vector<std::string> seen;
    int asked = 0;
    int stop_after = 1 << 30;
};

TrainConfig config_of(const std::string& stack) {
    TrainConfig config;
    config.stack = parse_stack(stack);
    config.validation = 0.1;
    return config;
}

Model trained(const std::string& stack, TrainObserver& observer, const Tensor& pictures = bars(300)) {
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = side;
    RunOptions run;
    run.threads = 2;
    return train(ImageDataset::from_tensor(pictures), preprocessing, config_of(stack), run, observer);
}

/// Share of rows whose nearest neighbour among the others is of the same kind, even or odd.
double neighbours_alike(const Tensor& codes) {
    std::int64_t alike = 0;
    for (std::int64_t i = 0; i < codes.rows(); ++i) {
        double least = INFINITY;
        std::int64_t nearest = 0;
        for (std::int64_t j = 0; j < codes.rows(); ++j) {
            const double distance = i == j ? INFINITY : base::squared_distance(codes.row(i), codes.row(j));
            if (distance < least) {
                least = distance;
                nearest = j;
            }
        }
        alike += i % 2 == nearest % 2 ? 1 : 0;
    }
    return static_cast<double>(alike) / static_cast<double>(codes.rows());
}

}  // namespace

TEST_CASE("A stack of every closed form tells kinds of pictures apart and rebuilds them") {
    Recorder recorder;
    const Model model = trained(
        "conv2d:24:kernel=5:activation_rate=0.3:patches=3000, pool2d:2, conv2d:32:kernel=2:patches=3000, "
        "pool2d:grid=2, power_norm, "
        "pca:16:eigen_power=-0.25:std_shrinkage=0.3, l2_norm, nystroem:40",
        recorder);
    CHECK_NOTHROW(check(model));
    CHECK(recorder.seen == std::vector<std::string>{"layer 1, conv2d", "layer 3, conv2d", "layer 6, pca",
                                                    "reconstruction", "layer 8, nystroem"});
    CHECK(model.outputs == std::vector<NamedOutput>{{"embedding", 7}, {"wide", 8}});
    CHECK(model.reconstruction.depth == 6);
    REQUIRE(model.reconstruction.head.size() == 1);
    CHECK_FALSE(model.record.interrupted);
    const Tensor pictures = bars(300);
    CHECK(neighbours_alike(Encoder(model).encode(pictures)) > 0.98);
    CHECK(neighbours_alike(Encoder(model, {"wide", 1}).encode(pictures)) > 0.98);
    CHECK(test::squared_error(Encoder(model).reconstruct(pictures), pictures) <
          0.5 * test::error_of_mean(pictures));
}

TEST_CASE("A convolution alone rebuilds what it saw by its own decoder") {
    Recorder recorder;
    for (const char* stack :
         {"conv2d:40:kernel=5:patches=3000", "conv2d:40:kernel=5:pad=2:activation=crelu:patches=3000",
          "conv2d:24:kernel=5:slow_offset=1:patches=3000"}) {
        CAPTURE(stack);
        const Model model = trained(stack, recorder);
        CHECK(model.reconstruction.head.empty());
        const Tensor pictures = bars(60);
        CHECK(test::squared_error(Encoder(model).reconstruct(pictures), pictures) <
              0.5 * test::error_of_mean(pictures));
    }
    CHECK(recorder.stages.size() == 3);
}

TEST_CASE("Principal components are the linear code of least squared error, of more of them the less") {
    Recorder recorder;
    const Tensor pictures = bars(300);
    double before = test::error_of_mean(pictures);
    for (const char* stack :
         {"pca:2", "pca:8:eigen_power=-0.5", "pca:64:std_shrinkage=1", "pca:196", "whiten"}) {
        CAPTURE(stack);
        const double error =
            test::squared_error(Encoder(trained(stack, recorder)).reconstruct(pictures), pictures);
        CHECK(error < before + 1e-3);
        before = error;
    }
    CHECK(before < 1e-3);
}

TEST_CASE("Two runs with the same configuration make the same model, another seed another one") {
    Recorder recorder;
    const char* stack = "conv2d:12:kernel=5:patches=2000, pool2d:2, pca:8, nystroem:10";
    const std::string identity = trained(stack, recorder).identity();
    CHECK(trained(stack, recorder).identity() == identity);
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = side;
    TrainConfig config = config_of(stack);
    config.seed = 1;
    CHECK(train(ImageDataset::from_tensor(bars(300)), preprocessing, config, {}, recorder).identity() !=
          identity);
}

TEST_CASE("A model tells which pictures it was trained on, and their classes") {
    Recorder recorder;
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = side;
    const ImageDataset pictures = ImageDataset::from_tensor(bars(3), {"b", "a", "b"});
    const Model model = train(pictures, preprocessing, config_of("pca:2"), {}, recorder);
    CHECK(model.record.data == data_identity(pictures));
    CHECK(model.record.pictures == 3);
    CHECK(model.record.class_names == std::vector<std::string>{"a", "b"});
}

TEST_CASE("A run that is stopped keeps the layers that were finished") {
    for (int stop_after = 1; stop_after < 60; stop_after += 7) {
        CAPTURE(stop_after);
        Recorder recorder;
        recorder.stop_after = stop_after;
        const Model model =
            trained("conv2d:12:kernel=5:patches=2000, pool2d:2, pca:8, nystroem:10", recorder);
        CHECK(model.record.interrupted == (recorder.asked > stop_after));
        if (!model.layers.empty()) {
            CHECK_NOTHROW(check(model));
            CHECK(Encoder(model).encode(bars(3)).rows() == 3);
        }
    }
}

TEST_CASE("Dense layers learn greedily, and end to end better than that") {
    const Tensor pictures = bars(300);
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = side;
    TrainConfig config = config_of("dense:60, dense:12:activation=linear");
    config.epochs = 12;
    config.batch_size = 20;
    config.learning_rate = 0.01;
    const auto error_of = [&](Recorder& recorder) {
        const Model model = train(ImageDataset::from_tensor(pictures), preprocessing, config, {}, recorder);
        CHECK_NOTHROW(check(model));
        CHECK(model.outputs == std::vector<NamedOutput>{{"embedding", 2}});
        return test::squared_error(Encoder(model).reconstruct(pictures), pictures);
    };
    Recorder greedy;
    const double greedily = error_of(greedy);
    CHECK(greedily < 0.6 * test::error_of_mean(pictures));
    CHECK(greedy.seen == std::vector<std::string>{"layer 1, dense", "layer 2, dense"});
    CHECK(greedy.stages.size() == 24);
    config.fine_tune_epochs = 12;
    Recorder tuned;
    CHECK(error_of(tuned) < greedily);
    CHECK(tuned.stages.back() == "fine-tuning");
}

TEST_CASE("Layers combine freely where their shapes fit") {
    Recorder recorder;
    const Tensor pictures = bars(120);
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = side;
    for (const char* stack :
         {"dense:30, pca:5, l2_norm", "conv2d:8:kernel=3:patches=1000, pool2d:3, dense:20, dense:6",
          "conv2d:6:kernel=3:patches=1000, conv2d:6:kernel=3:patches=1000, pool2d:2, "
          "conv2d:6:kernel=3:patches=1000",
          "conv2d:8:kernel=5:patches=1000:epochs=2, pool2d:grid=2, power_norm, dense:6:activation=relu",
          "contrast_norm, whiten:20, dense:10:tied:epochs=2", "pool2d:2, dense:12:activation=sigmoid"}) {
        CAPTURE(stack);
        TrainConfig config = config_of(stack);
        config.epochs = 3;
        config.fine_tune_epochs = 2;
        config.corruption = Corruption::masking;
        config.corruption_level = 0.2;
        config.augment_shift = 0.1;
        const Model model = train(ImageDataset::from_tensor(pictures), preprocessing, config, {}, recorder);
        CHECK_NOTHROW(check(model));
        CHECK(model.layers.size() == config.stack.size());
        CHECK(Encoder(model).encode(pictures).rows() == 120);
    }
}

TEST_CASE("A trainer that is given another's state goes on as that one would have") {
    // Two trainers of one layer: one to the end, one that hands over in the middle of an epoch.
    const Tensor pictures = bars(60);
    class Pictures60 : public layers::LayerInput, public base::RowSource {
    public:
        explicit Pictures60(const Tensor& pictures) : pictures_(pictures) {}
        [[nodiscard]] std::int64_t columns() const override { return pictures_.columns(); }
        [[nodiscard]] std::int64_t chunk() const override { return 8; }
        void gather(std::span<const std::int64_t> rows, float* dst) const override {
            for (const std::int64_t row : rows) {
                dst = std::copy(pictures_.row(row).begin(), pictures_.row(row).end(), dst);
            }
        }
        [[nodiscard]] Tensor gather(std::span<const std::int64_t> rows) override {
            Tensor gathered({std::ssize(rows), columns()});
            gather(rows, gathered.data());
            return gathered;
        }
        [[nodiscard]] bool hold() override { return false; }
        [[nodiscard]] const base::RowSource& held() const override { return *this; }
        [[nodiscard]] StageProgress holding() const override { return {}; }
        [[nodiscard]] Tensor pictures(std::span<const std::int64_t> rows) override { return gather(rows); }
        [[nodiscard]] std::unique_ptr<layers::RowStore> make_store(std::int64_t, std::int64_t) override {
            return nullptr;
        }

    private:
        const Tensor& pictures_;
    } input(pictures);
    std::vector<std::int64_t> rows(60);
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    TrainConfig config = config_of("dense:9");
    config.epochs = 3;
    config.batch_size = 7;
    linalg::Context backend(1);
    base::OneMember alone;
    std::vector<std::int64_t> epochs;
    layers::TrainContext context{.context = backend,
                                 .communicator = alone,
                                 .config = config,
                                 .input = input,
                                 .train = std::span(rows).first(50),
                                 .validation = std::span(rows).subspan(50),
                                 .name = "layer 1, dense",
                                 .of_pictures = true,
                                 .suited_output = Activation::sigmoid,
                                 .augment = {},
                                 .corruption = {},
                                 .on_epoch = [&](const StageEpoch& epoch) { epochs.push_back(epoch.epoch); }};
    const Stack bound = bind(config.stack, {side, side, 1});
    const auto whole = bound[0].trainer(context);
    while (whole->step(context)) {
    }
    const Tensor expected = layers::Chain({whole->finish()}, layers::Direction::encode, 1).run(pictures);
    CHECK(epochs == std::vector<std::int64_t>{1, 2, 3});
    for (const int steps : {1, 5, 9, 14, 20}) {
        CAPTURE(steps);
        const auto first = bound[0].trainer(context);
        for (int i = 0; i < steps; ++i) {
            REQUIRE(first->step(context));
        }
        layers::TrainerState state;
        first->save_state(state);
        const auto second = bound[0].trainer(context);
        second->load_state(state);
        while (second->step(context)) {
        }
        const Tensor codes = layers::Chain({second->finish()}, layers::Direction::encode, 1).run(pictures);
        CHECK(std::equal(codes.values().begin(), codes.values().end(), expected.values().begin()));
    }
}

TEST_CASE("What a layer cannot learn from what it sees is refused with what was expected") {
    Recorder recorder;
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = side;
    TrainConfig config = config_of("dense:9:output=linear");
    config.loss = LossKind::cross_entropy;
    const auto refused = [&](const char* expected) {
        CHECK_THROWS_WITH(train(ImageDataset::from_tensor(bars(30)), preprocessing, config, {}, recorder),
                          test::contains(expected));
    };
    refused(
        "cross-entropy needs values in [0, 1] and a sigmoid output; found values in [0, 1] and a linear "
        "output");
    config = config_of("dense:9");
    config.sparsity_target = 0.1;
    config.sparsity_weight = 1.0;
    refused("the units of layer 1, dense are silu and not sigmoid");
    config = config_of("dense:9:output=sigmoid");
    preprocessing.mean.assign(side * side, 0.5F);
    preprocessing.deviation.assign(side * side, 0.5F);
    refused("a sigmoid output rebuilds pictures in [0, 1]; standardised pictures found");
}

TEST_CASE("A stack that does not fit the pictures is refused before they are read") {
    Recorder recorder;
    CHECK_THROWS_WITH(trained("conv2d:12:kernel=15", recorder),
                      test::contains("14 x 14 x 1 found, at least 15 x 15"));
    CHECK(recorder.asked == 0);
}

TEST_CASE("A reconstruction head of another size than the pictures is refused") {
    Recorder recorder;
    for (const char* head : {"ridge_decoder:2:width=2", "ridge_decoder:28:width=14"}) {
        CHECK_THROWS_WITH(trained(std::string("pca:5, ") + head, recorder),
                          test::contains("x 1 found, a picture's 196 values expected"));
    }
}

TEST_CASE(
    "A dense stack goes on learning from other pictures, with what it has learnt and its preprocessing") {
    Recorder recorder;
    const Tensor pictures = bars(300);
    const Model first = trained("dense:40, dense:10", recorder, pictures);
    const ImageDataset again = ImageDataset::from_tensor(bars(500));
    const auto error = [&](const Model& model) {
        Tensor rows({pictures.rows(), pictures.columns()});
        std::copy_n(pictures.data(), pictures.size(), rows.data());
        const Tensor rebuilt = Encoder(model).reconstruct(rows);
        return base::squared_distance(rebuilt.values(), rows.values());
    };
    TrainConfig config = first.record.config;
    config.fine_tune_epochs = 40;
    const Model more = fine_tune(first, again, config, {}, recorder);
    CHECK(error(more) < 0.9 * error(first));
    CHECK(more.preprocessing == first.preprocessing);
    CHECK(std::ssize(more.record.history) == std::ssize(first.record.history) + 40);
    CHECK(more.record.history.back().stage == "fine-tuning");
    CHECK(more.identity() == fine_tune(first, again, config, {}, recorder).identity());
    CHECK_NOTHROW(check(more));

    const Model plain = trained("conv2d:8:kernel=3:patches=1000, pool2d:2", recorder);
    CHECK_THROWS_AS(fine_tune(plain, again, config, {}, recorder), InvalidArgument);
    RunOptions kept;
    kept.checkpoint = "somewhere";
    CHECK_THROWS_AS(fine_tune(first, again, config, kept, recorder), InvalidArgument);
}

}  // namespace stackae
