#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace stackae::base {

/// A running XXH3 checksum, 64 bits. Numbers are taken as little-endian, texts with their length before
/// them, so that neighbours cannot be mistaken for one another.
class Hash {
public:
    Hash();
    Hash(const Hash&) = delete;
    Hash& operator=(const Hash&) = delete;
    ~Hash();

    void add(std::span<const std::byte> bytes);
    void add(std::span<const float> values) { add(std::as_bytes(values)); }
    void add(std::span<const std::int64_t> values);
    void add(std::int64_t value);
    void add(std::string_view text);

    /// 16 lower-case hexadecimal digits of all that was added.
    [[nodiscard]] std::string hex() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stackae::base
