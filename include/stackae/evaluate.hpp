#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stackae/model.hpp"
#include "stackae/neighbours.hpp"
#include "stackae/pictures.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

/// Principal components by the covariance of the rows: the best linear code of its size
/// under squared error.
struct Pca {
    Tensor mean;        ///< d
    Tensor components;  ///< c × d, orthonormal rows, largest variance first

    /// rows: n × d; components ≤ min(n, d). The entry of largest magnitude of each component is positive.
    /// threads 0: one a core. Throws InvalidArgument.
    static Pca fit(const Tensor& rows, std::int64_t components, int threads = 0);
    /// n × d to n × c.
    [[nodiscard]] Tensor encode(const Tensor& rows, int threads = 0) const;
    /// n × c to n × d.
    [[nodiscard]] Tensor decode(const Tensor& codes, int threads = 0) const;
};

struct EvaluateOptions {
    int layer = 0;  ///< whose code, 1-based; 0: the last
    std::int64_t k = 5;
    Metric metric = Metric::l2;
    bool l2_normalize = false;
    int splits = 20;         ///< random half/half splits, where there is one set
    std::uint64_t seed = 0;  ///< of the splits
    int threads = 0;
};

/// A mean over splits; with two sets there is one value and the deviation is 0.
struct Figure {
    double mean = 0.0;
    double deviation = 0.0;  ///< sample standard deviation over splits
};

struct ClassFigures {
    std::string name;
    std::int64_t pictures = 0;  ///< of that class in the test part (summed over splits)
    double precision = 0.0;     ///< NaN when nothing was given that name
    double recall = 0.0;        ///< NaN when there is no such picture
    double f1 = 0.0;
};

struct Evaluation {
    std::int64_t train_pictures = 0;
    std::int64_t test_pictures = 0;
    int splits = 1;
    bool labelled = false;  ///< without labels only reconstruction is there
    std::int64_t code_size = 0;
    /// Neighbours that voted: EvaluateOptions::k, cut to the labelled training pictures (of the split with
    /// the fewest).
    std::int64_t k = 0;
    Metric metric = Metric::l2;

    /// Σ (x̂ − x)² a picture, over the recipe's values, mean over the test pictures.
    Figure sse_per_image;
    Figure mean_sse_per_image;  ///< of predicting the mean training picture
    Figure pca_sse_per_image;   ///< of PCA with as many components as the code (at most min(n, d))
    std::int64_t pca_components = 0;

    Figure knn_accuracy;      ///< in [0, 1]
    Figure raw_knn_accuracy;  ///< on the recipe's values
    Figure pca_knn_accuracy;

    std::vector<ClassFigures> classes;                 ///< in byte order of the names of both parts
    std::vector<std::vector<std::int64_t>> confusion;  ///< [true class][predicted class], pictures
    std::vector<SkippedPicture> skipped_train;
    std::vector<SkippedPicture> skipped_test;
};

/// Measures features and reconstruction on pictures apart from those in `train`. Pictures without a label
/// count for reconstruction only.
///
/// Both sets are held as floats: with n and m pictures of d = recipe.size() values, evaluating takes
/// 4 × d × (2 n + m) bytes (the training pictures once more in the index of the raw baseline), beside the
/// codes and 8 × min(n, d)² for the principal components. Where some pictures cannot be read or have no
/// label, their set is held once more for a while.
[[nodiscard]] Evaluation evaluate(const Model& model, const Pictures& train, const Pictures& test,
                                  const EvaluateOptions& options);
/// One set, split in halves at random `splits` times (by class where there are labels): 4 × d × 2.5 n bytes.
[[nodiscard]] Evaluation evaluate(const Model& model, const Pictures& pictures,
                                  const EvaluateOptions& options);

}  // namespace stackae
