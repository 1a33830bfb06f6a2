#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/file_io.hpp"

namespace stackae::base {

enum class LockState { locked, busy, unsupported };

/// Asks for an exclusive flock(2) without waiting; `unsupported` where the file system has none.
[[nodiscard]] LockState try_lock(int descriptor);
/// True when the file that is open still has this name.
[[nodiscard]] bool still_named(int descriptor, const std::string& path);
/// Called again and again while another holds a lock, with the seconds waited so far; what it throws ends the
/// waiting.
using Waiting = std::function<void(double seconds)>;

/// Opens what has this name and locks it, waiting while another process holds it, up to a minute for each
/// file that has the name in turn; nothing where no file has the name (any more), or once it is not `wanted`,
/// which is asked before each look. Where files cannot be locked, one that was changed within the last ten
/// seconds is taken for one that is held. Throws IoError with the system's reason, or when the minute is
/// over, and what `waiting` throws.
[[nodiscard]] std::optional<Descriptor> take_over(const std::string& path,
                                                  const std::function<bool()>& wanted = {},
                                                  const Waiting& waiting = {});

/// An exclusive lock on the file that has a name, held from before it is read until after AtomicFile replaced
/// it: whoever waits then gets the lock of the new file. It covers one replacement, since the lock stays with
/// the old file. Between processes, and between two FileLock of one process. It is advisory: only those wait
/// who ask for it, so reading alone needs none.
class FileLock {
public:
    /// Nothing is held where the path names no regular file: a file that is not there yet has no reader to
    /// guard. Throws IoError when the file cannot be opened, and what `waiting` throws.
    explicit FileLock(const std::string& path, const Waiting& waiting = {});

    /// False where the file system has no locks, too.
    [[nodiscard]] bool held() const { return held_; }
    /// True where there is a file, and its file system has no locks.
    [[nodiscard]] bool unsupported() const { return file_.get() >= 0 && !held_; }

private:
    Descriptor file_;
    bool held_ = false;
};

}  // namespace stackae::base
