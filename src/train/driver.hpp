#pragma once

#include <cstdint>
#include <string>

#include "stackae/pictures.hpp"
#include "stackae/stack_model.hpp"
#include "stackae/train_config.hpp"

#include "layers/trainer.hpp"

namespace stackae {

/// Told of progress by train_stack(), on the caller's thread. Every member has an empty default.
class StackObserver {
public:
    StackObserver() = default;
    StackObserver(const StackObserver&) = delete;
    StackObserver& operator=(const StackObserver&) = delete;
    virtual ~StackObserver() = default;

    /// Pictures read so far, before training begins.
    virtual void on_read(std::int64_t /*done*/, std::int64_t /*of*/) {}
    virtual void on_skipped(const SkippedPicture& /*picture*/) {}
    virtual void on_remark(const PictureRemark& /*remark*/) {}
    /// stage: "layer 2, dense".
    virtual void on_progress(const std::string& /*stage*/, const layers::StageProgress& /*progress*/) {}
    virtual void on_epoch(const StageEpoch& /*epoch*/) {}
    /// All pictures that could be read, of which there may be one alone, have the same values: nothing can be
    /// learnt that tells pictures apart.
    virtual void on_alike(std::int64_t /*pictures*/) {}
    /// Asked before every step; true ends training cleanly.
    virtual bool stop() { return false; }
    /// Called where train_stack() is about to throw, whatever it is, and some layers are finished.
    /// TrainingRecord::interrupted is true. May not throw.
    virtual void on_failure(StackModel /*finished*/) {}
};

/// Trains a stack greedily, layer by layer, then end to end if the configuration says so. On a stop the model
/// holds the layers that were finished; none where it came while pictures were read. Two runs with the same
/// configuration and pictures give the same model. Throws InvalidArgument, Divergence (with advice), IoError
/// and whatever the observer throws, after StackObserver::on_failure() was given what was finished.
[[nodiscard]] StackModel train_stack(const Pictures& pictures, const Recipe& recipe,
                                     const TrainConfig& config, const RunOptions& run,
                                     StackObserver& observer);

}  // namespace stackae
