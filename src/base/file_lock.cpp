#include "base/file_lock.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <thread>

#include "stackae/error.hpp"

namespace stackae::base {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds look_again{5};
constexpr double longest_replacement = 60.0;  ///< seconds; folders are synced meanwhile
constexpr std::time_t fresh = 10;             ///< seconds

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Network file systems lock for writing only what may be written. Negative, with errno, where it cannot be
/// opened.
int open_to_lock(const std::string& path, int flags) {
    const int both = O_CLOEXEC | O_NONBLOCK | flags;
    const int writable = ::open(path.c_str(), O_RDWR | both);
    if (writable >= 0 || (errno != EACCES && errno != EROFS && errno != EPERM)) {
        return writable;
    }
    return ::open(path.c_str(), O_RDONLY | both);
}

bool changed_lately(int descriptor) {
    struct stat status {};
    // Its name is younger than its content where a nameless file got one, and the former is in ctime.
    return ::fstat(descriptor, &status) == 0 &&
           std::time(nullptr) - std::max(status.st_mtime, status.st_ctime) < fresh;
}

}  // namespace

LockState try_lock(int descriptor) {
    for (;;) {
        if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) {
            return LockState::locked;
        }
        if (errno == EWOULDBLOCK) {
            return LockState::busy;
        }
        if (errno != EINTR) {
            return LockState::unsupported;
        }
    }
}

bool still_named(int descriptor, const std::string& path) {
    struct stat open {};
    struct stat named {};
    return ::fstat(descriptor, &open) == 0 && ::lstat(path.c_str(), &named) == 0 &&
           open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

std::optional<Descriptor> take_over(const std::string& path, const std::function<bool()>& wanted,
                                    const Waiting& waiting) {
    for (;;) {
        Descriptor file(open_to_lock(path, O_NOFOLLOW));
        if (file.get() < 0) {
            if (errno == ENOENT) {
                return std::nullopt;
            }
            fail("open", path, errno);
        }
        const Clock::time_point start = Clock::now();
        do {
            if (wanted && !wanted()) {
                return std::nullopt;
            }
            const LockState state = try_lock(file.get());
            const bool free = state == LockState::locked ||
                              (state == LockState::unsupported && !changed_lately(file.get()));
            if (free && still_named(file.get(), path)) {
                return file;
            }
            if (seconds_since(start) > longest_replacement) {
                throw IoError(
                    fmt::format("{}: held by another run for {} seconds", path, longest_replacement));
            }
            if (!free) {
                if (waiting) {
                    waiting(seconds_since(start));
                }
                std::this_thread::sleep_for(look_again);
            }
        } while (still_named(file.get(), path));
    }
}

FileLock::FileLock(const std::string& path, const Waiting& waiting) {
    const Clock::time_point start = Clock::now();
    for (;;) {
        struct stat named {};
        if (::stat(path.c_str(), &named) != 0 || !S_ISREG(named.st_mode)) {
            return;
        }
        file_ = Descriptor(open_to_lock(path, 0));
        if (file_.get() < 0) {
            if (errno == ENOENT) {
                return;
            }
            fail("open", path, errno);
        }
        const LockState state = try_lock(file_.get());
        if (state == LockState::unsupported) {
            return;
        }
        struct stat open {};
        const bool same = ::stat(path.c_str(), &named) == 0 && ::fstat(file_.get(), &open) == 0 &&
                          open.st_dev == named.st_dev && open.st_ino == named.st_ino;
        if (state == LockState::locked && same) {
            held_ = true;
            return;
        }
        file_ = Descriptor();  // it was replaced while it was waited for, or is held
        if (state == LockState::busy) {
            if (waiting) {
                waiting(seconds_since(start));
            }
            std::this_thread::sleep_for(look_again);
        }
    }
}

}  // namespace stackae::base
