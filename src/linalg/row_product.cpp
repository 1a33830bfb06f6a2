#include "linalg/row_product.hpp"

#include <fmt/format.h>

#include "stackae/error.hpp"

namespace stackae::linalg {
namespace {

using dnnl::memory;

/// Of rows × columns values.
memory::desc factor(std::int64_t rows, std::int64_t columns, Precision precision, memory::format_tag layout) {
    return {{rows, columns},
            precision == Precision::float32 ? memory::data_type::f32 : memory::data_type::bf16,
            layout};
}

}  // namespace

bool has_bfloat16() {
    constexpr auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);  // a set of bits
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & needed) == needed;
}

RowProduct::RowProduct(Context& context, Precision precision, std::int64_t m, std::int64_t n, std::int64_t k,
                       const memory::desc& layout)
    : context_(&context) {
    const dnnl::engine& engine = context.engine();
    try {
        const bool packs = precision == Precision::bfloat16;
        const auto plain = factor(k, n, precision, memory::format_tag::ba);  // Bᵀ as B lies in memory
        const auto packed =
            layout == memory::desc() ? factor(k, n, precision, memory::format_tag::any) : layout;
        const auto made = make_matmul(engine, factor(m, k, precision, memory::format_tag::ab),
                                      packs ? packed : plain, matrix(m, n), matrix(1, n));
        primitive_ = dnnl::matmul(made);
        a_ = memory(made.src_desc(), engine, nullptr);
        b_ = memory(made.weights_desc(), engine, nullptr);
        bias_ = memory(matrix(1, n), engine, nullptr);
        s_ = memory(made.dst_desc(), engine, nullptr);
        plain_ = memory(plain, engine, nullptr);
        if (packs) {
            packing_ = dnnl::reorder(plain_, b_);
        }
    } catch (const dnnl::error& error) {
        throw BackendError(fmt::format("row product of {} × {} × {}: oneDNN: {}", m, k, n, error.what()));
    }
    // The map holds the same memory objects, whose handles run() exchanges.
    arguments_ = {{DNNL_ARG_SRC, a_}, {DNNL_ARG_WEIGHTS, b_}, {DNNL_ARG_BIAS, bias_}, {DNNL_ARG_DST, s_}};
}

void RowProduct::pack(std::span<const std::uint16_t> rows, void* packed) {
    // oneDNN takes pointers to mutable data for sources too; it does not write there.
    plain_.set_data_handle(const_cast<std::uint16_t*>(rows.data()));
    b_.set_data_handle(packed);
    try {
        packing_.execute(context_->stream(), plain_, b_);
        context_->stream().wait();
    } catch (const dnnl::error& error) {
        throw BackendError(fmt::format("row product: oneDNN: {}", error.what()));
    }
}

void RowProduct::run(const void* a, const void* b, const float* bias, float* s) {
    a_.set_data_handle(const_cast<void*>(a));
    b_.set_data_handle(const_cast<void*>(b));
    bias_.set_data_handle(const_cast<float*>(bias));
    s_.set_data_handle(s);
    try {
        primitive_.execute(context_->stream(), arguments_);
        context_->stream().wait();
    } catch (const dnnl::error& error) {
        throw BackendError(fmt::format("row product: oneDNN: {}", error.what()));
    }
}

}  // namespace stackae::linalg
