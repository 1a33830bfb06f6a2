#include "layers/chain.hpp"

#include <algorithm>
#include <atomic>
#include <fmt/format.h>
#include <functional>
#include <iterator>
#include <map>
#include <optional>
#include <span>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "layers/op.hpp"

namespace stackae::layers {
namespace {

constexpr std::int64_t max_rows = 256;
/// Of the widest values of a block: 128 MiB.
constexpr std::int64_t max_values = std::int64_t{1} << 25;

std::int64_t inputs_of(const Layer& layer, Direction direction) {
    return (direction == Direction::encode ? layer.input_shape() : layer.output_shape()).size();
}

std::int64_t outputs_of(const Layer& layer, Direction direction) {
    return (direction == Direction::encode ? layer.output_shape() : layer.input_shape()).size();
}

/// Whether layers below run once for each of some transforms.
bool pools_transforms(const std::shared_ptr<const Layer>& layer) {
    return !layer->transforms().empty();
}

/// The ops of some layers for so many rows, with a buffer between any two.
class OpSequence {
public:
    /// layers: in the order in which they run.
    OpSequence(const OpContext& context, const Layers& layers, Direction direction) {
        for (std::size_t i = 0; i < layers.size();) {
            std::size_t taken = 1;
            ops_.push_back(direction == Direction::decode
                               ? layers[i]->decoder(context)
                               : layers[i]->fused_encoder(context, std::span(layers).subspan(i), taken));
            i += taken;
            if (i < layers.size()) {
                between_.emplace_back(Tensor({context.rows, outputs_of(*layers[i - 1], direction)}));
            }
        }
    }

    void run(const float* src, float* dst) {
        for (std::size_t i = 0; i < ops_.size(); ++i) {
            ops_[i]->run(i == 0 ? src : between_[i - 1].data(),
                         i + 1 == ops_.size() ? dst : between_[i].data());
        }
    }

private:
    std::vector<std::unique_ptr<Op>> ops_;
    std::vector<Tensor> between_;
};

}  // namespace

std::size_t chain_begin(const Layers& layers, std::size_t from, std::size_t to) {
    const auto begin = layers.begin() + static_cast<std::ptrdiff_t>(from);
    const auto end = layers.begin() + static_cast<std::ptrdiff_t>(to);
    return std::any_of(begin, end, pools_transforms) ? 0 : from;
}

double encoding_multiply_adds(const Layers& layers) {
    double sum = 0.0;
    for (const auto& layer : layers) {
        sum *= static_cast<double>(std::max<std::size_t>(1, layer->transforms().size()));
        sum += layer->encoding_multiply_adds();
    }
    return sum;
}

struct Chain::Pooled {
    Chain below;
    std::vector<PictureTransform> transforms;
    Shape picture;
    std::int64_t outputs;
};

/// Layers that run alike.
class Chain::Segment {
public:
    Segment(bool row_wise, Direction direction) : row_wise_(row_wise), direction_(direction) {}

    [[nodiscard]] bool row_wise() const { return row_wise_; }
    void add(std::shared_ptr<const Layer> layer) { layers_.push_back(std::move(layer)); }
    [[nodiscard]] std::int64_t inputs() const { return inputs_of(*layers_.front(), direction_); }
    [[nodiscard]] std::int64_t outputs() const { return outputs_of(*layers_.back(), direction_); }

    Tensor run(const Tensor& rows, linalg::Context& context) {
        Tensor result({rows.rows(), outputs()});
        if (row_wise_) {
            run_rows(rows, context.threads(), result);
        } else {
            run_blocks(rows, context, result);
        }
        return result;
    }

    /// Floats that its ops hold for n rows, with the buffers between them.
    [[nodiscard]] double op_floats(std::int64_t n, int threads) const {
        const std::int64_t rows = row_wise_ ? 1 : block_of(n);
        double floats = 0.0;
        bool pooled = false;
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            floats += layers_[i]->working_floats(rows, direction_ == Direction::decode);
            pooled = pooled || layers_[i]->pooler() != nullptr;
            if (i + 1 < layers_.size() && !is_handed_on(i, pooled)) {
                floats += static_cast<double>(rows * outputs_of(*layers_[i], direction_));
            }
        }
        const std::int64_t filled_up = n % rows == 0 ? 0 : rows;  // the last block
        return (row_wise_ ? static_cast<double>(std::min<std::int64_t>(threads, n)) : 1.0) * floats +
               static_cast<double>(filled_up * (inputs() + outputs()));
    }

private:
    /// Whether what layer i makes is taken by the one above position by position, so that it is never held.
    [[nodiscard]] bool is_handed_on(std::size_t i, bool pooled) const {
        const Layer& above = *layers_[i + 1];
        return row_wise_ && direction_ == Direction::encode &&
               (above.position_op() != nullptr || (!pooled && above.pooler() != nullptr));
    }

    /// The ops of one thread.
    struct Worker {
        linalg::Context context{1};
        std::optional<OpSequence> ops;
    };

    void run_rows(const Tensor& rows, int threads, Tensor& result) {
        workers_.resize(static_cast<std::size_t>(threads));
        std::atomic<std::int64_t> next{0};
        base::run_team(static_cast<int>(std::min<std::int64_t>(threads, rows.rows())),
                       [&](int member, int /*team*/) {
                           auto& worker = workers_[static_cast<std::size_t>(member)];
                           for (std::int64_t i = next++; i < rows.rows(); i = next++) {
                               if (!worker) {
                                   worker = std::make_unique<Worker>();
                                   worker->ops.emplace(OpContext{worker->context, 1}, layers_, direction_);
                               }
                               worker->ops->run(rows.row(i).data(), result.row(i).data());
                           }
                       });
    }

    void run_blocks(const Tensor& rows, linalg::Context& context, Tensor& result) {
        const std::int64_t n = rows.rows();
        const std::int64_t block = block_of(n);
        auto& ops = blocks_.try_emplace(block, OpContext{context, block}, layers_, direction_).first->second;
        for (std::int64_t first = 0; first < n; first += block) {
            const std::int64_t count = std::min(block, n - first);
            if (count == block) {
                ops.run(rows.row(first).data(), result.row(first).data());
                continue;
            }
            Tensor src({block, rows.columns()});
            Tensor dst({block, result.columns()});
            std::copy_n(rows.row(first).data(), count * rows.columns(), src.data());
            ops.run(src.data(), dst.data());
            std::copy_n(dst.data(), count * result.columns(), result.row(first).data());
        }
    }

    /// Rows at a time: 256, or fewer where layers are so wide that their values would take much memory.
    [[nodiscard]] std::int64_t block_of(std::int64_t n) const {
        if (n == 1) {
            return 1;
        }
        std::int64_t widest = 1;
        for (const auto& layer : layers_) {
            widest = std::max({widest, layer->input_shape().size(), layer->output_shape().size()});
        }
        return std::clamp<std::int64_t>(max_values / widest, 1, max_rows);
    }

    bool row_wise_;
    Direction direction_;
    Layers layers_;  ///< in the order in which they run
    std::vector<std::unique_ptr<Worker>> workers_;
    std::map<std::int64_t, OpSequence> blocks_;
};

Chain::Chain(Layers layers, Direction direction, int threads)
    : direction_(direction), context_(std::make_unique<linalg::Context>(threads)) {
    if (direction == Direction::decode) {
        std::reverse(layers.begin(), layers.end());
    }
    if (const auto last = std::find_if(layers.rbegin(), layers.rend(), pools_transforms);
        direction == Direction::encode && last != layers.rend()) {
        const auto above = last.base();
        pooled_ = std::make_unique<Pooled>(
            Pooled{Chain({layers.begin(), std::prev(above)}, direction, threads), (*last)->transforms(),
                   layers.front()->input_shape(), (*last)->output_shape().size()});
        layers.erase(layers.begin(), above);
    }
    for (auto& layer : layers) {
        if (direction == Direction::decode && !layer->is_invertible()) {
            throw InvalidArgument(
                fmt::format("decode: {} found, a layer that can be inverted expected", layer->type()));
        }
        const bool below = !segments_.empty() && segments_.back()->row_wise();
        const bool row_wise = layer->is_row_wise() || (below && layer->position_op() != nullptr);
        if (segments_.empty() || row_wise != below) {
            segments_.push_back(std::make_unique<Segment>(row_wise, direction));
        }
        segments_.back()->add(std::move(layer));
    }
}
Chain::~Chain() = default;
Chain::Chain(Chain&&) noexcept = default;
Chain& Chain::operator=(Chain&&) noexcept = default;

Tensor Chain::run(Tensor&& rows) {
    if (pooled_) {
        rows = run_pooled(rows);
    }
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        rows = run_segment(i, rows);
    }
    return std::move(rows);
}

Tensor Chain::run(const Tensor& rows) {
    if (pooled_) {
        return run(Tensor(rows));
    }
    if (segments_.empty()) {
        return rows;
    }
    Tensor made = run_segment(0, rows);
    for (std::size_t i = 1; i < segments_.size(); ++i) {
        made = run_segment(i, made);
    }
    return made;
}

Tensor Chain::run_pooled(const Tensor& pictures) {
    Pooled& pooled = *pooled_;
    check_columns(pictures, pooled.picture.size());
    Tensor sum;
    for (const PictureTransform& transform : pooled.transforms) {
        Tensor transformed({pictures.rows(), pictures.columns()});
        for (std::int64_t i = 0; i < pictures.rows(); ++i) {
            transform(pooled.picture, pictures.row(i).data(), transformed.row(i).data());
        }
        Tensor made = pooled.below.run(std::move(transformed));
        if (sum.size() == 0) {
            sum = std::move(made);
        } else {
            std::transform(made.values().begin(), made.values().end(), sum.values().begin(),
                           sum.values().begin(), std::plus<>());
        }
    }
    const float share = 1.0F / static_cast<float>(pooled.transforms.size());
    for (float& value : sum.values()) {
        value *= share;
    }
    return sum;
}

void Chain::check_columns(const Tensor& rows, std::int64_t expected) const {
    if (rows.columns() != expected && rows.rows() > 0) {
        throw InvalidArgument(fmt::format("{}: rows of {} values found, {} expected",
                                          direction_ == Direction::encode ? "encode" : "decode",
                                          rows.columns(), expected));
    }
}

Tensor Chain::run_segment(std::size_t i, const Tensor& rows) {
    Segment& segment = *segments_[i];
    check_columns(rows, segment.inputs());
    return segment.run(rows, *context_);
}

double Chain::working_floats(std::int64_t n) const {
    double ops = 0.0;
    std::int64_t widest = 0;  // of what goes into a segment and what comes out
    if (pooled_) {
        ops += pooled_->below.working_floats(n);
        widest = pooled_->picture.size() + pooled_->outputs;
    }
    for (const auto& segment : segments_) {
        ops += segment->op_floats(n, context_->threads());
        widest = std::max(widest, segment->inputs() + segment->outputs());
    }
    return ops + static_cast<double>(n) * static_cast<double>(widest);
}

}  // namespace stackae::layers
