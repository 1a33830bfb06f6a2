#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "evaluate/depth_encoder.hpp"
#include "evaluate/measure.hpp"
#include "model/groups.hpp"
#include "model/split.hpp"
#include "search/label_encoder.hpp"

namespace stackae {
namespace {

using evaluation::DepthEncoder;

constexpr std::int64_t max_block = 2048;  ///< pictures whose codes are searched at a time
constexpr std::int64_t min_block = 16;
constexpr std::array metrics{Metric::l2, Metric::cosine};
constexpr auto float_bytes = static_cast<std::int64_t>(sizeof(float));

/// The nearest so far of each query, as blocks of the indexed rows come by.
class RunningTopK {
public:
    RunningTopK(std::int64_t queries, std::int64_t k) {
        best_.queries = queries;
        best_.k = k;
        best_.rows.assign(static_cast<std::size_t>(queries * k), -1);
        best_.distances.assign(best_.rows.size(), std::numeric_limits<float>::infinity());
    }

    /// Neighbours within a block whose first row is `first`.
    void merge(const Neighbours& found, std::int64_t first) {
        for (std::int64_t query = 0; query < best_.queries; ++query) {
            for (std::int64_t i = 0; i < found.k; ++i) {
                const auto at = static_cast<std::size_t>(query * found.k + i);
                insert(query, found.distances[at], first + found.rows[at]);
            }
        }
    }

    [[nodiscard]] const Neighbours& best() const { return best_; }

private:
    void insert(std::int64_t query, float distance, std::int64_t row) {
        const auto begin = best_.distances.begin() + query * best_.k;
        const auto place = std::upper_bound(begin, begin + best_.k, distance);
        const auto at = place - best_.distances.begin();
        const auto end = (query + 1) * best_.k;
        if (at == end) {
            return;
        }
        const auto rows = best_.rows.begin();
        std::copy_backward(place, begin + best_.k - 1, begin + best_.k);
        std::copy_backward(rows + at, rows + end - 1, rows + end);
        *place = distance;
        rows[at] = row;
    }

    Neighbours best_;
};

/// A depth whose codes are compared.
struct Compared {
    std::size_t depth;
    std::int64_t size;
    Tensor test;                       ///< codes of the pictures held out
    std::vector<RunningTopK> running;  ///< of each metric
    std::vector<float> first;          ///< a code
    bool alike = true;                 ///< all codes seen are that one: nothing is told apart by them
};

/// At most `most` labelled pictures of some rows, spread by chance, in rising order.
std::vector<std::int64_t> labelled_sample(const ImageDataset& pictures, std::vector<std::int64_t> rows,
                                          std::int64_t most, const base::Random& random) {
    std::erase_if(rows, [&](std::int64_t row) { return !pictures.entry(row).label; });
    base::shuffle(rows, random);
    rows.resize(std::min(rows.size(), static_cast<std::size_t>(most)));
    std::sort(rows.begin(), rows.end());
    return rows;
}

class Comparison {
public:
    Comparison(const Model& model, const ImageDataset& pictures, const DepthComparisonOptions& options,
               const std::function<void(std::int64_t, std::int64_t)>& progress)
        : model_(model), pictures_(pictures), options_(options), progress_(progress) {
        const std::size_t embedding = model.depth_of();
        for (const std::size_t depth : model.code_depths()) {
            const std::int64_t size = model.layers[depth - 1].output_shape().size();
            widest_ = std::max(widest_, size);
            if (size <= options.max_values || depth == embedding) {
                compared_.push_back({depth, size, Tensor(), {}, {}});
                all_ += size;
            }
        }
    }

    std::vector<DepthAccuracy> run() {
        const TrainConfig& config = model_.record.config;
        GroupNumbers groups;
        for (std::int64_t i = 0; i < pictures_.size(); ++i) {
            groups.add(pictures_.entry(i).group);
        }
        const Split split = split_pictures(config, pictures_.size(), groups.take());
        const std::int64_t held = std::max<std::int64_t>(1, options_.memory / 2 / (float_bytes * all_));
        const auto sample = [&](const std::vector<std::int64_t>& rows, std::int64_t most, std::uint32_t use) {
            return labelled_sample(pictures_, rows, most,
                                   base::Random(config.seed, base::RandomStream::validation, use));
        };
        test_ = sample(split.held_out, std::min(options_.max_pictures, held), 1);
        train_ = sample(split.train, options_.max_neighbours, 2);
        if (!number_classes()) {
            return {};
        }
        std::vector<std::size_t> depths;
        for (const Compared& compared : compared_) {
            depths.push_back(compared.depth);
        }
        DepthEncoder encoder(model_, depths, options_.threads);
        encode_test(encoder);
        search(encoder);
        return accuracies();
    }

private:
    /// False where there is nothing to tell apart.
    bool number_classes() {
        std::vector<std::string> names;
        for (const auto* rows : {&test_, &train_}) {
            for (const std::int64_t row : *rows) {
                names.push_back(*pictures_.entry(row).label);
            }
        }
        const auto numbers = search::LabelEncoder(names).numbers();
        const auto first_of_train = numbers.begin() + std::ssize(test_);
        test_labels_.assign(numbers.begin(), first_of_train);
        train_labels_.assign(first_of_train, numbers.end());
        const bool one_class = std::adjacent_find(train_labels_.begin(), train_labels_.end(),
                                                  std::not_equal_to<>{}) == train_labels_.end();
        return !test_.empty() && !one_class;
    }

    /// Calls body(row among those, pictures) batch by batch. Throws where one cannot be read any more.
    template <class Body>
    void each_batch(const std::vector<std::int64_t>& rows, std::int64_t batch_size, const Body& body) {
        const ImageDataset some = pictures_.subset(rows);
        PictureReader reader(some, model_.preprocessing,
                             {.batch_size = batch_size, .threads = options_.threads});
        std::int64_t first = 0;
        for (PictureBatch batch; reader.next(batch);) {
            if (!batch.skipped.empty()) {
                throw IoError(fmt::format("{}: {}: it could be read before",
                                          some.entry(batch.skipped.front().index).path,
                                          batch.skipped.front().reason));
            }
            body(first, batch.pictures);
            first += batch.pictures.rows();
            done_ += batch.pictures.rows();
            if (progress_) {
                progress_(done_, std::ssize(test_) + std::ssize(train_));
            }
        }
    }

    void encode_test(DepthEncoder& encoder) {
        for (Compared& compared : compared_) {
            compared.test = Tensor({std::ssize(test_), compared.size});
        }
        each_batch(test_, block(), [&](std::int64_t first, const Tensor& pictures) {
            encoder.run(pictures, [&](std::size_t i, const Tensor& codes) {
                Compared& compared = compared_[i];
                std::copy_n(codes.data(), codes.size(), compared.test.row(first).data());
                look_for_differences(compared, codes);
            });
        });
    }

    void search(DepthEncoder& encoder) {
        const std::int64_t k = std::min(options_.k, std::ssize(train_));
        for (Compared& compared : compared_) {
            compared.running.assign(metrics.size(), RunningTopK(std::ssize(test_), k));
        }
        each_batch(train_, block(), [&](std::int64_t first, const Tensor& pictures) {
            encoder.run(pictures, [&](std::size_t i, const Tensor& codes) {
                Compared& compared = compared_[i];
                look_for_differences(compared, codes);
                for (std::size_t m = 0; m < metrics.size(); ++m) {
                    NeighbourIndex index(codes, metrics[m], options_.threads);
                    compared.running[m].merge(index.search(compared.test, k), first);
                }
            });
        });
    }

    static void look_for_differences(Compared& compared, const Tensor& codes) {
        for (std::int64_t i = 0; compared.alike && i < codes.rows(); ++i) {
            const auto code = codes.row(i);
            if (compared.first.empty()) {
                compared.first.assign(code.begin(), code.end());
            }
            compared.alike = std::equal(code.begin(), code.end(), compared.first.begin());
        }
    }

    [[nodiscard]] std::vector<DepthAccuracy> accuracies() const {
        std::vector<DepthAccuracy> result;
        for (const Compared& compared : compared_) {
            if (compared.alike) {
                continue;
            }
            const auto& runs = compared.running;
            result.push_back({compared.depth, accuracy(runs[0]), accuracy(runs[1]), std::ssize(test_),
                              std::ssize(train_), runs[0].best().k});
        }
        return result;
    }

    [[nodiscard]] double accuracy(const RunningTopK& running) const {
        return evaluation::accuracy(vote(running.best(), train_labels_), test_labels_);
    }

    /// Pictures whose codes fit a quarter of the memory, of two depths and an index.
    [[nodiscard]] std::int64_t block() const {
        return std::clamp(options_.memory / 4 / (3 * float_bytes * widest_), min_block, max_block);
    }

    const Model& model_;
    const ImageDataset& pictures_;
    const DepthComparisonOptions& options_;
    const std::function<void(std::int64_t, std::int64_t)>& progress_;
    std::vector<Compared> compared_;  ///< bottom up
    std::int64_t all_ = 0;            ///< values of their codes together
    std::int64_t widest_ = 0;         ///< values of the longest code, compared or not
    std::vector<std::int64_t> test_;
    std::vector<std::int64_t> train_;
    std::vector<std::int64_t> test_labels_;
    std::vector<std::int64_t> train_labels_;
    std::int64_t done_ = 0;
};

}  // namespace

std::vector<DepthAccuracy> depth_accuracies(const Model& model, const ImageDataset& pictures,
                                            const DepthComparisonOptions& options,
                                            const std::function<void(std::int64_t, std::int64_t)>& progress) {
    if (options.k < 1 || options.max_pictures < 1 || options.max_neighbours < 1) {
        throw InvalidArgument(
            fmt::format("accuracies: k {}, {} pictures and {} neighbours found, at least 1 of each expected",
                        options.k, options.max_pictures, options.max_neighbours));
    }
    if (pictures.size() != model.record.pictures) {
        throw InvalidArgument(
            fmt::format("accuracies: {}: {} pictures found, the {} that the model was trained on expected",
                        pictures.path(), pictures.size(), model.record.pictures));
    }
    return Comparison(model, pictures, options, progress).run();
}

std::size_t recommended_depth(const Model& model) {
    const auto size = [&](const DepthAccuracy& one) {
        return model.layers[one.depth - 1].output_shape().size();
    };
    const auto& all = model.record.accuracies;
    const auto best = std::max_element(all.begin(), all.end(), [&](const auto& a, const auto& b) {
        return a.best() < b.best() || (a.best() == b.best() && size(a) > size(b));
    });
    return best == all.end() ? 0 : best->depth;
}

}  // namespace stackae
