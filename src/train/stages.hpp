#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stackae/interactions.hpp"
#include "stackae/layer.hpp"
#include "stackae/preprocessing.hpp"
#include "stackae/stage.hpp"
#include "stackae/train_config.hpp"

/// What a training does, in which order, and what each part of it takes: by shapes alone.
namespace stackae::training {

enum class StageKind { layer, fine_tuning, head };

/// One stage of training.
struct Stage {
    StageKind kind = StageKind::layer;
    std::size_t below = 0;     ///< layers whose output it sees
    std::size_t last = 0;      ///< of fine-tuning, the layers [below, last) take part
    std::uint32_t number = 0;  ///< of random numbers
    bool lowest = false;       ///< nothing below learns
    StageInfo info;
    std::int64_t state_values = 0;  ///< that a checkpoint within it holds beside finished layers, about
};

struct Stages {
    std::vector<Stage> stages;  ///< in the order in which they run
    std::int64_t parameters = 0;
    /// Of the stage that takes most: layers, weights with gradients, samples that are learnt from and what is
    /// worked out from them. Has to be there.
    std::int64_t working_bytes = 0;
    std::int64_t picture_bytes = 0;
    /// Pictures and codes, the most at one time; held, or in files.
    std::int64_t held_bytes = 0;
    double multiply_adds_a_picture = 0.0;

    /// What may be held of pictures and codes within the limit. Throws InvalidArgument that names what is
    /// needed and what is allowed where there is too little to work with.
    [[nodiscard]] std::int64_t holdable_bytes(const RunOptions& run) const;
};

/// What is learnt from, by its size.
struct DataSize {
    std::int64_t rows = 0;        ///< pictures, or users
    double held_floats = 0.0;     ///< of all rows, in memory or in a file
    double reading_floats = 0.0;  ///< beside, while they are read
    double table_floats = 0.0;    ///< of a table, which is in memory all the time
    double table_entries = 0.0;   ///< of it, in all rows
    bool sparse = false;          ///< a table

    [[nodiscard]] static DataSize of_pictures(std::int64_t pictures, const Preprocessing& preprocessing,
                                              const RunOptions& run);
    [[nodiscard]] static DataSize of_table(const Interactions& table, TableRow rows);
};

/// bound: the layers of the configuration, bound to one another. patch_bytes: of samples that a layer learns
/// from, at most; 0: what the run's memory allows. Throws InvalidArgument where a layer cannot learn from
/// what it sees.
[[nodiscard]] Stages make_stages(const Stack& bound, const DataSize& data, const Preprocessing& preprocessing,
                                 const TrainConfig& config, const RunOptions& run,
                                 std::int64_t patch_bytes = 0);

/// Bytes of pictures and codes that are held at most, whatever there is beside.
[[nodiscard]] std::int64_t max_held(const RunOptions& run);
/// Bytes of samples that a layer learns from, at most.
[[nodiscard]] std::int64_t max_patch_bytes(const RunOptions& run);
/// Whatever the run's memory.
inline constexpr std::int64_t most_patch_bytes = std::int64_t{1} << 30;

/// The activation of a decoder that rebuilds what the lowest `depth` layers make of pictures.
[[nodiscard]] Activation suited_output(const Preprocessing& preprocessing, const Stack& layers,
                                       std::size_t depth);

/// Layers below those that only widen a code.
[[nodiscard]] std::size_t embedding_depth(const Stack& layers);
/// Of the highest code that something was learnt for and that does not only widen another.
[[nodiscard]] std::size_t rebuilt_depth(const Stack& layers);

/// A head straight from a code to the picture, bound to the code.
[[nodiscard]] std::unique_ptr<Layer> make_head(const Shape& code, const Shape& picture);

}  // namespace stackae::training
