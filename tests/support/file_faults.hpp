#pragma once

#include <limits>

namespace stackae::test {

/// What becomes of the calls that change files (open to create, write, pwrite, fsync, linkat, rename,
/// renameat2, unlink) while a FileFaults lives: the test program has them itself (file_faults.cpp) and hands
/// them on to the system, but for fsync, which costs time and shows nothing here. One at a time; of one
/// thread.
struct FileFaultOptions {
    static constexpr long never = std::numeric_limits<long>::max();

    bool nameless = true;      ///< false: a file system that has neither O_TMPFILE nor RENAME_EXCHANGE
    long call = never;         ///< the one, counted from 0, that goes wrong
    int error = 0;             ///< what it fails with; 0: SIGKILL instead
    bool taken = false;        ///< folders have the names that linkat is to give
    long max_written = never;  ///< bytes that one write takes at most
    bool after = false;        ///< SIGKILL comes when the call is done
};

class FileFaults {
public:
    explicit FileFaults(const FileFaultOptions& options);
    FileFaults(const FileFaults&) = delete;
    FileFaults& operator=(const FileFaults&) = delete;
    ~FileFaults();

    /// Whether the call came.
    [[nodiscard]] bool reached() const;
};

}  // namespace stackae::test
