#include "linalg/packed_product.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "stackae/error.hpp"

namespace stackae::linalg {

PackedProduct::PackedProduct(Context& context, std::int64_t m, std::int64_t n, std::int64_t k, const float* b,
                             const float* bias, bool relu)
    : context_(&context) {
    const dnnl::engine& engine = context.engine();
    try {
        const auto a = matrix(m, k);
        const auto c = matrix(m, n);
        const dnnl::memory::desc any({k, n}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::any);
        const dnnl::memory::desc bias_row = bias == nullptr ? dnnl::memory::desc() : matrix(1, n);
        const auto made =
            make_matmul(engine, a, any, c, bias_row, relu ? Activation::relu : Activation::linear);
        primitive_ = dnnl::matmul(made);
        dnnl::memory plain(matrix(k, n, true), engine,
                           const_cast<float*>(b));  // oneDNN takes inputs as void* too
        dnnl::memory packed(made.weights_desc(), engine);
        dnnl::reorder(plain, packed).execute(context.stream(), plain, packed);
        context.stream().wait();
        a_ = dnnl::memory(a, engine, nullptr);
        c_ = dnnl::memory(c, engine, nullptr);
        arguments_ = {{DNNL_ARG_SRC, a_}, {DNNL_ARG_WEIGHTS, packed}, {DNNL_ARG_DST, c_}};
        if (bias != nullptr) {
            dnnl::memory kept(bias_row, engine);
            std::copy_n(bias, n, static_cast<float*>(kept.get_data_handle()));
            arguments_.emplace(DNNL_ARG_BIAS, kept);
        }
    } catch (const dnnl::error& error) {
        throw BackendError(fmt::format("matrix product of {} × {} × {}: oneDNN: {}", m, k, n, error.what()));
    }
}

void PackedProduct::run(const float* a, float* c) {
    a_.set_data_handle(const_cast<float*>(a));
    c_.set_data_handle(c);
    primitive_.execute(context_->stream(), arguments_);
    context_->stream().wait();
}

}  // namespace stackae::linalg
