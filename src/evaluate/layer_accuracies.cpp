#include <algorithm>
#include <array>
#include <fmt/format.h>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "base/random.hpp"
#include "base/rows.hpp"
#include "model/split.hpp"
#include "search/numbering.hpp"

namespace stackae {
namespace {

constexpr std::int64_t most_block = 2048;  ///< pictures whose codes are searched at a time
constexpr std::int64_t least_block = 16;
constexpr std::array metrics{Metric::l2, Metric::cosine};
constexpr auto float_bytes = static_cast<std::int64_t>(sizeof(float));

/// A stack that is run layer by layer, so that the codes of all layers are had for the price of the last.
/// Each layer is a model of its own, whose pictures are the codes of the layer below.
class Ladder {
public:
    Ladder(const Model& model, int threads) {
        for (const ConvolutionLayer& layer : model.convolutions) {
            Model& part = part_of(layer.shape.channels, layer.shape.height, layer.shape.width);
            part.convolutions.push_back(layer);
        }
        for (const DenseLayer& layer : model.layers) {
            part_of(1, 1, layer.inputs()).layers.push_back(layer);
        }
        if (model.radial) {
            part_of(1, 1, model.radial->inputs()).radial = model.radial;
        }
        for (const auto& part : parts_) {
            encoders_.emplace_back(*part, EncodeOptions{.layer = 1, .threads = threads});
        }
        scaled_ = model.l2_normalize ? model.code_layer() : 0;
    }

    /// Calls body(layer, codes) for each layer, 0-based, with codes as the commands compare them.
    template <class Body>
    void climb(const Tensor& pictures, const Body& body) {
        Tensor codes;
        for (std::size_t layer = 0; layer < encoders_.size(); ++layer) {
            codes = encoders_[layer].encode(layer == 0 ? pictures : codes);
            if (static_cast<int>(layer) + 1 == scaled_) {  // radial units see directions alone
                for (std::int64_t i = 0; i < codes.rows(); ++i) {
                    base::l2_normalize(codes.row(i), codes.row(i));
                }
            }
            body(layer, codes);
        }
    }

private:
    Model& part_of(std::int64_t channels, std::int64_t height, std::int64_t width) {
        Model& part = *parts_.emplace_back(std::make_unique<Model>());
        part.recipe.channels = static_cast<int>(channels);
        part.recipe.height = static_cast<int>(height);
        part.recipe.width = static_cast<int>(width);
        return part;
    }

    std::vector<std::unique_ptr<Model>> parts_;  // encoders point to them
    std::vector<Encoder> encoders_;
    int scaled_ = 0;  ///< the layer whose codes are scaled to length 1; 0: none
};

/// The nearest so far of each query, as blocks of the indexed rows come by.
class Running {
public:
    Running(std::int64_t queries, std::int64_t k) {
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

/// A layer whose codes are compared.
struct Compared {
    int layer;  ///< 1-based
    std::int64_t size;
    Tensor test;                   ///< codes of the pictures held out
    std::vector<Running> running;  ///< of each metric
    std::vector<float> first;      ///< a code
    bool alike = true;             ///< all codes seen are that one: nothing is told apart by them
};

/// At most `most` labelled pictures of some rows, spread by chance, in rising order.
std::vector<std::int64_t> labelled_sample(const Pictures& pictures, std::vector<std::int64_t> rows,
                                          std::int64_t most, const base::Random& random) {
    std::erase_if(rows, [&](std::int64_t row) { return !pictures.entry(row).label; });
    base::shuffle(rows, random);
    rows.resize(std::min(rows.size(), static_cast<std::size_t>(most)));
    std::sort(rows.begin(), rows.end());
    return rows;
}

class Comparison {
public:
    Comparison(const Model& model, const Pictures& pictures, const LayerComparisonOptions& options,
               const std::function<void(std::int64_t, std::int64_t)>& progress)
        : model_(model), pictures_(pictures), options_(options), progress_(progress) {
        for (int layer = 1; layer <= model.depth(); ++layer) {
            const std::int64_t size = model.code_size(layer);
            widest_ = std::max(widest_, size);
            if (size <= options.most_values || layer == model.code_layer()) {
                compared_.push_back({layer, size, Tensor(), {}, {}});
                all_ += size;
            }
        }
    }

    std::vector<LayerAccuracy> run() {
        const Split split = split_pictures(model_.options, pictures_.size());
        const std::int64_t held = std::max<std::int64_t>(1, options_.memory / 2 / (float_bytes * all_));
        const auto sample = [&](const std::vector<std::int64_t>& rows, std::int64_t most, std::uint32_t use) {
            return labelled_sample(pictures_, rows, most,
                                   base::Random(model_.options.seed, base::Stream::validation, use));
        };
        test_ = sample(split.held_out, std::min(options_.most_pictures, held), 1);
        train_ = sample(split.train, options_.most_neighbours, 2);
        if (!number_classes()) {
            return {};
        }
        Ladder ladder(model_, options_.threads);
        encode_test(ladder);
        search(ladder);
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
        const auto numbers = search::Numbering(names).numbers();
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
        const Pictures some = pictures_.subset(rows);
        PictureReader reader(some, model_.recipe, {.batch_size = batch_size, .threads = options_.threads});
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

    void encode_test(Ladder& ladder) {
        for (Compared& compared : compared_) {
            compared.test = Tensor({std::ssize(test_), compared.size});
        }
        each_batch(test_, block(), [&](std::int64_t first, const Tensor& pictures) {
            climb(ladder, pictures, [&](Compared& compared, const Tensor& codes) {
                std::copy_n(codes.data(), codes.size(), compared.test.row(first).data());
                look_for_differences(compared, codes);
            });
        });
    }

    void search(Ladder& ladder) {
        const std::int64_t k = std::min(options_.k, std::ssize(train_));
        for (Compared& compared : compared_) {
            compared.running.assign(metrics.size(), Running(std::ssize(test_), k));
        }
        each_batch(train_, block(), [&](std::int64_t first, const Tensor& pictures) {
            climb(ladder, pictures, [&](Compared& compared, const Tensor& codes) {
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

    /// Calls body(compared, codes) for the layers that are compared.
    template <class Body>
    void climb(Ladder& ladder, const Tensor& pictures, const Body& body) {
        ladder.climb(pictures, [&](std::size_t layer, const Tensor& codes) {
            const auto found = std::find_if(
                compared_.begin(), compared_.end(),
                [&](const Compared& compared) { return compared.layer == static_cast<int>(layer) + 1; });
            if (found != compared_.end()) {
                body(*found, codes);
            }
        });
    }

    [[nodiscard]] std::vector<LayerAccuracy> accuracies() const {
        std::vector<LayerAccuracy> result;
        for (const Compared& compared : compared_) {
            if (compared.alike) {
                continue;
            }
            const auto& runs = compared.running;
            result.push_back({compared.layer, accuracy(runs[0]), accuracy(runs[1]), std::ssize(test_),
                              std::ssize(train_), runs[0].best().k});
        }
        return result;
    }

    [[nodiscard]] double accuracy(const Running& running) const {
        const std::vector<std::int64_t> given = vote(running.best(), train_labels_);
        std::int64_t right = 0;
        for (std::size_t i = 0; i < given.size(); ++i) {
            right += given[i] == test_labels_[i] ? 1 : 0;
        }
        return static_cast<double>(right) / static_cast<double>(given.size());
    }

    /// Pictures whose codes fit a quarter of the memory, of two layers and an index.
    [[nodiscard]] std::int64_t block() const {
        return std::clamp(options_.memory / 4 / (3 * float_bytes * widest_), least_block, most_block);
    }

    const Model& model_;
    const Pictures& pictures_;
    const LayerComparisonOptions& options_;
    const std::function<void(std::int64_t, std::int64_t)>& progress_;
    std::vector<Compared> compared_;  ///< bottom up
    std::int64_t all_ = 0;            ///< values of their codes together
    std::int64_t widest_ = 0;         ///< values of the longest code of all layers
    std::vector<std::int64_t> test_;
    std::vector<std::int64_t> train_;
    std::vector<std::int64_t> test_labels_;
    std::vector<std::int64_t> train_labels_;
    std::int64_t done_ = 0;
};

}  // namespace

std::vector<LayerAccuracy> layer_accuracies(const Model& model, const Pictures& pictures,
                                            const LayerComparisonOptions& options,
                                            const std::function<void(std::int64_t, std::int64_t)>& progress) {
    if (options.k < 1 || options.most_pictures < 1 || options.most_neighbours < 1) {
        throw InvalidArgument(fmt::format(
            "layer accuracies: k {}, {} pictures and {} neighbours found, at least 1 of each expected",
            options.k, options.most_pictures, options.most_neighbours));
    }
    if (pictures.size() != model.pictures) {
        throw InvalidArgument(fmt::format(
            "layer accuracies: {}: {} pictures found, the {} that the model was trained on expected",
            pictures.path(), pictures.size(), model.pictures));
    }
    return Comparison(model, pictures, options, progress).run();
}

int recommended_layer(const Model& model) {
    const auto& all = model.layer_accuracies;
    const auto best = std::max_element(all.begin(), all.end(), [&](const auto& a, const auto& b) {
        return a.best() < b.best() ||
               (a.best() == b.best() && model.code_size(a.layer) > model.code_size(b.layer));
    });
    return best == all.end() ? 0 : best->layer;
}

}  // namespace stackae
