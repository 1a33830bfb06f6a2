#pragma once

#include <cstddef>
#include <iosfwd>
#include <span>
#include <string_view>

#include "base/atomic_file.hpp"

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
};

/// A file that takes its name when its set is committed.
class FileOutput final : public Output {
public:
    explicit FileOutput(base::AtomicFile& file) : file_(file) {}
    void write(std::string_view text) override { file_.write(text); }
    void write(std::span<const std::byte> bytes) { file_.write(bytes); }
    /// Replaces the file's beginning.
    void patch(std::string_view text) { file_.patch(0, std::as_bytes(std::span(text))); }
    void sync() override { file_.sync(); }

private:
    base::AtomicFile& file_;
};

/// A stream of the caller's.
class StreamOutput final : public Output {
public:
    explicit StreamOutput(std::ostream& stream) : stream_(stream) {}
    void write(std::string_view text) override;
    void sync() override;

private:
    void check() const;

    std::ostream& stream_;
};

}  // namespace stackae::features
