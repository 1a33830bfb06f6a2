#include "layers/edlae.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include "base/fields.hpp"
#include "base/parallel.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/op.hpp"
#include "layers/tensors.hpp"
#include "layers/trainer.hpp"
#include "linalg/positive_definite.hpp"
#include "linalg/sparse_gram.hpp"

namespace stackae::layers {
namespace {

/// Collects the rows, then finds all weights at once. A run that is taken up again begins anew.
class EdlaeTrainer : public LayerTrainer {
public:
    EdlaeTrainer(Edlae layer, const TrainContext& context)
        : layer_(std::move(layer)),
          rows_(context.train.begin(), context.train.end()),
          counts_(static_cast<std::size_t>(layer_.input_shape().size())) {}

    bool step(TrainContext& context) override {
        if (done_ < std::ssize(rows_)) {
            const auto some = next_rows(rows_, done_, context.input.chunk());
            context.input.gather_sparse(some, sparse_);
            done_ += std::ssize(some);
            return true;
        }
        if (!inverse_) {
            make_gram();
            inverse_.emplace(matrix_, base::current_threads());
            return true;
        }
        if (inverse_->step()) {
            return true;
        }
        make_weights();
        solved_ = true;
        return false;
    }
    [[nodiscard]] StageProgress progress() const override {
        return inverse_ ? StageProgress{1, 1, inverse_->done(), inverse_->of()}
                        : StageProgress{0, 0, done_, std::ssize(rows_)};
    }
    [[nodiscard]] std::shared_ptr<const Layer> finish() override {
        return solved_ ? std::make_shared<const Edlae>(std::move(layer_)) : nullptr;
    }

private:
    /// G + diag Λ, where its inverse will be.
    void make_gram();
    void make_weights();

    Edlae layer_;
    std::vector<std::int64_t> rows_;
    std::int64_t done_ = 0;
    base::SparseRows sparse_;
    std::vector<double> counts_;  ///< c
    Tensor matrix_;
    std::optional<linalg::PositiveDefiniteInverse> inverse_;
    bool solved_ = false;
};

void EdlaeTrainer::make_gram() {
    const std::int64_t n = layer_.input_shape().size();
    const auto& [offsets, columns, values] = sparse_;
    std::vector<float> of_users(offsets.size() - 1);
    for (std::size_t u = 0; u < of_users.size(); ++u) {
        const auto items = static_cast<double>(std::max<std::int64_t>(offsets[u + 1] - offsets[u], 1));
        of_users[u] = static_cast<float>(std::pow(items, -layer_.user_power));
    }
    for (const std::int32_t column : columns) {
        counts_[static_cast<std::size_t>(column)] += 1.0;
    }
    matrix_ = Tensor({n, n});
    linalg::add_sparse_gram(offsets, columns, values, of_users, n, matrix_, base::current_threads());
    const double odds = layer_.dropout / (1.0 - layer_.dropout);
    for (std::int64_t j = 0; j < n; ++j) {
        float& diagonal = matrix_.row(j)[static_cast<std::size_t>(j)];
        diagonal += static_cast<float>(layer_.l2 + odds * counts_[static_cast<std::size_t>(j)]);
    }
    sparse_ = {};  // its memory is given back
}

void EdlaeTrainer::make_weights() {
    const std::int64_t n = matrix_.rows();
    std::vector<float> of_inputs(counts_.size());
    std::vector<float> of_outputs(counts_.size());
    layer_.precision = Tensor({n});
    layer_.counts = Tensor({n});
    for (std::size_t j = 0; j < counts_.size(); ++j) {
        const float p = matrix_.row(static_cast<std::int64_t>(j))[j];
        const double power = std::pow(std::max(counts_[j], 1.0), layer_.item_power);
        of_inputs[j] = static_cast<float>(power);
        of_outputs[j] = static_cast<float>(-1.0 / (power * double{p}));
        layer_.precision.data()[j] = p;
        layer_.counts.data()[j] = static_cast<float>(counts_[j]);
    }
    base::parallel_ranges(n, 16, [&](std::int64_t first, std::int64_t last) {
        for (std::int64_t i = first; i < last; ++i) {
            const auto row = matrix_.row(i);
            const float own = of_inputs[static_cast<std::size_t>(i)];
            std::transform(row.begin(), row.end(), of_outputs.begin(), row.begin(),
                           [own](float p, float other) { return own * p * other; });
            row[static_cast<std::size_t>(i)] = 0.0F;
        }
    });
    layer_.weights = std::move(matrix_);
}

}  // namespace

void Edlae::fields(base::FieldTable& table) {
    table.add("dropout", dropout, {0.0, 0.99}, "p: share of a row's values that it learns to do without");
    table.add("l2", l2, {0.0, 1e9, true}, "lambda: added to the diagonal of the items' products");
    table.add(
        "item_power", item_power, {-2.0, 2.0},
        "alpha: a weight is multiplied by how many have its input, over how many its output, to this power");
    table.add("user_power", user_power, {-2.0, 2.0},
              "beta: a row counts as much as the number of its items to minus this power");
}

void Edlae::tensors(TensorTable& table) {
    const std::int64_t n = input_shape().size();
    table.add("weights", weights, {n, n});
    table.add("precision", precision, {n});
    table.add("counts", counts, {n});
}

std::unique_ptr<LayerTrainer> Edlae::trainer(const TrainContext& context) const {
    return std::make_unique<EdlaeTrainer>(*this, context);
}

StageCost Edlae::plan(const PlanContext& context) {
    const std::int64_t n = input_shape().size();
    StageCost cost;
    cost.input_rows = static_cast<double>(context.train);
    cost.multiply_adds = linalg::PositiveDefiniteInverse::multiply_adds(n);
    // The rows without zeros in vectors that grow, and by columns while their products are made.
    constexpr double of_entry = 6.0;
    const double rows = of_entry * context.input_entries + 4.0 * static_cast<double>(context.train);
    cost.hold(context.input_floats + rows);
    cost.hold(matrix_size() + rows);
    cost.hold(matrix_size() + linalg::PositiveDefiniteInverse::working_floats(n));
    return cost;
}

std::unique_ptr<Op> Edlae::encoder(const OpContext& context) const {
    return std::make_unique<RowOp>(
        context.rows, input_shape().size(), [this](std::span<const float> src, std::span<float> dst) {
            std::fill(dst.begin(), dst.end(), 0.0F);
            for (std::size_t i = 0; i < src.size(); ++i) {
                if (src[i] != 0.0F) {
                    const auto row = weights.row(static_cast<std::int64_t>(i));
                    std::transform(
                        dst.begin(), dst.end(), row.begin(), dst.begin(),
                        [value = src[i]](float sum, float weight) { return sum + value * weight; });
                }
            }
        });
}

Tensor Edlae::input_similarity(std::int64_t input) const {
    Tensor alike({input_shape().size()});
    const auto row = weights.row(input);
    const auto value = [](const Tensor& tensor, std::int64_t i) { return double{tensor.data()[i]}; };
    const auto popularity = [&](std::int64_t i) {
        return std::pow(std::max(value(counts, i), 1.0), item_power);
    };
    for (std::int64_t j = 0; j < alike.size(); ++j) {
        const double b = double{row[static_cast<std::size_t>(j)]} * popularity(j) / popularity(input);
        alike.data()[j] = static_cast<float>(b * std::sqrt(value(precision, j) / value(precision, input)));
    }
    return alike;
}

std::unique_ptr<Layer> Edlae::without_input(std::int64_t input) const {
    auto layer = std::make_unique<Edlae>(*this);
    const auto at = static_cast<std::size_t>(input);
    for (std::int64_t i = 0; i < layer->weights.rows(); ++i) {
        layer->weights.row(i)[at] = 0.0F;
    }
    std::fill_n(layer->weights.row(input).data(), layer->weights.columns(), 0.0F);
    layer->precision.data()[input] = 1.0F;  // of an input that nothing is known of; it is divided by
    layer->counts.data()[input] = 0.0F;
    return layer;
}

std::unique_ptr<Op> Edlae::decoder(const OpContext& context) const {
    return std::make_unique<RowOp>(context.rows, input_shape().size(),
                                   [](std::span<const float> src, std::span<float> dst) {
                                       std::copy(src.begin(), src.end(), dst.begin());
                                   });
}

OnnxValue Edlae::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    return graph.affine(input, weights, Tensor(), output_shape(), Activation::linear, true);
}

OnnxValue Edlae::decoder_to_onnx(OnnxGraph& /*graph*/, const OnnxValue& code) const {
    return code;
}

}  // namespace stackae::layers
