#include "model/footprint.hpp"

#include <algorithm>

#include "base/memory.hpp"

namespace stackae::encoding {
namespace {

constexpr double block_rows = 128.0;  ///< of patches at a time, at most
constexpr double dense_rows = 256.0;  ///< of a block that dense layers see

double real(std::int64_t value) {
    return static_cast<double>(value);
}

}  // namespace

double convolution_floats(const ConvolutionShape& shape, bool backward) {
    const double d = real(shape.patch_size());
    const double r = real(shape.whitened);
    const double units = real(shape.units);
    const double positions = real(shape.positions_down() * shape.positions_across());
    const double rows = std::min(positions, block_rows);
    // Filters, once as they are and, in the layout and with the transforms of their products, twice more.
    const double filters = 3.0 * std::min(d * units, r * (d + units));
    const double blocks = rows * (2.0 * d + r + 2.0 * units + real(shape.code_channels()));
    const double back =
        backward ? 2.0 * r * (d + units) + rows * (d + r + units) + real(shape.output_size()) : 0.0;
    return filters + blocks + real(shape.output_size()) + back;
}

double parameter_count(const ConvolutionShape& shape) {
    const double r = real(shape.whitened);
    return r * real(shape.patch_size()) + real(shape.patch_size()) + 2.0 * r * real(shape.units) +
           real(shape.units) + r + real(shape.input_size());
}

}  // namespace stackae::encoding

std::int64_t stackae::encoding_bytes(const Model& model, int layer, int threads, std::int64_t n) {
    using namespace encoding;
    const int last = layer == 0 ? model.code_layer() : layer;
    const auto convolutions =
        std::min<std::size_t>(static_cast<std::size_t>(last), model.convolutions.size());
    const double rows = real(n);
    double floats = rows * real(model.recipe.size());
    for (std::size_t i = 0; i < convolutions; ++i) {
        floats += real(threads) * convolution_floats(model.convolutions[i].shape);
    }
    if (convolutions > 0) {
        floats += rows * real(model.convolutions[convolutions - 1].outputs());
    }
    const int below = std::min(last, model.code_layer()) - static_cast<int>(convolutions);
    for (int i = 0; i < below; ++i) {
        const DenseLayer& dense = model.layers[static_cast<std::size_t>(i)];
        floats += std::max(rows, dense_rows) * real(dense.units());
        floats +=
            i == 0 ? (rows + dense_rows) * real(dense.inputs()) : 0.0;  // their roots, and the last block
        floats += real(dense.units()) * real(dense.inputs());  // oneDNN may bring weights into another layout
    }
    if (last > model.code_layer()) {
        const double units = real(model.radial->units());
        floats += units * (real(model.radial->inputs()) + real(model.radial->block())) +
                  (rows + dense_rows) * (2.0 * units + real(model.radial->inputs()));
    }
    return base::whole_bytes(float_bytes * (floats + rows * real(model.code_size(last))));
}
