#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/inputs.hpp"
#include "stackae/output_files.hpp"

#include "cli/console.hpp"
#include "cli/interrupt.hpp"

namespace stackae::cli {

/// Where results go, stdout or a file, and the files that belong to them: all appear whole with finish().
class ResultWriter {
public:
    /// path: empty or "-" for stdout.
    explicit ResultWriter(const std::string& path = {});

    /// Throws IoError when what goes to stdout is lost, as on a full disk or where nobody reads on.
    void write(std::string_view text);
    /// For a drawing or a manifest that is to be replaced together with the results.
    [[nodiscard]] OutputFiles& files() { return files_; }
    /// Flushes stdout, then gives all files their names. Throws IoError when not everything could be written;
    /// then no file is replaced.
    void finish();

private:
    OutputFiles files_{stop_waiting};
    std::optional<OutputFile> file_;  ///< in files_; none: stdout
};

/// Flushes stdout. Throws IoError when anything written to it was lost, as on a full disk.
void finish_stdout();

/// Completes what a killed run left half replaced in the folders of these paths, and says so. A folder that
/// cannot be written is only warned of.
void recover_outputs(Console& console, const std::vector<std::string>& paths);

/// A file that a command reads or writes, and what to call it: "the model", "--manifest".
struct NamedPath {
    std::string what;
    std::string path;  ///< empty: not named, and passed over
};

/// True for a device or a pipe: it is written straight, so that nothing is replaced.
[[nodiscard]] bool is_stream(const std::string& path);
/// Throws UsageError when a file that would be written is one that is read, or is written twice. Devices and
/// pipes may be written by all.
void check_outputs(const std::vector<NamedPath>& read, const std::vector<NamedPath>& written);
/// Appends the pictures of a collection that one of `written` would replace.
void add_replaced(const ImageDataset& pictures, const std::vector<NamedPath>& written,
                  std::vector<NamedPath>& read);
/// The same of a command that reads inputs, none of whose pictures may be replaced, and `more`.
void check_outputs(const Inputs& inputs, const std::vector<NamedPath>& more,
                   const std::vector<NamedPath>& written);
/// Throws UsageError when a file is there already that is no file of stackae of this kind ("model" or
/// "gallery"). An empty one may be replaced.
void check_replaces_only(const std::string& path, const std::string& kind);
/// Throws UsageError when a drawing's name does not end in .png.
void check_png_name(const std::string& path);
/// Throws IoError when a file could not be written at this path, before hours are spent on its content.
void check_writable(const std::string& path);

}  // namespace stackae::cli
