#include "nn/dense.hpp"

#include <fmt/format.h>

#include "stackae/error.hpp"

#include "nn/eltwise.hpp"

namespace stackae::nn {

Dense::Dense(linalg::Context& context, const DenseShape& shape) : shape_(shape), stream_(context.stream()) {
    const dnnl::engine& engine = context.engine();
    const auto src = linalg::matrix(shape.n, shape.ic);
    const auto weights = linalg::matrix(shape.oc, shape.ic, shape.transposed);
    const auto bias = linalg::vector(shape.oc);
    const auto dst = linalg::matrix(shape.n, shape.oc);
    const auto unowned = [&](const dnnl::memory::desc& desc) { return dnnl::memory(desc, engine, nullptr); };
    src_ = unowned(src);
    weights_ = unowned(weights);
    forward_weights_ = unowned(linalg::matrix(shape.ic, shape.oc, !shape.transposed));
    forward_bias_ = unowned(linalg::matrix(1, shape.oc));
    dst_ = unowned(dst);
    diff_src_ = unowned(src);
    diff_weights_ = unowned(weights);
    diff_bias_ = unowned(bias);
    diff_dst_ = unowned(dst);
    activation_src_ = unowned(dst);
    try {
        const bool linear = shape.activation == Activation::linear;
        const bool separate = !linear && shape.training && !derivative_from_dst(shape.activation);
        forward_ = dnnl::matmul(
            linalg::make_matmul(engine, src, forward_weights_.get_desc(), dst, forward_bias_.get_desc(),
                                separate ? linalg::Eltwise() : eltwise_of(shape.activation)));
        if (separate) {
            preactivation_ = Tensor({shape.n, shape.oc});
            activation_ =
                dnnl::eltwise_forward(linalg::make_eltwise(engine, dst, eltwise_of(shape.activation)));
        }
        if (shape.training) {
            make_backward(linalg::make_forward(engine, src, weights, bias, dst));
        }
    } catch (const dnnl::error& error) {
        throw BackendError(fmt::format("oneDNN cannot make a dense layer of {} × {} → {}: {}", shape.n,
                                       shape.ic, shape.oc, error.what()));
    }
}

void Dense::make_backward(const dnnl::inner_product_forward::primitive_desc& forward) {
    const dnnl::engine engine = src_.get_engine();
    const auto src = src_.get_desc();
    const auto weights = weights_.get_desc();
    const auto bias = diff_bias_.get_desc();
    const auto dst = dst_.get_desc();
    Backward made{
        dnnl::inner_product_backward_data(linalg::make_backward_data(engine, src, weights, dst, forward)),
        dnnl::inner_product_backward_weights(
            linalg::make_backward_weights(engine, src, weights, bias, dst, forward)),
        {}};
    if (shape_.activation != Activation::linear) {
        const linalg::Eltwise f = eltwise_of(shape_.activation);
        made.activation = dnnl::eltwise_backward(
            linalg::make_eltwise_backward(engine, dst, f, linalg::make_eltwise(engine, dst, f)));
    }
    backward_ = std::move(made);
}

void Dense::forward(const float* src, const float* weights, const float* bias, float* dst) {
    linalg::point_to(src_, src);
    linalg::point_to(forward_weights_, weights);
    linalg::point_to(forward_bias_, bias);
    linalg::point_to(dst_, keeps_preactivation() ? preactivation_.data() : dst);
    forward_.execute(stream_, {{DNNL_ARG_SRC, src_},
                               {DNNL_ARG_WEIGHTS, forward_weights_},
                               {DNNL_ARG_BIAS, forward_bias_},
                               {DNNL_ARG_DST, dst_}});
    if (keeps_preactivation()) {
        linalg::point_to(activation_src_, preactivation_.data());
        linalg::point_to(dst_, dst);
        activation_.execute(stream_, {{DNNL_ARG_SRC, activation_src_}, {DNNL_ARG_DST, dst_}});
    }
}

void Dense::backward(const float* src, const float* weights, const float* dst, float* diff_dst,
                     float* diff_src, float* diff_weights, float* diff_bias) {
    linalg::point_to(src_, src);
    linalg::point_to(weights_, weights);
    linalg::point_to(dst_, dst);
    linalg::point_to(diff_dst_, diff_dst);
    linalg::point_to(diff_weights_, diff_weights);
    linalg::point_to(diff_bias_, diff_bias);
    if (keeps_preactivation()) {
        linalg::point_to(activation_src_, preactivation_.data());
        backward_->activation.execute(stream_, {{DNNL_ARG_SRC, activation_src_},
                                                {DNNL_ARG_DIFF_DST, diff_dst_},
                                                {DNNL_ARG_DIFF_SRC, diff_dst_}});
    } else if (shape_.activation != Activation::linear) {
        backward_->activation.execute(
            stream_, {{DNNL_ARG_DST, dst_}, {DNNL_ARG_DIFF_DST, diff_dst_}, {DNNL_ARG_DIFF_SRC, diff_dst_}});
    }
    backward_->weights.execute(stream_, {{DNNL_ARG_SRC, src_},
                                         {DNNL_ARG_DIFF_DST, diff_dst_},
                                         {DNNL_ARG_DIFF_WEIGHTS, diff_weights_},
                                         {DNNL_ARG_DIFF_BIAS, diff_bias_}});
    if (diff_src != nullptr) {
        linalg::point_to(diff_src_, diff_src);
        backward_->data.execute(
            stream_,
            {{DNNL_ARG_DIFF_DST, diff_dst_}, {DNNL_ARG_WEIGHTS, weights_}, {DNNL_ARG_DIFF_SRC, diff_src_}});
    }
}

}  // namespace stackae::nn
