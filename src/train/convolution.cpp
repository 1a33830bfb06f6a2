#include "train/convolution.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "stackae/error.hpp"

#include "train/convolution_training.hpp"

namespace stackae::training {
namespace {

constexpr std::int64_t fewest_pictures = 2'000;  ///< that patches of a higher layer are taken from
constexpr std::int64_t chunk_bytes = std::int64_t{128} << 20U;  ///< of maps held at a time
constexpr std::int64_t patches_a_picture = 16;                  ///< of a higher layer, at least
constexpr std::int64_t default_whitened = 512;

}  // namespace

std::vector<std::int64_t> sample_of(std::span<const std::int64_t> rows, std::int64_t count,
                                    const base::Random& random) {
    std::vector<std::int64_t> some(rows.begin(), rows.end());
    base::shuffle(some, random);
    some.resize(std::min(some.size(), static_cast<std::size_t>(count)));
    std::sort(some.begin(), some.end());
    return some;
}

std::int64_t chunk_pictures(std::int64_t map_size) {
    return std::clamp<std::int64_t>(chunk_bytes / (map_size * static_cast<std::int64_t>(sizeof(float))), 8,
                                    256);
}

Below::Below(const Model& model, const SampleStore& pictures, int threads) : pictures_(pictures) {
    if (!model.convolutions.empty()) {
        encoder_.emplace(model, EncodeOptions{static_cast<int>(model.convolutions.size()), false, threads});
    }
}

std::int64_t Below::chunk() const {
    return chunk_pictures(encoder_ ? encoder_->code_size() : pictures_.columns());
}

Tensor Below::maps(std::span<const std::int64_t> rows) {
    Tensor gathered({std::ssize(rows), pictures_.columns()});
    pictures_.gather(rows, gathered.data());
    return encoder_ ? encoder_->encode(gathered) : std::move(gathered);
}

ConvolutionTraining::ConvolutionTraining(linalg::Context& context, const LayerData& data,
                                         const TrainOptions& options, TrainObserver& observer, Model& model)
    : context_(context),
      data_(data),
      options_(options),
      asked_(options.convolutions[model.convolutions.size()]),
      observer_(observer),
      model_(model),
      number_(static_cast<std::uint32_t>(model.convolutions.size())),
      below_(model, data.pictures, options.threads) {
    layer_.shape = next_shape(model.recipe, model.convolutions, asked_);
}

bool ConvolutionTraining::run() {
    const auto start = std::chrono::steady_clock::now();
    if (number_ > 0 && layer_.shape.contrast) {
        settle_contrast();
    }
    if (sample_size(options_, layer_.shape, number_, std::ssize(data_.train)).patches == 0) {
        throw InvalidArgument("convolution: context: one patch found, at least 2 expected");
    }
    SampleStore patches = sample_patches();
    if (patches.rows() == 0) {
        return false;
    }
    whiten(patches);
    if (layer_.shape.unit_length) {
        learn_context(patches);
    } else {
        learn_units(patches);
        set_threshold(patches);
    }
    const std::int64_t epochs = layer_.shape.unit_length ? 0 : options_.patch_epochs;
    EpochRecord record{static_cast<int>(number_) + 1, epochs + 1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0};
    if (!fit_decoder(record)) {
        return false;
    }
    record.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    model_.convolutions.push_back(std::move(layer_));
    model_.history.push_back(record);
    observer_.on_epoch(record);
    return true;
}

ConvolutionShape next_shape(const Recipe& recipe, const std::vector<ConvolutionLayer>& below,
                            const ConvolutionOptions& options) {
    ConvolutionShape shape;
    shape.channels = below.empty() ? recipe.channels : below.back().shape.code_channels();
    shape.height = below.empty() ? recipe.height : below.back().shape.cells_down();
    shape.width = below.empty() ? recipe.width : below.back().shape.cells_across();
    shape.kernel = options.kernel;
    shape.units = options.units;
    shape.two_sided = options.two_sided;
    shape.pooling = options.maximum ? Pooling::maximum : Pooling::average;
    shape.pool_size = options.pool_size;
    shape.pool_stride = options.pool_stride;
    shape.grid = options.grid;
    shape.root = options.root;
    shape.unit_length = options.context > 0;
    shape.contrast = options.context == 0;
    shape.whitened = std::min(options.whitened > 0 ? options.whitened : default_whitened, shape.patch_size());
    if (shape.unit_length) {
        shape.units = std::min(shape.units, shape.whitened);  // directions among the axes of a patch
    }
    validate(shape);
    return shape;
}

SampleSize sample_size(const TrainOptions& options, const ConvolutionShape& shape, std::size_t number,
                       std::int64_t pictures) {
    const auto patch_bytes = shape.patch_size() * static_cast<std::int64_t>(sizeof(float));
    const std::int64_t affordable = std::max<std::int64_t>(1000, options.memory / 2 / patch_bytes);
    const std::int64_t most = std::min(options.patches, affordable);
    SampleSize size;
    size.pictures =
        std::min(pictures, number == 0 ? most : std::max(fewest_pictures, most / patches_a_picture));
    size.patches = std::min(most, shape.positions_down() * shape.positions_across() * size.pictures);
    size.patches -= shape.unit_length ? size.patches % 2 : 0;  // they come in pairs
    return size;
}

bool train_convolution(linalg::Context& context, const LayerData& data, const TrainOptions& options,
                       TrainObserver& observer, Model& model) {
    return ConvolutionTraining(context, data, options, observer, model).run();
}

}  // namespace stackae::training
