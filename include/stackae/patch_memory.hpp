#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/json.hpp"
#include "stackae/model.hpp"
#include "stackae/output_files.hpp"
#include "stackae/tensor.hpp"

/// Odd pictures, and where in them: codes of the positions of good pictures, to compare others with.
namespace stackae {

/// How odd a position is, by its code z. Has names.
enum class AnomalyMethod {
    /// The distance to the nearest code of a good picture, whatever its place (PatchCore: Roth et al. 2022).
    memory,
    /// Mahalanobis' distance from the mean of all positions of good pictures.
    gaussian,
    /// The same from the mean of this position, for parts that lie alike (PaDiM: Defard et al. 2021).
    position_gaussian,
    /// What principal components of the codes, a linear autoencoder, leave over: ‖x − x̂‖.
    reconstruction,
};
inline constexpr std::size_t anomaly_methods = 4;

/// How a picture's score comes from the distances of its positions.
struct AnomalyRule {
    /// Each distance is brought to mean 0 and deviation 1 over good pictures; those of these methods are
    /// added.
    std::vector<AnomalyMethod> methods;
    /// Mean and deviation are those of the position, not of all positions.
    bool by_position = false;
    /// The score is the mean over this share of the positions, the oddest ones; 0: of the oddest one alone.
    double share = 0.0;
    /// It is that of the oddest of the tiles of so many positions a side that cover the picture; 0: the whole
    /// picture is one.
    std::int64_t tile = 0;
};
/// "memory + gaussian, position by position, the mean of the oddest 1 % of the positions".
[[nodiscard]] std::string to_text(const AnomalyRule& rule);

/// How well defects of one kind are told, that were planted in good pictures that were left out of what they
/// were compared with.
struct PlantedDefects {
    std::string kind;
    std::int64_t planted = 0;
    double auroc = 0.0;  ///< how often such a picture is odder than a good one
};

/// A good picture, scored by what was learnt from others.
struct GoodPicture {
    std::string path;
    double score = 0.0;
};

/// Codes of good pictures' positions, with the model that makes them. A value.
struct PatchMemory {
    Model model;            ///< what makes maps of tiles of pictures
    std::size_t depth = 0;  ///< layers of it that are run
    Preprocessing
        preprocessing;        ///< of pictures, whose height and width are those that they are looked at in
    std::int64_t levels = 1;  ///< sizes in which a picture is read, each half of the one before
    std::int64_t stride = 0;  ///< pixels between positions; 0: as pictures of this size have it by themselves
    std::int64_t height = 0;  ///< of the grid of positions
    std::int64_t width = 0;
    std::int64_t pictures = 0;  ///< good ones

    Tensor scale;       ///< D: what each value of a descriptor is multiplied by
    Tensor mean;        ///< D, of scaled descriptors
    Tensor components;  ///< d × D, principal axes
    Tensor variances;   ///< d, along them

    Tensor codes;               ///< n × d: of positions of good pictures, each axis by its variance^(−¼)
    Tensor position_means;      ///< positions × d
    Tensor position_whitening;  ///< d × d: P, Pᵀ P the inverse of the covariance about those means
    Tensor position_spread;     ///< positions: mean squared distance of good pictures there

    Tensor distance_means;       ///< methods × positions, over good pictures that were left out
    Tensor distance_deviations;  ///< methods × positions
    Tensor region;               ///< positions: 1 where it counts, 0 where not

    AnomalyRule rule;
    std::vector<double> good_scores;       ///< of good pictures that were left out, in rising order
    std::vector<GoodPicture> oddest_good;  ///< the three of the highest scores: perhaps not good after all
    std::vector<PlantedDefects> planted;   ///< by the rule

    [[nodiscard]] std::int64_t positions() const { return height * width; }
    [[nodiscard]] std::int64_t dimension() const { return components.rows(); }
    /// 16 hexadecimal digits of all that scores depend on.
    [[nodiscard]] std::string identity() const;
    /// The region as a map, height × width.
    [[nodiscard]] Tensor region_map() const;
};

/// A score above which a picture is odd.
struct AnomalyThreshold {
    double threshold = 0.0;
    /// Of good pictures that were never seen, at most this share is above it, with a confidence of 95 %:
    /// Clopper & Pearson's bound (1934) of 99 %, since the rule was chosen with the same pictures.
    double promised = 1.0;
    std::int64_t pictures = 0;  ///< good ones that were left out and measured on
};
/// The rate where none is named.
inline constexpr double default_false_alarm = 0.01;
/// The least threshold that promises the rate, or, where there are too few good pictures to promise it, the
/// largest score of a good picture. 0 < false_alarm < 1. Throws InvalidArgument.
[[nodiscard]] AnomalyThreshold anomaly_threshold(const PatchMemory& memory, double false_alarm);

/// Writes a safetensors file, whole or not at all. Throws IoError, InvalidArgument.
void save(const PatchMemory& memory, const std::string& path);
void save(const PatchMemory& memory, const OutputFile& file);
/// Throws IoError, or CorruptFile naming the file and what is wrong with it.
[[nodiscard]] PatchMemory load_patch_memory(const std::string& path);
/// What is in it: pictures, size, codes, rule, planted defects.
[[nodiscard]] JsonObject to_json(const PatchMemory& memory);

/// What a picture's positions say.
struct AnomalyScore {
    double score = 0.0;           ///< by the rule; higher is odder
    double reconstruction = 0.0;  ///< mean distance by AnomalyMethod::reconstruction alone
    Tensor map;                   ///< height × width of the grid: how odd each position is
};

/// Scores pictures. Use one per thread.
class AnomalyScorer {
public:
    explicit AnomalyScorer(const PatchMemory& memory, int threads = 0);
    AnomalyScorer(AnomalyScorer&&) noexcept;
    AnomalyScorer& operator=(AnomalyScorer&&) noexcept;
    ~AnomalyScorer();

    /// pictures: n × preprocessing.size(), as the memory's preprocessing makes them.
    [[nodiscard]] std::vector<AnomalyScore> score(const Tensor& pictures);

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// A map of the grid brought to height × width by bilinear interpolation.
[[nodiscard]] Tensor enlarge_map(const Tensor& map, std::int64_t height, std::int64_t width);

}  // namespace stackae
