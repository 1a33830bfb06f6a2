#include "train/driver.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <set>

#include "stackae/error.hpp"

#include "base/hash.hpp"
#include "base/memory.hpp"
#include "layers/chain.hpp"
#include "model/split.hpp"
#include "train/sample_store.hpp"

namespace stackae {
namespace {

using layers::LayerTrainer;
using layers::StageProgress;
using layers::TrainContext;
using training::SampleStore;

constexpr std::int64_t chunk_bytes = std::int64_t{128} << 20;  ///< of maps made at a time
/// Of a reconstruction head.
constexpr std::int64_t max_head = std::int64_t{1} << 26;
constexpr const char* embedding = "embedding";
constexpr const char* wide = "wide";

/// Rows that a trainer holds, by the run's limit in memory or in a file.
class HeldRows : public layers::RowStore {
public:
    explicit HeldRows(SampleStore store) : store_(std::move(store)) {}
    [[nodiscard]] std::int64_t rows() const override { return store_.rows(); }
    [[nodiscard]] std::int64_t columns() const override { return store_.columns(); }
    [[nodiscard]] float* row(std::int64_t i) override { return store_.row(i); }

private:
    SampleStore store_;
};

/// Where pictures and codes are kept: in memory as long as they fit, then in files.
class Stores {
public:
    Stores(std::int64_t limit, std::string folder) : limit_(limit), folder_(std::move(folder)) {}
    SampleStore make(std::int64_t rows, std::int64_t columns, bool stays) {
        const std::int64_t bytes = rows * columns * static_cast<std::int64_t>(sizeof(float));
        const bool fits = held_ + bytes <= limit_;
        held_ += fits && stays ? bytes : 0;
        return {rows, columns, fits, folder_};
    }

private:
    std::int64_t limit_;
    std::string folder_;
    std::int64_t held_ = 0;
};

class StackInput : public layers::LayerInput {
public:
    StackInput(const SampleStore& pictures, const std::vector<std::shared_ptr<const Layer>>& below,
               Stores& stores, int threads)
        : pictures_(pictures),
          stores_(stores),
          columns_(below.empty() ? pictures.columns() : below.back()->output_shape().size()),
          chain_(below, layers::Direction::encode, threads) {
        for (const auto& layer : below) {
            widest_ = std::max(widest_, layer->output_shape().size());
        }
        widest_ = std::max(widest_, pictures.columns());
    }

    [[nodiscard]] std::int64_t columns() const override { return columns_; }
    [[nodiscard]] std::int64_t chunk() const override {
        return std::clamp<std::int64_t>(chunk_bytes / (columns_ * static_cast<std::int64_t>(sizeof(float))),
                                        8, 256);
    }
    [[nodiscard]] Tensor gather(std::span<const std::int64_t> rows) override {
        return chain_.run(pictures(rows));
    }
    [[nodiscard]] Tensor pictures(std::span<const std::int64_t> rows) override {
        Tensor gathered({std::ssize(rows), pictures_.columns()});
        pictures_.gather(rows, gathered.data());
        return gathered;
    }
    [[nodiscard]] std::unique_ptr<layers::RowStore> make_store(std::int64_t rows,
                                                               std::int64_t columns) override {
        return std::make_unique<HeldRows>(stores_.make(rows, columns, false));
    }

private:
    const SampleStore& pictures_;
    Stores& stores_;
    std::int64_t columns_;
    std::int64_t widest_ = 0;
    layers::Chain chain_;
};

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
    /// The layer; null where it was stopped.
    std::shared_ptr<const Layer> run_stage(const std::string& name, const Layer& layer, StackInput& input,
                                           std::uint32_t stage);
    void add_head(const SampleStore& samples);
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
    std::int64_t memory_;
    Stores stores_;
    Split split_;
    StackModel model_;
};

SampleStore Driver::read(const Pictures& pictures) {
    SampleStore samples = stores_.make(pictures.size(), model_.preprocessing.size(), true);
    PictureReader reader(
        pictures, model_.preprocessing,
        {.threads = static_cast<int>(run_.threads), .memory = base::reading_memory(run_.memory_limit)});
    PictureBatch batch;
    std::set<std::string> classes;
    base::Hash data;
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
            data.add(std::string_view(entry.path.substr(entry.path.rfind('/') + 1)));
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
    record.pictures = rows;
    record.data = data.hex();
    record.class_names.assign(classes.begin(), classes.end());
    return samples;
}

std::shared_ptr<const Layer> Driver::run_stage(const std::string& name, const Layer& layer, StackInput& input,
                                               std::uint32_t stage) {
    TrainContext context{.context = context_,
                         .config = config_,
                         .input = input,
                         .train = split_.train,
                         .validation = split_.held_out,
                         .stage = stage,
                         .patch_bytes = memory_ / 2,
                         .stop = [this] { return observer_.stop(); },
                         .on_epoch =
                             [&](const StageEpoch& epoch) {
                                 StageEpoch named = epoch;
                                 named.stage = name;
                                 model_.record.history.push_back(named);
                                 observer_.on_epoch(named);
                             }};
    const std::unique_ptr<LayerTrainer> trainer = layer.trainer(context);
    do {
        if (observer_.stop()) {
            model_.record.interrupted = true;
            break;
        }
        observer_.on_progress(name, trainer->progress());
    } while (trainer->step(context));
    std::shared_ptr<const Layer> learnt = trainer->finish();
    model_.record.interrupted = model_.record.interrupted || !learnt;
    return learnt;
}

void Driver::train(const Stack& bound, const SampleStore& samples) {
    for (std::size_t i = 0; i < bound.size() && !model_.record.interrupted; ++i) {
        // Layers may have become smaller than was asked for.
        std::unique_ptr<Layer> layer = bound[i].clone();
        layer->bind(model_.layers.output_shape(model_.input_shape(), i));
        std::shared_ptr<const Layer> made = std::move(layer);
        if (made->is_trained()) {
            StackInput input(samples, lowest(i), stores_, static_cast<int>(run_.threads));
            made = run_stage(fmt::format("layer {}, {}", i + 1, made->type()), *made, input,
                             static_cast<std::uint32_t>(i));
        }
        if (made) {
            model_.layers.push_back(std::move(made));
        }
        if (!model_.record.interrupted && i + 1 == bound.size()) {
            add_head(samples);
        }
    }
}

/// A head straight to the picture, where what is below has lost what decoders would need.
void Driver::add_head(const SampleStore& samples) {
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
    StackInput input(samples, lowest(depth), stores_, static_cast<int>(run_.threads));
    if (auto learnt =
            run_stage("reconstruction", head[0], input, static_cast<std::uint32_t>(model_.layers.size()))) {
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
