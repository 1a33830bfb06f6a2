#pragma once

#include <cstdint>
#include <vector>

#include "stackae/tensor.hpp"

#include "layers/conv2d.hpp"
#include "layers/cost.hpp"
#include "layers/trainer.hpp"

/// The patches that a convolution learns from.
namespace stackae::layers {

/// What a stage samples rows for, and draws random numbers for.
enum class PatchUse : std::uint32_t { pictures, positions, decoder, contrast };

struct PatchCount {
    std::int64_t pictures = 0;  ///< that patches are taken from
    std::int64_t patches = 0;
};
[[nodiscard]] PatchCount patch_count(const Conv2d& layer, const PlanContext& context);

/// Mean over some maps of the variance within a patch, of one patch each.
[[nodiscard]] double mean_patch_variance(const Conv2d& layer, const Tensor& maps);

/// Takes patches from random places of random pictures, chunk by chunk of these; of a layer of slow features,
/// rows 2 i and 2 i + 1 are neighbours.
class PatchSampler {
public:
    PatchSampler(const Conv2d& layer, const TrainContext& context);

    /// One chunk of pictures; false where all patches are there.
    bool step(TrainContext& context);
    [[nodiscard]] StageProgress progress() const { return {1, 1, done_, std::ssize(pictures_)}; }
    [[nodiscard]] Tensor& patches() { return patches_; }

private:
    void sample(const float* map, std::int64_t i, const TrainContext& context);

    nn::Conv2dShape shape_;
    Shape input_;
    std::int64_t pad_;
    std::int64_t slow_offset_;
    std::vector<std::int64_t> pictures_;
    std::int64_t done_ = 0;
    Tensor patches_;
};

}  // namespace stackae::layers
