#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/atomic_file.hpp"

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

/// A file that a command reads or writes, and what to call it: "the model", "--manifest".
struct NamedPath {
    std::string what;
    std::string path;  ///< empty: not named, and passed over
};

/// True for two names of one file, also where it does not exist yet.
[[nodiscard]] bool same_file(const std::string& a, const std::string& b);
/// Throws UsageError when a file that would be written is one that is read, or is written twice. Devices and
/// pipes may be written by all.
void check_outputs(const std::vector<NamedPath>& read, const std::vector<NamedPath>& written);
/// Throws UsageError when a file is there already that is no file of stackae of this kind ("model" or
/// "gallery"). An empty one may be replaced.
void check_replaces_only(const std::string& path, const std::string& kind);
/// Throws UsageError when a drawing's name does not end in .png.
void check_png_name(const std::string& path);
/// Throws IoError when a file could not be written at this path, before hours are spent on its content.
void check_writable(const std::string& path);

}  // namespace stackae::cli
