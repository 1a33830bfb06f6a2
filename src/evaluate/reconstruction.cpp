#include <cstddef>
#include <fmt/format.h>

#include "stackae/error.hpp"
#include "stackae/evaluate.hpp"

namespace stackae {

std::vector<double> squared_errors(const Preprocessing& preprocessing, const Tensor& pictures,
                                   const Tensor& rebuilt) {
    if (pictures.rows() != rebuilt.rows() || pictures.columns() != preprocessing.size() ||
        rebuilt.columns() != preprocessing.size()) {
        throw InvalidArgument(fmt::format(
            "squared errors: {} × {} values and {} × {} rebuilt found, {} a "
            "picture expected",
            pictures.rows(), pictures.columns(), rebuilt.rows(), rebuilt.columns(), preprocessing.size()));
    }
    std::vector<double> errors;
    for (std::int64_t i = 0; i < rebuilt.rows(); ++i) {
        const auto x = pictures.row(i);
        const auto y = rebuilt.row(i);
        double error = 0.0;
        for (std::size_t j = 0; j < x.size(); ++j) {
            const double unit = preprocessing.deviation.empty() ? 1.0 : double{preprocessing.deviation[j]};
            const double difference = unit * (static_cast<double>(y[j]) - static_cast<double>(x[j]));
            error += difference * difference;
        }
        errors.push_back(error);
    }
    return errors;
}

}  // namespace stackae
