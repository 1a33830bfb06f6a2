#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "stackae/error.hpp"
#include "stackae/train.hpp"

#include "base/checkpoint_timer.hpp"
#include "base/file_lock.hpp"
#include "train/checkpoint.hpp"

namespace stackae::training {

/// The file that a training under way is kept in: when it is written, and by this run alone.
class CheckpointKeeper {
public:
    CheckpointKeeper(const RunOptions& run, TrainObserver& observer)
        : path_(run.checkpoint), observer_(observer), timer_(run.checkpoint_every) {}

    [[nodiscard]] bool keeps() const { return !path_.empty(); }
    /// See CheckpointTimer; never where nothing is kept.
    [[nodiscard]] bool is_due() const { return keeps() && timer_.is_due(); }
    [[nodiscard]] bool is_cheap() const { return keeps() && timer_.is_cheap(); }

    /// What is there, which other trainings cannot have from now on; nothing where there is no such file.
    /// Throws as read_checkpoint() and lock_checkpoint().
    [[nodiscard]] std::optional<Checkpoint> take_up() {
        lock_ = lock_checkpoint(path_);
        return std::filesystem::exists(path_) ? std::optional(read_checkpoint(path_)) : std::nullopt;
    }

    /// fill(): makes `checkpoint` what is to be written. Where it cannot be, the observer is told.
    template <class Fill>
    void write(const Checkpoint& checkpoint, const Fill& fill) {
        bool written = false;
        const double seconds = timer_.time([&] {
            fill();
            try {
                if (!lock_ || !lock_->held()) {
                    lock_ = lock_checkpoint(path_);
                }
                write_checkpoint(checkpoint, path_);
                lock_ = lock_checkpoint(path_);
                written = true;
            } catch (const IoError& error) {
                observer_.on_checkpoint_failed(error.what());
            }
        });
        if (written) {
            observer_.on_checkpoint(seconds);
        }
    }

private:
    std::string path_;
    TrainObserver& observer_;
    base::CheckpointTimer timer_;
    std::optional<base::FileLock> lock_;  ///< of the file that is there
};

}  // namespace stackae::training
