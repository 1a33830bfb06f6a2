#include "linalg/bfloat16.hpp"

#include <dnnl.hpp>

#include "base/vectorized.hpp"

namespace stackae::linalg {
namespace {

STACKAE_VECTORIZED
void round_to_halves(const float* from, std::int64_t count, std::uint16_t* to) {
    for (std::int64_t i = 0; i < count; ++i) {
        to[i] = to_bfloat16(from[i]);
    }
}

STACKAE_VECTORIZED
void round_floats(const float* from, std::int64_t count, float* to) {
    for (std::int64_t i = 0; i < count; ++i) {
        to[i] = from_bfloat16(to_bfloat16(from[i]));
    }
}

}  // namespace

bool has_bfloat16() {
    constexpr auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);  // a set of bits
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & needed) == needed;
}

RoundedFactor::RoundedFactor(std::int64_t size)
    : size_(size),
      halves_(has_bfloat16() ? static_cast<std::size_t>(size) : 0),
      floats_(has_bfloat16() ? 0 : static_cast<std::size_t>(size)) {}

const void* RoundedFactor::round(const float* values) {
    if (halves_.empty()) {
        round_floats(values, size_, floats_.data());
        return floats_.data();
    }
    round_to_halves(values, size_, halves_.data());
    return halves_.data();
}

}  // namespace stackae::linalg
