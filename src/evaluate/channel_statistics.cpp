#include "evaluate/channel_statistics.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "linalg/standard_scaler.hpp"

namespace stackae::evaluation {
namespace {

Tensor transformed(const linalg::StandardScaler& scale, const Tensor& rows) {
    Tensor result({rows.rows(), rows.columns()});
    std::vector<float> z(static_cast<std::size_t>(scale.width()));  // a 1 behind the row's values
    for (std::int64_t i = 0; i < rows.rows(); ++i) {
        scale.transform(rows.row(i), z.data());
        std::copy_n(z.begin(), rows.columns(), result.row(i).begin());
    }
    return result;
}

}  // namespace

void channel_statistics(const Preprocessing& preprocessing, std::span<const float> values,
                        std::span<float> out) {
    const auto channels = static_cast<std::size_t>(preprocessing.channels);
    const auto pixels = static_cast<double>(values.size() / channels);
    const bool standardised = !preprocessing.mean.empty();
    for (std::size_t c = 0; c < channels; ++c) {
        double sum = 0.0;
        double squares = 0.0;
        double least = std::numeric_limits<double>::infinity();
        double greatest = -least;
        for (std::size_t i = c; i < values.size(); i += channels) {
            const double value =
                standardised ? preprocessing.restored(double{values[i]}, i) : double{values[i]};
            sum += value;
            squares += value * value;
            least = std::min(least, value);
            greatest = std::max(greatest, value);
        }
        const double mean = sum / pixels;
        float* const of_channel = out.data() + c * static_cast<std::size_t>(statistics_a_channel);
        of_channel[0] = static_cast<float>(mean);
        of_channel[1] = static_cast<float>(std::sqrt(std::max(0.0, squares / pixels - mean * mean)));
        of_channel[2] = static_cast<float>(least);
        of_channel[3] = static_cast<float>(greatest);
    }
}

StandardisedPair standardise(const Tensor& train, const Tensor& test) {
    const linalg::StandardScaler scale = linalg::StandardScaler::fit(train);
    return {transformed(scale, train), transformed(scale, test)};
}

}  // namespace stackae::evaluation
