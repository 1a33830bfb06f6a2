#include "linalg/gemm.hpp"

#include <algorithm>
#include <fmt/format.h>

#include "stackae/error.hpp"

namespace stackae::linalg {

using dnnl::memory;

namespace {

GemmOptions of_weights(GemmOptions options, const float* bias) {
    options.trans_b = options.packed_b = true;
    options.bf16 = options.bf16 && has_bfloat16();
    options.bias = bias != nullptr;
    return options;
}

}  // namespace

template <class Body>
void Gemm::guarded(const Body& body) const {
    try {
        body();
    } catch (const dnnl::error& error) {
        throw BackendError(
            fmt::format("matrix product of {} × {} × {}: oneDNN: {}", m_, k_, n_, error.what()));
    }
}

Gemm::Gemm(Context& context, std::int64_t m, std::int64_t n, std::int64_t k, const GemmOptions& options,
           const PackedLayout& layout)
    : context_(&context), m_(m), n_(n), k_(k) {
    if (m < 1 || n < 1 || k < 1) {
        throw InvalidArgument(
            fmt::format("matrix product: extents of at least 1 expected, found m={} n={} k={}", m, n, k));
    }
    const dnnl::engine& engine = context.engine();
    guarded([&] {
        const auto type = options.bf16 ? memory::data_type::bf16 : memory::data_type::f32;
        const auto plain = matrix(k, n, options.trans_b, type);
        const auto packed =
            layout == PackedLayout() ? memory::desc({k, n}, type, memory::format_tag::any) : layout;
        const auto bias = options.bias ? matrix(1, n) : memory::desc();
        const auto made =
            make_matmul(engine, matrix(m, k, options.trans_a, type), options.packed_b ? packed : plain,
                        matrix(m, n), bias, options.relu ? eltwise_relu : Eltwise(), options.accumulate);
        matmul_ = dnnl::matmul(made);
        a_ = memory(made.src_desc(), engine, nullptr);
        b_ = memory(made.weights_desc(), engine, nullptr);
        c_ = memory(made.dst_desc(), engine, nullptr);
        // The map holds the same memory objects, whose handles run() exchanges.
        arguments_ = {{DNNL_ARG_SRC, a_}, {DNNL_ARG_WEIGHTS, b_}, {DNNL_ARG_DST, c_}};
        if (options.bias) {
            bias_ = memory(bias, engine, nullptr);
            arguments_.emplace(DNNL_ARG_BIAS, bias_);
        }
        if (options.packed_b) {
            plain_b_ = memory(plain, engine, nullptr);
            packing_ = dnnl::reorder(memory(matrix(k, n, false, type), engine, nullptr), b_);
        }
    });
}

Gemm::Gemm(Context& context, std::int64_t m, std::int64_t n, std::int64_t k, const float* weights,
           const float* bias, GemmOptions options)
    : Gemm(context, m, n, k, of_weights(options, bias)) {
    guarded([&] {
        b_ = memory(b_.get_desc(), context.engine());
        arguments_.insert_or_assign(DNNL_ARG_WEIGHTS, b_);
        if (bias != nullptr) {
            bias_ = memory(bias_.get_desc(), context.engine());
            arguments_.insert_or_assign(DNNL_ARG_BIAS, bias_);
            std::copy_n(bias, n, static_cast<float*>(bias_.get_data_handle()));
        }
    });
    if (options.bf16) {
        rounded_a_.emplace(m * k);
        RoundedFactor rounded(n * k);
        point_to(plain_b_, rounded.round(weights));
        pack();
    } else {
        point_to(plain_b_, weights);
        pack();
    }
}

void Gemm::pack(const void* b, void* packed) {
    point_to(plain_b_, b);
    b_.set_data_handle(packed);
    pack();
}

void Gemm::pack() {
    guarded([this] {
        const auto floats = static_cast<std::size_t>(k_ * n_) * sizeof(float);
        const auto type =
            plain_b_.get_desc().get_size() == floats ? memory::data_type::f32 : memory::data_type::bf16;
        const memory::desc straight = matrix(k_, n_, false, type);
        memory from = plain_b_;
        if (from.get_desc() != straight) {
            // oneDNN 3.7 packs a transposed matrix wrongly with AVX-512 where its sides are no whole blocks.
            from = memory(straight, context_->engine());
            dnnl::reorder(plain_b_, from).execute(context_->stream(), plain_b_, from);
        }
        packing_.execute(context_->stream(), from, b_);
        context_->stream().wait();
    });
}

void Gemm::run(const void* a, const void* b, float* c, const float* bias) {
    point_to(a_, a);
    point_to(b_, b);
    c_.set_data_handle(c);
    if (bias != nullptr) {
        point_to(bias_, bias);
    }
    execute();
}

void Gemm::run(const float* a, float* c) {
    point_to(a_, rounded_a_ ? rounded_a_->round(a) : a);
    c_.set_data_handle(c);
    execute();
}

void Gemm::execute() {
    guarded([this] {
        matmul_.execute(context_->stream(), arguments_);
        context_->stream().wait();
    });
}

}  // namespace stackae::linalg
