#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/json.hpp"
#include "stackae/model.hpp"
#include "stackae/neighbours.hpp"
#include "stackae/preprocessing.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// Principal components by the covariance of the rows: the best linear code of its size
/// under squared error.
struct Pca {
    Tensor mean;  ///< d
    /// c × d, orthonormal rows, largest variance first; zeros past the directions in which the rows vary.
    Tensor components;

    /// rows: n × d; components ≤ min(n, d). The entry of largest magnitude of each component is positive.
    /// threads 0: one a core. Throws InvalidArgument.
    static Pca fit(const Tensor& rows, std::int64_t components, int threads = 0);
    /// n × d to n × c.
    [[nodiscard]] Tensor encode(const Tensor& rows, int threads = 0) const;
    /// n × c to n × d.
    [[nodiscard]] Tensor decode(const Tensor& codes, int threads = 0) const;
};

struct EvaluateOptions {
    /// Whose code, as Model::depth_of(). Empty: neighbours are of the first output, the linear
    /// classifier of the last, and pictures are rebuilt as Model::reconstruction says.
    std::string output = {};
    Vote vote = Vote::weighted;
    std::optional<std::int64_t> k = {};  ///< see voters()
    Metric metric = Metric::l2;
    bool l2_normalize = false;
    int splits = 20;         ///< random half/half splits, where there is one set
    std::uint64_t seed = 0;  ///< of the splits, and of the linear classifier's folds
    bool linear = false;     ///< train a linear classifier too, see LinearMetrics
    /// Every training picture is learnt from mirrored too, left to right: by the neighbours, the linear
    /// classifier and the baselines. Pictures of the test part are never mirrored.
    bool mirror = false;
    /// Bytes that evaluating may take in all, see evaluate(). 0: half of what the machine has or the
    /// process's control groups or its limit of address space allow.
    std::int64_t memory = 0;
    int threads = 0;
};

/// A mean over splits; with two sets there is one value and the deviation is 0.
struct MeanStd {
    double mean = 0.0;
    double deviation = 0.0;  ///< sample standard deviation over splits
};

/// A linear classifier of the features: regularised least squares for each class against the rest, on
/// features standardised by the training part, min ½ (‖w‖² + b²) + c / n · Σ (y − w · z − b)², y = ±1 (Rifkin
/// & Klautau 2004). c is chosen on the training part alone: by five-fold cross-validation where n × code_size
/// × classes are at most 2.5 · 10⁷, else on one fifth of the training pictures, held out.
struct LinearMetrics {
    MeanStd accuracy;            ///< in [0, 1]
    std::int64_t code_size = 0;  ///< values of a picture that it sees
    std::string output;          ///< whose code those are; empty: the code that neighbours are of
    /// As chosen from `grid`; over splits their median (the lower of two). 0 where the training part had one
    /// class alone.
    double c = 0.0;
    std::vector<double> grid;  ///< ascending
    int folds = 0;             ///< held out in turn (in the first split)
};

struct ClassMetrics {
    std::string name;
    std::int64_t pictures = 0;  ///< of that class in the test part (summed over splits)
    double precision = 0.0;     ///< NaN when nothing was given that name
    double recall = 0.0;        ///< NaN when there is no such picture
    double f1 = 0.0;
};

struct Evaluation {
    std::int64_t train_pictures = 0;  ///< not counting mirror images
    bool mirrored = false;            ///< EvaluateOptions::mirror
    std::int64_t test_pictures = 0;
    int splits = 1;
    bool labelled = false;  ///< without labels only reconstruction is there
    std::int64_t code_size = 0;
    /// Neighbours that voted: of EvaluateOptions, cut to the labelled training pictures (of the split with
    /// the fewest).
    std::int64_t k = 0;
    Vote vote = Vote::weighted;
    Metric metric = Metric::l2;
    /// Classes of the labelled training pictures (of the split with the fewest). With one alone all
    /// accuracies are the share of that class in the test part.
    std::int64_t train_classes = 0;
    /// The labelled training pictures have one code (in some split): which of them are near is chance.
    bool codes_alike = false;

    /// Σ (x̂ − x)² a picture, over the preprocessing's values, mean over the test pictures. NaN where the
    /// model cannot rebuild pictures: a layer below the code cannot be inverted.
    MeanStd sse_per_image;
    MeanStd mean_sse_per_image;  ///< of predicting the mean training picture
    MeanStd pca_sse_per_image;   ///< of PCA with as many components as the code (at most min(n, d, 512))
    std::int64_t pca_components = 0;

    MeanStd knn_accuracy;  ///< in [0, 1]
    /// The same where each neighbour counts for one, as many as vote then.
    MeanStd majority_accuracy;
    std::int64_t majority_k = 0;
    MeanStd raw_knn_accuracy;  ///< on the preprocessing's values
    MeanStd pca_knn_accuracy;
    /// On mean, deviation, least and greatest value of each channel, standardised by the training pictures.
    MeanStd statistics_knn_accuracy;
    std::int64_t statistics = 0;          ///< how many numbers those are
    std::optional<LinearMetrics> linear;  ///< where asked for, and there are labels

    /// Groups of the pictures (ImageEntry::group), which no split and no fold parts; 0 where they have none.
    std::int64_t groups = 0;
    std::int64_t shared_groups = 0;  ///< of them, those that both sets have pictures of

    std::vector<ClassMetrics> classes;                 ///< in byte order of the names of both parts
    std::vector<std::vector<std::int64_t>> confusion;  ///< [true class][predicted class], pictures
    std::vector<SkippedPicture> skipped_train;
    std::vector<SkippedPicture> skipped_test;
    std::vector<PictureRemark> remarks_train;
    std::vector<PictureRemark> remarks_test;
};

/// All of it but the skipped pictures and remarks, and of the options what it was asked for; null for what
/// was not measured or is not a number.
[[nodiscard]] JsonObject to_json(const Evaluation& evaluation, const EvaluateOptions& options);

/// Measures features and reconstruction on pictures apart from those in `train`. Pictures without a label
/// count for reconstruction only.
///
/// Both sets are held as floats: with n and m pictures of d values, evaluating takes
/// 4 × d × (2 n + m) bytes (the training pictures once more in the index of the raw baseline), beside the
/// codes (of the last output too, where the linear classifier sees it) and 8 × min(n, d)² for the principal
/// components. With `mirror` n counts mirror images. Training the linear classifier takes about
/// 4 × (m² + 1024 × w + 2944 × m + 4 × classes × w), w the values that it sees of a picture, m the smaller of
/// w and the labelled training pictures. Where all that is above EvaluateOptions::memory, InvalidArgument is
/// thrown before it is taken, as it is where the model has no such output. Where some pictures cannot be read
/// or have no label, their set is held once more for a while.
[[nodiscard]] Evaluation evaluate(const Model& model, const ImageDataset& train, const ImageDataset& test,
                                  const EvaluateOptions& options);
/// One set, split in halves at random `splits` times (by class where there are labels, and never within a
/// group): 4 × d × 2.5 n bytes. Throws InvalidArgument where all pictures are of one group.
[[nodiscard]] Evaluation evaluate(const Model& model, const ImageDataset& pictures,
                                  const EvaluateOptions& options);

/// Σ (s (x̂ − x))² of each picture, s the preprocessing's deviations where it standardises, else 1: the error
/// in the pictures' own units. pictures and rebuilt: n × preprocessing.size(). Throws InvalidArgument where
/// their shapes differ.
[[nodiscard]] std::vector<double> squared_errors(const Preprocessing& preprocessing, const Tensor& pictures,
                                                 const Tensor& rebuilt);

struct DepthComparisonOptions {
    std::int64_t k = 5;
    std::int64_t max_pictures = 2'500;     ///< measured on; fewer where their codes take half the memory
    std::int64_t max_neighbours = 10'000;  ///< among which neighbours are looked for
    /// Longer codes are left out, but for the first output's: neighbours in them take minutes to find.
    std::int64_t max_values = 20'000;
    std::int64_t memory = std::int64_t{2} << 30;  ///< bytes of codes, of all depths together
    int threads = 0;
};

/// The accuracy of nearest neighbours by the codes of Model::code_depths(), bottom up: on pictures that
/// training held out (TrainConfig::validation), by neighbours from the others, each drawn by the model's seed
/// from those with a label. pictures: those that the model was trained on, TrainingRecord::pictures of them;
/// without those that could not be read. progress(pictures done, of), where given, may throw. A depth that
/// gives all of them one code is left out. Empty where no labelled picture was held out or the others are of
/// one class. Throws InvalidArgument, IoError, NotFinite.
[[nodiscard]] std::vector<DepthAccuracy> depth_accuracies(
    const Model& model, const ImageDataset& pictures, const DepthComparisonOptions& options = {},
    const std::function<void(std::int64_t, std::int64_t)>& progress = {});
/// What rows that training held out are rebuilt with, beside principal components of as many values. pictures
/// and progress as above; at most 10,000 rows are measured on, and components found from 20,000 others, fewer
/// of both where that is more than 2²⁶ values. Absent where the model cannot rebuild its input or nothing was
/// held out. Throws InvalidArgument, IoError, NotFinite.
[[nodiscard]] std::optional<ReconstructionErrors> reconstruction_errors(
    const Model& model, const ImageDataset& pictures, int threads = 0,
    const std::function<void(std::int64_t, std::int64_t)>& progress = {});

/// The depth of the best of TrainingRecord::accuracies by either metric, that of the shorter code among
/// equals; 0 where there are none.
[[nodiscard]] std::size_t recommended_depth(const Model& model);

}  // namespace stackae
