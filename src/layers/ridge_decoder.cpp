#include "layers/ridge_decoder.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <optional>
#include <vector>

#include "stackae/error.hpp"

#include "base/fields.hpp"
#include "layers/affine.hpp"
#include "layers/onnx_graph.hpp"
#include "layers/tensors.hpp"
#include "layers/trainer.hpp"
#include "linalg/gemm.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::layers {
namespace {

constexpr std::int64_t max_rows = 20'000;
constexpr std::int64_t max_picture = std::int64_t{1} << 26;  ///< values
constexpr std::int64_t batch = 256;
// c, in means of λ: √10 to the power of each whole number between these.
constexpr int min_power = -12;
constexpr int max_power = 6;
/// What each degree of freedom counts: 1 lets codes nearly as many as the pictures through (Kim & Gu 2004).
constexpr double caution = 1.4;

/// Sums over the pictures, batch by batch, then the regression.
class RidgeTrainer : public LayerTrainer {
public:
    RidgeTrainer(RidgeDecoder layer, const TrainContext& context) : layer_(std::move(layer)) {
        // Those that a code right below was found from, where it was: the same are not encoded twice.
        const auto at_hand = context.input.at_hand();
        rows_ = at_hand.empty() ? sample_rows(context.train, max_rows, context, 0)
                                : std::vector<std::int64_t>(at_hand.begin(), at_hand.end());
        n_ = static_cast<double>(rows_.size());
        const base::Share share = base::share_of(context.communicator, std::ssize(rows_));
        rows_ = {rows_.begin() + share.first, rows_.begin() + share.last};
        const std::int64_t values = layer_.output_shape().size();
        const std::int64_t units = layer_.input_shape().size();
        layer_.weights = Tensor({values, units});
        mean_.resize(static_cast<std::size_t>(values));
        squares_.resize(static_cast<std::size_t>(units));
    }

    bool step(TrainContext& context) override {
        if (done_ < std::ssize(rows_)) {
            add_batch(context);
            return true;
        }
        if (!solved_) {
            sum_shares(context.communicator);
            solve();
        }
        return false;
    }
    [[nodiscard]] StageProgress progress() const override { return {1, 1, done_, std::ssize(rows_)}; }
    [[nodiscard]] std::shared_ptr<const Layer> finish() override {
        return solved_ ? std::make_shared<const RidgeDecoder>(std::move(layer_)) : nullptr;
    }

private:
    void add_batch(TrainContext& context);
    /// Makes the sums those of all members.
    void sum_shares(base::Communicator& communicator);
    void solve();
    [[nodiscard]] std::vector<double> choose_shares(const std::vector<double>& variances) const;

    RidgeDecoder layer_;              ///< weights: Σ x h, until it is solved
    double n_ = 0.0;                  ///< rows of all members
    std::vector<std::int64_t> rows_;  ///< of this one
    std::int64_t done_ = 0;
    bool solved_ = false;
    std::vector<double> mean_;             ///< Σ x
    std::vector<double> squares_;          ///< Σ h²
    double square_ = 0.0;                  ///< Σ ‖x‖²
    std::optional<linalg::Gemm> product_;  ///< of a batch
    Tensor x_;
    Tensor h_;
    Tensor part_;
};

void RidgeTrainer::add_batch(TrainContext& context) {
    const auto rows = next_rows(rows_, done_, batch);
    const Tensor x = context.input.pictures(rows);
    if (x.columns() != layer_.output_shape().size()) {
        throw InvalidArgument(fmt::format("{}: an output of {} found, a picture's {} values expected",
                                          context.name, to_text(layer_.output_shape()), x.columns()));
    }
    const Tensor h = context.input.gather(rows);
    for (std::int64_t i = 0; i < x.rows(); ++i) {
        const auto values = x.row(i);
        for (std::size_t j = 0; j < values.size(); ++j) {
            mean_[j] += double{values[j]};
            square_ += double{values[j]} * double{values[j]};
        }
        std::transform(squares_.begin(), squares_.end(), h.row(i).begin(), squares_.begin(),
                       [](double sum, float value) { return sum + double{value} * double{value}; });
    }
    if (!product_) {
        product_.emplace(context.context, x.columns(), h.columns(), batch,
                         linalg::GemmOptions{.trans_a = true});
        x_ = Tensor({batch, x.columns()});
        h_ = Tensor({batch, h.columns()});
        part_ = Tensor({x.columns(), h.columns()});
    }
    const auto fill = [](const Tensor& from, Tensor& to) {  // zeros past the last
        std::copy_n(from.data(), from.size(), to.data());
        std::fill(to.data() + from.size(), to.data() + to.size(), 0.0F);
    };
    fill(x, x_);
    fill(h, h_);
    product_->run(x_.data(), h_.data(), part_.data());
    linalg::add(part_.data(), part_.size(), layer_.weights.data());
    done_ += x.rows();
}

/// λ / (λ + c) of each value of the code, for the c of least left / (n − 1 − 1.4 Σ λ / (λ + c))².
std::vector<double> RidgeTrainer::choose_shares(const std::vector<double>& variances) const {
    const std::size_t units = squares_.size();
    std::vector<double> explained(units, 0.0);  // Σ over x of (Σ x h)² / Σ h²
    for (std::int64_t i = 0; i < layer_.weights.rows(); ++i) {
        const auto row = layer_.weights.row(i);
        for (std::size_t j = 0; j < units; ++j) {
            explained[j] += squares_[j] > 0.0 ? double{row[j]} * double{row[j]} / squares_[j] : 0.0;
        }
    }
    const double of_mean = std::inner_product(mean_.begin(), mean_.end(), mean_.begin(), 0.0);
    const double variation = std::max(0.0, square_ - n_ * of_mean);
    const double mean = std::accumulate(variances.begin(), variances.end(), 0.0) / static_cast<double>(units);
    double least = std::numeric_limits<double>::infinity();
    std::vector<double> chosen(units, 0.0);
    if (mean == 0.0) {
        return chosen;  // pictures that do not vary
    }
    for (int power = min_power; power <= max_power; ++power) {
        const double c = mean * std::pow(10.0, 0.5 * power);
        std::vector<double> shares(units, 0.0);
        double left = variation;
        double freedom = n_ - 1.0;
        for (std::size_t j = 0; j < units; ++j) {
            shares[j] = variances[j] / (variances[j] + c);
            left -= (2.0 * shares[j] - shares[j] * shares[j]) * explained[j];
            freedom -= caution * shares[j];
        }
        const double score = std::max(0.0, left) / (freedom * freedom);
        if (freedom > 0.0 && score < least) {
            least = score;
            chosen = shares;
        }
    }
    return chosen;
}

void RidgeTrainer::sum_shares(base::Communicator& communicator) {
    communicator.sum(layer_.weights.values());
    communicator.sum(mean_);
    communicator.sum(squares_);
    communicator.sum(std::span<double>(&square_, 1));
}

void RidgeTrainer::solve() {
    std::transform(mean_.begin(), mean_.end(), mean_.begin(), [this](double sum) { return sum / n_; });
    std::vector<double> variances(squares_.size());
    std::transform(squares_.begin(), squares_.end(), variances.begin(),
                   [&](double square) { return std::pow(square / n_, layer_.variance_power); });
    const std::vector<double> shares = choose_shares(variances);
    for (std::int64_t i = 0; i < layer_.weights.rows(); ++i) {
        const auto row = layer_.weights.row(i);
        for (std::size_t j = 0; j < row.size(); ++j) {
            row[j] = squares_[j] > 0.0 ? static_cast<float>(shares[j] * double{row[j]} / squares_[j]) : 0.0F;
        }
    }
    layer_.bias = Tensor({layer_.weights.rows()});
    std::copy(mean_.begin(), mean_.end(), layer_.bias.data());
    solved_ = true;
}

}  // namespace

void RidgeDecoder::fields(base::FieldTable& table) {
    table.add("height", height, {1, 1 << 24}, "of the picture");
    table.add("width", width, {1, 1 << 24}, "of the picture");
    table.add("channels", channels, {1, 1 << 20}, "of the picture");
    table.add("variance_power", variance_power, {0.0, 10.0},
              "the penalty of a value of the code is by its variance to this power");
}

void RidgeDecoder::on_bind() {
    if (width > max_picture / height || channels > max_picture / (height * width)) {
        throw InvalidArgument(fmt::format("{}: a picture of {} x {} x {} found, at most {} values expected",
                                          kind_name, height, width, channels, max_picture));
    }
}

void RidgeDecoder::tensors(TensorTable& table) {
    table.add("weights", weights, {output_shape().size(), input_shape().size()});
    table.add("bias", bias, {output_shape().size()});
}

StageCost RidgeDecoder::plan(const PlanContext& context) {
    const bool at_hand = context.at_hand > 0;
    const auto n = static_cast<double>(at_hand ? context.at_hand : std::min(context.train, max_rows));
    StageCost cost;
    cost.input_rows = at_hand ? 0.0 : n;
    cost.multiply_adds = n * encoding_multiply_adds();
    constexpr double a_batch = 2.0;  // as it comes, and filled up
    cost.hold(2.0 * encoding_multiply_adds() +
              a_batch * static_cast<double>(batch * (input_shape().size() + output_shape().size())));
    cost.hold(encoding_multiply_adds() + context.input_floats);
    return cost;
}

std::unique_ptr<LayerTrainer> RidgeDecoder::trainer(const TrainContext& context) const {
    return std::make_unique<RidgeTrainer>(*this, context);
}

std::unique_ptr<Op> RidgeDecoder::encoder(const OpContext& context) const {
    return make_affine(context, Activation::linear, weights, bias);
}

OnnxValue RidgeDecoder::to_onnx(OnnxGraph& graph, const OnnxValue& input) const {
    return graph.affine(input, weights, bias, output_shape());
}

}  // namespace stackae::layers
