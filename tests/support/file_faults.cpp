#include "support/file_faults.hpp"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdarg>
#include <cstddef>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace stackae::test {
namespace {

bool active = false;
FileFaultOptions faults;
long calls = 0;

/// One call that changes files: `system_call` makes it.
template <class Call>
long change(Call system_call) {
    const bool now = active && calls++ == faults.call;
    if (now && faults.error != 0) {
        errno = faults.error;
        return -1;
    }
    if (now && !faults.after) {
        ::kill(::getpid(), SIGKILL);
    }
    const long result = system_call();
    if (now) {
        ::kill(::getpid(), SIGKILL);
    }
    return result;
}

int open_file(const char* path, int flags, mode_t mode) {
    const auto open = [&] { return ::syscall(SYS_openat, AT_FDCWD, path, flags, mode); };
    const bool nameless = (flags & O_TMPFILE) == O_TMPFILE;
    if (active && nameless && !faults.nameless) {
        errno = EOPNOTSUPP;
        return -1;
    }
    return static_cast<int>(nameless || (flags & O_CREAT) != 0 ? change(open) : open());
}

std::size_t written_at_once(std::size_t size) {
    return active ? std::min(size, static_cast<std::size_t>(faults.max_written)) : size;
}

void take_name(const char* name) {
    if (active && faults.taken) {
        ::mkdir(name, 0777);
    }
}

bool refuses_exchange() {
    return active && !faults.nameless;
}

}  // namespace

FileFaults::FileFaults(const FileFaultOptions& options) {
    faults = options;
    calls = 0;
    active = true;
}

FileFaults::~FileFaults() {
    active = false;
}

bool FileFaults::reached() const {
    return calls > faults.call;
}

}  // namespace stackae::test

// The system's names, under others of our own, since its headers declare some of them inline.
extern "C" {
int test_open(const char* path, int flags, ...) __asm__("open");
int test_open64(const char* path, int flags, ...) __asm__("open64");
ssize_t test_write(int file, const void* bytes, size_t size) __asm__("write");
ssize_t test_pwrite(int file, const void* bytes, size_t size, off_t offset) __asm__("pwrite");
ssize_t test_pwrite64(int file, const void* bytes, size_t size, off_t offset) __asm__("pwrite64");
int test_fsync(int file) __asm__("fsync");
int test_linkat(int from, const char* path, int to, const char* name, int flags) __asm__("linkat");
int test_rename(const char* path, const char* name) __asm__("rename");
int test_renameat2(int from, const char* path, int to, const char* name, unsigned flags) __asm__("renameat2");
int test_unlink(const char* path) __asm__("unlink");

int test_open(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = va_arg(more, mode_t);  // garbage where there is none, which the system passes over
    va_end(more);
    return stackae::test::open_file(path, flags, mode);
}

int test_open64(const char* path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    const auto mode = va_arg(more, mode_t);
    va_end(more);
    return stackae::test::open_file(path, flags, mode);
}

ssize_t test_write(int file, const void* bytes, size_t size) {
    size = stackae::test::written_at_once(size);
    return stackae::test::change([&] { return ::syscall(SYS_write, file, bytes, size); });
}

ssize_t test_pwrite(int file, const void* bytes, size_t size, off_t offset) {
    return stackae::test::change([&] { return ::syscall(SYS_pwrite64, file, bytes, size, offset); });
}

ssize_t test_pwrite64(int file, const void* bytes, size_t size, off_t offset) {
    return test_pwrite(file, bytes, size, offset);
}

int test_fsync(int /*file*/) {
    return static_cast<int>(stackae::test::change([] { return 0L; }));  // no test cuts the power
}

int test_linkat(int from, const char* path, int to, const char* name, int flags) {
    stackae::test::take_name(name);
    return static_cast<int>(
        stackae::test::change([&] { return ::syscall(SYS_linkat, from, path, to, name, flags); }));
}

int test_rename(const char* path, const char* name) {
    return static_cast<int>(
        stackae::test::change([&] { return ::syscall(SYS_renameat2, AT_FDCWD, path, AT_FDCWD, name, 0); }));
}

int test_renameat2(int from, const char* path, int to, const char* name, unsigned flags) {
    if (stackae::test::refuses_exchange()) {
        errno = EINVAL;
        return -1;
    }
    return static_cast<int>(
        stackae::test::change([&] { return ::syscall(SYS_renameat2, from, path, to, name, flags); }));
}

int test_unlink(const char* path) {
    return static_cast<int>(
        stackae::test::change([&] { return ::syscall(SYS_unlinkat, AT_FDCWD, path, 0); }));
}
}
