#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "stackae/error.hpp"
#include "stackae/stack_train.hpp"

#include "base/memory.hpp"
#include "layers/autoencoder.hpp"
#include "layers/fine_tuning.hpp"
#include "model/split.hpp"
#include "train/augmentation.hpp"
#include "train/corruption.hpp"
#include "train/sample_store.hpp"
#include "train/stack_input.hpp"

namespace stackae {
namespace {

using layers::LayerTrainer;
using layers::TrainContext;
using training::SampleStore;
using training::StackInput;
using training::Stores;

/// Of a reconstruction head.
constexpr std::int64_t max_head = std::int64_t{1} << 26;
/// Of random numbers: above all layers.
constexpr std::uint32_t fine_tuning_stage = 1000;
constexpr const char* embedding = "embedding";
constexpr const char* wide = "wide";

/// Everything that lives as long as one call of train_stack().
class Driver {
public:
    Driver(const Recipe& recipe, const TrainConfig& config, const RunOptions& run, StackObserver& observer)
        : config_(config),
          run_(run),
          observer_(observer),
          context_(static_cast<int>(run.threads)),
          memory_(std::min(TrainOptions{}.memory, base::resolve_memory(run.memory_limit) / 2)),
          stores_(memory_, run.temporary_folder) {
        model_.preprocessing = recipe;
        model_.record.config = config;
    }

    StackModel run(const Pictures& pictures) {
        const Stack bound = bind(config_.stack, model_.input_shape());
        try {
            SampleStore samples = read(pictures);
            if (!model_.record.interrupted) {
                split_ = split_rows(config_, model_.record.pictures);
                train(bound, samples);
            }
        } catch (...) {
            if (!model_.layers.empty()) {
                model_.record.interrupted = true;
                name_outputs();
                observer_.on_failure(std::move(model_));
            }
            throw;
        }
        name_outputs();
        return std::move(model_);
    }

private:
    SampleStore read(const Pictures& pictures);
    void train(const Stack& bound, const SampleStore& samples);
    /// What a stage works with that sees the output of the lowest `depth` layers.
    TrainContext context_of(const std::string& name, StackInput& input, std::size_t depth,
                            std::uint32_t stage);
    template <class Trainer>
    void run_steps(Trainer& trainer, TrainContext& context);
    /// The layer; null where it was stopped.
    std::shared_ptr<const Layer> run_stage(const std::string& name, const Layer& layer, StackInput& input,
                                           std::size_t depth, std::uint32_t stage);
    void fine_tune(StackInput& input);
    void add_head(StackInput& input);
    void name_outputs();
    [[nodiscard]] std::vector<std::shared_ptr<const Layer>> lowest(std::size_t depth) const {
        const auto& all = model_.layers.layers();
        return {all.begin(), all.begin() + static_cast<std::ptrdiff_t>(depth)};
    }
    /// Layers below those that only widen a code.
    [[nodiscard]] std::size_t embedding_depth() const {
        std::size_t depth = model_.layers.size();
        while (depth > 1 && model_.layers[depth - 1].is_expansion()) {
            --depth;
        }
        return depth;
    }
    /// Of the highest code below the embedding that something was learnt for.
    [[nodiscard]] std::size_t rebuilt_depth() const {
        std::size_t depth = embedding_depth();
        while (depth > 1 && !model_.layers[depth - 1].is_trained()) {
            --depth;
        }
        return depth;
    }

    const TrainConfig& config_;
    const RunOptions& run_;
    StackObserver& observer_;
    linalg::Context context_;
    base::OneMember alone_;
    std::int64_t memory_;
    Stores stores_;
    Split split_;
    StackModel model_;
};

SampleStore Driver::read(const Pictures& pictures) {
    SampleStore samples = stores_.make(pictures.size(), model_.preprocessing.size());
    PictureReader reader(
        pictures, model_.preprocessing,
        {.threads = static_cast<int>(run_.threads), .memory = base::reading_memory(run_.memory_limit)});
    PictureBatch batch;
    std::set<std::string> classes;
    std::vector<float> first;
    bool alike = true;
    std::int64_t rows = 0;
    std::int64_t seen = 0;
    while (!observer_.stop() && reader.next(batch)) {
        samples.put(rows, batch.pictures.values());
        for (std::int64_t i = 0; alike && i < batch.pictures.rows(); ++i) {
            const auto row = batch.pictures.row(i);
            if (first.empty()) {
                first.assign(row.begin(), row.end());
            }
            alike = std::equal(first.begin(), first.end(), row.begin());
        }
        rows += batch.pictures.rows();
        seen += batch.pictures.rows() + std::ssize(batch.skipped);
        for (const std::int64_t index : batch.indices) {
            const auto entry = pictures.entry(index);
            if (entry.label) {
                classes.insert(*entry.label);
            }
        }
        for (const SkippedPicture& skipped : batch.skipped) {
            observer_.on_skipped(skipped);
        }
        for (const PictureRemark& remark : batch.remarks) {
            observer_.on_remark(remark);
        }
        observer_.on_read(seen, pictures.size());
    }
    TrainingRecord& record = model_.record;
    if (observer_.stop()) {
        record.interrupted = true;
        return samples;
    }
    if (rows == 0) {
        throw InvalidArgument(
            fmt::format("{}: no picture could be read, at least 1 expected", pictures.path()));
    }
    if (alike) {
        observer_.on_alike(rows);
    }
    samples.truncate(rows);
    stores_.keep(samples);
    record.pictures = rows;
    record.data = data_identity(pictures);
    record.class_names.assign(classes.begin(), classes.end());
    return samples;
}

TrainContext Driver::context_of(const std::string& name, StackInput& input, std::size_t depth,
                                std::uint32_t stage) {
    const Recipe& recipe = model_.preprocessing;
    Activation suited = recipe.unit_range() ? Activation::sigmoid : Activation::linear;
    for (std::size_t i = 0; i < depth; ++i) {
        suited = model_.layers[i].output_activation(suited);
    }
    TrainContext context{.context = context_,
                         .communicator = alone_,
                         .config = config_,
                         .input = input,
                         .train = split_.train,
                         .validation = split_.held_out,
                         .stage = stage,
                         .name = name,
                         .of_pictures = depth == 0,
                         .suited_output = suited,
                         .augment = {},
                         .corruption = {},
                         .patch_bytes = memory_ / 2,
                         .stop = [this] { return observer_.stop(); },
                         .on_epoch =
                             [this, name](const StageEpoch& epoch) {
                                 StageEpoch named = epoch;
                                 named.stage = name;
                                 model_.record.history.push_back(named);
                                 observer_.on_epoch(named);
                             }};
    const Augmentation augmentation{config_.augment_shift, config_.augment_rotate, config_.augment_scale,
                                    config_.augment_shear};
    if (depth == 0 && recipe.height > 1 && augmentation != Augmentation{}) {
        context.augment = [=, this](std::span<const std::int64_t> rows, std::uint32_t epoch,
                                    std::span<float> values) {
            training::augment(augmentation, model_.preprocessing, {config_.seed, stage, epoch}, rows,
                              values.data());
        };
    }
    if (config_.corruption != Corruption::none) {
        context.corruption = [=, this](double level) -> nn::RowsTransform {
            if (level == 0.0) {
                return {};
            }
            return
                [=, this](std::span<const std::int64_t> rows, std::uint32_t epoch, std::span<float> values) {
                    training::corrupt(config_.corruption, level, {config_.seed, stage, epoch}, rows,
                                      std::ssize(values) / std::ssize(rows), values.data());
                };
        };
    }
    return context;
}

/// Steps until it is done or stopped.
template <class Trainer>
void Driver::run_steps(Trainer& trainer, TrainContext& context) {
    do {
        if (observer_.stop()) {
            model_.record.interrupted = true;
            return;
        }
        observer_.on_progress(trainer.progress());
    } while (trainer.step(context));
}

std::shared_ptr<const Layer> Driver::run_stage(const std::string& name, const Layer& layer, StackInput& input,
                                               std::size_t depth, std::uint32_t stage) {
    input.below(lowest(depth));
    TrainContext context = context_of(name, input, depth, stage);
    const std::unique_ptr<LayerTrainer> trainer = layer.trainer(context);
    observer_.on_stage({.name = name,
                        .type = std::string(layer.type()),
                        .input = layer.input_shape(),
                        .output = layer.output_shape()});
    run_steps(*trainer, context);
    std::shared_ptr<const Layer> learnt = trainer->finish();
    model_.record.interrupted = model_.record.interrupted || !learnt;
    return learnt;
}

/// The autoencoders on top, end to end.
void Driver::fine_tune(StackInput& input) {
    std::size_t first = model_.layers.size();
    while (first > 0 && model_.layers[first - 1].autoencoder()) {
        --first;
    }
    input.below(lowest(first));
    TrainContext context = context_of("fine-tuning", input, first, fine_tuning_stage);
    const auto all = lowest(model_.layers.size());
    observer_.on_stage({.name = context.name, .type = {}, .input = {}, .output = {}});
    layers::FineTuning tuning({all.begin() + static_cast<std::ptrdiff_t>(first), all.end()}, context);
    run_steps(tuning, context);
    const auto tuned = tuning.finish();
    for (std::size_t i = 0; i < tuned.size(); ++i) {
        model_.layers.replace(first + i, tuned[i]);
    }
}

void Driver::train(const Stack& bound, const SampleStore& samples) {
    StackInput input(samples, stores_, static_cast<int>(run_.threads));
    for (std::size_t i = 0; i < bound.size() && !model_.record.interrupted; ++i) {
        // Layers may have become smaller than was asked for.
        std::unique_ptr<Layer> layer = bound[i].clone();
        layer->bind(model_.layers.output_shape(model_.input_shape(), i));
        std::shared_ptr<const Layer> made = std::move(layer);
        if (made->is_trained()) {
            made = run_stage(fmt::format("layer {}, {}", i + 1, made->type()), *made, input, i,
                             static_cast<std::uint32_t>(i));
        }
        if (made) {
            model_.layers.push_back(std::move(made));
        }
        const bool last = i + 1 == bound.size();
        if (!model_.record.interrupted && config_.fine_tune_epochs > 0 && bound[i].autoencoder() &&
            (last || !bound[i + 1].autoencoder())) {
            fine_tune(input);
        }
        if (!model_.record.interrupted && last) {
            add_head(input);
        }
    }
}

/// A head straight to the picture, where what is below has lost what decoders would need.
void Driver::add_head(StackInput& input) {
    const std::size_t depth = rebuilt_depth();
    const bool lost = [&] {
        const auto below = lowest(depth);
        return std::any_of(below.begin(), below.end(),
                           [](const auto& layer) { return layer->loses_detail(); });
    }();
    const Shape code = model_.layers.output_shape(model_.input_shape(), depth);
    if (!lost || !model_.layers[depth - 1].decorrelates() ||
        code.size() > max_head / model_.input_shape().size()) {
        return;
    }
    const Shape picture = model_.input_shape();
    const Stack head = bind(parse_stack(fmt::format("ridge_decoder:{}:width={}:channels={}", picture.height,
                                                    picture.width, picture.channels)),
                            code);
    if (auto learnt = run_stage("reconstruction", head[0], input, depth,
                                static_cast<std::uint32_t>(model_.layers.size()))) {
        model_.reconstruction.head.push_back(std::move(learnt));
    }
}

void Driver::name_outputs() {
    if (model_.layers.empty()) {
        return;
    }
    const std::size_t depth = embedding_depth();
    model_.outputs = {{embedding, depth}};
    if (depth < model_.layers.size()) {
        model_.outputs.push_back({wide, model_.layers.size()});
    }
    model_.reconstruction.depth = rebuilt_depth();
}

}  // namespace

StackModel train_stack(const Pictures& pictures, const Recipe& recipe, const TrainConfig& config,
                       const RunOptions& run, StackObserver& observer) {
    validate(recipe);
    validate(config);
    return linalg::run_on_backend("train", static_cast<int>(run.threads),
                                  [&] { return Driver(recipe, config, run, observer).run(pictures); });
}

}  // namespace stackae
