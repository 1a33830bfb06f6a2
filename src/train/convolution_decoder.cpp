#include <array>

#include "base/parallel.hpp"
#include "nn/convolution.hpp"
#include "train/convolution_training.hpp"

namespace stackae::training {

/// gain and offset by least squares, and what the layer loses on pictures that were held out.
bool ConvolutionTraining::fit_decoder(EpochRecord& record) {
    const std::int64_t size = layer_.shape.input_size();
    layer_.gain = 1.0F;
    layer_.offset = Tensor({size});
    const base::Random random(options_.seed, base::Stream::patches, number_, 2);
    const auto fitted = sample_of(data_.train, probe_pictures, random);
    const auto measured =
        data_.validation.empty() ? fitted : sample_of(data_.validation, probe_pictures, random);
    const auto n = static_cast<double>(fitted.size());
    // Of each value x of the maps and y of what is decoded: Σ x, Σ y, Σ x y, Σ y².
    std::vector<std::array<double, 4>> sums(static_cast<std::size_t>(size));
    const bool whole = each_chunk(below_, fitted, observer_, [&](auto, const Tensor& maps) {
        const Tensor decoded = rebuild(maps);
        for (std::int64_t i = 0; i < maps.rows(); ++i) {
            for (std::size_t j = 0; j < sums.size(); ++j) {
                const auto x = double{maps.row(i)[j]};
                const auto y = double{decoded.row(i)[j]};
                sums[j][0] += x;
                sums[j][1] += y;
                sums[j][2] += x * y;
                sums[j][3] += y * y;
            }
        }
    });
    double together = 0.0;
    double alone = 0.0;
    for (const auto& [x, y, xy, yy] : sums) {
        together += xy - x * y / n;
        alone += yy - y * y / n;
    }
    layer_.gain = alone > 0.0 ? static_cast<float>(together / alone) : 0.0F;
    for (std::size_t j = 0; j < sums.size(); ++j) {
        layer_.offset.data()[j] = static_cast<float>((sums[j][0] - double{layer_.gain} * sums[j][1]) / n);
    }
    const bool measured_whole =
        whole && each_chunk(below_, measured, observer_, [&](auto, const Tensor& maps) {
            const Tensor rebuilt = rebuild(maps);
            for (std::int64_t i = 0; i < maps.rows(); ++i) {
                for (std::size_t j = 0; j < sums.size(); ++j) {
                    const auto x = double{maps.row(i)[j]};
                    const double error = double{rebuilt.row(i)[j]} - x;
                    const double mean_error = sums[j][0] / n - x;
                    record.validation_loss += error * error / static_cast<double>(measured.size());
                    record.mean_loss += mean_error * mean_error / static_cast<double>(measured.size());
                }
            }
        });
    record.train_loss = record.validation_loss;
    return measured_whole;
}

/// Maps, coded and decoded.
Tensor ConvolutionTraining::rebuild(const Tensor& maps) const {
    Tensor decoded({maps.rows(), maps.columns()});
    base::parallel_ranges(maps.rows(), 1, [&](std::int64_t begin, std::int64_t end) {
        const base::ThreadScope one(1);
        linalg::Context context(1);
        nn::Convolution convolution(context, layer_);
        Tensor code({layer_.shape.output_size()});
        for (std::int64_t i = begin; i < end; ++i) {
            convolution.forward(maps.row(i).data(), code.data());
            convolution.backward(code.data(), decoded.row(i).data());
        }
    });
    return decoded;
}

}  // namespace stackae::training
