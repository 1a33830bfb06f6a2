/* Preloaded into a program, lets one of its calls that change files fail, or ends the program there. Calls are counted
 * that concern FAULTS_FOLDER: opening a file to write it, writing, syncing, sizing, naming and removing.
 *   FAULTS_AT=N      which of them, from 1; 0: none
 *   FAULTS_DO=WHAT   before, after: SIGKILL before or after it; a number: errno with which it fails
 *   FAULTS_STAY=1    every later one fails too, as on a disk that stays full
 *   FAULTS_COUNT=F   at its end the program writes to F how many there were
 * Where an errno is asked for, removing is neither counted nor failed: a disk that is full lets files go. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static atomic_int calls;

static const char* setting(const char* name) {
    const char* value = getenv(name);
    return value ? value : "";
}

static int concerns_path(const char* path) {
    const char* folder = setting("FAULTS_FOLDER");
    return path && *folder && strncmp(path, folder, strlen(folder)) == 0;
}

static int concerns_file(int file) {
    char link[64];
    char path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) {
        return 0;
    }
    path[length] = 0;
    return concerns_path(path);
}

static int chosen(int* number) {
    const int at = atoi(setting("FAULTS_AT"));
    *number = atomic_fetch_add(&calls, 1) + 1;
    return at > 0 && (*number == at || (*number > at && atoi(setting("FAULTS_STAY"))));
}

/* Before a call: 1 where it is to fail, with errno set. */
static int before(int concerned, int removes, int* hit) {
    *hit = 0;
    const int error = atoi(setting("FAULTS_DO"));
    if (!concerned || (removes && error)) {
        return 0;
    }
    int number = 0;
    *hit = chosen(&number);
    if (*hit && strcmp(setting("FAULTS_DO"), "before") == 0) {
        raise(SIGKILL);
    }
    if (*hit && error) {
        errno = error;
        return 1;
    }
    return 0;
}

static void after(int hit) {
    if (hit && strcmp(setting("FAULTS_DO"), "after") == 0) {
        raise(SIGKILL);
    }
}

__attribute__((destructor)) static void tell(void) {
    const char* path = setting("FAULTS_COUNT");
    FILE* file = *path ? fopen(path, "w") : NULL;
    if (file) {
        fprintf(file, "%d\n", atomic_load(&calls));
        fclose(file);
    }
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define GUARDED(type, name, declared, given, concerned, removes) \
    type name declared {                                         \
        int hit;                                                 \
        if (before(concerned, removes, &hit)) {                  \
            return -1;                                           \
        }                                                        \
        const type result = REAL(name) given;                    \
        after(hit);                                              \
        return result;                                           \
    }

GUARDED(ssize_t, write, (int f, const void* b, size_t n), (f, b, n), concerns_file(f), 0)
GUARDED(ssize_t, writev, (int f, const struct iovec* v, int n), (f, v, n), concerns_file(f), 0)
GUARDED(ssize_t, pwrite, (int f, const void* b, size_t n, off_t o), (f, b, n, o), concerns_file(f), 0)
GUARDED(ssize_t, pwrite64, (int f, const void* b, size_t n, off64_t o), (f, b, n, o), concerns_file(f), 0)
GUARDED(int, fsync, (int f), (f), concerns_file(f), 0)
GUARDED(int, fdatasync, (int f), (f), concerns_file(f), 0)
GUARDED(int, ftruncate, (int f, off_t n), (f, n), concerns_file(f), 0)
GUARDED(int, ftruncate64, (int f, off64_t n), (f, n), concerns_file(f), 0)
GUARDED(int, rename, (const char* a, const char* b), (a, b), concerns_path(b), 0)
GUARDED(int, renameat, (int d, const char* a, int e, const char* b), (d, a, e, b),
        concerns_path(b) || concerns_file(e), 0)
GUARDED(int, renameat2, (int d, const char* a, int e, const char* b, unsigned f), (d, a, e, b, f),
        concerns_path(b) || concerns_file(e), 0)
GUARDED(int, link, (const char* a, const char* b), (a, b), concerns_path(b), 0)
GUARDED(int, linkat, (int d, const char* a, int e, const char* b, int f), (d, a, e, b, f),
        concerns_path(b) || concerns_file(e), 0)
GUARDED(int, mkdir, (const char* p, mode_t m), (p, m), concerns_path(p), 0)
GUARDED(int, unlink, (const char* p), (p), concerns_path(p), 1)
GUARDED(int, unlinkat, (int d, const char* p, int f), (d, p, f), concerns_path(p) || concerns_file(d), 1)

#define WRITES(flags) (((flags) & (O_WRONLY | O_RDWR)) != 0)
#define GUARDED_OPEN(name)                                             \
    int name(const char* path, int flags, ...) {                       \
        va_list more;                                                  \
        va_start(more, flags);                                         \
        const mode_t mode = (mode_t)va_arg(more, int);                 \
        va_end(more);                                                  \
        int hit;                                                       \
        if (before(WRITES(flags) && concerns_path(path), 0, &hit)) {   \
            return -1;                                                 \
        }                                                              \
        const int result = REAL(name)(path, flags, mode);              \
        after(hit);                                                    \
        return result;                                                 \
    }
GUARDED_OPEN(open)
GUARDED_OPEN(open64)

#define GUARDED_OPENAT(name)                                                                         \
    int name(int folder, const char* path, int flags, ...) {                                         \
        va_list more;                                                                                \
        va_start(more, flags);                                                                       \
        const mode_t mode = (mode_t)va_arg(more, int);                                               \
        va_end(more);                                                                                \
        int hit;                                                                                     \
        if (before(WRITES(flags) && (concerns_path(path) || concerns_file(folder)), 0, &hit)) {      \
            return -1;                                                                               \
        }                                                                                            \
        const int result = REAL(name)(folder, path, flags, mode);                                    \
        after(hit);                                                                                  \
        return result;                                                                               \
    }
GUARDED_OPENAT(openat)
GUARDED_OPENAT(openat64)
