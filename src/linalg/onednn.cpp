#include "linalg/onednn.hpp"

#include <fmt/format.h>

#include "stackae/error.hpp"

#include "base/threads.hpp"

namespace stackae::linalg {
namespace {

using dnnl::algorithm;
using dnnl::memory;

constexpr auto training = dnnl::prop_kind::forward_training;

algorithm algorithm_of(Activation activation) {
    switch (activation) {
        case Activation::sigmoid:
            return algorithm::eltwise_logistic_use_dst_for_bwd;
        case Activation::tanh:
            return algorithm::eltwise_tanh_use_dst_for_bwd;
        case Activation::relu:
            return algorithm::eltwise_relu_use_dst_for_bwd;
        case Activation::elu:
            return algorithm::eltwise_elu_use_dst_for_bwd;
        case Activation::silu:
            return algorithm::eltwise_swish;
        case Activation::linear:
            break;
    }
    throw BackendError("oneDNN has no algorithm for a linear activation");
}

/// The slope below zero of relu is 0; elu and swish have 1.
float alpha_of(Activation activation) {
    return activation == Activation::relu ? 0.0F : 1.0F;
}

dnnl::primitive_attr attributes(Activation fused) {
    dnnl::primitive_attr attributes;
    if (fused != Activation::linear) {
        dnnl::post_ops operations;
#if DNNL_VERSION_MAJOR >= 3
        operations.append_eltwise(algorithm_of(fused), alpha_of(fused), 0.0F);
#else
        operations.append_eltwise(1.0F, algorithm_of(fused), alpha_of(fused), 0.0F);
#endif
        attributes.set_post_ops(operations);
    }
    return attributes;
}

}  // namespace

Context::Context(int threads)
    : threads_(base::resolve_threads(threads)), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

memory::desc matrix(std::int64_t rows, std::int64_t columns, bool transposed) {
    return {{rows, columns},
            memory::data_type::f32,
            transposed ? memory::format_tag::ba : memory::format_tag::ab};
}

memory::desc vector(std::int64_t size) {
    return {{size}, memory::data_type::f32, memory::format_tag::a};
}

#if DNNL_VERSION_MAJOR >= 3

dnnl::matmul::primitive_desc make_matmul(const dnnl::engine& engine, const memory::desc& src,
                                         const memory::desc& weights, const memory::desc& dst,
                                         const memory::desc& bias, Activation fused) {
    return {engine, src, weights, bias, dst, attributes(fused)};
}

dnnl::inner_product_forward::primitive_desc make_forward(const dnnl::engine& engine, const memory::desc& src,
                                                         const memory::desc& weights,
                                                         const memory::desc& bias, const memory::desc& dst) {
    return {engine, training, src, weights, bias, dst};
}

dnnl::inner_product_backward_data::primitive_desc make_backward_data(
    const dnnl::engine& engine, const memory::desc& diff_src, const memory::desc& weights,
    const memory::desc& diff_dst, const dnnl::inner_product_forward::primitive_desc& forward) {
    return {engine, diff_src, weights, diff_dst, forward};
}

dnnl::inner_product_backward_weights::primitive_desc make_backward_weights(
    const dnnl::engine& engine, const memory::desc& src, const memory::desc& diff_weights,
    const memory::desc& diff_bias, const memory::desc& diff_dst,
    const dnnl::inner_product_forward::primitive_desc& forward) {
    return {engine, src, diff_weights, diff_bias, diff_dst, forward};
}

dnnl::eltwise_forward::primitive_desc make_activation(const dnnl::engine& engine, const memory::desc& data,
                                                      Activation activation) {
    return {engine, training, algorithm_of(activation), data, data, alpha_of(activation), 0.0F};
}

dnnl::eltwise_forward::primitive_desc make_softplus(const dnnl::engine& engine, const memory::desc& data) {
    return {engine, training, algorithm::eltwise_soft_relu, data, data, 1.0F, 0.0F};
}

dnnl::eltwise_backward::primitive_desc make_activation_backward(
    const dnnl::engine& engine, const memory::desc& data, Activation activation,
    const dnnl::eltwise_forward::primitive_desc& forward) {
    return {engine, algorithm_of(activation), data, data, data, alpha_of(activation), 0.0F, forward};
}

#else

dnnl::matmul::primitive_desc make_matmul(const dnnl::engine& engine, const memory::desc& src,
                                         const memory::desc& weights, const memory::desc& dst,
                                         const memory::desc& bias, Activation fused) {
    return {{src, weights, bias, dst}, attributes(fused), engine};
}

dnnl::inner_product_forward::primitive_desc make_forward(const dnnl::engine& engine, const memory::desc& src,
                                                         const memory::desc& weights,
                                                         const memory::desc& bias, const memory::desc& dst) {
    return {{training, src, weights, bias, dst}, engine};
}

dnnl::inner_product_backward_data::primitive_desc make_backward_data(
    const dnnl::engine& engine, const memory::desc& diff_src, const memory::desc& weights,
    const memory::desc& diff_dst, const dnnl::inner_product_forward::primitive_desc& forward) {
    return {{diff_src, weights, diff_dst}, engine, forward};
}

dnnl::inner_product_backward_weights::primitive_desc make_backward_weights(
    const dnnl::engine& engine, const memory::desc& src, const memory::desc& diff_weights,
    const memory::desc& diff_bias, const memory::desc& diff_dst,
    const dnnl::inner_product_forward::primitive_desc& forward) {
    return {{src, diff_weights, diff_bias, diff_dst}, engine, forward};
}

dnnl::eltwise_forward::primitive_desc make_activation(const dnnl::engine& engine, const memory::desc& data,
                                                      Activation activation) {
    return {{training, algorithm_of(activation), data, alpha_of(activation), 0.0F}, engine};
}

dnnl::eltwise_forward::primitive_desc make_softplus(const dnnl::engine& engine, const memory::desc& data) {
    return {{training, algorithm::eltwise_soft_relu, data, 1.0F, 0.0F}, engine};
}

dnnl::eltwise_backward::primitive_desc make_activation_backward(
    const dnnl::engine& engine, const memory::desc& data, Activation activation,
    const dnnl::eltwise_forward::primitive_desc& forward) {
    return {{algorithm_of(activation), data, data, alpha_of(activation), 0.0F}, engine, forward};
}

#endif

bool derivative_from_dst(Activation activation) {
    return activation != Activation::silu;
}

}  // namespace stackae::linalg
