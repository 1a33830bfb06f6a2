#include "train/picture_decoder.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "linalg/gemm.hpp"
#include "linalg/vector_ops.hpp"

namespace stackae::training {
namespace {

constexpr std::int64_t most_weights = std::int64_t{1} << 26;
constexpr std::int64_t batch = 256;  // pictures
// c, in means of λ: √10 to the power of each whole number between these.
constexpr int least_power = -12;
constexpr int most_power = 6;
/// What each degree of freedom counts: 1 lets codes nearly as many as the pictures through (Kim & Gu 2004).
constexpr double caution = 1.4;

/// What the regression needs of the pictures.
struct Sums {
    Sums(std::int64_t values, std::int64_t units)
        : products({values, units}),
          mean(static_cast<std::size_t>(values)),
          squares(static_cast<std::size_t>(units)) {}

    Tensor products;              ///< Σ x h
    std::vector<double> mean;     ///< of x
    std::vector<double> squares;  ///< Σ h²
    double variation = 0.0;       ///< Σ ‖x − mean‖²
};

Sums find_sums(linalg::Context& context, const SampleStore& pictures, std::span<const std::int64_t> rows,
               const SampleStore& codes) {
    const std::int64_t d = pictures.columns();
    const std::int64_t k = codes.columns();
    const std::int64_t n = codes.rows();
    Sums sums(d, k);
    Tensor x({batch, d});
    Tensor h({batch, k});
    Tensor part({d, k});
    double square = 0.0;
    linalg::Gemm product(context, d, k, batch, {.trans_a = true});
    for (std::int64_t first = 0; first < n; first += batch) {
        const std::int64_t count = std::min(batch, n - first);
        if (count < batch) {  // zeros past the last
            x = Tensor({batch, d});
            h = Tensor({batch, k});
        }
        pictures.gather(rows.subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count)),
                        x.data());
        std::copy_n(codes.row(first), count * k, h.data());
        for (std::int64_t i = 0; i < count; ++i) {
            const auto values = x.row(i);
            for (std::size_t j = 0; j < values.size(); ++j) {
                sums.mean[j] += double{values[j]};
                square += double{values[j]} * double{values[j]};
            }
            const auto code = h.row(i);
            std::transform(sums.squares.begin(), sums.squares.end(), code.begin(), sums.squares.begin(),
                           [](double sum, float value) { return sum + double{value} * double{value}; });
        }
        product.run(x.data(), h.data(), part.data());
        linalg::add(part.data(), part.size(), sums.products.data());
    }
    for (double& value : sums.mean) {
        value /= static_cast<double>(n);
    }
    const double of_mean = std::inner_product(sums.mean.begin(), sums.mean.end(), sums.mean.begin(), 0.0);
    sums.variation = std::max(0.0, square - static_cast<double>(n) * of_mean);
    return sums;
}

/// λ / (λ + c) of each unit, for the c of least left / (n − 1 − 1.4 Σ λ / (λ + c))².
std::vector<double> choose_shares(const Sums& sums, std::span<const double> variances, std::int64_t n) {
    const std::size_t units = sums.squares.size();
    std::vector<double> explained(units, 0.0);  // Σ over x of (Σ x h)² / Σ h²
    for (std::int64_t i = 0; i < sums.products.rows(); ++i) {
        const auto row = sums.products.row(i);
        for (std::size_t j = 0; j < units; ++j) {
            explained[j] += sums.squares[j] > 0.0 ? double{row[j]} * double{row[j]} / sums.squares[j] : 0.0;
        }
    }
    const double mean = std::accumulate(variances.begin(), variances.end(), 0.0) / static_cast<double>(units);
    double least = std::numeric_limits<double>::infinity();
    std::vector<double> chosen(units, 0.0);
    if (mean == 0.0) {
        return chosen;  // pictures that do not vary
    }
    for (int power = least_power; power <= most_power; ++power) {
        const double c = mean * std::pow(10.0, 0.5 * power);
        std::vector<double> shares(units, 0.0);
        double left = sums.variation;
        double freedom = static_cast<double>(n - 1);
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

}  // namespace

bool has_picture_decoder(const TrainOptions& options, std::int64_t picture_size, std::int64_t units) {
    return options.code_size > 0 && options.layers.empty() && !options.convolutions.empty() &&
           picture_size <= most_weights / units;
}

PictureDecoder fit_picture_decoder(linalg::Context& context, const SampleStore& pictures,
                                   std::span<const std::int64_t> rows, const SampleStore& codes,
                                   std::span<const double> variances) {
    Sums sums = find_sums(context, pictures, rows, codes);
    const std::vector<double> shares = choose_shares(sums, variances, codes.rows());
    PictureDecoder decoder{std::move(sums.products), Tensor({pictures.columns()})};
    for (std::int64_t i = 0; i < decoder.weights.rows(); ++i) {
        const auto row = decoder.weights.row(i);
        for (std::size_t j = 0; j < row.size(); ++j) {
            row[j] = sums.squares[j] > 0.0 ? static_cast<float>(shares[j] * double{row[j]} / sums.squares[j])
                                           : 0.0F;
        }
    }
    std::copy(sums.mean.begin(), sums.mean.end(), decoder.bias.data());
    return decoder;
}

}  // namespace stackae::training
