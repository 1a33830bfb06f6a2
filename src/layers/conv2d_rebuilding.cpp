#include "layers/conv2d_rebuilding.hpp"

#include <algorithm>

#include "base/parallel.hpp"
#include "layers/conv2d_patches.hpp"
#include "layers/op.hpp"

namespace stackae::layers {

Conv2dRebuilding::Conv2dRebuilding(const TrainContext& context) {
    const auto use = static_cast<std::uint32_t>(PatchUse::decoder);
    fitted_ = sample_rows(context.train, max_pictures, context, use);
    held_out_ = !context.validation.empty();
    measured_ = held_out_ ? sample_rows(context.validation, max_pictures, context, use) : fitted_;
}

template <class Body>
bool Conv2dRebuilding::each_rebuilt(const Conv2d& layer, TrainContext& context,
                                    const std::vector<std::int64_t>& rows, const Body& body) {
    const Tensor maps = context.input.gather(next_rows(rows, done_, context.input.chunk()));
    Tensor rebuilt({maps.rows(), maps.columns()});
    base::parallel_ranges(maps.rows(), 1, [&](std::int64_t begin, std::int64_t end) {
        const base::ThreadScope one(1);
        linalg::Context alone(1);
        const auto encoder = layer.encoder({alone, 1});
        const auto decoder = layer.decoder({alone, 1});
        Tensor code({layer.output_shape().size()});
        for (std::int64_t i = begin; i < end; ++i) {
            encoder->run(maps.row(i).data(), code.data());
            decoder->run(code.data(), rebuilt.row(i).data());
        }
    });
    for (std::int64_t i = 0; i < maps.rows(); ++i) {
        for (std::size_t j = 0; j < sums_.size(); ++j) {
            body(j, double{maps.row(i)[j]}, double{rebuilt.row(i)[j]});
        }
    }
    done_ += maps.rows();
    done_ = done_ < std::ssize(rows) ? done_ : 0;
    return done_ > 0;
}

bool Conv2dRebuilding::gather(Conv2d& layer, TrainContext& context) {
    if (sums_.empty()) {
        sums_.resize(static_cast<std::size_t>(layer.input_shape().size()));
    }
    const bool more = each_rebuilt(layer, context, fitted_, [&](std::size_t j, double x, double y) {
        auto& [sx, sy, sxy, syy] = sums_[j];
        sx += x;
        sy += y;
        sxy += x * y;
        syy += y * y;
    });
    gathered_ = more ? done_ : std::ssize(fitted_);
    return more;
}

bool Conv2dRebuilding::fit(Conv2d& layer, TrainContext& context) {
    if (gather(layer, context)) {
        return true;
    }
    solve(layer);
    return false;
}

void Conv2dRebuilding::fit_now(Conv2d& layer, TrainContext& context) {
    if (gathered_ == 0) {
        gather(layer, context);
    }
    solve(layer);
}

void Conv2dRebuilding::solve(Conv2d& layer) const {
    const auto n = static_cast<double>(gathered_);
    double together = 0.0;
    double alone = 0.0;
    for (const auto& [x, y, xy, yy] : sums_) {
        together += xy - x * y / n;
        alone += yy - y * y / n;
    }
    const float gain = alone > 0.0 ? static_cast<float>(together / alone) : 0.0F;
    layer.gain.data()[0] = gain;
    for (std::size_t j = 0; j < sums_.size(); ++j) {
        layer.offset.data()[j] = static_cast<float>((sums_[j][0] - double{gain} * sums_[j][1]) / n);
    }
}

bool Conv2dRebuilding::measure(const Conv2d& layer, TrainContext& context) {
    const auto n = static_cast<double>(fitted_.size());
    const auto of = static_cast<double>(measured_.size());
    const bool more = each_rebuilt(layer, context, measured_, [&](std::size_t j, double x, double y) {
        error_ += (y - x) * (y - x) / of;
        const double mean = sums_[j][0] / n - x;
        mean_error_ += mean * mean / of;
    });
    if (!more) {
        context.on_epoch({.stage = {},
                          .epoch = 1,
                          .train_loss = held_out_ ? std::nullopt : std::optional(error_),
                          .validation_loss = held_out_ ? std::optional(error_) : std::nullopt,
                          .mean_loss = mean_error_,
                          .dead_units = {},
                          .learning_rate = {}});
    }
    return more;
}

}  // namespace stackae::layers
