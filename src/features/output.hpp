#pragma once

#include <cstddef>
#include <cstdint>
#include <iosfwd>
#include <span>
#include <string>
#include <string_view>

#include "core/atomic_file.hpp"

namespace stackae::features {

/// Where a table's text goes.
class Output {
public:
    Output() = default;
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    virtual ~Output() = default;

    /// Throws IoError.
    virtual void write(std::string_view text) = 0;
    /// Everything written has arrived, or IoError is thrown.
    virtual void sync() = 0;
    /// The result takes its name.
    virtual void commit() = 0;
};

/// A file that appears whole or not at all.
class FileOutput final : public Output {
public:
    explicit FileOutput(const std::string& path) : file_(path) {}
    void write(std::string_view text) override { file_.write(text); }
    void write(std::span<const std::byte> bytes) { file_.write(bytes); }
    void patch(std::uint64_t offset, std::string_view text) {
        file_.patch(offset, std::as_bytes(std::span(text)));
    }
    void sync() override { file_.sync(); }
    void commit() override { file_.commit(); }

private:
    core::AtomicFile file_;
};

/// A stream of the caller's.
class StreamOutput final : public Output {
public:
    explicit StreamOutput(std::ostream& stream) : stream_(stream) {}
    void write(std::string_view text) override;
    void sync() override;
    void commit() override {}

private:
    void check() const;

    std::ostream& stream_;
};

}  // namespace stackae::features
