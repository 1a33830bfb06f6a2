#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stackae/evaluate.hpp"
#include "stackae/tensor.hpp"

#include "linalg/feature_rows.hpp"

namespace stackae::evaluation {

/// Pictures that were read, with what the model made of them.
struct EncodedSet {
    Tensor pictures;             ///< n × d, in the preprocessing's values
    Tensor codes;                ///< n × c
    std::vector<double> errors;  ///< size n: Σ (x̂ − x)² of the model's reconstruction; of a test part, where
                                 ///< it can rebuild pictures
    std::vector<std::int64_t> labels;       ///< size n: class number, −1 for none
    linalg::Bfloat16Rows wide = {};         ///< n × w, what a linear classifier sees; empty: the codes
    Tensor statistics = {};                 ///< n × s, see channel_statistics(); or none
    std::vector<std::int64_t> groups = {};  ///< size n: group number; or none

    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(labels.size()); }
    [[nodiscard]] linalg::FeatureRows linear_features() const {
        return wide.empty() ? linalg::FeatureRows(codes) : linalg::FeatureRows(wide);
    }
};

/// The share of classes that were given rightly; both of the same size, not empty.
[[nodiscard]] double accuracy(const std::vector<std::int64_t>& given,
                              const std::vector<std::int64_t>& labels);

/// Rows of one set.
struct TrainTestSplit {
    std::vector<std::int64_t> train;  ///< ⌈n / 2⌉
    std::vector<std::int64_t> test;
};

/// A random split by class: of each, half goes either way, give or take one. Where pictures have groups these
/// stay whole, see deal_groups(). A function of its arguments.
[[nodiscard]] TrainTestSplit split_in_halves(const std::vector<std::int64_t>& labels, std::uint64_t seed,
                                             int split, const std::vector<std::int64_t>& groups = {});

/// Copies rows, in their order.
[[nodiscard]] EncodedSet gather(const EncodedSet& part, const std::vector<std::int64_t>& rows);

/// Adds the rows of another part of as many columns, of the same origin where they are wide. Errors, which
/// only test parts have, are dropped.
void append(EncodedSet& part, const EncodedSet& more);

/// Pictures whose neighbours are looked for at a time.
constexpr std::size_t query_rows = 4096;

/// Metrics of one split.
struct SplitMetrics {
    std::int64_t pca_components = 0;
    double sse = 0.0;  ///< NaN without EncodedSet::errors
    double mean_sse = 0.0;
    double pca_sse = 0.0;
    bool labelled = false;  ///< both parts have labelled pictures; else the accuracies are 0
    std::int64_t k = 0;     ///< neighbours that voted
    std::int64_t majority_k = 0;
    std::int64_t train_classes = 0;
    bool codes_alike = false;  ///< of the labelled training pictures
    double knn = 0.0;
    double majority_knn = 0.0;  ///< of the same code, each neighbour counting for one
    double raw_knn = 0.0;
    double pca_knn = 0.0;
    double statistics_knn = 0.0;  ///< NaN without EncodedSet::statistics
    double linear = 0.0;          ///< this and what follows: with EvaluateOptions::linear
    double linear_c = 0.0;
    int linear_folds = 0;
    std::int64_t linear_values = 0;                    ///< that it saw of a picture
    std::vector<std::vector<std::int64_t>> confusion;  ///< classes × classes: [true][predicted]
};

/// Neighbours and principal components are taken from `train`, with EvaluateOptions::mirror as many mirror
/// images after its pictures, in their order; figures from `test`; neither may be empty.
[[nodiscard]] SplitMetrics measure(const EncodedSet& train, const EncodedSet& test, std::int64_t classes,
                                   const EvaluateOptions& options);

/// Mean and sample deviation over splits, confusion summed up and read class by class. Everything of
/// Evaluation but the counts of pictures, and what was skipped. linear: whether a linear classifier was
/// trained.
[[nodiscard]] Evaluation summarise(const std::vector<SplitMetrics>& splits,
                                   const std::vector<std::string>& class_names, bool linear = false);

}  // namespace stackae::evaluation
