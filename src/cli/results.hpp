#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/file_io.hpp"

namespace stackae::cli {

/// Where results go: stdout, or a file that appears whole with finish().
class Results {
public:
    /// path: empty or "-" for stdout.
    explicit Results(const std::string& path = {});

    void write(std::string_view text);
    /// Throws IoError when not everything could be written.
    void finish();

private:
    std::unique_ptr<core::AtomicFile> file_;
};

/// Flushes stdout. Throws IoError when anything written to it was lost, as on a full disk.
void finish_stdout();

/// Throws IoError when a file could not be written at this path, before hours are spent on its content.
void check_writable(const std::string& path);

}  // namespace stackae::cli
