#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stackae/model.hpp"
#include "stackae/pictures.hpp"
#include "stackae/train_options.hpp"

namespace stackae {

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
    /// layer as in EpochRecord; progress within the epoch, in pictures. Epoch 0 of 0: what a layer sees is
    /// being made by the layers below.
    virtual void on_batch(int /*layer*/, std::int64_t /*epoch*/, std::int64_t /*epochs*/,
                          std::int64_t /*done*/, std::int64_t /*of*/) {}
    virtual void on_epoch(const EpochRecord& /*record*/) {}
    /// All pictures that could be read, of which there may be one alone, have the same values: nothing can be
    /// learnt that tells pictures apart.
    virtual void on_alike(std::int64_t /*pictures*/) {}
    /// Asked before every batch; true ends training cleanly.
    virtual bool stop() { return false; }
    /// Called where train() is about to throw, whatever it is, and some layers are finished: those below the
    /// one that failed, or all as they were before fine-tuning failed. Model::interrupted is true. May not
    /// throw.
    virtual void on_failure(Model /*finished*/) {}
};

/// Trains a stack greedily, layer by layer, then end to end if the options say so. On a stop the
/// model holds the layers that were finished, and the one under way if it saw at least one epoch or is the
/// first; none where it came while pictures were read. Two runs with the same options, pictures and thread
/// count give the same model. Throws InvalidArgument, Divergence (with advice), IoError and whatever the
/// observer throws, after TrainObserver::on_failure() was given what was finished.
[[nodiscard]] Model train(const Pictures& pictures, const Recipe& recipe, const TrainOptions& options,
                          TrainObserver& observer);

/// The shapes of the convolutional layers of a stack, bottom up. Throws InvalidArgument where they do not fit
/// the pictures or one another.
[[nodiscard]] std::vector<ConvolutionShape> convolution_shapes(const Recipe& recipe,
                                                               const TrainOptions& options);

/// What a run would cost.
struct TrainPlan {
    struct Phase {
        int layer = 0;            ///< as in EpochRecord
        std::int64_t inputs = 0;  ///< of a convolutional layer, values of its input map
        std::int64_t units = 0;
        std::int64_t parameters = 0;
        std::int64_t epochs = 0;
        /// Estimated for all its epochs: from steps timed on random pictures; of a convolutional layer from
        /// the work on a few random patches and pictures.
        double seconds = 0.0;
    };
    std::vector<Phase> phases;
    std::int64_t parameters = 0;  ///< of the finished stack
    /// Weights, gradients, optimiser state, activations, patches and what is worked out from them, of the
    /// phase that takes most, and pictures held.
    std::int64_t memory_bytes = 0;
    std::int64_t memory_limit = 0;  ///< what TrainOptions::memory_limit comes to
    double seconds = 0.0;           ///< all phases
    /// Whether it takes more than that and is refused.
    [[nodiscard]] bool refused() const { return memory_bytes > memory_limit; }
    double seconds_a_picture =
        0.0;  ///< to turn a picture into the last layer's code, without decoding its file
};

/// By the shapes of the layers, and by the time of work on the spot. Where a run would need more memory than
/// its limit, as train() refuses, nothing is timed and all seconds are 0. Throws InvalidArgument.
[[nodiscard]] TrainPlan plan_training(std::int64_t pictures, const Recipe& recipe,
                                      const TrainOptions& options);

}  // namespace stackae
