#include "linalg/onednn.hpp"

#include <fmt/format.h>

#include "stackae/error.hpp"

#include "base/threads.hpp"

namespace stackae::linalg {
namespace {

using dnnl::memory;

constexpr auto training = dnnl::prop_kind::forward_training;

dnnl::primitive_attr attributes(const Eltwise& fused, bool accumulate) {
    dnnl::post_ops operations;
    if (accumulate) {
        operations.append_sum(1.0F);
    }
    if (!fused.is_identity()) {
#if DNNL_VERSION_MAJOR >= 3
        operations.append_eltwise(fused.algorithm, fused.alpha, 0.0F);
#else
        operations.append_eltwise(1.0F, fused.algorithm, fused.alpha, 0.0F);
#endif
    }
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(operations);
    return attributes;
}

}  // namespace

Context::Context(int threads)
    : threads_(base::resolve_threads(threads)), engine_(dnnl::engine::kind::cpu, 0), stream_(engine_) {}

memory::desc matrix(std::int64_t rows, std::int64_t columns, bool transposed, memory::data_type type) {
    return {{rows, columns}, type, transposed ? memory::format_tag::ba : memory::format_tag::ab};
}

dnnl::matmul::primitive_desc make_matmul(const dnnl::engine& engine, const memory::desc& src,
                                         const memory::desc& weights, const memory::desc& dst,
                                         const memory::desc& bias, const Eltwise& fused, bool accumulate) {
#if DNNL_VERSION_MAJOR >= 3
    return {engine, src, weights, bias, dst, attributes(fused, accumulate)};
#else
    return {{src, weights, bias, dst}, attributes(fused, accumulate), engine};
#endif
}

void sgemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a, std::int64_t lda,
           bool trans_a, const float* b, std::int64_t ldb, bool trans_b, float beta, float* c,
           std::int64_t ldc) {
    const auto letter = [](bool transposed) { return transposed ? 'T' : 'N'; };
    if (dnnl::sgemm(letter(trans_a), letter(trans_b), m, n, k, alpha, a, lda, b, ldb, beta, c, ldc) !=
        dnnl::status::success) {
        throw BackendError(fmt::format("matrix product of {} × {} × {}: oneDNN refused it", m, k, n));
    }
}

dnnl::eltwise_forward::primitive_desc make_eltwise(const dnnl::engine& engine, const memory::desc& data,
                                                   const Eltwise& f) {
#if DNNL_VERSION_MAJOR >= 3
    return {engine, training, f.algorithm, data, data, f.alpha, 0.0F};
#else
    return {{training, f.algorithm, data, f.alpha, 0.0F}, engine};
#endif
}

dnnl::eltwise_backward::primitive_desc make_eltwise_backward(
    const dnnl::engine& engine, const memory::desc& data, const Eltwise& f,
    const dnnl::eltwise_forward::primitive_desc& forward) {
#if DNNL_VERSION_MAJOR >= 3
    return {engine, f.algorithm, data, data, data, f.alpha, 0.0F, forward};
#else
    return {{f.algorithm, data, data, f.alpha, 0.0F}, engine, forward};
#endif
}

}  // namespace stackae::linalg
