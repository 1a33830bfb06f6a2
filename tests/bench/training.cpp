#include <algorithm>
#include <fmt/format.h>
#include <memory>
#include <numeric>

#include "stackae/pictures.hpp"

#include "base/random.hpp"
#include "bench.hpp"
#include "linalg/spherical_kmeans.hpp"
#include "products.hpp"
#include "train/sample_store.hpp"
#include "train/stack.hpp"

namespace stackae::bench {
namespace {

constexpr std::int64_t batch = 256;
constexpr std::int64_t pictures = 4096;  // that batches are taken from
constexpr std::int64_t steps = 40;       // a time

const std::vector<std::int64_t> net = {784, 1000, 500, 250, 30};

/// MNIST's first pictures.
training::SampleStore read(const std::string& path) {
    const Pictures all = Pictures::open(path);
    std::vector<std::int64_t> first(pictures);
    std::iota(first.begin(), first.end(), std::int64_t{0});
    const Pictures some = all.subset(first);
    const Recipe recipe = choose_recipe(some, {});
    PictureReader reader(some, recipe);
    training::SampleStore samples(pictures, recipe.size(), true);
    std::int64_t rows = 0;
    for (PictureBatch read; reader.next(read); rows += read.pictures.rows()) {
        std::copy_n(read.pictures.data(), read.pictures.size(), samples.row(rows));
    }
    samples.truncate(rows);
    return samples;
}

/// Steps of a phase of training, batch after batch.
class Steps {
public:
    Steps(const Setup& setup, const TrainOptions& options, bool unrolled, int threads)
        : options_(options),
          threads_(threads),
          scope_(threads),
          context_(threads),
          samples_(read(setup.data + "/train-images-idx3-ubyte.gz")),
          rows_(pictures) {
        std::iota(rows_.begin(), rows_.end(), std::int64_t{0});
        Recipe recipe;
        recipe.channels = 1;
        recipe.height = recipe.width = 28;
        std::vector<nn::LayerSpec> specs;
        if (unrolled) {
            const std::size_t depth = options_.layers.size();
            std::int64_t inputs = recipe.size();
            for (std::size_t i = 0; i < depth; ++i) {
                specs.push_back({inputs, options_.layers[i], training::activation_of(options_, i), -1});
                inputs = options_.layers[i];
            }
            for (std::size_t i = depth; i-- > 0;) {
                specs.push_back({options_.layers[i], i == 0 ? recipe.size() : options_.layers[i - 1],
                                 training::decoder_of(options_, recipe, i), -1});
            }
        } else {
            specs = training::autoencoder(options_, recipe, 0);
        }
        parameters_ = std::make_unique<nn::Parameters>(specs);
        for (std::size_t i = 0; i < specs.size(); ++i) {
            parameters_->initialize(i, 0, 0);
            shapes_.push_back({batch, specs[i].ic, specs[i].oc});
        }
        loop_ =
            std::make_unique<nn::GradientLoop>(context_, *parameters_, nn::TrainingRows{samples_, rows_, {}},
                                               unrolled ? training::fine_tuning_config(options_, recipe)
                                                        : training::greedy_config(options_, recipe, 0),
                                               alone_);
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
    TrainOptions options_;
    int threads_;
    base::ThreadScope scope_;
    linalg::Context context_;
    training::SampleStore samples_;
    std::vector<std::int64_t> rows_;
    std::vector<ProductShape> shapes_;
    std::unique_ptr<nn::Parameters> parameters_;
    base::OneMember alone_;
    std::unique_ptr<nn::GradientLoop> loop_;
};

TrainOptions unrolled_options(int threads) {
    TrainOptions options = preset("hinton2006");
    options.optimizer = OptimizerKind::adam;
    options.weight_decay = 0.0;
    options.batch_size = batch;
    options.threads = threads;
    return options;
}

TrainOptions denoising_options(int threads) {
    TrainOptions options = preset("sdae");
    options.layers = {1000};
    options.activations = {Activation::sigmoid};
    options.corruption = Corruption::masking;
    options.corruption_level = {0.25};
    options.batch_size = batch;
    options.threads = threads;
    return options;
}

Row step_row(const Setup& setup, const std::string& name, const std::string& what,
             const TrainOptions& options, bool unrolled) {
    Steps ours(setup, options, unrolled, setup.threads);
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
    if (unrolled && setup.python != nullptr) {
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
                     unrolled_options(setup.threads), true)};
}

std::vector<Row> denoising(const Setup& setup) {
    return {step_row(setup, "train.denoising", "784-1000-784, a quarter masked, batch 256",
                     denoising_options(setup.threads), false)};
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
    const base::Random random(0, base::Stream::plan);
    for (std::int64_t i = 0; i < patches * values; i += 2) {
        const auto bits = random.block(static_cast<std::uint32_t>(i / 2));
        const auto normal = base::Random::normal(bits[0], bits[1]);
        samples.row(0)[i] = normal[0];
        samples.row(0)[i + 1] = normal[1];
    }
    Products limit(context, {{patches, values, units}}, false);
    const Rounds rounds(setup.repeats, {[&] {
                                            return seconds_of([&] {
                                                static_cast<void>(linalg::spherical_kmeans(
                                                    context, samples.row(0), patches, values,
                                                    {.k = units, .iterations = passes}));
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

std::vector<Row> threads(const Setup& setup) {
    Steps one(setup, unrolled_options(1), true, 1);
    Steps two(setup, unrolled_options(2), true, 2);
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
            {{"scaling.threads"}, threads}};
}

}  // namespace stackae::bench
