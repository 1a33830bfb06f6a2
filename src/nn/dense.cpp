#include "nn/dense.hpp"

#include <fmt/format.h>

#include "stackae/error.hpp"

#include "linalg/vector_ops.hpp"
#include "nn/eltwise.hpp"

namespace stackae::nn {
namespace {

linalg::TiledProduct weights_gradient(const DenseShape& shape) {
    if (shape.transposed) {
        return {.m = shape.ic, .n = shape.oc, .k = shape.n, .trans_a = true};
    }
    return {.m = shape.oc, .n = shape.ic, .k = shape.n, .trans_a = true};
}

}  // namespace

Dense::Dense(linalg::Context& context, const DenseShape& shape)
    : shape_(shape),
      stream_(context.stream()),
      forward_{.m = shape.n, .n = shape.oc, .k = shape.ic, .trans_b = !shape.transposed},
      backward_data_{.m = shape.n, .n = shape.ic, .k = shape.oc, .trans_b = shape.transposed},
      backward_weights_(weights_gradient(shape)) {
    if (is_linear()) {
        return;
    }
    try {
        make_activation(context.engine());
    } catch (const dnnl::error& error) {
        throw BackendError(fmt::format("oneDNN cannot make the activation of {} × {} units: {}", shape.n,
                                       shape.oc, error.what()));
    }
}

void Dense::make_activation(const dnnl::engine& engine) {
    const auto values = linalg::matrix(shape_.n, shape_.oc);
    for (dnnl::memory* memory : {&src_, &dst_, &diff_dst_}) {
        *memory = dnnl::memory(values, engine, nullptr);
    }
    const linalg::Eltwise f = eltwise_of(shape_.activation);
    const auto forward = linalg::make_eltwise(engine, values, f);
    activation_ = dnnl::eltwise_forward(forward);
    if (shape_.training) {
        activation_backward_ =
            dnnl::eltwise_backward(linalg::make_eltwise_backward(engine, values, f, forward));
        if (!derivative_from_dst(shape_.activation)) {
            preactivation_ = Tensor({shape_.n, shape_.oc});
        }
    }
}

void Dense::forward(const float* src, const float* weights, const float* bias, float* dst) {
    float* const sums = keeps_preactivation() ? preactivation_.data() : dst;
    forward_.run(src, weights, sums, bias);
    if (!is_linear()) {
        src_.set_data_handle(sums);
        dst_.set_data_handle(dst);
        activation_.execute(stream_, {{DNNL_ARG_SRC, src_}, {DNNL_ARG_DST, dst_}});
    }
}

void Dense::backward(const float* src, const float* weights, const float* dst, float* diff_dst,
                     float* diff_src, float* diff_weights, float* diff_bias) {
    if (!is_linear()) {
        dnnl::memory& values = keeps_preactivation() ? src_ : dst_;
        linalg::point_to(values, keeps_preactivation() ? preactivation_.data() : dst);
        diff_dst_.set_data_handle(diff_dst);
        activation_backward_.execute(stream_, {{keeps_preactivation() ? DNNL_ARG_SRC : DNNL_ARG_DST, values},
                                               {DNNL_ARG_DIFF_DST, diff_dst_},
                                               {DNNL_ARG_DIFF_SRC, diff_dst_}});
    }
    if (shape_.transposed) {
        backward_weights_.run(src, diff_dst, diff_weights);
    } else {
        backward_weights_.run(diff_dst, src, diff_weights);
    }
    linalg::sum_rows(diff_dst, shape_.n, shape_.oc, diff_bias);
    if (diff_src != nullptr) {
        backward_data_.run(diff_dst, weights, diff_src);
    }
}

}  // namespace stackae::nn
