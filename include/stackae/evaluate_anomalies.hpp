#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/json.hpp"
#include "stackae/patch_memory.hpp"

namespace stackae {

/// A point of the receiver operating characteristic: above a threshold there are this share of the good
/// pictures and this share of the odd ones.
struct RocPoint {
    double threshold = 0.0;
    double false_alarms = 0.0;
    double found = 0.0;
};

/// How well a patch memory tells odd pictures from good ones. Areas under the ROC: how often an odd one is
/// above a good one, ties counted by half.
struct AnomalyEvaluation {
    std::int64_t good = 0;
    std::int64_t odd = 0;
    double auroc = 0.0;
    double reconstruction_auroc = 0.0;  ///< by AnomalyScore::reconstruction alone
    struct Kind {
        std::string label;
        std::int64_t pictures = 0;
        double auroc = 0.0;  ///< against all good pictures
    };
    std::vector<Kind> kinds;  ///< of odd pictures by their labels, where they have some
    /// Thresholds are scores of good pictures, falling from the highest.
    std::vector<RocPoint> roc;
    /// Of pixels at the size in which pictures are looked at, where there are masks.
    std::optional<double> pixel_auroc;
    /// Per-region overlap: the mean share of a connected region of a mask that is above a threshold, averaged
    /// over thresholds with a share of false pixels up to 0.3 (Bergmann et al. 2021).
    std::optional<double> pro;
    std::int64_t masks = 0;  ///< odd pictures that have one
    std::vector<SkippedPicture> skipped_good;
    std::vector<SkippedPicture> skipped_odd;
};

struct AnomalyEvaluationOptions {
    /// A folder of masks, bright where a picture is odd: of `scratch/12.png` in the folder of odd pictures
    /// `scratch/12.png`, with any picture's ending, or `scratch/12_mask.png`. Empty: none.
    std::string masks = {};
    PictureLimits limits = {};
    int threads = 0;
};

/// Scores both. Throws InvalidArgument where not one picture of either can be read, or masks are asked for
/// and no odd picture has one.
[[nodiscard]] AnomalyEvaluation evaluate_anomalies(const PatchMemory& memory, const ImageDataset& good,
                                                   const ImageDataset& odd,
                                                   const AnomalyEvaluationOptions& options = {});

/// good, odd, auroc, reconstruction_auroc, kinds, pixel_auroc, pro, masks, roc.
[[nodiscard]] JsonObject to_json(const AnomalyEvaluation& evaluation);

}  // namespace stackae
