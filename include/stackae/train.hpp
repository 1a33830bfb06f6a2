#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/model.hpp"
#include "stackae/stage.hpp"
#include "stackae/train_config.hpp"

namespace stackae {

/// How far a training has come that is under way.
struct CheckpointInfo {
    Model model;                  ///< the layers that are finished, without a table; its record says how
    std::string row = "picture";  ///< what it learns from: or "user" or "item", of a table
    std::int64_t stage = 1;       ///< under way, or at its beginning; from 1
    std::int64_t stages = 1;      ///< in all
    std::string stage_name;       ///< "layer 2, dense"
    StageProgress progress;       ///< of that stage
};
/// Throws IoError, or CorruptFile naming the file and what is wrong with it.
[[nodiscard]] CheckpointInfo load_checkpoint_info(const std::string& path);
/// The first thing in which a model, or as much as there is of one, was learnt otherwise than by a training
/// of these: "epochs: 50 found, 40 in the model"; empty: nothing. kept: what it is called there, "model" or
/// "checkpoint".
[[nodiscard]] std::string training_difference(const Model& standing, std::string_view kept,
                                              const Preprocessing& preprocessing, const TrainConfig& config,
                                              const std::string& data);
/// Where there is one. Throws IoError where it cannot be removed, or another training that is under way has
/// it.
void remove_training_checkpoint(const std::string& path);

/// Told of progress by train(), on the caller's thread. Every member has an empty default.
class TrainObserver {
public:
    TrainObserver() = default;
    TrainObserver(const TrainObserver&) = delete;
    TrainObserver& operator=(const TrainObserver&) = delete;
    virtual ~TrainObserver() = default;

    /// Pictures read so far, before training begins.
    virtual void on_read(std::int64_t /*done*/, std::int64_t /*of*/) {}
    virtual void on_skipped(const SkippedPicture& /*picture*/) {}
    virtual void on_remark(const PictureRemark& /*remark*/) {}
    /// Training goes on from a checkpoint.
    virtual void on_resumed(const CheckpointInfo& /*checkpoint*/) {}
    /// A checkpoint was written, which took so many seconds.
    virtual void on_checkpoint(double /*seconds*/) {}
    /// A checkpoint could not be written, for a disk that is full say; the one before is as it was, and
    /// training goes on.
    virtual void on_checkpoint_failed(const std::string& /*why*/) {}
    /// A stage begins.
    virtual void on_stage(const StageInfo& /*stage*/) {}
    /// Of the stage that began last.
    virtual void on_progress(const StageProgress& /*progress*/) {}
    virtual void on_epoch(const StageEpoch& /*epoch*/) {}
    /// All pictures that could be read, of which there may be one alone, have the same values: nothing can be
    /// learnt that tells pictures apart.
    virtual void on_alike(std::int64_t /*pictures*/) {}
    /// Asked before every step; true ends training cleanly.
    virtual bool stop() { return false; }
    /// Called where train() is about to throw, whatever it is, and some layers are finished.
    /// TrainingRecord::interrupted is true. May not throw.
    virtual void on_failure(Model /*finished*/) {}
};

/// Trains a stack greedily, layer by layer, then end to end if the configuration says so. On a stop the model
/// holds the layers that were finished; none where it came while pictures were read. Two runs with the same
/// configuration and pictures give the same model.
///
/// Where RunOptions::checkpoint names a file, what is under way is written there: every checkpoint_every
/// seconds, between stages, and on a stop. A run with `resume` goes on from there and ends with the same
/// bytes as one that was never stopped; where there is no such file it begins at the beginning. The file
/// stays: it may go once the model is safe. A training under way has its checkpoint for itself.
///
/// Throws InvalidArgument (also where the checkpoint is of other pictures or options: which, is named),
/// Divergence (with advice), IoError, CorruptFile and whatever the observer throws, after
/// TrainObserver::on_failure() was given what was finished.
[[nodiscard]] Model train(const ImageDataset& pictures, const Preprocessing& preprocessing,
                          const TrainConfig& config, const RunOptions& run, TrainObserver& observer);

/// Goes on with a model on other pictures: its dense layers are fine-tuned end to end,
/// config.fine_tune_epochs times, once at least, from what they have learnt, and its preprocessing stays.
/// config: Model::record's, or another, whose stack is not looked at. The history goes on. Throws as train(),
/// and InvalidArgument where the stack has nothing to fine-tune or there is a checkpoint.
[[nodiscard]] Model fine_tune(const Model& model, const ImageDataset& pictures, const TrainConfig& config,
                              const RunOptions& run, TrainObserver& observer);

/// As train() of a table: each user's row of values is what a picture is elsewhere. The model keeps the
/// table, by which it knows its users. Throws InvalidArgument also where check(table) does.
[[nodiscard]] Model train(const Interactions& table, const TrainConfig& config, const RunOptions& run,
                          TrainObserver& observer);

/// What a run would cost.
struct TrainPlan {
    std::vector<StageInfo> stages;  ///< in the order in which they run
    std::int64_t parameters = 0;    ///< of the finished stack, with its reconstruction head
    /// Taken by the stage that takes most, with the pictures and codes that are held.
    std::int64_t memory_bytes = 0;
    std::int64_t memory_limit = 0;         ///< what RunOptions::memory_limit comes to
    std::int64_t checkpoint_bytes = 0;     ///< of the largest checkpoint, about
    double multiply_adds = 0.0;            ///< of all stages
    double multiply_adds_a_picture = 0.0;  ///< to turn a picture into the code of the whole stack

    /// Whether it takes more than that and is refused.
    [[nodiscard]] bool refused() const { return memory_bytes > memory_limit; }
};

/// Whether any stage of training follows gradients.
[[nodiscard]] bool learns_by_gradients(const TrainPlan& plan);

/// Counted by the layers' shapes; nothing is timed. Throws InvalidArgument.
[[nodiscard]] TrainPlan plan_training(std::int64_t pictures, const Preprocessing& preprocessing,
                                      const TrainConfig& config, const RunOptions& run);
[[nodiscard]] TrainPlan plan_training(const Interactions& table, const TrainConfig& config,
                                      const RunOptions& run);
/// Multiply-adds a second that count as the speed of the reference machine, two cores, whatever machine this
/// is: what a budget of time is reckoned by.
inline constexpr double reference_rate = 100e9;
/// Multiply-adds a second of matrix products on this machine, now; takes about 0.2 s.
[[nodiscard]] double measure_rate(int threads);

/// A dense layer that can copy what it sees instead of learning from it.
struct CopyingLayer {
    std::size_t layer = 0;  ///< 1-based
    std::int64_t units = 0;
    std::int64_t values = 0;  ///< that may be copied: its inputs, or a picture's
    bool of_picture = false;  ///< its code is the stack's, and no shorter than a picture
};
/// Layers learnt one by one by gradients of more than twice as many units as inputs, and a code of such a
/// layer that is no shorter than a picture, where neither corruption, sparsity nor winner-take-all keeps them
/// from copying; a picture that is moved is rebuilt as it was moved, so it can be copied too. Throws
/// InvalidArgument where the layers do not fit one another.
[[nodiscard]] std::vector<CopyingLayer> copying_layers(const Preprocessing& preprocessing,
                                                       const TrainConfig& config);

/// What fit_to_small_set() may change.
struct SmallSetOptions {
    bool batch_size = true;
    bool epochs = true;
    bool fine_tune_epochs = true;
    std::int64_t enough_updates = 600;  ///< of a layer
    std::int64_t enough_fine_tuning_updates = 1500;
};
/// Few pictures make few updates an epoch. Where layers are learnt by gradients the batch is made smaller (32
/// at least) and the epochs more (200 at most), until a layer and the unrolled stack see enough updates.
/// Returns whether anything was changed.
bool fit_to_small_set(TrainConfig& config, std::int64_t pictures, const SmallSetOptions& may_change = {});

struct ChooseOptions {
    /// Put over every stack that is considered, where given, so that what a user names is part of the
    /// count. May change anything but the layers.
    std::function<TrainConfig(const TrainConfig&)> adjust = {};
    /// For training and for turning every picture into its code, at reference_rate.
    double budget_seconds = 900.0;
    RunOptions run = {};  ///< stacks that need more memory are passed over
};

/// A stack for a set of pictures.
struct StackChoice {
    TrainConfig config;    ///< preset: "auto"
    std::string reason;    ///< a line without an end
    double seconds = 0.0;  ///< of what the budget is for, at reference_rate
};

/// The largest stack of convolutions that suits the size and the number of the pictures and stays within the
/// budget, the smallest where none does; for pictures of a few pixels and for rows of numbers a dense stack
/// with no layer wider than those, and a code of half their values at most. The same on every machine with
/// the memory. Throws InvalidArgument.
[[nodiscard]] StackChoice choose_stack(std::int64_t pictures, const Preprocessing& preprocessing,
                                       const ChooseOptions& options = {});

}  // namespace stackae
