#include "base/hash.hpp"

#include <bit>
#include <fmt/format.h>
#include <new>
#include <xxhash.h>

namespace stackae::base {

static_assert(std::endian::native == std::endian::little, "files and checksums are little-endian");

void Hash::Free::operator()(XXH3_state_s* state) const noexcept {
    XXH3_freeState(state);
}

Hash::Hash() : state_(XXH3_createState()) {
    if (state_ == nullptr || XXH3_64bits_reset(state_.get()) != XXH_OK) {
        throw std::bad_alloc();
    }
}

void Hash::add(std::span<const std::byte> bytes) {
    if (!bytes.empty()) {
        XXH3_64bits_update(state_.get(), bytes.data(), bytes.size());
    }
}

void Hash::add(std::span<const std::int64_t> values) {
    add(static_cast<std::int64_t>(values.size()));
    add(std::as_bytes(values));
}

void Hash::add(std::int64_t value) {
    add(std::as_bytes(std::span(&value, 1)));
}

void Hash::add(std::string_view text) {
    add(static_cast<std::int64_t>(text.size()));
    add(std::as_bytes(std::span(text)));
}

std::uint64_t Hash::value() const {
    return XXH3_64bits_digest(state_.get());
}

std::string Hash::hex() const {
    return fmt::format("{:016x}", value());
}

}  // namespace stackae::base
