#include <algorithm>
#include <fmt/format.h>
#include <numeric>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "base/random.hpp"
#include "model/groups.hpp"
#include "model/split.hpp"

namespace stackae {
namespace {

constexpr std::int64_t max_measured = 10'000;
constexpr std::int64_t max_others = 20'000;
constexpr std::int64_t max_floats = std::int64_t{1} << 26;
constexpr std::int64_t block = 1024;

using Progress = std::function<void(std::int64_t, std::int64_t)>;

/// At most `most` of some rows, by chance, in rising order, as many as the memory allows.
std::vector<std::int64_t> sample_of(std::vector<std::int64_t> rows, std::int64_t most, std::int64_t columns,
                                    const base::Random& random) {
    const std::int64_t held = std::clamp<std::int64_t>(max_floats / columns, 2, most);
    if (std::ssize(rows) > held) {
        base::shuffle(rows, random);
        rows.resize(static_cast<std::size_t>(held));
        std::sort(rows.begin(), rows.end());
    }
    return rows;
}

/// All of them in one tensor. Throws where one cannot be read any more.
Tensor read_rows(const Model& model, const ImageDataset& pictures, int threads,
                 const std::function<void(std::int64_t)>& progress) {
    Tensor rows({pictures.size(), model.preprocessing.size()});
    PictureReader reader(pictures, model.preprocessing, {.threads = threads});
    std::int64_t done = 0;
    for (PictureBatch batch; reader.next(batch);) {
        if (!batch.skipped.empty()) {
            throw IoError(fmt::format("{}: {}: it could be read before",
                                      pictures.entry(batch.skipped.front().index).path,
                                      batch.skipped.front().reason));
        }
        std::copy_n(batch.pictures.data(), batch.pictures.size(), rows.row(done).data());
        done += batch.pictures.rows();
        progress(done);
    }
    return rows;
}

/// Mean over the rows of Σ (x̂ − x)², rebuild(rows) giving x̂.
template <class Rebuild>
double mean_error(const Tensor& rows, const Rebuild& rebuild) {
    double sum = 0.0;
    for (std::int64_t first = 0; first < rows.rows(); first += block) {
        Tensor some({std::min(block, rows.rows() - first), rows.columns()});
        std::copy_n(rows.row(first).data(), some.size(), some.data());
        const Tensor rebuilt = rebuild(some);
        sum += std::transform_reduce(some.data(), some.data() + some.size(), rebuilt.data(), 0.0,
                                     std::plus<>{}, [](float x, float y) {
                                         const double difference = double{y} - double{x};
                                         return difference * difference;
                                     });
    }
    return sum / static_cast<double>(rows.rows());
}

}  // namespace

std::optional<ReconstructionErrors> reconstruction_errors(const Model& model, const ImageDataset& pictures,
                                                          int threads, const Progress& progress) {
    if (pictures.size() != model.record.pictures) {
        throw InvalidArgument(fmt::format(
            "reconstruction: {}: {} pictures found, the {} that the model was trained on expected",
            pictures.path(), pictures.size(), model.record.pictures));
    }
    GroupNumbers groups;
    for (std::int64_t i = 0; i < pictures.size(); ++i) {
        groups.add(pictures.entry(i).group);
    }
    const TrainConfig& config = model.record.config;
    const Split split = split_pictures(config, pictures.size(), groups.take());
    const std::int64_t columns = model.preprocessing.size();
    const auto sample = [&](const std::vector<std::int64_t>& rows, std::int64_t most, std::uint32_t use) {
        return pictures.subset(
            sample_of(rows, most, columns, base::Random(config.seed, base::RandomStream::validation, use)));
    };
    if (split.held_out.empty() || split.train.empty() ||
        model.uninvertible_layer(model.reconstruction.depth) > 0) {
        return std::nullopt;
    }
    const ImageDataset test = sample(split.held_out, max_measured, 3);
    const ImageDataset train = sample(split.train, max_others, 4);
    const auto read = [&](const ImageDataset& some, std::int64_t before) {
        return read_rows(model, some, threads, [&](std::int64_t done) {
            if (progress) {
                progress(before + done, test.size() + train.size());
            }
        });
    };
    const Tensor test_rows = read(test, 0);
    const Tensor train_rows = read(train, test.size());
    ReconstructionErrors errors;
    errors.pictures = test.size();
    errors.others = train.size();
    errors.components =
        std::min({model.layers.output_shape(model.input_shape(), model.reconstruction.depth).size(),
                  train.size(), columns});
    const Pca pca = Pca::fit(train_rows, errors.components, threads);
    Encoder encoder(model, {{}, false, threads});
    errors.stack = mean_error(test_rows, [&](const Tensor& rows) { return encoder.reconstruct(rows); });
    errors.pca = mean_error(
        test_rows, [&](const Tensor& rows) { return pca.decode(pca.encode(rows, threads), threads); });
    errors.mean = mean_error(test_rows, [&](const Tensor& rows) {
        Tensor mean({rows.rows(), columns});
        for (std::int64_t i = 0; i < rows.rows(); ++i) {
            std::copy_n(pca.mean.data(), columns, mean.row(i).data());
        }
        return mean;
    });
    return errors;
}

}  // namespace stackae
