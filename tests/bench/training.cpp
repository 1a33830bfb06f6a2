#include <algorithm>
#include <fmt/format.h>
#include <fstream>
#include <memory>
#include <numeric>
#include <set>

#include "stackae/image_dataset.hpp"
#include "stackae/interactions.hpp"
#include "stackae/train.hpp"

#include "base/random.hpp"
#include "bench.hpp"
#include "linalg/spherical_kmeans.hpp"
#include "nn/gradient_loop.hpp"
#include "products.hpp"
#include "train/corruption.hpp"
#include "train/sample_store.hpp"

namespace stackae::bench {
namespace {

constexpr std::int64_t batch = 256;
constexpr std::int64_t pictures = 4096;  // that batches are taken from
constexpr std::int64_t steps = 40;       // a time

const std::vector<std::int64_t> net = {784, 1000, 500, 250, 30};

/// MNIST's first pictures.
training::SampleStore read(const std::string& path) {
    const ImageDataset all = ImageDataset::open(path);
    std::vector<std::int64_t> first(pictures);
    std::iota(first.begin(), first.end(), std::int64_t{0});
    const ImageDataset some = all.subset(first);
    const Preprocessing preprocessing = choose_preprocessing(some, {});
    PictureReader reader(some, preprocessing);
    training::SampleStore samples(pictures, preprocessing.size(), true);
    std::int64_t rows = 0;
    for (PictureBatch read; reader.next(read); rows += read.pictures.rows()) {
        std::copy_n(read.pictures.data(), read.pictures.size(), samples.row(rows));
    }
    samples.truncate(rows);
    return samples;
}

/// What is trained by gradients, and how.
struct Stage {
    std::vector<nn::LayerSpec> specs;
    nn::GradientLoopConfig config;
};

/// 784-1000-500-250-30 and back, as fine-tuning of the preset hinton2006 has it but for its weight decay.
Stage unrolled_stage() {
    Stage stage;
    const std::size_t depth = net.size() - 1;
    for (std::size_t i = 0; i < depth; ++i) {
        const bool top = i + 1 == depth;
        stage.specs.push_back({net[i], net[i + 1], top ? Activation::linear : Activation::silu, -1});
    }
    for (std::size_t i = depth; i-- > 0;) {
        stage.specs.push_back({net[i + 1], net[i], i == 0 ? Activation::sigmoid : Activation::silu, -1});
    }
    stage.config.epochs = 60;
    stage.config.optimizer.learning_rate = 2e-3;
    stage.config.schedule.kind = ScheduleKind::one_cycle;
    stage.config.loss = LossKind::cross_entropy;
    stage.config.code_layer = depth - 1;
    return stage;
}

/// The lowest layer of the preset sdae.
Stage denoising_stage() {
    Stage stage;
    stage.specs = {{net[0], 1000, Activation::sigmoid, -1}, {1000, net[0], Activation::sigmoid, 0}};
    stage.config.epochs = 30;
    stage.config.optimizer.kind = OptimizerKind::sgd;
    stage.config.optimizer.learning_rate = 0.1;
    stage.config.loss = LossKind::cross_entropy;
    stage.config.corrupt = [](std::span<const std::int64_t> rows, std::uint32_t epoch,
                              std::span<float> values) {
        training::corrupt(Corruption::masking, 0.25, {0, 0, epoch}, rows,
                          std::ssize(values) / std::ssize(rows), values.data());
    };
    return stage;
}

/// Steps of a stage of training, batch after batch.
class Steps {
public:
    Steps(const Setup& setup, const Stage& stage, int threads)
        : threads_(threads),
          scope_(threads),
          context_(threads),
          samples_(read(setup.data + "/train-images-idx3-ubyte.gz")),
          rows_(pictures),
          parameters_(stage.specs) {
        std::iota(rows_.begin(), rows_.end(), std::int64_t{0});
        for (std::size_t i = 0; i < stage.specs.size(); ++i) {
            parameters_.initialize(i, 0, 0);
            shapes_.push_back({batch, stage.specs[i].ic, stage.specs[i].oc});
        }
        loop_ = std::make_unique<nn::GradientLoop>(
            context_, parameters_, nn::TrainingRows{samples_, rows_, {}}, stage.config, alone_);
    }

    double seconds() {
        const base::ThreadScope scope(threads_);
        return seconds_of([&] {
            for (std::int64_t i = 0; i < steps; ++i) {
                const std::int64_t first = i * batch % pictures;
                loop_->learn(
                    std::span<const std::int64_t>(rows_).subspan(static_cast<std::size_t>(first), batch), 1,
                    0.3);
            }
        });
    }
    [[nodiscard]] const std::vector<ProductShape>& shapes() const { return shapes_; }

private:
    int threads_;
    base::ThreadScope scope_;
    linalg::Context context_;
    training::SampleStore samples_;
    std::vector<std::int64_t> rows_;
    std::vector<ProductShape> shapes_;
    nn::Parameters parameters_;
    base::OneMember alone_;
    std::unique_ptr<nn::GradientLoop> loop_;
};

Row step_row(const Setup& setup, const std::string& name, const std::string& what, const Stage& stage,
             bool has_peer) {
    Steps ours(setup, stage, setup.threads);
    const base::ThreadScope scope(setup.threads);
    linalg::Context context(setup.threads);
    Products limit(context, ours.shapes(), true);
    std::vector<std::function<double()>> things = {[&] { return ours.seconds(); },
                                                   [&] {
                                                       return seconds_of([&] {
                                                           for (std::int64_t i = 0; i < steps; ++i) {
                                                               limit.run();
                                                           }
                                                       });
                                                   }};
    std::vector<PeerRun> peers;
    if (has_peer && setup.python != nullptr) {
        peers.push_back({setup.python,
                         "PyTorch",
                         fmt::format("unrolled {} {}", setup.threads, steps),
                         "torch",
                         {batch, net[0], net[1]}});
    }
    add_things(things, peers);
    const Rounds rounds(setup.repeats, things);
    const double work = giga * limit.flops() * static_cast<double>(steps);
    Row row{name, what, work / rounds.seconds(0), "GFLOP/s"};
    row.limit = work / rounds.seconds(1);
    row.over_limit = rounds.faster(0, 1);
    if (!peers.empty()) {
        add_peer(row, peers.front(), setup, rounds, 2, work);
    }
    return row;
}

/// The products of every layer of the net by itself.
std::vector<Row> gemm(const Setup& setup) {
    const base::ThreadScope scope(setup.threads);
    linalg::Context context(setup.threads);
    std::vector<Row> rows;
    for (std::size_t i = 0; i + 1 < net.size(); ++i) {
        const ProductShape shape{batch, net[i], net[i + 1]};
        Products products(context, {shape}, true);
        const auto times = std::max<std::int64_t>(10, static_cast<std::int64_t>(5e9 / products.flops()));
        const Rounds rounds(setup.repeats, {[&] {
                                return seconds_of([&] {
                                    for (std::int64_t k = 0; k < times; ++k) {
                                        products.run();
                                    }
                                });
                            }});
        rows.push_back({"gemm." + std::to_string(shape.ic) + "x" + std::to_string(shape.oc),
                        "oneDNN alone, forward and by weights, batch 256",
                        giga * products.flops() * static_cast<double>(times) / rounds.seconds(0), "GFLOP/s"});
    }
    return rows;
}

std::vector<Row> unrolled(const Setup& setup) {
    return {step_row(setup, "train.unrolled", "784-1000-500-250-30 and back, batch 256, Adam",
                     unrolled_stage(), true)};
}

std::vector<Row> denoising(const Setup& setup) {
    return {step_row(setup, "train.denoising", "784-1000-784, a quarter masked, batch 256", denoising_stage(),
                     false)};
}

/// k-means, by which a convolutional layer learns its units.
std::vector<Row> convolution(const Setup& setup) {
    constexpr std::int64_t patches = 50'000;
    constexpr std::int64_t values = 108;
    constexpr std::int64_t units = 1600;
    constexpr int passes = 2;
    const base::ThreadScope scope(setup.threads);
    linalg::Context context(setup.threads);
    training::SampleStore samples(patches, values, true);
    const base::Random random(0, base::RandomStream::plan);
    for (std::int64_t i = 0; i < patches * values; i += 2) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 2));
        const auto normal = base::Random::normal(bits[0], bits[1]);
        samples.row(0)[i] = normal[0];
        samples.row(0)[i + 1] = normal[1];
    }
    Products limit(context, {{patches, values, units}}, false);
    const Rounds rounds(setup.repeats,
                        {[&] {
                             return seconds_of([&] {
                                 static_cast<void>(linalg::spherical_kmeans(
                                     samples.row(0), patches, values, {.k = units, .iterations = passes}));
                             });
                         },
                         [&] {
                             return seconds_of([&] {
                                 for (int pass = 0; pass < passes; ++pass) {
                                     limit.run();
                                 }
                             });
                         }});
    const double work = giga * limit.flops() * passes;
    Row row{"train.convolution", "k-means of 50,000 patches of 6x6x3, 1600 units", work / rounds.seconds(0),
            "GFLOP/s"};
    row.limit = work / rounds.seconds(1);
    row.over_limit = rounds.faster(0, 1);
    return {row};
}

/// Of the size of MovieLens 1M's ratings of 3 and more; the first items are the most frequent ones.
Interactions purchases() {
    constexpr std::int64_t users = 6'039;
    constexpr std::int64_t items = 3'628;
    constexpr std::uint32_t draws = 160;  // some of which a user has already: 138 are left about
    Interactions table;
    for (std::int64_t item = 0; item < items; ++item) {
        table.items.push_back(fmt::format("i{}", item));
    }
    for (std::int64_t user = 0; user < users; ++user) {
        const base::Random random(0, base::RandomStream::plan, 4, static_cast<std::uint32_t>(user));
        std::set<std::int32_t> taken;
        for (std::uint32_t i = 0; i < draws; ++i) {
            const float place = base::Random::uniform(random.block(i)[0]);
            taken.insert(static_cast<std::int32_t>(place * place * static_cast<float>(items)));
        }
        table.users.push_back(fmt::format("u{}", user));
        table.columns.insert(table.columns.end(), taken.begin(), taken.end());
        table.offsets.push_back(std::ssize(table.columns));
    }
    table.values.assign(table.columns.size(), 1.0F);
    return table;
}

template <class Value>
void write(const std::vector<Value>& values, const std::string& path) {
    std::ofstream(path, std::ios::binary)
        .write(reinterpret_cast<const char*>(values.data()),
               static_cast<std::streamsize>(values.size() * sizeof(Value)));
}

/// The linear denoising autoencoder in closed form, by the library's own call.
std::vector<Row> table(const Setup& setup) {
    const Interactions purchased = purchases();
    TrainConfig config;
    config.stack = parse_stack("edlae");
    config.validation = 0.0;
    RunOptions run;
    run.threads = setup.threads;
    std::vector<std::function<double()>> things = {[&] {
        TrainObserver nobody;
        return seconds_of([&] { static_cast<void>(stackae::train(purchased, config, run, nobody)); });
    }};
    std::vector<PeerRun> peers;
    if (setup.python != nullptr) {
        const std::string offsets = setup.folder + "/offsets.i64";
        const std::string columns = setup.folder + "/columns.i32";
        write(purchased.offsets, offsets);
        write(purchased.columns, columns);
        peers.push_back({setup.python,
                         "NumPy",
                         fmt::format("edlae {} {} {} {} {}", setup.threads, purchased.user_count(),
                                     purchased.item_count(), offsets, columns),
                         "numpy",
                         {purchased.item_count(), purchased.item_count(), purchased.item_count()}});
    }
    add_things(things, peers);
    const Rounds rounds(setup.repeats, things);
    constexpr double work = 60.0;
    Row row{"train.table", "edlae in closed form, 6,039 users x 3,628 items", work / rounds.seconds(0),
            "fits/min"};
    if (!peers.empty()) {
        add_peer(row, peers.front(), setup, rounds, 1, work);
    }
    return {row};
}

std::vector<Row> threads(const Setup& setup) {
    Steps one(setup, unrolled_stage(), 1);
    Steps two(setup, unrolled_stage(), 2);
    const Rounds rounds(setup.repeats, {[&] { return two.seconds(); }, [&] { return one.seconds(); }});
    return {{"scaling.threads", "the steps of train.unrolled, two threads over one", rounds.faster(0, 1),
             "times"}};
}

}  // namespace

std::vector<Rows> training_rows() {
    return {{{"gemm"}, gemm},
            {{"train.unrolled"}, unrolled},
            {{"train.denoising"}, denoising},
            {{"train.convolution"}, convolution},
            {{"train.table"}, table},
            {{"scaling.threads"}, threads}};
}

}  // namespace stackae::bench
