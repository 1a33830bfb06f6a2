#include "linalg/matrix_product.hpp"

#include <fmt/format.h>

#include "stackae/error.hpp"

namespace stackae::linalg {
namespace {

void check_shape(std::int64_t m, std::int64_t n, std::int64_t k) {
    if (m < 1 || n < 1 || k < 1) {
        throw InvalidArgument(
            fmt::format("matrix product: extents of at least 1 expected, found m={} n={} k={}", m, n, k));
    }
}

}  // namespace

MatrixProduct::MatrixProduct(Context& context, ProductForm form, std::int64_t m, std::int64_t n,
                             std::int64_t k)
    : context_(&context) {
    check_shape(m, n, k);
    try {
        const auto a = matrix(m, k, form == ProductForm::transposed_a);
        const auto b = matrix(k, n, form == ProductForm::transposed_b);
        const auto c = matrix(m, n);
        primitive_ = dnnl::matmul(make_matmul(context.engine(), a, b, c));
        a_ = dnnl::memory(a, context.engine(), nullptr);
        b_ = dnnl::memory(b, context.engine(), nullptr);
        c_ = dnnl::memory(c, context.engine(), nullptr);
    } catch (const dnnl::error& error) {
        throw BackendError(fmt::format("matrix product of {} × {} × {}: oneDNN: {}", m, k, n, error.what()));
    }
    // The map holds the same memory objects, whose handles run() exchanges.
    arguments_ = {{DNNL_ARG_SRC, a_}, {DNNL_ARG_WEIGHTS, b_}, {DNNL_ARG_DST, c_}};
}

void MatrixProduct::run(const float* a, const float* b, float* c) {
    // oneDNN takes pointers to mutable data for sources too; it does not write there.
    a_.set_data_handle(const_cast<float*>(a));
    b_.set_data_handle(const_cast<float*>(b));
    c_.set_data_handle(c);
    try {
        primitive_.execute(context_->stream(), arguments_);
        context_->stream().wait();
    } catch (const dnnl::error& error) {
        throw BackendError(fmt::format("matrix product: oneDNN: {}", error.what()));
    }
}

}  // namespace stackae::linalg
