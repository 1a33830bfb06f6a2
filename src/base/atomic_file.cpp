#include "base/atomic_file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <random>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>
#include <utility>

#include "stackae/error.hpp"

#include "base/commit_record.hpp"
#include "base/file_lock.hpp"

namespace stackae::base {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t buffer_size = std::size_t{1} << 20U;

/// Where a link ends, also when nothing is there yet: through a link the file it names is replaced, not the
/// link.
std::string link_target(fs::path path) {
    std::error_code error;
    for (int links = 0; fs::is_symlink(path, error); ++links) {
        if (links == 40) {
            fail("write", path.string(), ELOOP);
        }
        const fs::path target = fs::read_symlink(path, error);
        if (error) {
            fail("read the link", path.string(), error.value());
        }
        path = path.parent_path() / target;
    }
    return path.string();
}

/// A device or a pipe. Opening a named pipe lasts until somebody reads from it: `waiting` is called
/// meanwhile.
Descriptor open_stream(const std::string& path, const Waiting& waiting) {
    constexpr std::chrono::milliseconds look_again{20};
    const auto start = std::chrono::steady_clock::now();
    for (;;) {
        Descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NONBLOCK));
        if (file.get() >= 0) {
            const int flags = ::fcntl(file.get(), F_GETFL);
            if (flags < 0 || ::fcntl(file.get(), F_SETFL, flags & ~O_NONBLOCK) != 0) {
                fail("open", path, errno);
            }
            return file;
        }
        if (errno != ENXIO && errno != EINTR) {
            fail("open", path, errno);
        }
        struct stat status {};
        if (::stat(path.c_str(), &status) != 0 || !S_ISFIFO(status.st_mode)) {
            fail("open", path, ENXIO);
        }
        if (waiting) {
            waiting(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        }
        std::this_thread::sleep_for(look_again);
    }
}

/// Removes the named temporaries whose makers live no longer, but for those of a set that was being replaced
/// when its run was killed after this one had called recover_outputs().
void clear_named_temporaries(const std::string& folder) {
    std::error_code error;
    for (fs::directory_iterator it(folder, error); !error && it != fs::directory_iterator();
         it.increment(error)) {
        if (!it->path().filename().string().starts_with(named_temporary)) {
            continue;
        }
        const std::string path = it->path().string();
        const Descriptor file(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
        if (file.get() >= 0 && try_lock(file.get()) == LockState::locked && still_named(file.get(), path) &&
            !read_record(folder).there) {
            ::unlink(path.c_str());
        }
    }
}

/// For file systems that have no files without names.
Descriptor create_named(const std::string& folder, const std::string& target, std::string& created) {
    std::random_device random;
    for (int attempt = 0; attempt < 100; ++attempt) {
        const std::string path = fmt::format("{}/{}{:08x}", folder, named_temporary, random());
        Descriptor file(::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
        if (file.get() < 0 && errno != EEXIST) {
            fail("write", target, errno);
        }
        // Another run may have found it before it was locked, and taken it for one that was left.
        if (file.get() >= 0 && try_lock(file.get()) != LockState::busy && still_named(file.get(), path)) {
            created = path;
            return file;
        }
    }
    fail("write", target, EEXIST);
}

}  // namespace

std::string hidden_path(const std::string& folder, std::string_view purpose) {
    struct stat status {};
    const bool sticky = ::stat(folder.c_str(), &status) == 0 && (status.st_mode & S_ISVTX) != 0;
    return fmt::format("{}/.stackae-{}{}", folder, purpose, sticky ? fmt::format("-{}", ::geteuid()) : "");
}

void sync_folders(const std::vector<std::string>& folders) {
    for (const std::string& folder : folders) {
        const Descriptor file(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (file.get() >= 0) {
            ::fsync(file.get());  // best effort: some file systems refuse to sync folders
        }
    }
}

void sync_content(int file, const std::string& path) {
    while (::fsync(file) != 0) {
        if (errno != EINTR) {
            fail("write", path, errno);
        }
    }
}

std::string file_checksum(InputFile& file) {
    std::vector<std::byte> chunk(buffer_size);
    std::vector<std::byte> head;
    Hash hash;
    while (const std::size_t got = file.read_some(chunk)) {
        const std::size_t to_head = std::min(got, AtomicFile::head_size - head.size());
        const auto bytes = std::span(chunk).first(got);
        head.insert(head.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(to_head));
        hash.add(bytes.subspan(to_head));
    }
    hash.add(std::span<const std::byte>(head));
    return hash.hex();
}

AtomicFile::AtomicFile(const std::string& path, Waiting waiting) : waiting_(std::move(waiting)), path_(path) {
    struct stat status {};
    const bool exists = ::stat(path.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) {
        fail("write", path, EISDIR);
    }
    straight_ = exists && !S_ISREG(status.st_mode);
    if (straight_) {
        file_ = open_stream(path, waiting_);
        return;
    }
    path_ = link_target(path);
    folder_ = fs::path(path_).parent_path().string();
    folder_ = folder_.empty() ? "." : folder_;
    recover_outputs(folder_, waiting_);
    buffer_.reserve(buffer_size);
    const bool can_be_linked = ::access("/proc/self/fd", X_OK) == 0;
    file_ = Descriptor(can_be_linked ? ::open(folder_.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0666) : -1);
    if (file_.get() >= 0) {
        static_cast<void>(try_lock(file_.get()));  // so that others see, once it has a name, who made it
    } else if (!can_be_linked || errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL) {
        clear_named_temporaries(folder_);
        file_ = create_named(folder_, path_, temporary_);
    } else {
        fail("write", path_, errno);
    }
    if (exists) {
        ::fchmod(file_.get(), status.st_mode & 0777U);
    }
}

AtomicFile::~AtomicFile() {
    if (!temporary_.empty()) {
        ::unlink(temporary_.c_str());
    }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    const std::size_t to_head = std::min(bytes.size(), head_size - head_.size());
    head_.insert(head_.end(), bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(to_head));
    tail_.add(bytes.subspan(to_head));
    size_ += bytes.size();
    if (buffer_.size() + bytes.size() > buffer_size) {
        flush();
        if (bytes.size() >= buffer_size) {
            write_all(file_.get(), bytes, path_);
            return;
        }
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void AtomicFile::write(std::string_view text) {
    write(std::as_bytes(std::span(text)));
}

void AtomicFile::patch(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (offset > head_.size() || bytes.size() > head_.size() - offset) {
        throw InvalidArgument(fmt::format("{}: bytes {} to {} to be replaced, at most the first {} expected",
                                          path_, offset, offset + bytes.size(), head_.size()));
    }
    flush();
    std::copy(bytes.begin(), bytes.end(), head_.begin() + static_cast<std::ptrdiff_t>(offset));
    if (write_at(file_.get(), offset, bytes) < bytes.size()) {
        fail("write", path_, errno != 0 ? errno : ENOSPC);
    }
}

void AtomicFile::flush() {
    write_all(file_.get(), buffer_, path_);
    buffer_.clear();
}

std::string AtomicFile::checksum() {
    tail_.add(std::span<const std::byte>(head_));
    return tail_.hex();
}

void AtomicFile::sync() {
    if (done_) {
        return;
    }
    flush();
    if (straight_) {
        return;
    }
    sync_content(file_.get(), path_);
    // Network file systems may tell only at close that there was no room; closing a duplicate asks them.
    if (::close(::dup(file_.get())) != 0) {
        fail("write", path_, errno);
    }
}

bool AtomicFile::link(const std::string& name) {
    const std::string self = fmt::format("/proc/self/fd/{}", file_.get());
    if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
        temporary_ = name;
        return true;
    }
    if (errno != EEXIST) {
        fail("replace", path_, errno);
    }
    return false;
}

/// One name for all runs in a folder: who finds it taken waits for the other's rename, or removes what a
/// killed run has left there.
void AtomicFile::claim_name() {
    const std::string name = hidden_path(folder_, "new");
    while (!link(name)) {
        if (const auto left = take_over(name, {}, waiting_)) {
            if (::unlink(name.c_str()) != 0 && errno != ENOENT) {
                fail("remove", name, errno);
            }
        }
    }
}

void AtomicFile::rename() {
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
        fail("replace", path_, errno);
    }
    temporary_.clear();
    done_ = true;
    file_ = Descriptor();
}

void AtomicFile::commit() {
    if (done_) {
        return;
    }
    sync();
    if (straight_) {
        done_ = true;
        file_ = Descriptor();
        return;
    }
    if (temporary_.empty()) {
        claim_name();
    }
    rename();
    sync_folders({folder_});
}

}  // namespace stackae::base
