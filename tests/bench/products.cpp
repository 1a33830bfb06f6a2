#include "products.hpp"

#include <algorithm>
#include <cstring>

namespace stackae::bench {
namespace {

dnnl::memory::desc any(std::int64_t rows, std::int64_t columns) {
    return {{rows, columns}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any};
}

constexpr auto forward_training = dnnl::prop_kind::forward_training;

dnnl::inner_product_forward::primitive_desc make_forward(const dnnl::engine& engine,
                                                         const dnnl::memory::desc& src,
                                                         const dnnl::memory::desc& weights,
                                                         const dnnl::memory::desc& bias,
                                                         const dnnl::memory::desc& dst) {
#if DNNL_VERSION_MAJOR >= 3
    return {engine, forward_training, src, weights, bias, dst};
#else
    return {{forward_training, src, weights, bias, dst}, engine};
#endif
}

dnnl::inner_product_backward_data::primitive_desc make_backward_data(
    const dnnl::engine& engine, const dnnl::memory::desc& diff_src, const dnnl::memory::desc& weights,
    const dnnl::memory::desc& diff_dst, const dnnl::inner_product_forward::primitive_desc& forward) {
#if DNNL_VERSION_MAJOR >= 3
    return {engine, diff_src, weights, diff_dst, forward};
#else
    return {{diff_src, weights, diff_dst}, engine, forward};
#endif
}

dnnl::inner_product_backward_weights::primitive_desc make_backward_weights(
    const dnnl::engine& engine, const dnnl::memory::desc& src, const dnnl::memory::desc& diff_weights,
    const dnnl::memory::desc& diff_bias, const dnnl::memory::desc& diff_dst,
    const dnnl::inner_product_forward::primitive_desc& forward) {
#if DNNL_VERSION_MAJOR >= 3
    return {engine, src, diff_weights, diff_bias, diff_dst, forward};
#else
    return {{src, diff_weights, diff_bias, diff_dst}, engine, forward};
#endif
}

}  // namespace

Products::Products(linalg::Context& context, const std::vector<ProductShape>& layers, bool training)
    : context_(context) {
    const dnnl::engine& engine = context.engine();
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const auto [n, ic, oc] = layers[i];
        const dnnl::memory::desc none;
        const auto forward = make_forward(engine, any(n, ic), any(oc, ic), none, any(n, oc));
        add(dnnl::inner_product_forward(forward), {{DNNL_ARG_SRC, forward.src_desc()},
                                                   {DNNL_ARG_WEIGHTS, forward.weights_desc()},
                                                   {DNNL_ARG_DST, forward.dst_desc()}});
        flops_ += layers[i].flops();
        if (!training) {
            continue;
        }
        const auto weights =
            make_backward_weights(engine, any(n, ic), any(oc, ic), none, any(n, oc), forward);
        add(dnnl::inner_product_backward_weights(weights),
            {{DNNL_ARG_SRC, weights.src_desc()},
             {DNNL_ARG_DIFF_WEIGHTS, weights.diff_weights_desc()},
             {DNNL_ARG_DIFF_DST, weights.diff_dst_desc()}});
        flops_ += layers[i].flops();
        if (i > 0) {
            const auto data = make_backward_data(engine, any(n, ic), any(oc, ic), any(n, oc), forward);
            add(dnnl::inner_product_backward_data(data), {{DNNL_ARG_DIFF_SRC, data.diff_src_desc()},
                                                          {DNNL_ARG_WEIGHTS, data.weights_desc()},
                                                          {DNNL_ARG_DIFF_DST, data.diff_dst_desc()}});
            flops_ += layers[i].flops();
        }
    }
}

void Products::add(const dnnl::primitive& primitive,
                   const std::vector<std::pair<int, dnnl::memory::desc>>& arguments) {
    Call& call = calls_.emplace_back();
    call.primitive = primitive;
    for (const auto& [argument, desc] : arguments) {
        dnnl::memory memory(desc, context_.engine());
        std::memset(memory.get_data_handle(), 0, desc.get_size());
        call.arguments.emplace(argument, memory);
    }
}

void Products::run() {
    for (Call& call : calls_) {
        call.primitive.execute(context_.stream(), call.arguments);
    }
    context_.stream().wait();
}

}  // namespace stackae::bench
