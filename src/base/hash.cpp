#include "base/hash.hpp"

#include <bit>
#include <fmt/format.h>
#include <new>
#include <xxhash.h>

namespace stackae::base {

static_assert(std::endian::native == std::endian::little, "files and checksums are little-endian");

struct Hash::State {
    struct Free {
        void operator()(XXH3_state_t* state) const noexcept { XXH3_freeState(state); }
    };
    std::unique_ptr<XXH3_state_t, Free> xxh{XXH3_createState()};
};

Hash::Hash() : state_(std::make_unique<State>()) {
    if (state_->xxh == nullptr || XXH3_64bits_reset(state_->xxh.get()) != XXH_OK) {
        throw std::bad_alloc();
    }
}

Hash::~Hash() = default;

void Hash::add(std::span<const std::byte> bytes) {
    if (!bytes.empty()) {
        XXH3_64bits_update(state_->xxh.get(), bytes.data(), bytes.size());
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

std::string Hash::hex() const {
    return fmt::format("{:016x}", XXH3_64bits_digest(state_->xxh.get()));
}

}  // namespace stackae::base
