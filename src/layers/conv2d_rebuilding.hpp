#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "layers/conv2d.hpp"
#include "layers/trainer.hpp"

namespace stackae::layers {

/// How a convolution rebuilds its input: fits the gain and the offset of its decoder on some pictures, and
/// measures what is lost on some that were held out.
class Conv2dRebuilding {
public:
    /// Pictures of either at most.
    static constexpr std::int64_t max_pictures = 256;

    explicit Conv2dRebuilding(const TrainContext& context);

    /// By least squares: the next chunk of pictures; false: they were the last, and the layer has its
    /// decoder.
    bool fit(Conv2d& layer, TrainContext& context);
    /// The same with the pictures that were looked at so far, or one chunk.
    void fit_now(Conv2d& layer, TrainContext& context);
    /// The next chunk of pictures; false: they were the last, and TrainContext::on_epoch() was told.
    bool measure(const Conv2d& layer, TrainContext& context);

private:
    /// Adds the next chunk of pictures to the sums; false: they were the last.
    bool gather(Conv2d& layer, TrainContext& context);
    void solve(Conv2d& layer) const;
    /// Calls body(j, x, y) for each value x of the next pictures and what is rebuilt of it, y.
    template <class Body>
    bool each_rebuilt(const Conv2d& layer, TrainContext& context, const std::vector<std::int64_t>& rows,
                      const Body& body);

    std::vector<std::int64_t> fitted_;
    std::vector<std::int64_t> measured_;
    bool held_out_ = false;      ///< whether what is measured on was not learnt from
    std::int64_t done_ = 0;      ///< pictures
    std::int64_t gathered_ = 0;  ///< pictures of the sums
    // Of each value x of the input and y of what is decoded: Σ x, Σ y, Σ x y, Σ y².
    std::vector<std::array<double, 4>> sums_;
    double error_ = 0.0;
    double mean_error_ = 0.0;
};

}  // namespace stackae::layers
