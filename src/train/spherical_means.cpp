#include "train/spherical_means.hpp"

#include <algorithm>
#include <numeric>
#include <vector>

#include "base/random.hpp"
#include "base/rows.hpp"
#include "nn/matrix_product.hpp"
#include "nn/parallel.hpp"

namespace stackae::training {
namespace {

constexpr std::int64_t most_block = 4096;  // rows
constexpr std::int64_t least_block = 256;
constexpr std::int64_t most_cosines = std::int64_t{1} << 24;  // of a block

std::int64_t block_of(std::int64_t samples, std::int64_t units) {
    return std::min(samples, std::clamp(most_cosines / units, least_block, most_block));
}

struct Nearest {
    std::int64_t unit = 0;
    float cosine = 0.0F;
};

/// The sums of the samples that chose each direction.
struct Sums {
    explicit Sums(std::int64_t units, std::int64_t d)
        : directions({units, d}), samples(static_cast<std::size_t>(units)) {}
    Tensor directions;
    std::vector<std::int64_t> samples;
};

Sums assign(nn::Context& context, const SampleStore& samples, const Tensor& means) {
    const std::int64_t n = samples.rows();
    const std::int64_t d = samples.columns();
    const std::int64_t block = block_of(n, means.rows());
    nn::MatrixProduct product(context, nn::ProductForm::transposed_b, block, means.rows(), d);
    Tensor rows({block, d});
    Tensor cosines({block, means.rows()});
    std::vector<Nearest> nearest(static_cast<std::size_t>(block));
    Sums sums(means.rows(), d);
    for (std::int64_t first = 0; first < n; first += block) {
        const std::int64_t count = std::min(block, n - first);
        nn::parallel_ranges(count, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const auto row = rows.row(i);
                base::scale_to_length_one({samples.row(first + i), row.size()}, row);
            }
        });
        product.run(rows.data(), means.data(), cosines.data());
        nn::parallel_ranges(count, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                const auto row = cosines.row(i);
                const auto largest = std::max_element(row.begin(), row.end());
                nearest[static_cast<std::size_t>(i)] = {largest - row.begin(), *largest};
            }
        });
        // Columns are shared out, so that every sum is taken in the order of the samples.
        nn::parallel_ranges(d, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = 0; i < count; ++i) {
                const Nearest& found = nearest[static_cast<std::size_t>(i)];
                float* sum = sums.directions.row(found.unit).data();
                const float* row = rows.row(i).data();
                for (std::int64_t j = begin; j < end; ++j) {
                    sum[j] += found.cosine * row[j];
                }
            }
        });
        for (std::int64_t i = 0; i < count; ++i) {
            ++sums.samples[static_cast<std::size_t>(nearest[static_cast<std::size_t>(i)].unit)];
        }
    }
    return sums;
}

}  // namespace

Tensor spherical_means(nn::Context& context, const SampleStore& samples, const MeansSettings& settings,
                       const std::function<bool()>& stop) {
    const std::int64_t units = settings.units;
    const auto n = static_cast<std::uint64_t>(samples.rows());
    std::vector<std::int64_t> order(n);
    std::iota(order.begin(), order.end(), std::int64_t{0});
    base::shuffle(order, base::Random(settings.seed, base::Stream::clusters, settings.layer, 0));
    Tensor means({units, samples.columns()});
    const auto begin_at = [&](std::int64_t unit, std::uint64_t sample) {
        const auto mean = means.row(unit);
        base::scale_to_length_one({samples.row(order[sample % n]), mean.size()}, mean);
    };
    std::uint64_t next = 0;
    for (std::int64_t unit = 0; unit < units; ++unit) {
        begin_at(unit, next++);
    }
    for (int iteration = 0; iteration < settings.iterations && !stop(); ++iteration) {
        const Sums sums = assign(context, samples, means);
        for (std::int64_t unit = 0; unit < units; ++unit) {
            if (sums.samples[static_cast<std::size_t>(unit)] < settings.least_samples &&
                iteration + 1 < settings.iterations) {
                begin_at(unit, next++);
            } else if (base::squared_norm(sums.directions.row(unit)) > 0.0) {
                base::scale_to_length_one(sums.directions.row(unit), means.row(unit));
            }
        }
    }
    return means;
}

std::int64_t spherical_means_floats(std::int64_t samples, std::int64_t columns, std::int64_t units) {
    return 2 * units * columns + block_of(samples, units) * (columns + units);
}

}  // namespace stackae::training
