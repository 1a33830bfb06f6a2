#include "layers/nystroem.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>
#include <vector>

#include "stackae/error.hpp"

#include "base/fields.hpp"
#include "base/rows.hpp"
#include "layers/affine.hpp"
#include "layers/kmeans_state.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/tensors.hpp"
#include "linalg/inverse_sqrt.hpp"
#include "linalg/spherical_kmeans.hpp"
#include "linalg/tiled_product.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::layers {
namespace {

constexpr double max_block = 8192;
constexpr int kmeans_iterations = 4;  ///< more change little
constexpr float ridge = 0.01F;        ///< added to the kernel before its inverse root

/// exp(γ (C Cᵀ − 1)) + ridge of some landmarks.
Tensor kernel_of(const float* landmarks, std::int64_t size, std::int64_t inputs, double gamma) {
    Tensor kernel({size, size});
    linalg::TiledProduct{.m = size, .n = size, .k = inputs, .trans_b = true}.run(landmarks, landmarks,
                                                                                 kernel.data());
    for (std::int64_t i = 0; i < size; ++i) {
        const auto row = kernel.row(i);
        std::transform(row.begin(), row.end(), row.begin(), [gamma](float cosine) {
            return static_cast<float>(std::exp(gamma * (double{cosine} - 1.0)));
        });
        row[static_cast<std::size_t>(i)] += ridge;
    }
    return kernel;
}

/// The variance of each column.
std::vector<double> variances_of(RowStore& rows) {
    std::vector<double> mean(static_cast<std::size_t>(rows.columns()));
    std::vector<double> square(mean.size());
    const auto n = static_cast<double>(rows.rows());
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        const float* row = rows.row(i);
        for (std::size_t j = 0; j < mean.size(); ++j) {
            mean[j] += double{row[j]} / n;
            square[j] += double{row[j]} * double{row[j]} / n;
        }
    }
    std::transform(square.begin(), square.end(), mean.begin(), square.begin(),
                   [](double s, double m) { return std::max(0.0, s - m * m); });
    return square;
}

/// Some landmarks that R mixes with one another, in the form that a chain of two dense products takes:
/// exp(x) = elu(x) + 1 where x is 0 or less.
struct Block {
    Block(const Nystroem& layer, std::int64_t from, std::int64_t size)
        : first(from),
          landmarks({size, layer.landmarks.columns()}),
          shift({size}),
          normalizer({size, size}),
          offset({size}) {
        for (std::int64_t i = 0; i < size; ++i) {
            const auto landmark = layer.landmarks.row(first + i);
            std::transform(landmark.begin(), landmark.end(), landmarks.row(i).begin(),
                           [&](float value) { return static_cast<float>(layer.gamma * double{value}); });
            shift.data()[i] = static_cast<float>(-layer.gamma);
            const auto mixed = layer.kernel_normalizer.row(first + i).first(static_cast<std::size_t>(size));
            std::copy(mixed.begin(), mixed.end(), normalizer.row(i).begin());
            offset.data()[i] = static_cast<float>(std::accumulate(mixed.begin(), mixed.end(), 0.0));
        }
    }

    [[nodiscard]] std::int64_t size() const { return landmarks.rows(); }

    std::int64_t first;
    Tensor landmarks;   ///< γ C
    Tensor shift;       ///< −γ
    Tensor normalizer;  ///< R
    Tensor offset;      ///< R 1
};

std::vector<std::unique_ptr<Block>> blocks_of(const Nystroem& layer) {
    std::vector<std::unique_ptr<Block>> blocks;
    const std::int64_t block = layer.kernel_normalizer.columns();
    for (std::int64_t first = 0; first < layer.n_landmarks; first += block) {
        blocks.push_back(std::make_unique<Block>(layer, first, std::min(block, layer.n_landmarks - first)));
    }
    return blocks;
}

class Encoding : public Op {
public:
    Encoding(const OpContext& context, const Nystroem& layer)
        : layer_(layer),
          rows_(context.rows),
          blocks_(blocks_of(layer)),
          directions_({rows_, layer.scale.size()}),
          kernel_({rows_, blocks_.front()->size()}),
          mixed_(kernel_) {
        for (const auto& block : blocks_) {
            to_kernel_.push_back(make_affine(context, Activation::elu, block->landmarks, block->shift));
            to_code_.push_back(make_affine(context, Activation::linear, block->normalizer, block->offset));
        }
    }

    void run(const float* src, float* dst) override {
        for (std::int64_t i = 0; i < rows_; ++i, src += layer_.scale.size()) {
            const auto z = directions_.row(i);
            std::transform(layer_.scale.values().begin(), layer_.scale.values().end(), src, z.begin(),
                           std::multiplies<>{});
            base::l2_normalize(z, z);
        }
        for (std::size_t b = 0; b < blocks_.size(); ++b) {
            const std::int64_t size = blocks_[b]->size();
            to_kernel_[b]->run(directions_.data(), kernel_.data());
            to_code_[b]->run(kernel_.data(), mixed_.data());
            for (std::int64_t i = 0; i < rows_; ++i) {
                std::copy_n(mixed_.data() + i * size, size, dst + i * layer_.n_landmarks + blocks_[b]->first);
            }
        }
    }

private:
    const Nystroem& layer_;
    std::int64_t rows_;
    std::vector<std::unique_ptr<Block>> blocks_;
    std::vector<std::unique_ptr<Op>> to_kernel_;
    std::vector<std::unique_ptr<Op>> to_code_;
    Tensor directions_;
    Tensor kernel_;
    Tensor mixed_;
};

class Decoding : public Op {
public:
    Decoding(const OpContext& context, const Nystroem& layer)
        : layer_(layer),
          rows_(context.rows),
          blocks_(blocks_of(layer)),
          zeros_({std::max(blocks_.front()->size(), layer.scale.size())}),
          code_({rows_, blocks_.front()->size()}),
          kernel_(code_),
          direction_({rows_, layer.scale.size()}) {
        for (const auto& block : blocks_) {
            to_kernel_.push_back(make_affine(context, Activation::linear, block->normalizer, zeros_, true));
            to_direction_.push_back(make_affine(context, Activation::linear, block->landmarks, zeros_, true));
        }
    }

    void run(const float* src, float* dst) override {
        const std::int64_t inputs = layer_.scale.size();
        std::fill_n(dst, rows_ * inputs, 0.0F);
        for (std::size_t b = 0; b < blocks_.size(); ++b) {
            const std::int64_t size = blocks_[b]->size();
            for (std::int64_t i = 0; i < rows_; ++i) {
                std::copy_n(src + i * layer_.n_landmarks + blocks_[b]->first, size, code_.data() + i * size);
            }
            to_kernel_[b]->run(code_.data(), kernel_.data());
            to_direction_[b]->run(kernel_.data(), direction_.data());
            linalg::add_row(direction_.data(), direction_.size(), dst);
        }
        // The landmarks have γ in them.
        const float factor =
            layer_.length.data()[0] / (static_cast<float>(layer_.gamma) * static_cast<float>(blocks_.size()));
        for (std::int64_t i = 0; i < rows_; ++i, dst += inputs) {
            std::transform(dst, dst + inputs, layer_.scale.data(), dst,
                           [factor](float value, float scale) { return factor * value / scale; });
        }
    }

private:
    const Nystroem& layer_;
    std::int64_t rows_;
    std::vector<std::unique_ptr<Block>> blocks_;
    Tensor zeros_;
    std::vector<std::unique_ptr<Op>> to_kernel_;
    std::vector<std::unique_ptr<Op>> to_direction_;
    Tensor code_;
    Tensor kernel_;
    Tensor direction_;
};

/// Landmarks by k-means of the directions of some rows, then R, block by block.
class NystroemTrainer : public LayerTrainer {
public:
    NystroemTrainer(Nystroem layer, std::vector<std::int64_t> rows)
        : layer_(std::move(layer)), filler_(std::move(rows)) {}

    bool step(TrainContext& context) override {
        if (layer_.landmarks.empty()) {
            return find_landmarks(context);
        }
        if (!is_whole()) {
            normalize_block();
        }
        return !is_whole();
    }
    [[nodiscard]] StageProgress progress() const override {
        return !layer_.landmarks.empty() ? StageProgress{1, 1, normalized_, layer_.n_landmarks}
               : kmeans_                 ? StageProgress{1, 1, kmeans_->iteration(), kmeans_iterations}
                                         : filler_.progress();
    }
    [[nodiscard]] std::shared_ptr<const Layer> finish() override {
        return is_whole() ? std::make_shared<const Nystroem>(std::move(layer_)) : nullptr;
    }
    /// Until the landmarks are there, rows are collected anew by a run that goes on.
    void save_state(TrainerState& state) override {
        if (loaded_) {
            state = *loaded_;
        } else if (kmeans_) {
            save_state_of(*kmeans_, state);
        } else if (!layer_.landmarks.empty()) {
            state.numbers["landmarks"] = layer_.n_landmarks;
            state.numbers["normalized"] = normalized_;
            save_tensors(layer_, state);
        }
    }
    void load_state(const TrainerState& state) override {
        if (state.numbers.count("landmarks") == 0) {
            loaded_ = state;
            return;
        }
        layer_.n_landmarks = state.number("landmarks", 1, layer_.n_landmarks);
        normalized_ = state.number("normalized", 0, layer_.n_landmarks);
        load_tensors(state, layer_);
    }

private:
    [[nodiscard]] bool is_whole() const {
        return !layer_.landmarks.empty() && normalized_ == layer_.n_landmarks;
    }
    /// Always true: there is R to be found.
    bool find_landmarks(TrainContext& context);
    void scale_rows();
    void normalize_block();

    Nystroem layer_;
    StoreFiller filler_;
    std::optional<linalg::SphericalKMeans> kmeans_;
    std::optional<TrainerState> loaded_;  ///< until k-means goes on with it
    std::int64_t normalized_ = 0;         ///< landmarks
};

bool NystroemTrainer::find_landmarks(TrainContext& context) {
    if (!filler_.is_full()) {
        filler_.step(context.input);
    } else if (!kmeans_) {
        scale_rows();
        // No landmark is seeded anew where few pictures are near: it would be a picture by itself, which
        // knows that picture better than any other, and a classifier that learns from the same pictures
        // trusts it too much.
        RowStore& rows = filler_.store();
        kmeans_.emplace(rows.row(0), rows.rows(), rows.columns(),
                        linalg::KMeansParams{.k = layer_.n_landmarks,
                                             .iterations = kmeans_iterations,
                                             .min_points_per_centroid = 0,
                                             .seed = context.config.seed,
                                             .layer = context.stage},
                        context.communicator);
        if (loaded_) {
            load_state_of(*kmeans_, *loaded_);
            loaded_.reset();
        }
    } else if (!kmeans_->step()) {
        layer_.landmarks = std::move(kmeans_->state().centroids);
        layer_.kernel_normalizer = Tensor({layer_.n_landmarks, layer_.block_size()});
        kmeans_.reset();
    }
    return true;
}

/// Finds s, and makes rows directions of length 1.
void NystroemTrainer::scale_rows() {
    RowStore& rows = filler_.store();
    const std::vector<double> variances = variances_of(rows);
    Tensor& scale = layer_.scale;
    scale = Tensor({rows.columns()});
    // A direction in which nothing varies has nothing to say.
    std::transform(variances.begin(), variances.end(), scale.data(), [&](double variance) {
        return static_cast<float>(std::pow(std::max(variance, 1e-12), layer_.input_power));
    });
    double lengths = 0.0;
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        const std::span<float> row(rows.row(i), scale.values().size());
        std::transform(row.begin(), row.end(), scale.data(), row.begin(), std::multiplies<>{});
        lengths += std::sqrt(base::squared_norm(row));
        base::l2_normalize(row, row);
    }
    layer_.length = Tensor({1});
    layer_.length.data()[0] = static_cast<float>(std::max(lengths / static_cast<double>(rows.rows()), 1e-6));
    layer_.n_landmarks = std::min(layer_.n_landmarks, rows.rows());
}

void NystroemTrainer::normalize_block() {
    const std::int64_t size = std::min(layer_.kernel_normalizer.columns(), layer_.n_landmarks - normalized_);
    const Tensor mixed = linalg::inverse_sqrt(
        kernel_of(layer_.landmarks.row(normalized_).data(), size, layer_.landmarks.columns(), layer_.gamma),
        ridge);
    for (std::int64_t i = 0; i < size; ++i) {
        std::copy_n(mixed.row(i).data(), size, layer_.kernel_normalizer.row(normalized_ + i).data());
    }
    normalized_ += size;
}

void check_positive(const char* name, std::span<const float> values) {
    const auto found =
        std::find_if_not(values.begin(), values.end(), [](float value) { return value > 0.0F; });
    if (found != values.end()) {
        throw InvalidArgument(fmt::format("{}: {} found, a number above 0 expected", name, *found));
    }
}

}  // namespace

std::int64_t Nystroem::block_size() const {
    const std::int64_t blocks = (n_landmarks + block - 1) / block;
    return (n_landmarks + blocks - 1) / blocks;
}

void Nystroem::fields(base::FieldTable& table) {
    table.add("n_landmarks", n_landmarks, {1, max_units},
              "landmarks, at most one a picture that is learnt from");
    table.add("gamma", gamma, {0.0, 1000.0, true}, "of the kernel exp(gamma (cos - 1))");
    table.add("input_power", input_power, {-2.0, 2.0},
              "each input is multiplied by its variance to this power");
    table.add("block", block, {1, max_block},
              "landmarks that are normalised together, at most: fewer take less time and memory");
    table.added_later("2048");
}

void Nystroem::tensors(TensorTable& table) {
    const std::int64_t inputs = input_shape().size();
    table.add("scale", scale, {inputs});
    table.add("landmarks", landmarks, {n_landmarks, inputs});
    table.add("kernel_normalizer", kernel_normalizer, {n_landmarks, block_size()});
    table.add("length", length, {1});
}

void Nystroem::check_values() const {
    check_positive("scale", scale.values());
    check_positive("length", length.values());
    for (std::int64_t i = 0; i < landmarks.rows(); ++i) {
        const double norm = std::sqrt(base::squared_norm(landmarks.row(i)));
        if (norm > 1.001) {
            throw InvalidArgument(
                fmt::format("landmarks: row {} of length {} found, 1 at most expected", i + 1, norm));
        }
    }
}

StageCost Nystroem::plan(const PlanContext& context) {
    n_landmarks = std::min({n_landmarks, context.train, max_rows});
    StageCost cost = cost_of_rows(context);
    cost.keeps_state = true;
    const auto n = static_cast<std::int64_t>(cost.stored_rows);
    const std::int64_t inputs = input_shape().size();
    const std::int64_t size = block_size();
    const auto blocks = static_cast<double>((n_landmarks + size - 1) / size);
    cost.multiply_adds = kmeans_iterations * linalg::spherical_kmeans_multiply_adds(n, inputs, n_landmarks) +
                         blocks * linalg::inverse_sqrt_multiply_adds(size);
    const auto side = static_cast<double>(size);
    constexpr double matrices = 6.0;  // of a block, while its inverse root is found
    cost.hold(static_cast<double>(parameters()) +
              std::max(static_cast<double>(
                           linalg::spherical_kmeans_floats(n, inputs, n_landmarks, context.threads)),
                       matrices * side * side));
    return cost;
}

std::unique_ptr<LayerTrainer> Nystroem::trainer(const TrainContext& context) const {
    return std::make_unique<NystroemTrainer>(*this, rows_of(context));
}

std::unique_ptr<Op> Nystroem::encoder(const OpContext& context) const {
    return std::make_unique<Encoding>(context, *this);
}

std::unique_ptr<Op> Nystroem::decoder(const OpContext& context) const {
    return std::make_unique<Decoding>(context, *this);
}

double Nystroem::working_floats(std::int64_t rows, bool decoding) const {
    const auto inputs = static_cast<double>(input_shape().size());
    const auto size = static_cast<double>(block_size());
    // C and R once with what is folded into them, and as oneDNN may bring them into another layout.
    const double one_way = 2.0 * static_cast<double>(n_landmarks) * (inputs + size) +
                           static_cast<double>(rows) * (inputs + 2.0 * size);
    return decoding ? 2.0 * one_way : one_way;
}

double Nystroem::encoding_multiply_adds() const {
    constexpr double an_exponential = 16.0;
    return static_cast<double>(n_landmarks) *
           (static_cast<double>(input_shape().size() + block_size()) + an_exponential);
}

OnnxValue Nystroem::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    OnnxValue row = graph.as_rows(input);
    row.shape = {1, 1, row.shape.size()};
    const OnnxValue direction = graph.l2_normalize(graph.times_columns(row, scale));
    std::vector<OnnxValue> codes;
    for (const auto& part : blocks_of(*this)) {
        const Shape size{1, 1, part->size()};
        const OnnxValue kernel =
            graph.each("Exp", graph.affine(direction, part->landmarks, part->shift, size));
        codes.push_back(graph.affine(kernel, part->normalizer, Tensor(), size));
    }
    OnnxValue code = graph.concat(codes);
    code.shape = output_shape();
    return code;
}

OnnxValue Nystroem::decoder_to_onnx(OnnxGraph& graph, const OnnxValue& code) const {
    const auto blocks = blocks_of(*this);
    const Shape in{1, 1, input_shape().size()};
    OnnxValue sum;
    for (const auto& some : blocks) {
        const Shape size{1, 1, some->size()};
        const OnnxValue part = graph.columns(code, some->first, some->first + some->size());
        const OnnxValue kernel =
            graph.affine(part, some->normalizer, Tensor(), size, Activation::linear, true);
        const OnnxValue direction =
            graph.affine(kernel, some->landmarks, Tensor(), in, Activation::linear, true);
        sum = sum.name.empty() ? direction : graph.each("Add", sum, direction);
    }
    Tensor back = scale;
    const double factor = double{length.data()[0]} / (gamma * static_cast<double>(blocks.size()));
    for (float& value : back.values()) {
        value = static_cast<float>(factor / double{value});
    }
    OnnxValue row = graph.times_columns(sum, back);
    row.shape = input_shape();
    return row;
}

}  // namespace stackae::layers
