#include "layers/axes_start.hpp"

#include <algorithm>
#include <fmt/format.h>
#include <vector>

#include "stackae/error.hpp"

namespace stackae::layers {
namespace {

constexpr std::int64_t max_rows = 20'000;                   ///< more change little
constexpr std::int64_t max_floats = std::int64_t{1} << 26;  ///< of those rows

std::int64_t rows_for_axes(std::int64_t rows, std::int64_t columns, std::int64_t n_components) {
    return std::min({rows, max_rows, std::max(2 * n_components, max_floats / columns)});
}

/// How the difference of two paired units has to be taken for what they are of.
float difference_scale(Activation activation) {
    return activation == Activation::linear ? 0.5F : 1.0F;
}

bool pairs_up(Activation activation) {
    return activation == Activation::silu || activation == Activation::relu ||
           activation == Activation::linear;
}

/// The matrix, k × ic, by which map i reads z from its input.
Tensor reading(const nn::Parameters& parameters, std::size_t i, std::int64_t k,
               const linalg::PcaResult& axes) {
    const std::vector<nn::LayerSpec>& specs = parameters.layers();
    Tensor read({k, specs[i].ic});
    if (i == 0) {
        const std::int64_t found = axes.components.rows();
        std::copy_n(axes.components.data(), found * specs[0].ic, read.data());
        std::copy_n(parameters.weights(0) + found * specs[0].ic, (k - found) * specs[0].ic,
                    read.data() + found * specs[0].ic);
        return read;
    }
    const bool of_code = i == specs.size() / 2;
    const float scale = of_code ? 1.0F : difference_scale(specs[i - 1].activation);
    for (std::int64_t j = 0; j < k; ++j) {
        read.row(j)[static_cast<std::size_t>(j)] = scale;
        if (!of_code) {
            read.row(j)[static_cast<std::size_t>(k + j)] = -scale;
        }
    }
    return read;
}

/// The last map: Uᵀ times what reads z, and μ.
void decode_by_axes(nn::Parameters& parameters, const Tensor& read, const linalg::PcaResult& axes) {
    const std::size_t last = parameters.layers().size() - 1;
    const std::int64_t ic = read.columns();
    float* const weights = parameters.weights(last);
    for (std::int64_t row = 0; row < axes.mean.size(); ++row) {
        std::fill_n(weights + row * ic, ic, 0.0F);
        for (std::int64_t j = 0; j < axes.components.rows(); ++j) {
            const float share = axes.components.row(j)[static_cast<std::size_t>(row)];
            std::transform(read.row(j).begin(), read.row(j).end(), weights + row * ic, weights + row * ic,
                           [share](float value, float sum) { return sum + share * value; });
        }
    }
    std::copy_n(axes.mean.data(), axes.mean.size(), parameters.bias(last));
}

}  // namespace

void begin_with_axes(nn::Parameters& parameters, const linalg::PcaResult& axes) {
    const std::vector<nn::LayerSpec>& specs = parameters.layers();
    const std::size_t code = specs.size() / 2 - 1;
    const std::int64_t k = specs[code].oc;
    for (std::size_t i = 0; i + 1 < specs.size(); ++i) {
        const Tensor read = reading(parameters, i, k, axes);
        float* const weights = parameters.weights(i);
        float* const bias = parameters.bias(i);
        for (std::int64_t j = 0; j < k; ++j) {
            double offset = 0.0;  // what z is less by, where the input is not centred
            for (std::int64_t at = 0; i == 0 && at < specs[0].ic; ++at) {
                offset += double{read.row(j)[static_cast<std::size_t>(at)]} * double{axes.mean.data()[at]};
            }
            std::copy(read.row(j).begin(), read.row(j).end(), weights + j * specs[i].ic);
            bias[j] = static_cast<float>(-offset);
            if (i != code) {
                std::transform(read.row(j).begin(), read.row(j).end(), weights + (k + j) * specs[i].ic,
                               [](float value) { return -value; });
                bias[k + j] = static_cast<float>(offset);
            }
        }
    }
    decode_by_axes(parameters, reading(parameters, specs.size() - 1, k, axes), axes);
}

void check_axes_start(const std::vector<nn::LayerSpec>& specs, const std::string& name) {
    const std::size_t code = specs.size() / 2 - 1;
    const std::int64_t k = specs[code].oc;
    const auto refuse = [&](const std::string& what) {
        throw InvalidArgument(fmt::format("{}: fine_tune_from_pca: {}", name, what));
    };
    for (std::size_t i = 0; i < specs.size(); ++i) {
        const bool hidden = i != code && i + 1 < specs.size();
        if (specs[i].tied_to >= 0) {
            refuse("a tied decoder found, decoders of their own expected");
        }
        if (hidden && specs[i].oc < 2 * k) {
            refuse(fmt::format("a layer of {} units found, at least {} expected, twice the code of {}",
                               specs[i].oc, 2 * k, k));
        }
        if (hidden ? !pairs_up(specs[i].activation) : specs[i].activation != Activation::linear) {
            refuse(fmt::format("{} units found, {} expected {}", stackae::name(specs[i].activation),
                               hidden ? "silu, relu or linear ones" : "linear ones",
                               hidden      ? "in hidden layers"
                               : i == code ? "in the code"
                                           : "in the output"));
        }
    }
    if (k > specs.front().ic) {
        refuse(fmt::format("a code of {} found, at most the {} values of its input expected", k,
                           specs.front().ic));
    }
}

linalg::PcaResult axes_of_rows(const TrainContext& context, std::int64_t n_components) {
    const base::RowSource& source = context.input.held();
    constexpr std::uint32_t use = 0;
    const std::vector<std::int64_t> some =
        sample_rows(context.train, rows_for_axes(std::ssize(context.train), source.columns(), n_components),
                    context, use);
    Tensor rows({std::ssize(some), source.columns()});
    source.gather(some, rows.data());
    return linalg::pca(rows.data(), rows.rows(), rows.columns(), n_components, {}, context.communicator);
}

StageCost cost_of_axes(std::int64_t rows, std::int64_t columns, std::int64_t n_components) {
    const std::int64_t n = rows_for_axes(rows, columns, n_components);
    StageCost cost;
    cost.multiply_adds = linalg::pca_multiply_adds(n, columns, n_components);
    cost.hold(static_cast<double>(n) * static_cast<double>(columns) +
              linalg::pca_floats(n, columns, n_components));
    return cost;
}

}  // namespace stackae::layers
