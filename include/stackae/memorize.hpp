#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "stackae/image_dataset.hpp"
#include "stackae/inputs.hpp"
#include "stackae/model.hpp"
#include "stackae/patch_memory.hpp"

namespace stackae {

/// Sides of the good pictures in their files, in pixels, of those that were looked at beforehand, and in what
/// size all are looked at.
struct GoodPictureSizes {
    int least_height = 0;
    int greatest_height = 0;
    int least_width = 0;
    int greatest_width = 0;
    bool some_gray = false;
    bool some_coloured = false;
    int height = 0;
    int width = 0;
    int channels = 1;
};

struct MemorizeOptions {
    /// One method, for `gaussian` one or both of the Gaussians; absent: what tells planted defects best.
    std::optional<AnomalyMethod> method = {};
    std::optional<Model> model = {};  ///< to make the maps; absent: one is learnt from the good pictures
    std::string output = {};  ///< of the model, as Model::depth_of(); empty: the deepest that has positions
    /// Pixels of the longer side that pictures are looked at in, at most; 0: 512, in tiles
    /// Preprocessing::max_side.
    int image_size = 0;
    /// A picture is as odd as the oddest of its tiles of so many pixels a side, and defects are planted in
    /// such; 64 and 4 strides or more; 0: the whole picture is one. For defects of a few pixels in large
    /// pictures.
    std::int64_t tile = 0;
    /// Pixels between positions, as many as the model's maps have (4 where one is learnt) or more; 0: 8, and
    /// 4 of pictures below 128.
    std::int64_t stride = 0;
    std::int64_t max_codes = 10'000;  ///< in the memory
    std::int64_t dimension = 64;      ///< values of a code, at most
    /// A picture that is bright where pictures are looked at, of any size: it is scaled as they are; empty:
    /// everywhere.
    std::string region = {};
    std::uint64_t seed = 0;
    PictureLimits limits = {};
    int threads = 0;          ///< see resolve_threads()
    std::int64_t memory = 0;  ///< bytes in all, see resolve_memory()
    /// Told before anything is learnt.
    std::function<void(const GoodPictureSizes& sizes)> on_sizes = {};
    /// Told how far each part of the work has come; may throw to end it.
    std::function<void(std::string_view part, std::int64_t done, std::int64_t of)> on_progress = {};
};

/// Learns what good pictures look like. Codes are learnt from the pictures themselves: spherical k-means
/// units over patches at several sizes of the pictures, beside the mean and deviation of each position's
/// pixels, brought to principal components. Which methods, and how a picture's score comes from its
/// positions, is chosen by defects that are planted in good pictures: these are parted in three, by groups
/// where they have some, and each part, with defects and without, is scored by what was learnt from the other
/// two; of pictures of more than a million pixels fewer defects. Every picture is entered into the manifest,
/// which is left for the caller to finish(). Where the pictures take more than the memory, as many as fit are
/// used, spread evenly. Throws InvalidArgument for fewer than 3 pictures or groups, where all are of one
/// value, and for an option that cannot be.
[[nodiscard]] PatchMemory memorize(const Inputs& good, const MemorizeOptions& options, Manifest& manifest);

}  // namespace stackae
