#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

struct XXH3_state_s;  // of xxHash

namespace stackae::base {

/// A running XXH3 checksum, 64 bits. Numbers are taken as little-endian, texts with their length before
/// them, so that neighbours cannot be mistaken for one another.
class Hash {
public:
    Hash();

    void add(std::span<const std::byte> bytes);
    void add(std::span<const float> values) { add(std::as_bytes(values)); }
    void add(std::span<const std::int64_t> values);
    void add(std::int64_t value);
    void add(std::string_view text);

    /// Of all that was added.
    [[nodiscard]] std::uint64_t value() const;
    /// 16 lower-case hexadecimal digits of all that was added.
    [[nodiscard]] std::string hex() const;

private:
    struct Free {
        void operator()(XXH3_state_s* state) const noexcept;
    };
    std::unique_ptr<XXH3_state_s, Free> state_;
};

}  // namespace stackae::base
