#include "search/anomaly_distances.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "base/threads.hpp"
#include "linalg/pca.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::search {
namespace {

using base::at;

/// Rows of a product with the principal axes.
constexpr std::int64_t block = 512;
/// A variance counts for as much at least, as a share of the largest.
constexpr float least_variance = 1e-5F;
/// Added to the variances of the whitening about the positions' means, as a share of their mean.
constexpr double whitening_epsilon = 0.01;
/// Rows that the covariance about the positions' means is measured by, at most.
constexpr std::int64_t covariance_rows = 50'000;
/// The spread at a position counts the mean of all positions as so many pictures.
constexpr double pictures_of_prior = 10.0;

/// A row less the mean of its position.
void centre(const Tensor& values, std::int64_t row, const Tensor& means, float* to) {
    const auto from = values.row(row);
    const auto mean = means.row(row % means.rows());
    std::transform(from.begin(), from.end(), mean.begin(), to, std::minus<>{});
}

/// ‖P (z − mean)‖² of some rows, mean that of their position.
std::vector<float> whitened_squares(const PatchMemory& memory, const Tensor& values,
                                    std::span<const std::int64_t> rows, int threads) {
    const Tensor& whitening = memory.position_whitening;
    const std::int64_t d = whitening.columns();
    std::vector<float> squares(rows.size());
    const std::int64_t blocks = (std::ssize(rows) + block - 1) / block;
    base::parallel_for(blocks, threads, [&] {
        return [&, context = std::make_unique<linalg::Context>(1), input = Tensor({block, d}),
                output = Tensor({block, whitening.rows()}),
                product = std::unique_ptr<linalg::Gemm>()](std::int64_t b) mutable {
            if (!product) {
                product = std::make_unique<linalg::Gemm>(*context, block, whitening.rows(), d,
                                                         whitening.data(), nullptr);
            }
            const std::int64_t first = b * block;
            const std::int64_t count = std::min(block, std::ssize(rows) - first);
            for (std::int64_t i = 0; i < count; ++i) {
                centre(values, rows[at(first + i)], memory.position_means, input.row(i).data());
            }
            product->run(input.data(), output.data());
            for (std::int64_t i = 0; i < count; ++i) {
                squares[at(first + i)] = static_cast<float>(base::squared_norm(output.row(i)));
            }
        };
    });
    return squares;
}

/// Distances of positions, picture by picture, to where those of a method are.
void put(AnomalyMethod method, const std::vector<float>& distances, std::int64_t positions, Tensor& out) {
    for (std::int64_t i = 0; i < out.rows(); ++i) {
        std::copy_n(distances.begin() + i * positions, positions,
                    out.row(i).begin() + static_cast<std::ptrdiff_t>(method) * positions);
    }
}

}  // namespace

DescriptorCoder::DescriptorCoder(const Tensor& scale, const Tensor& mean, const Tensor& components,
                                 int threads)
    : scale_(scale), mean_(mean), dimension_(components.rows()), context_(threads) {
    Tensor weights = components;
    std::vector<float> bias(at(dimension_));
    for (std::int64_t i = 0; i < dimension_; ++i) {
        const auto axis = components.row(i);
        bias[at(i)] =
            static_cast<float>(-std::inner_product(axis.begin(), axis.end(), mean.values().begin(), 0.0));
        std::transform(axis.begin(), axis.end(), scale.values().begin(), weights.row(i).begin(),
                       std::multiplies<>{});
    }
    product_ = std::make_unique<linalg::Gemm>(context_, block, dimension_, components.columns(),
                                              weights.data(), bias.data());
    back_ = std::make_unique<linalg::Gemm>(context_, block, components.columns(), dimension_,
                                           linalg::transposed(components).data(), nullptr);
}

DescriptorCoder::Codes DescriptorCoder::encode(const Tensor& descriptors) {
    Codes out{Tensor({descriptors.rows(), dimension_}), std::vector<float>(at(descriptors.rows()))};
    const std::int64_t d = descriptors.columns();
    Tensor input({block, d});
    Tensor codes({block, dimension_});
    Tensor rebuilt({block, d});
    const base::ThreadScope scope(context_.threads());
    for (std::int64_t first = 0; first < descriptors.rows(); first += block) {
        const std::int64_t count = std::min(block, descriptors.rows() - first);
        const float* x = descriptors.row(first).data();
        if (count < block) {
            std::copy_n(x, count * d, input.data());
            x = input.data();
        }
        product_->run(x, codes.data());
        back_->run(codes.data(), rebuilt.data());
        std::copy_n(codes.data(), count * dimension_, out.values.row(first).data());
        base::parallel_ranges(count, 64, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const float* from = x + i * d;
                const float* y = rebuilt.row(i).data();
                float sum = 0.0F;
                for (std::int64_t k = 0; k < d; ++k) {
                    const float left = scale_.data()[k] * from[k] - mean_.data()[k] - y[k];
                    sum += left * left;
                }
                out.residuals[at(first + i)] = std::sqrt(sum);
            }
        });
    }
    return out;
}

void fit_axes(const Tensor& descriptors, std::span<const std::int64_t> group_ends, std::int64_t dimension,
              PatchMemory& memory) {
    const std::int64_t d = descriptors.columns();
    std::vector<double> sums(at(d));
    std::vector<double> squares(at(d));
    for (std::int64_t i = 0; i < descriptors.rows(); ++i) {
        const auto row = descriptors.row(i);
        for (std::size_t j = 0; j < row.size(); ++j) {
            sums[j] += double{row[j]};
            squares[j] += double{row[j]} * double{row[j]};
        }
    }
    const auto n = static_cast<double>(descriptors.rows());
    memory.scale = Tensor({d});
    std::int64_t first = 0;
    for (const std::int64_t end : group_ends) {
        double variance = 0.0;
        for (std::int64_t j = first; j < end; ++j) {
            variance += std::max(0.0, squares[at(j)] / n - sums[at(j)] / n * (sums[at(j)] / n));
        }
        std::fill(memory.scale.data() + first, memory.scale.data() + end,
                  variance > 0.0 ? static_cast<float>(std::sqrt(1.0 / variance)) : 0.0F);
        first = end;
    }
    Tensor scaled = descriptors;
    scale_columns(scaled, memory.scale);
    const linalg::PcaResult axes = linalg::pca(scaled.data(), scaled.rows(), d, std::min(dimension, d));
    if (axes.variances.empty() || axes.variances.front() <= 0.0) {
        throw InvalidArgument(
            "all positions of all pictures are alike, so that nothing can be learnt of them");
    }
    memory.mean = axes.mean;
    memory.components = axes.components;
    memory.variances = Tensor({memory.components.rows()});
    std::transform(axes.variances.begin(), axes.variances.end(), memory.variances.data(),
                   [](double variance) { return static_cast<float>(variance); });
}

void scale_columns(Tensor& values, const Tensor& by) {
    for (std::int64_t i = 0; i < values.rows(); ++i) {
        const auto row = values.row(i);
        std::transform(row.begin(), row.end(), by.values().begin(), row.begin(), std::multiplies<>{});
    }
}

Tensor floored(const Tensor& variances) {
    Tensor out({variances.size()});
    const float floor =
        least_variance * *std::max_element(variances.values().begin(), variances.values().end());
    std::transform(variances.values().begin(), variances.values().end(), out.values().begin(),
                   [&](float variance) {
                       return std::max({variance, floor, 1e-30F});
                   });
    return out;
}

Tensor half_whitening(const Tensor& variances) {
    Tensor out({variances.size()});
    const Tensor enough = floored(variances);
    std::transform(enough.values().begin(), enough.values().end(), out.values().begin(),
                   [](float variance) { return 1.0F / std::sqrt(std::sqrt(variance)); });
    return out;
}

void fit_codes(const Tensor& values, std::int64_t max_codes, std::uint64_t seed, int threads,
               PatchMemory& memory) {
    const std::int64_t positions = memory.positions();
    const std::int64_t d = values.columns();
    std::vector<std::int64_t> rows;
    for (std::int64_t i = 0; i < values.rows(); ++i) {
        if (memory.region.data()[i % positions] > 0.0F) {
            rows.push_back(i);
        }
    }
    std::vector<std::int64_t> some = rows;
    base::shuffle(some, base::Random(seed, base::RandomStream::planted));
    some.resize(at(std::min<std::int64_t>(std::ssize(some), max_codes)));
    std::sort(some.begin(), some.end());
    memory.codes = base::gather_rows(values, some);
    scale_columns(memory.codes, half_whitening(memory.variances));

    memory.position_means = Tensor({positions, d});
    for (std::int64_t i = 0; i < values.rows(); ++i) {
        const auto mean = memory.position_means.row(i % positions);
        const auto row = values.row(i);
        std::transform(mean.begin(), mean.end(), row.begin(), mean.begin(), std::plus<>{});
    }
    const float share = static_cast<float>(positions) / static_cast<float>(values.rows());
    for (float& value : memory.position_means.values()) {
        value *= share;
    }
    const std::vector<std::int64_t> measured = base::spread_rows(rows, covariance_rows);
    Tensor centred({std::ssize(measured), d});
    for (std::int64_t i = 0; i < centred.rows(); ++i) {
        centre(values, measured[at(i)], memory.position_means, centred.row(i).data());
    }
    const linalg::PcaResult axes = linalg::pca(centred.data(), centred.rows(), d, d);
    memory.position_whitening = Tensor({d, d});
    const Tensor whitening = linalg::whitening(axes, whitening_epsilon);
    std::copy_n(whitening.data(), whitening.size(), memory.position_whitening.data());
    const std::vector<float> squares = whitened_squares(memory, values, rows, threads);
    const double mean = std::accumulate(squares.begin(), squares.end(), 0.0) /
                        std::max(1.0, static_cast<double>(squares.size()));
    std::vector<double> sums(at(positions), pictures_of_prior * mean);
    std::vector<double> counts(at(positions), pictures_of_prior);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        sums[at(rows[i] % positions)] += double{squares[i]};
        counts[at(rows[i] % positions)] += 1.0;
    }
    memory.position_spread = Tensor({positions});
    for (std::size_t p = 0; p < sums.size(); ++p) {
        memory.position_spread.data()[p] = static_cast<float>(std::max(1e-12, sums[p] / counts[p]));
    }
}

AnomalyDistances::AnomalyDistances(const PatchMemory& memory, int threads)
    : memory_(memory),
      threads_(base::resolve_threads(threads)),
      index_(memory.codes, Metric::l2, threads),
      axis_scale_(half_whitening(memory.variances)) {}

void AnomalyDistances::nearest(const Tensor& codes, Tensor& out) {
    Tensor scaled = codes;
    scale_columns(scaled, axis_scale_);
    const Neighbours found = index_.search(scaled, 1);
    put(AnomalyMethod::memory, found.distances, memory_.positions(), out);
}

void AnomalyDistances::gaussian(const Tensor& codes, Tensor& out) const {
    const Tensor variances = floored(memory_.variances);
    std::vector<float> distances(at(codes.rows()));
    for (std::int64_t i = 0; i < codes.rows(); ++i) {
        const auto z = codes.row(i);
        float sum = 0.0F;
        for (std::size_t j = 0; j < z.size(); ++j) {
            sum += z[j] * z[j] / variances.data()[j];
        }
        distances[at(i)] = std::sqrt(sum);
    }
    put(AnomalyMethod::gaussian, distances, memory_.positions(), out);
}

void AnomalyDistances::position_gaussian(const Tensor& codes, Tensor& out) const {
    std::vector<std::int64_t> rows(at(codes.rows()));
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    std::vector<float> distances = whitened_squares(memory_, codes, rows, threads_);
    for (std::size_t i = 0; i < distances.size(); ++i) {
        distances[i] = std::sqrt(distances[i] / memory_.position_spread.data()[i % at(memory_.positions())]);
    }
    put(AnomalyMethod::position_gaussian, distances, memory_.positions(), out);
}

Tensor AnomalyDistances::of(const DescriptorCoder::Codes& codes, std::span<const AnomalyMethod> methods) {
    const std::int64_t positions = memory_.positions();
    Tensor out({codes.values.rows() / positions, static_cast<std::int64_t>(anomaly_methods) * positions});
    for (const AnomalyMethod method : methods) {
        switch (method) {
            case AnomalyMethod::memory:
                nearest(codes.values, out);
                break;
            case AnomalyMethod::gaussian:
                gaussian(codes.values, out);
                break;
            case AnomalyMethod::position_gaussian:
                position_gaussian(codes.values, out);
                break;
            case AnomalyMethod::reconstruction:
                put(AnomalyMethod::reconstruction, codes.residuals, positions, out);
                break;
        }
    }
    return out;
}

std::int64_t largest_count(double share, std::int64_t n) {
    return static_cast<std::int64_t>(
        std::clamp(std::round(share * static_cast<double>(n)), 1.0, static_cast<double>(n)));
}

double mean_of_largest(std::span<float> values, double share) {
    const std::int64_t count = largest_count(share, std::ssize(values));
    if (count < std::ssize(values)) {
        std::nth_element(values.begin(), values.begin() + count - 1, values.end(), std::greater<>{});
    }
    return std::accumulate(values.begin(), values.begin() + count, 0.0) / static_cast<double>(count);
}

}  // namespace stackae::search
