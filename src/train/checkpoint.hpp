#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stackae/train.hpp"

#include "base/file_lock.hpp"
#include "layers/trainer.hpp"
#include "train/stack_input.hpp"
#include "train/stages.hpp"

/// A training that is under way, as it is written to a file and taken up again.
namespace stackae::training {

/// All that a run needs, beside its configuration and its pictures, to go on bit for bit where another was
/// stopped.
struct Checkpoint : CheckpointInfo {
    std::string values;                ///< checksum of the pictures' values
    std::int64_t finished_epochs = 0;  ///< in the history, of stages that have come to their end
    std::int64_t patch_bytes = 0;      ///< TrainContext::patch_bytes, which the machine's memory decides
    std::vector<InputEvent> inputs;    ///< what was asked of the layers' input
    layers::TrainerState trainer;      ///< of the stage under way; empty: it is at its beginning
};

/// Writes it whole or not at all. Throws IoError.
void write_checkpoint(const Checkpoint& checkpoint, const std::string& path);
/// Throws IoError, or CorruptFile naming the file and what is wrong with it.
[[nodiscard]] Checkpoint read_checkpoint(const std::string& path);

/// Keeps a checkpoint from other trainings for as long as it lives, or until the file is replaced; holds
/// nothing where there is none. Throws IoError where another training that is under way has it.
[[nodiscard]] base::FileLock lock_checkpoint(const std::string& path);

/// Throws InvalidArgument that names what differs where the checkpoint is of a training of other pictures,
/// another preprocessing or other options.
void check_same(const Checkpoint& checkpoint, const std::string& path, const Preprocessing& preprocessing,
                const TrainConfig& config, const std::string& data);

/// Throws CorruptFile where its layers are not those that its stage is learnt on top of.
void check_stage(const Checkpoint& checkpoint, const std::string& path, const Stack& bound,
                 const Stages& stages);

}  // namespace stackae::training
