#pragma once

#include <cstdint>
#include <dnnl.hpp>
#include <string>

#include "stackae/error.hpp"

#include "base/parallel.hpp"
#include "base/threads.hpp"

/// The only place where oneDNN's versions 2 and 3 differ for us: how primitive descriptors are made.
namespace stackae::linalg {

/// Engine, stream and number of threads; one per user, not shared between threads.
class Context {
public:
    /// threads 0: one a core. What the calling thread's primitives run on is for a base::ThreadScope to say.
    explicit Context(int threads = 0);

    [[nodiscard]] const dnnl::engine& engine() const { return engine_; }
    [[nodiscard]] dnnl::stream& stream() { return stream_; }
    [[nodiscard]] int threads() const { return threads_; }

private:
    int threads_;
    dnnl::engine engine_;
    dnnl::stream stream_;
};

/// Runs body on `threads` threads (0: one a core); what oneDNN throws becomes a BackendError that names the
/// operation.
template <class Body>
auto run_on_backend(const char* operation, int threads, const Body& body) {
    const base::ThreadScope scope(base::resolve_threads(threads));
    try {
        return body();
    } catch (const dnnl::error& error) {
        throw BackendError(std::string(operation) + ": oneDNN: " + error.what());
    }
}

/// A row-major or, transposed, column-major matrix of rows × columns.
[[nodiscard]] dnnl::memory::desc matrix(std::int64_t rows, std::int64_t columns, bool transposed = false,
                                        dnnl::memory::data_type type = dnnl::memory::data_type::f32);

/// oneDNN takes pointers to mutable data for sources too; it does not write there.
inline void point_to(dnnl::memory& source, const void* data) {
    source.set_data_handle(const_cast<void*>(data));
}

/// A function f of each value, as oneDNN has it. Made of nothing it is the identity.
struct Eltwise {
    dnnl::algorithm algorithm = dnnl::algorithm::undef;
    float alpha = 0.0F;

    [[nodiscard]] bool is_identity() const { return algorithm == dnnl::algorithm::undef; }
};
inline constexpr Eltwise eltwise_relu{dnnl::algorithm::eltwise_relu_use_dst_for_bwd};
/// log(1 + exp(x)), stable for any x.
inline constexpr Eltwise eltwise_softplus{dnnl::algorithm::eltwise_soft_relu, 1.0F};
inline constexpr Eltwise eltwise_exp{dnnl::algorithm::eltwise_exp};

/// dst = f(src · weights + bias), or with `accumulate` f(dst + src · weights + bias), by shapes alone: m × k,
/// k × n, 1 × n (or an empty descriptor), m × n.
[[nodiscard]] dnnl::matmul::primitive_desc make_matmul(const dnnl::engine& engine,
                                                       const dnnl::memory::desc& src,
                                                       const dnnl::memory::desc& weights,
                                                       const dnnl::memory::desc& dst,
                                                       const dnnl::memory::desc& bias = {},
                                                       const Eltwise& fused = {}, bool accumulate = false);

/// C = α A · B + β C, row-major, with rows that are lda, ldb and ldc values apart: A m × k, B k × n, or
/// stored transposed. On as many threads as OpenMP is set to; long sums are shared out among them.
void sgemm(std::int64_t m, std::int64_t n, std::int64_t k, float alpha, const float* a, std::int64_t lda,
           bool trans_a, const float* b, std::int64_t ldb, bool trans_b, float beta, float* c,
           std::int64_t ldc);

/// f by itself; not the identity.
[[nodiscard]] dnnl::eltwise_forward::primitive_desc make_eltwise(const dnnl::engine& engine,
                                                                 const dnnl::memory::desc& data,
                                                                 const Eltwise& f);

/// diff_src = f′ ⊙ diff_dst, from dst where the algorithm's name says so, else from src.
[[nodiscard]] dnnl::eltwise_backward::primitive_desc make_eltwise_backward(
    const dnnl::engine& engine, const dnnl::memory::desc& data, const Eltwise& f,
    const dnnl::eltwise_forward::primitive_desc& forward);

}  // namespace stackae::linalg
