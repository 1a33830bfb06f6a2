#include "linalg/pca.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <functional>
#include <span>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

#include "base/parallel.hpp"
#include "base/threads.hpp"
#include "linalg/tiled_product.hpp"

namespace stackae {
namespace {

constexpr std::int64_t block_rows = 1024;

/// The entry of largest magnitude is positive, so that a component has one sign only.
void resolve_sign(std::span<float> component) {
    const float largest = *std::max_element(component.begin(), component.end(),
                                            [](float a, float b) { return std::abs(a) < std::abs(b); });
    if (largest < 0.0F) {
        std::transform(component.begin(), component.end(), component.begin(), std::negate<>{});
    }
}

void check_width(const char* operation, const Tensor& rows, std::int64_t expected) {
    if (!rows.empty() && rows.columns() != expected) {
        throw InvalidArgument(fmt::format("principal components, {}: rows of {} values found, {} expected",
                                          operation, rows.columns(), expected));
    }
}

}  // namespace

Pca Pca::fit(const Tensor& rows, std::int64_t components, int threads) {
    const std::int64_t n = rows.rows();
    const std::int64_t d = rows.columns();
    if (components < 1 || components > std::min(n, d)) {
        throw InvalidArgument(
            fmt::format("principal components: {} asked for, 1 to {} possible with {} rows of {} values",
                        components, std::min(n, d), n, d));
    }
    const base::ThreadScope scope(base::resolve_threads(threads));
    linalg::PcaResult axes = linalg::pca(rows.data(), n, d, components);
    Pca pca;
    pca.mean = std::move(axes.mean);
    pca.components = Tensor({components, d});
    for (std::int64_t i = 0; i < axes.components.rows(); ++i) {
        std::copy_n(axes.components.row(i).begin(), d, pca.components.row(i).begin());
        resolve_sign(pca.components.row(i));
    }
    return pca;
}

Tensor Pca::encode(const Tensor& rows, int threads) const {
    const std::int64_t d = mean.size();
    const std::int64_t c = components.rows();
    check_width("encode", rows, d);
    const base::ThreadScope scope(base::resolve_threads(threads));
    const linalg::TiledProduct product{.m = block_rows, .n = c, .k = d, .trans_b = true};
    Tensor centred({block_rows, d});
    Tensor block({block_rows, c});
    Tensor codes({rows.rows(), c});
    for (std::int64_t first = 0; first < rows.rows(); first += block_rows) {
        const std::int64_t count = std::min(block_rows, rows.rows() - first);
        for (std::int64_t i = 0; i < count; ++i) {
            std::transform(rows.row(first + i).begin(), rows.row(first + i).end(), mean.data(),
                           centred.row(i).data(), std::minus<>{});
        }
        product.run(centred.data(), components.data(), block.data());
        std::copy_n(block.data(), count * c, codes.row(first).data());
    }
    return codes;
}

Tensor Pca::decode(const Tensor& codes, int threads) const {
    const std::int64_t d = mean.size();
    const std::int64_t c = components.rows();
    check_width("decode", codes, c);
    const base::ThreadScope scope(base::resolve_threads(threads));
    const linalg::TiledProduct product{.m = block_rows, .n = d, .k = c};
    Tensor padded({block_rows, c});
    Tensor block({block_rows, d});
    Tensor rows({codes.rows(), d});
    for (std::int64_t first = 0; first < codes.rows(); first += block_rows) {
        const std::int64_t count = std::min(block_rows, codes.rows() - first);
        std::copy_n(codes.row(first).data(), count * c, padded.data());
        product.run(padded.data(), components.data(), block.data());
        for (std::int64_t i = 0; i < count; ++i) {
            std::transform(block.row(i).begin(), block.row(i).end(), mean.data(), rows.row(first + i).data(),
                           std::plus<>{});
        }
    }
    return rows;
}

}  // namespace stackae
