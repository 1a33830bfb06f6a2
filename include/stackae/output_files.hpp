#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace stackae {

namespace base {
class AtomicFile;
}

/// One of OutputFiles, which it must not outlive.
class OutputFile {
public:
    /// Appends; buffered. Throws IoError (disk full) with the path.
    void write(std::string_view text);
    /// Gives it its name by itself, before the others. Throws IoError; then the old file is as it was.
    void commit();

    /// The implementation, in src/base.
    [[nodiscard]] base::AtomicFile& file() const { return *file_; }

private:
    friend class OutputFiles;
    explicit OutputFile(base::AtomicFile& file) : file_(&file) {}
    base::AtomicFile* file_;
};

/// Files that belong together (a table and its names, an output and its manifest) and are replaced together,
/// each as a whole: what is written gathers in files without a name (hidden ones where the file system needs
/// names), and commit() gives all their names. After whatever ends the process, all are old or all are new
/// once the next run has called recover_outputs(), as every OutputFiles does for its folders. Of two runs
/// that replace the same files one waits for the other: never a mix. A path that is no regular file
/// (/dev/null, a pipe) is written straight.
class OutputFiles {
public:
    /// waiting: called again and again while another process replaces files in the same folders, with the
    /// seconds waited so far; what it throws ends the waiting.
    explicit OutputFiles(std::function<void(double seconds)> waiting = {});
    OutputFiles(OutputFiles&&) noexcept;
    OutputFiles& operator=(OutputFiles&&) noexcept;
    /// What was not committed leaves nothing behind.
    ~OutputFiles();

    /// Files get their names in the order in which they were added. Throws IoError when the folder does not
    /// exist or cannot be written.
    OutputFile add(const std::string& path);
    /// Brings every file that was not committed by itself to the disk and gives it its name. Throws IoError;
    /// then all old files are as they were, or, where their names cannot be given back (says so), the next
    /// recover_outputs() goes on.
    void commit();

private:
    std::function<void(double seconds)> waiting_;
    std::vector<std::unique_ptr<base::AtomicFile>> files_;
};

/// Completes or takes back the replacement of files that a killed run left in a folder, and removes what it
/// left behind; waits for one that is going on. A file that somebody has written since the run was killed
/// stays: where it had been replaced before, the others are completed, else they get their old content back.
/// Returns the paths of files that got their new content. Costs two failing lstat(2) where there is nothing
/// to do. Throws IoError, also when the folder cannot be written or a file cannot get its name; then all is
/// kept, and the next call tries again. waiting: as that of OutputFiles.
std::vector<std::string> recover_outputs(const std::string& folder,
                                         const std::function<void(double seconds)>& waiting = {});

}  // namespace stackae
