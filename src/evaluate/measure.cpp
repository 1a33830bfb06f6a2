#include "evaluate/measure.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <span>

#include "stackae/neighbours.hpp"

#include "base/memory.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "evaluate/channel_statistics.hpp"
#include "evaluate/linear_probe.hpp"
#include "model/groups.hpp"

namespace stackae::evaluation {
namespace {

using base::at;

constexpr std::int64_t block_rows = 1024;
constexpr std::int64_t widest_pca = 512;  // more say nothing new about pictures and take minutes to find

template <class Value>
std::vector<Value> gather_values(const std::vector<Value>& values, std::span<const std::int64_t> rows) {
    std::vector<Value> gathered;
    gathered.reserve(rows.size());
    std::transform(rows.begin(), rows.end(), std::back_inserter(gathered),
                   [&](std::int64_t row) { return values[at(row)]; });
    return gathered;
}

double mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

/// The labelled rows of two parts.
struct Labelled {
    Labelled(const EncodedSet& train_part, const EncodedSet& test_part)
        : train(rows_of(train_part)),
          test(rows_of(test_part)),
          train_labels(gather_values(train_part.labels, train)),
          test_labels(gather_values(test_part.labels, test)) {}

    static std::vector<std::int64_t> rows_of(const EncodedSet& part) {
        std::vector<std::int64_t> rows;
        for (std::int64_t i = 0; i < part.size(); ++i) {
            if (part.labels[at(i)] >= 0) {
                rows.push_back(i);
            }
        }
        return rows;
    }

    std::vector<std::int64_t> train;
    std::vector<std::int64_t> test;
    std::vector<std::int64_t> train_labels;
    std::vector<std::int64_t> test_labels;
};

/// Calls body with those rows: pictures are large and copied only where some have no label.
template <class Body>
auto with_rows(const Tensor& all, const std::vector<std::int64_t>& rows, const Body& body) {
    return std::ssize(rows) == all.rows() ? body(all) : body(base::gather_rows(all, rows));
}

/// The class given to each labelled picture of the test part.
struct Given {
    std::vector<std::int64_t> classes;
    std::vector<std::int64_t> by_majority;  ///< as it would be with Vote::majority
};

/// By vectors n × whatever of both parts, a block of them at a time.
Given classify(const Labelled& labelled, const Tensor& train, const Tensor& test,
               const EvaluateOptions& options) {
    NeighbourIndex index = with_rows(train, labelled.train, [&](const Tensor& rows) {
        return NeighbourIndex(rows, options.metric, options.threads);
    });
    const std::int64_t k = voters(options.vote, options.k);
    const std::int64_t alike = voters(Vote::majority, options.k);
    const std::vector<std::int64_t>& labels = labelled.train_labels;
    Given given;
    for (std::size_t first = 0; first < labelled.test.size(); first += query_rows) {
        const auto some =
            std::span(labelled.test).subspan(first, std::min(query_rows, labelled.test.size() - first));
        const Neighbours found = index.search(base::gather_rows(test, some), std::max(k, alike));
        const auto classes = index.vote(found.first(k), labels, options.vote);
        given.classes.insert(given.classes.end(), classes.begin(), classes.end());
        const auto by_majority = index.vote(found.first(alike), labels, Vote::majority);
        given.by_majority.insert(given.by_majority.end(), by_majority.begin(), by_majority.end());
    }
    return given;
}

void measure_linear(const Labelled& labelled, const EncodedSet& train_part, const linalg::FeatureRows& test,
                    std::int64_t classes, const EvaluateOptions& options, SplitMetrics& metrics) {
    const linalg::FeatureRows train = train_part.linear_features();
    ProbeOptions how;
    how.groups = train_part.groups.empty() ? std::vector<std::int64_t>()
                                           : gather_values(train_part.groups, labelled.train);
    how.seed = options.seed;
    how.views = options.mirror ? 2 : 1;
    how.memory = base::resolve_memory(options.memory);
    how.threads = options.threads;
    const LinearProbe probe = LinearProbe::fit({train, labelled.train}, labelled.train_labels, classes, how);
    const auto given = probe.predict({test, labelled.test}, options.threads);
    metrics.linear = accuracy(given, labelled.test_labels);
    metrics.linear_c = probe.c();
    metrics.linear_folds = probe.folds();
    metrics.linear_values = train.columns();
}

/// Mean of Σ (x̂ − x)², decoded by blocks.
double reconstruction_error(const Pca& pca, const Tensor& codes, const Tensor& pictures, int threads) {
    double sum = 0.0;
    std::vector<std::int64_t> rows;
    for (std::int64_t first = 0; first < pictures.rows(); first += block_rows) {
        rows.resize(at(std::min(block_rows, pictures.rows() - first)));
        std::iota(rows.begin(), rows.end(), first);
        const Tensor decoded = pca.decode(base::gather_rows(codes, rows), threads);
        for (const std::int64_t row : rows) {
            sum += base::squared_distance(decoded.row(row - first), pictures.row(row));
        }
    }
    return sum / static_cast<double>(pictures.rows());
}

MeanStd mean_std(const std::vector<SplitMetrics>& splits, double SplitMetrics::*value) {
    std::vector<double> values;
    for (const SplitMetrics& split : splits) {
        values.push_back(split.*value);
    }
    MeanStd result{mean(values), 0.0};
    if (values.size() > 1) {
        double squares = 0.0;
        for (const double x : values) {
            squares += (x - result.mean) * (x - result.mean);
        }
        result.deviation = std::sqrt(squares / static_cast<double>(values.size() - 1));
    }
    return result;
}

LinearMetrics linear_metrics(const std::vector<SplitMetrics>& splits) {
    std::vector<double> chosen;
    for (const SplitMetrics& split : splits) {
        chosen.push_back(split.linear_c);
    }
    const auto middle = chosen.begin() + (std::ssize(chosen) - 1) / 2;
    std::nth_element(chosen.begin(), middle, chosen.end());
    return {mean_std(splits, &SplitMetrics::linear),
            splits.front().linear_values,
            {},
            *middle,
            LinearProbe::grid(),
            splits.front().linear_folds};
}

double ratio(std::int64_t part, std::int64_t whole) {
    return whole == 0 ? std::numeric_limits<double>::quiet_NaN()
                      : static_cast<double>(part) / static_cast<double>(whole);
}

ClassMetrics class_metrics(const std::string& name, std::size_t i,
                           const std::vector<std::vector<std::int64_t>>& confusion) {
    const std::int64_t right = confusion[i][i];
    const std::int64_t pictures = std::accumulate(confusion[i].begin(), confusion[i].end(), std::int64_t{0});
    std::int64_t given = 0;
    for (const auto& row : confusion) {
        given += row[i];
    }
    return {name, pictures, ratio(right, given), ratio(right, pictures), ratio(2 * right, given + pictures)};
}

}  // namespace

double accuracy(const std::vector<std::int64_t>& given, const std::vector<std::int64_t>& labels) {
    const auto right = std::inner_product(given.begin(), given.end(), labels.begin(), std::int64_t{0},
                                          std::plus<>{}, std::equal_to<>{});
    return static_cast<double>(right) / static_cast<double>(labels.size());
}

TrainTestSplit split_in_halves(const std::vector<std::int64_t>& labels, std::uint64_t seed, int split,
                               const std::vector<std::int64_t>& groups) {
    if (!groups.empty()) {
        const base::Random random(seed, base::RandomStream::splits, static_cast<std::uint32_t>(split), 0);
        const std::vector<std::int64_t> parts = deal_groups(labels, groups, 2, random);
        TrainTestSplit whole;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            (parts[i] == 0 ? whole.train : whole.test).push_back(static_cast<std::int64_t>(i));
        }
        return whole;
    }
    std::map<std::int64_t, std::vector<std::int64_t>> rows_of;
    for (std::size_t i = 0; i < labels.size(); ++i) {
        rows_of[labels[i]].push_back(static_cast<std::int64_t>(i));
    }
    std::vector<std::vector<std::int64_t>> classes;
    const auto number = static_cast<std::uint32_t>(split);
    for (auto& [label, rows] : rows_of) {
        const auto stream = static_cast<std::uint32_t>(classes.size() + 1);
        base::shuffle(rows, base::Random(seed, base::RandomStream::splits, number, stream));
        classes.push_back(std::move(rows));
    }
    // Pictures are dealt in turn, class after class; the order of the classes decides where odd ones go.
    base::shuffle(classes, base::Random(seed, base::RandomStream::splits, number, 0));
    TrainTestSplit halves;
    bool to_train = true;
    for (const auto& rows : classes) {
        for (const std::int64_t row : rows) {
            (to_train ? halves.train : halves.test).push_back(row);
            to_train = !to_train;
        }
    }
    std::sort(halves.train.begin(), halves.train.end());
    std::sort(halves.test.begin(), halves.test.end());
    return halves;
}

EncodedSet gather(const EncodedSet& part, const std::vector<std::int64_t>& rows) {
    // Errors are of test parts.
    return {base::gather_rows(part.pictures, rows),
            base::gather_rows(part.codes, rows),
            part.errors.empty() ? std::vector<double>() : gather_values(part.errors, rows),
            gather_values(part.labels, rows),
            part.wide.empty() ? linalg::Bfloat16Rows() : part.wide.gather(rows),
            part.statistics.empty() ? Tensor() : base::gather_rows(part.statistics, rows),
            part.groups.empty() ? std::vector<std::int64_t>() : gather_values(part.groups, rows)};
}

void append(EncodedSet& part, const EncodedSet& more) {
    const auto join = [](Tensor& tensor, const Tensor& rest) {
        Tensor all({tensor.rows() + rest.rows(), tensor.columns()});
        std::copy_n(tensor.data(), tensor.size(), all.data());
        std::copy_n(rest.data(), rest.size(), all.data() + tensor.size());
        tensor = std::move(all);
    };
    join(part.pictures, more.pictures);
    join(part.codes, more.codes);
    if (!part.wide.empty()) {
        part.wide.append(more.wide);
    }
    join(part.statistics, more.statistics);
    part.errors.clear();
    part.labels.insert(part.labels.end(), more.labels.begin(), more.labels.end());
    part.groups.insert(part.groups.end(), more.groups.begin(), more.groups.end());
}

SplitMetrics measure(const EncodedSet& train, const EncodedSet& test, std::int64_t classes,
                     const EvaluateOptions& options) {
    SplitMetrics metrics;
    const Labelled labelled(train, test);
    metrics.labelled = !labelled.train.empty() && !labelled.test.empty();
    if (options.linear && metrics.labelled) {  // else it would be refused after the rest was measured
        LinearProbe::check_memory({std::ssize(labelled.train), train.linear_features().columns(), classes},
                                  options.threads, base::resolve_memory(options.memory));
    }
    metrics.pca_components =
        std::min({train.codes.columns(), train.size(), train.pictures.columns(), widest_pca});
    metrics.confusion.assign(at(classes), std::vector<std::int64_t>(at(classes), 0));
    metrics.sse = test.errors.empty() ? std::numeric_limits<double>::quiet_NaN() : mean(test.errors);

    const Pca pca = Pca::fit(train.pictures, metrics.pca_components, options.threads);
    for (std::int64_t i = 0; i < test.size(); ++i) {
        metrics.mean_sse += base::squared_distance(pca.mean.values(), test.pictures.row(i));
    }
    metrics.mean_sse /= static_cast<double>(test.size());
    const Tensor pca_test = pca.encode(test.pictures, options.threads);
    metrics.pca_sse = reconstruction_error(pca, pca_test, test.pictures, options.threads);

    if (!metrics.labelled) {
        return metrics;
    }
    const auto [given, by_majority] = classify(labelled, train.codes, test.codes, options);
    for (std::size_t i = 0; i < given.size(); ++i) {
        ++metrics.confusion[at(labelled.test_labels[i])][at(given[i])];
    }
    metrics.k = std::min(voters(options.vote, options.k), std::ssize(labelled.train));
    metrics.majority_k = std::min(voters(Vote::majority, options.k), std::ssize(labelled.train));
    metrics.train_classes = std::ssize(std::set(labelled.train_labels.begin(), labelled.train_labels.end()));
    const auto first = train.codes.row(labelled.train.front());
    metrics.codes_alike = std::all_of(labelled.train.begin(), labelled.train.end(), [&](std::int64_t row) {
        return std::equal(first.begin(), first.end(), train.codes.row(row).begin());
    });
    const auto accuracy_by = [&](const Tensor& train_rows, const Tensor& test_rows) {
        return accuracy(classify(labelled, train_rows, test_rows, options).classes, labelled.test_labels);
    };
    metrics.knn = accuracy(given, labelled.test_labels);
    metrics.majority_knn = accuracy(by_majority, labelled.test_labels);
    metrics.pca_knn = accuracy_by(pca.encode(train.pictures, options.threads), pca_test);
    metrics.raw_knn = accuracy_by(train.pictures, test.pictures);
    metrics.statistics_knn = std::numeric_limits<double>::quiet_NaN();
    if (!train.statistics.empty()) {
        const StandardisedPair pair = standardise(train.statistics, test.statistics);
        metrics.statistics_knn = accuracy_by(pair.train, pair.test);
    }
    if (options.linear) {
        measure_linear(labelled, train, test.linear_features(), classes, options, metrics);
    }
    return metrics;
}

Evaluation summarise(const std::vector<SplitMetrics>& splits, const std::vector<std::string>& class_names,
                     bool linear) {
    Evaluation evaluation;
    evaluation.splits = static_cast<int>(splits.size());
    evaluation.pca_components = splits.front().pca_components;
    evaluation.sse_per_image = mean_std(splits, &SplitMetrics::sse);
    evaluation.mean_sse_per_image = mean_std(splits, &SplitMetrics::mean_sse);
    evaluation.pca_sse_per_image = mean_std(splits, &SplitMetrics::pca_sse);
    evaluation.labelled =
        std::all_of(splits.begin(), splits.end(), [](const SplitMetrics& split) { return split.labelled; });
    if (!evaluation.labelled) {
        return evaluation;
    }
    evaluation.k = splits.front().k;
    evaluation.majority_k = splits.front().majority_k;
    evaluation.train_classes = splits.front().train_classes;
    for (const SplitMetrics& split : splits) {
        evaluation.k = std::min(evaluation.k, split.k);
        evaluation.majority_k = std::min(evaluation.majority_k, split.majority_k);
        evaluation.train_classes = std::min(evaluation.train_classes, split.train_classes);
        evaluation.codes_alike = evaluation.codes_alike || split.codes_alike;
    }
    evaluation.knn_accuracy = mean_std(splits, &SplitMetrics::knn);
    evaluation.majority_accuracy = mean_std(splits, &SplitMetrics::majority_knn);
    evaluation.raw_knn_accuracy = mean_std(splits, &SplitMetrics::raw_knn);
    evaluation.pca_knn_accuracy = mean_std(splits, &SplitMetrics::pca_knn);
    evaluation.statistics_knn_accuracy = mean_std(splits, &SplitMetrics::statistics_knn);
    if (linear) {
        evaluation.linear = linear_metrics(splits);
    }
    evaluation.confusion = splits.front().confusion;
    for (std::size_t split = 1; split < splits.size(); ++split) {
        for (std::size_t i = 0; i < class_names.size(); ++i) {
            auto& row = evaluation.confusion[i];
            std::transform(row.begin(), row.end(), splits[split].confusion[i].begin(), row.begin(),
                           std::plus<>{});
        }
    }
    for (std::size_t i = 0; i < class_names.size(); ++i) {
        evaluation.classes.push_back(class_metrics(class_names[i], i, evaluation.confusion));
    }
    return evaluation;
}

}  // namespace stackae::evaluation
