#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "base/with_context.hpp"
#include "layers/fine_tuning.hpp"
#include "model/groups.hpp"
#include "model/split.hpp"
#include "train/augmentation.hpp"
#include "train/checkpoint_keeper.hpp"
#include "train/corruption.hpp"
#include "train/read_pictures.hpp"
#include "train/sample_store.hpp"
#include "train/stack_input.hpp"
#include "train/stages.hpp"
#include "train/table_rows.hpp"

namespace stackae {
namespace {

using layers::LayerTrainer;
using layers::TrainContext;
using training::SampleStore;
using training::StackInput;

constexpr const char* embedding = "embedding";
constexpr const char* wide = "wide";

/// Everything that lives as long as one call of train().
class Driver {
public:
    Driver(const Preprocessing& preprocessing, const TrainConfig& config, const RunOptions& run,
           TrainObserver& observer)
        : config_(config),
          run_(run),
          observer_(observer),
          context_(static_cast<int>(run.threads)),
          stores_(0, run.temporary_folder),
          keeper_(run, observer) {
        model_.preprocessing = preprocessing;
        model_.record.config = config;
        checkpoint_.patch_bytes = training::max_patch_bytes(run);
    }

    /// Goes on from the run's checkpoint, if there is one.
    void resume(const std::string& data) {
        resumed_ = keeper_.take_up();
        if (resumed_) {
            training::check_same(*resumed_, run_.checkpoint, model_.preprocessing, config_, data);
            checkpoint_.patch_bytes = resumed_->patch_bytes;
        }
    }

    /// The layers of a model are fine-tuned, and nothing else is learnt. It must outlive this.
    void fine_tune_only(const Model& model) { begun_ = &model; }

    /// bound: the configuration's layers. read(): gives the rows to learn from, a RowSource, and fills in
    /// what the record says of them; data_of(rows): how much they are.
    template <class Read, class DataOf>
    Model run(const Stack& bound, std::int64_t rows, const Read& read, const DataOf& data_of) {
        stores_.set_limit(stages_of(bound, data_of(rows)).holdable_bytes(run_));
        try {
            const auto samples = read();
            if (!model_.record.interrupted) {
                split_ = split_pictures(config_, model_.record.pictures, labels_.groups.take());
                if (resumed_) {
                    take_up();
                }
                train(stages_of(bound, data_of(model_.record.pictures)), bound, samples);
            }
        } catch (...) {
            if (!model_.layers.empty()) {
                model_.record.interrupted = true;
                forget_unfinished();
                name_outputs();
                observer_.on_failure(std::move(model_));
            }
            throw;
        }
        name_outputs();
        return std::move(model_);
    }
    Model run(const Stack& bound, const ImageDataset& pictures) {
        return run(
            bound, pictures.size(), [&] { return read(pictures); },
            [this](std::int64_t n) {
                return training::DataSize::of_pictures(n, model_.preprocessing, run_);
            });
    }
    Model run(const Stack& bound, const Interactions& table) {
        const auto data = training::DataSize::of_table(table, TableRow::user);
        return run(
            bound, data.rows, [&] { return read(table); }, [&](std::int64_t /*users*/) { return data; });
    }

private:
    [[nodiscard]] training::Stages stages_of(const Stack& bound, const training::DataSize& data) const {
        return training::make_stages(bound, data, model_.preprocessing, config_, run_,
                                     checkpoint_.patch_bytes);
    }
    SampleStore read(const ImageDataset& pictures);
    training::TableRows read(const Interactions& table);
    /// The layers and the history of the checkpoint, once the pictures are known to be the same.
    void take_up();
    /// trainer: of the stage under way; null between stages.
    template <class Trainer>
    void write_checkpoint(Trainer* trainer);
    void train(const training::Stages& all, const Stack& bound, const base::RowSource& samples);
    /// What a stage works with that sees the output of the lowest layers.
    TrainContext context_of(const training::Stage& stage, StackInput& input);
    /// Goes on with the state of a checkpoint where there is one. Some of a state is looked at by steps only.
    template <class Trainer>
    void run_steps(Trainer& trainer, TrainContext& context);
    /// Steps until it is done or stopped.
    template <class Trainer>
    void take_steps(Trainer& trainer, TrainContext& context);
    /// The layer; null where it was stopped.
    std::shared_ptr<const Layer> learn(const training::Stage& stage, const Layer& layer, StackInput& input);
    void run_stage(const Stack& bound, const training::Stage& stage, StackInput& input);
    void fine_tune(const training::Stage& stage, StackInput& input);
    /// Adds layers that learn nothing, up to that depth.
    void add_plain_layers(const Stack& bound, std::size_t depth);
    /// Layers may have become smaller than was asked for.
    [[nodiscard]] std::unique_ptr<Layer> bound_on_top(const Layer& layer) const {
        std::unique_ptr<Layer> own = layer.clone();
        own->bind(model_.layers.output_shape(model_.input_shape(), model_.layers.size()));
        return own;
    }
    /// Leaves out the epochs of a stage that has not come to its end.
    void forget_unfinished() { model_.record.history.resize(finished_epochs_); }
    void name_outputs();

    const TrainConfig& config_;
    const RunOptions& run_;
    TrainObserver& observer_;
    linalg::Context context_;
    base::OneMember alone_;
    training::Stores stores_;
    LabelsSeen labels_;  ///< groups until the pictures are split
    Split split_;
    Model model_;
    std::size_t finished_epochs_ = 0;  ///< in the history, of stages that have come to their end
    std::optional<training::Checkpoint> resumed_;
    training::Checkpoint checkpoint_;  ///< the next one, but for the model and the trainer
    training::CheckpointKeeper keeper_;
    const Model* begun_ = nullptr;  ///< see fine_tune_only()
    StackInput* input_ = nullptr;   ///< of the layers, while they are trained
};

SampleStore Driver::read(const ImageDataset& pictures) {
    training::PicturesRead read =
        training::read_pictures(pictures, model_.preprocessing, run_, stores_, labels_, observer_);
    TrainingRecord& record = model_.record;
    if (read.stopped) {
        record.interrupted = true;
        return std::move(read.samples);
    }
    stores_.keep(read.samples);
    checkpoint_.values = read.values;
    record.pictures = read.samples.rows();
    record.data = data_identity(pictures);
    record.class_names.assign(labels_.classes.begin(), labels_.classes.end());
    return std::move(read.samples);
}

training::TableRows Driver::read(const Interactions& table) {
    checkpoint_.row = name(*config_.rows);
    model_.record.pictures = table.user_count();
    model_.record.data = checkpoint_.values = data_identity(table);
    return training::TableRows(table);
}

void Driver::take_up() {
    const training::Checkpoint& from = *resumed_;
    const auto [now, before] = std::pair(model_.record.pictures, from.model.record.pictures);
    if (from.values != checkpoint_.values) {
        throw InvalidArgument(fmt::format(
            "{}: the checkpoint is of other {}s: {} found, {} in the checkpoint", *run_.checkpoint,
            checkpoint_.row, now == before ? "other values" : std::to_string(now),
            now == before ? "those" : std::to_string(before)));
    }
    model_.layers = from.model.layers;
    model_.reconstruction = from.model.reconstruction;
    model_.record.history = from.model.record.history;
    finished_epochs_ = static_cast<std::size_t>(from.finished_epochs);
    if (from.trainer.tensors.empty()) {
        forget_unfinished();  // their stage begins anew
    }
    checkpoint_.stage = from.stage;
}

template <class Trainer>
void Driver::write_checkpoint(Trainer* trainer) {
    keeper_.write(checkpoint_, [&] {
        checkpoint_.model = model_;
        checkpoint_.model.record.interrupted = false;
        checkpoint_.finished_epochs = static_cast<std::int64_t>(finished_epochs_);
        checkpoint_.inputs = input_->events();
        checkpoint_.trainer = {};
        checkpoint_.progress = {};
        if (trainer != nullptr) {
            checkpoint_.progress = trainer->progress();
            trainer->save_state(checkpoint_.trainer);
        }
    });
    checkpoint_.trainer = {};
}

TrainContext Driver::context_of(const training::Stage& stage, StackInput& input) {
    const std::uint32_t number = stage.number;
    TrainContext context{
        .context = context_,
        .communicator = alone_,
        .config = config_,
        .input = input,
        .train = split_.train,
        .validation = split_.held_out,
        .stage = number,
        .name = stage.info.name,
        .of_pictures = stage.below == 0,
        .lowest = stage.lowest,
        .suited_output = training::suited_output(model_.preprocessing, model_.layers, stage.below),
        .augment = {},
        .corruption = {},
        .patch_bytes = checkpoint_.patch_bytes,
        .on_epoch = [this, name = stage.info.name](const StageEpoch& epoch) {
            StageEpoch named = epoch;
            named.stage = name;
            model_.record.history.push_back(named);
            observer_.on_epoch(named);
        }};
    const training::Augmentation augmentation = training::augmentation_of(config_);
    if (stage.below == 0 && model_.preprocessing.height > 1 && augmentation != training::Augmentation{}) {
        context.augment = [=, this](std::span<const std::int64_t> rows, std::uint32_t epoch,
                                    std::span<float> values) {
            training::augment(augmentation, model_.preprocessing, {config_.seed, number, epoch}, rows,
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
                    training::corrupt(config_.corruption, level, {config_.seed, number, epoch}, rows,
                                      std::ssize(values) / std::ssize(rows), values.data());
                };
        };
    }
    return context;
}

template <class Trainer>
void Driver::run_steps(Trainer& trainer, TrainContext& context) {
    if (resumed_ && !(resumed_->trainer.tensors.empty() && resumed_->trainer.numbers.empty())) {
        base::with_context<CorruptFile>(*run_.checkpoint, [&] {
            trainer.load_state(resumed_->trainer);
            resumed_.reset();
            take_steps(trainer, context);
        });
    } else {
        resumed_.reset();
        take_steps(trainer, context);
    }
}

template <class Trainer>
void Driver::take_steps(Trainer& trainer, TrainContext& context) {
    do {
        const bool stopped = observer_.stop();
        if (keeper_.is_due() || (stopped && keeper_.keeps())) {
            write_checkpoint(&trainer);
        }
        if (stopped) {
            model_.record.interrupted = true;
            return;
        }
        observer_.on_progress(trainer.progress());
    } while (trainer.step(context));
}

std::shared_ptr<const Layer> Driver::learn(const training::Stage& stage, const Layer& layer,
                                           StackInput& input) {
    input.below(model_.layers.layers(0, stage.below));
    TrainContext context = context_of(stage, input);
    const std::unique_ptr<LayerTrainer> trainer = layer.trainer(context);
    run_steps(*trainer, context);
    std::shared_ptr<const Layer> learnt = trainer->finish();
    model_.record.interrupted = model_.record.interrupted || !learnt;
    return learnt;
}

void Driver::fine_tune(const training::Stage& stage, StackInput& input) {
    input.below(model_.layers.layers(0, stage.below));
    TrainContext context = context_of(stage, input);
    layers::FineTuning tuning(model_.layers.layers(stage.below, stage.last), context);
    run_steps(tuning, context);
    const auto tuned = tuning.finish();
    for (std::size_t i = 0; i < tuned.size(); ++i) {
        model_.layers.replace(stage.below + i, tuned[i]);
    }
}

void Driver::add_plain_layers(const Stack& bound, std::size_t depth) {
    while (model_.layers.size() < depth) {
        model_.layers.push_back(bound_on_top(bound[model_.layers.size()]));
    }
}

void Driver::train(const training::Stages& all, const Stack& bound, const base::RowSource& samples) {
    StackInput input(samples, model_.record.pictures, stores_, static_cast<int>(run_.threads));
    input_ = &input;
    if (begun_ != nullptr) {
        const auto stage = std::find_if(all.stages.begin(), all.stages.end(), [](const training::Stage& one) {
            return one.kind == training::StageKind::fine_tuning;
        });
        if (stage == all.stages.end()) {
            throw InvalidArgument(
                fmt::format("fine_tune: {} found, a stack with dense layers that can be fine-tuned expected",
                            to_text(bound)));
        }
        model_.layers = begun_->layers;
        model_.reconstruction = begun_->reconstruction;
        model_.record.history = begun_->record.history;
        run_stage(bound, *stage, input);
        return;
    }
    checkpoint_.stages = std::ssize(all.stages);
    if (resumed_) {
        training::check_stage(*resumed_, run_.checkpoint, bound, all);
        observer_.on_resumed(*resumed_);
        const bool replayed = base::with_context<CorruptFile>(*run_.checkpoint, [&] {
            return input.replay(resumed_->inputs, model_.layers.layers(),
                                [this] { return observer_.stop(); });
        });
        if (!replayed) {
            model_.record.interrupted = true;  // the checkpoint stays as it is
            return;
        }
    }
    for (std::int64_t i = checkpoint_.stage; i <= checkpoint_.stages; ++i) {
        const training::Stage& stage = all.stages[static_cast<std::size_t>(i - 1)];
        checkpoint_.stage = i;
        checkpoint_.stage_name = stage.info.name;
        // What is gone on with says more of its stage than that it begins, and before the first one nothing
        // is learnt that could be lost.
        if (!resumed_ && i > 1 && keeper_.is_cheap()) {
            write_checkpoint<LayerTrainer>(nullptr);
        }
        run_stage(bound, stage, input);
        finished_epochs_ = model_.record.history.size();
        if (model_.record.interrupted) {
            return;
        }
    }
    add_plain_layers(bound, bound.size());
}

void Driver::run_stage(const Stack& bound, const training::Stage& stage, StackInput& input) {
    add_plain_layers(bound, stage.below);
    observer_.on_stage(stage.info);
    if (stage.kind == training::StageKind::fine_tuning) {
        fine_tune(stage, input);
    } else if (stage.kind == training::StageKind::head) {
        const auto head = training::make_head(model_.layers.output_shape(model_.input_shape(), stage.below),
                                              model_.input_shape());
        if (auto learnt = learn(stage, *head, input)) {
            model_.reconstruction.head.push_back(std::move(learnt));
        }
    } else if (auto learnt = learn(stage, *bound_on_top(bound[stage.below]), input)) {
        model_.layers.push_back(std::move(learnt));
    } else {
        forget_unfinished();
    }
}

void Driver::name_outputs() {
    if (model_.layers.empty()) {
        return;
    }
    const std::size_t depth = training::embedding_depth(model_.layers);
    model_.outputs = {{embedding, depth}};
    if (depth < model_.layers.size()) {
        model_.outputs.push_back({wide, model_.layers.size()});
    }
    model_.reconstruction.depth = training::rebuilt_depth(model_.layers);
}

/// begun: see Driver::fine_tune_only(), or null.
template <class Data>
Model train_on(const Data& data, const Preprocessing& preprocessing, const TrainConfig& config,
               const RunOptions& run, TrainObserver& observer, const Model* begun = nullptr) {
    validate(preprocessing);
    validate(config);
    const Stack bound = begun != nullptr ? begun->layers : bind(config.stack, preprocessing.shape());
    return linalg::run_on_backend("train", static_cast<int>(run.threads), [&] {
        Driver driver(preprocessing, config, run, observer);
        if (begun != nullptr) {
            driver.fine_tune_only(*begun);
        }
        if (run.resume) {
            driver.resume(data_identity(data));
        }
        return driver.run(bound, data);
    });
}

}  // namespace

Model train(const ImageDataset& pictures, const Preprocessing& preprocessing, const TrainConfig& config,
            const RunOptions& run, TrainObserver& observer) {
    return train_on(pictures, preprocessing, config, run, observer);
}

Model fine_tune(const Model& model, const ImageDataset& pictures, const TrainConfig& config,
                const RunOptions& run, TrainObserver& observer) {
    if (!(*run.checkpoint).empty()) {
        throw InvalidArgument(
            fmt::format("fine_tune: a checkpoint {} found, none expected", *run.checkpoint));
    }
    TrainConfig own = config;
    own.stack = model.layers;
    own.fine_tune_epochs = std::max<std::int64_t>(1, config.fine_tune_epochs);
    return train_on(pictures, model.preprocessing, own, run, observer, &model);
}

Model train(const Interactions& table, const TrainConfig& config, const RunOptions& run,
            TrainObserver& observer) {
    Interactions turned;
    const Interactions& rows = training::rows_to_learn(table, config, turned);
    Model model = train_on(rows, preprocessing_of(table, config.rows), config, run, observer);
    model.record.data = data_identity(table);
    model.table = table;
    return model;
}

}  // namespace stackae
