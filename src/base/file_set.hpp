#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/atomic_file.hpp"
#include "base/file_lock.hpp"

namespace stackae::base {

/// Files that belong together (a table and its names, an output and its manifest) and are replaced together:
/// after whatever ends the process, all are old or all are new once the next run has called recover(), as
/// every AtomicFile does. commit() syncs all, then puts a record into each folder (hidden, synced; it lists
/// the temporary and the final name, size and checksum of each file), gives the temporaries their names, and
/// exchanges old and new. From the last temporary's name on, recover() completes what was begun; before, it
/// takes it back. The record is locked, so that of two runs that replace the same files one waits for the
/// other: never a mix.
class FileSet {
public:
    /// `waiting` is called while another run replaces files in the same folders; what it throws ends the
    /// waiting.
    explicit FileSet(Waiting waiting = {}) : waiting_(std::move(waiting)) {}
    /// As AtomicFile. Files are renamed in the order in which they were added. The reference stays valid.
    AtomicFile& add(const std::string& path);
    /// Every file that was not committed by itself. Throws IoError; then all old files are as they were, or,
    /// where their names cannot be given back (says so), the next recover() goes on.
    void commit();

private:
    Waiting waiting_;
    std::vector<std::unique_ptr<AtomicFile>> files_;
};

/// Completes or takes back the replacement of files that a killed run left in a folder, and removes what it
/// left behind; waits for one that is going on. A file that somebody has written since the run was killed
/// stays: where it had been replaced before, the others are completed, else they get their old content back.
/// Returns the paths of files that got their new content. Costs two failing lstat(2) where there is nothing
/// to do. Throws IoError, also when the folder cannot be written or a file cannot get its name; then all is
/// kept, and the next call tries again. Throws what `waiting` throws.
std::vector<std::string> recover(const std::string& folder, const Waiting& waiting = {});

}  // namespace stackae::base
