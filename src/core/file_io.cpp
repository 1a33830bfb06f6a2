#include "core/file_io.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <random>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "stackae/error.hpp"

namespace stackae::core {
namespace {

constexpr std::size_t buffer_size = std::size_t{1} << 20U;

[[noreturn]] void fail(const char* operation, const std::string& path, int error) {
    throw IoError(fmt::format("{}: cannot {}: {}", path, operation, std::strerror(error)));
}

[[noreturn]] void fail_short(const std::string& path, std::size_t missing) {
    throw IoError(fmt::format(
        "{}: its end found, {} bytes more expected: it became shorter while it was read", path, missing));
}

/// Opens a file for reading; folders are refused here, since open() takes them.
Descriptor open_to_read(const std::string& path, struct stat& status) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
        fail("open", path, errno);
    }
    if (S_ISDIR(status.st_mode)) {
        fail("read", path, EISDIR);
    }
    return file;
}

void write_all(int descriptor, std::span<const std::byte> bytes, const std::string& path) {
    while (!bytes.empty()) {
        const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            fail("write", path, errno);
        }
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void sync_folder(const std::string& path) {
    const auto folder = std::filesystem::path(path).parent_path();
    const Descriptor file(::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (file.get() >= 0) {
        ::fsync(file.get());  // best effort: some file systems refuse to sync folders
    }
}

/// Where a link ends, also when nothing is there yet: through a link the file it names is replaced, not the
/// link.
std::string link_target(std::filesystem::path path) {
    std::error_code error;
    for (int links = 0; std::filesystem::is_symlink(path, error); ++links) {
        if (links == 40) {
            fail("write", path.string(), ELOOP);
        }
        const std::filesystem::path target = std::filesystem::read_symlink(path, error);
        if (error) {
            fail("read the link", path.string(), error.value());
        }
        path = path.parent_path() / target;
    }
    return path.string();
}

/// A new file beside `path`, with the rights that the process gives to new files (mkstemp gives fewer).
int create_beside(const std::string& path, std::string& created) {
    std::random_device random;
    for (int attempt = 0; attempt < 100; ++attempt) {
        std::string name = fmt::format("{}.{:08x}", path, random());
        const int descriptor = ::open(name.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        if (descriptor >= 0) {
            created = std::move(name);
            return descriptor;
        }
        if (errno != EEXIST) {
            fail("write", path, errno);
        }
    }
    fail("write", path, EEXIST);
}

}  // namespace

Descriptor::Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
}

Descriptor::~Descriptor() {
    if (value_ >= 0) {
        ::close(value_);
    }
}

InputFile::InputFile(const std::string& path) : path_(path) {
    struct stat status {};
    file_ = open_to_read(path, status);
    if (S_ISREG(status.st_mode)) {
        size_ = static_cast<std::uint64_t>(status.st_size);
    }
}

std::size_t InputFile::read_some(std::span<std::byte> bytes) {
    for (;;) {
        const ssize_t got = ::read(file_.get(), bytes.data(), bytes.size());
        if (got >= 0) {
            return static_cast<std::size_t>(got);
        }
        if (errno != EINTR) {
            fail("read", path_, errno);
        }
    }
}

void InputFile::read(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const std::size_t got = read_some(bytes);
        if (got == 0) {
            fail_short(path_, bytes.size());
        }
        bytes = bytes.subspan(got);
    }
}

void InputFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
    while (!bytes.empty()) {
        const ssize_t got = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (got < 0 && errno != EINTR) {
            fail("read", path_, errno);
        }
        if (got == 0) {
            fail_short(path_, bytes.size());
        }
        if (got > 0) {
            offset += static_cast<std::uint64_t>(got);
            bytes = bytes.subspan(static_cast<std::size_t>(got));
        }
    }
}

MappedFile::MappedFile(const std::string& path) : path_(path) {
    struct stat status {};
    const Descriptor file = open_to_read(path, status);
    if (!S_ISREG(status.st_mode)) {
        throw IoError(fmt::format("{}: cannot map: no regular file", path));
    }
    const auto size = static_cast<std::size_t>(status.st_size);
    if (size == 0) {
        return;
    }
    void* address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (address == MAP_FAILED) {
        fail("map", path, errno);
    }
    bytes_ = {static_cast<const std::byte*>(address), size};
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : path_(std::move(other.path_)), bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
    std::swap(path_, other.path_);
    std::swap(bytes_, other.bytes_);
    return *this;
}

MappedFile::~MappedFile() {
    if (!bytes_.empty()) {
        ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
    }
}

void MappedFile::release() const {
    if (!bytes_.empty()) {
        ::madvise(const_cast<std::byte*>(bytes_.data()), bytes_.size(), MADV_DONTNEED);
    }
}

std::vector<std::byte> read_file(const std::string& path, std::uint64_t most) {
    struct stat status {};
    const Descriptor file = open_to_read(path, status);
    const auto check_size = [&](std::uint64_t size, const char* more) {
        if (size > most) {
            throw FileTooLarge(
                fmt::format("{}: file of {}{} bytes found, at most {} expected", path, more, size, most));
        }
    };
    check_size(static_cast<std::uint64_t>(status.st_size), "");
    std::vector<std::byte> content(static_cast<std::size_t>(status.st_size));
    std::size_t done = 0;
    for (;;) {
        check_size(done, "at least ");
        if (done == content.size()) {
            // Also how a pipe, which has no size, is read; for a file this sees its end.
            std::array<std::byte, 4096> more{};
            const ssize_t got = ::read(file.get(), more.data(), more.size());
            if (got < 0 && errno != EINTR) {
                fail("read", path, errno);
            }
            if (got == 0) {
                return content;
            }
            if (got > 0) {
                content.insert(content.end(), more.begin(), more.begin() + got);
                done = content.size();
            }
            continue;
        }
        const ssize_t got = ::read(file.get(), content.data() + done, content.size() - done);
        if (got < 0 && errno != EINTR) {
            fail("read", path, errno);
        }
        if (got == 0) {
            content.resize(done);
            return content;
        }
        done += got > 0 ? static_cast<std::size_t>(got) : 0;
    }
}

AtomicFile::AtomicFile(const std::string& path) : path_(path) {
    struct stat status {};
    const bool exists = ::stat(path.c_str(), &status) == 0;
    if (exists && S_ISDIR(status.st_mode)) {
        fail("write", path, EISDIR);
    }
    if (exists && !S_ISREG(status.st_mode)) {
        descriptor_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (descriptor_ < 0) {
            fail("open", path, errno);
        }
        return;
    }
    path_ = link_target(path);
    buffer_.reserve(buffer_size);
    descriptor_ = create_beside(path_, temporary_);
    if (exists) {
        ::fchmod(descriptor_, status.st_mode & 0777U);
    }
}

AtomicFile::~AtomicFile() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
        if (!temporary_.empty()) {
            ::unlink(temporary_.c_str());
        }
    }
}

void AtomicFile::write(std::span<const std::byte> bytes) {
    if (buffer_.size() + bytes.size() > buffer_size) {
        flush();
        if (bytes.size() >= buffer_size) {
            write_all(descriptor_, bytes, path_);
            return;
        }
    }
    buffer_.insert(buffer_.end(), bytes.begin(), bytes.end());
}

void AtomicFile::write(std::string_view text) {
    write(std::as_bytes(std::span(text)));
}

void AtomicFile::patch(std::uint64_t offset, std::span<const std::byte> bytes) {
    flush();
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            fail("write", path_, errno);
        }
        offset += static_cast<std::uint64_t>(written);
        bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
}

void AtomicFile::flush() {
    write_all(descriptor_, buffer_, path_);
    buffer_.clear();
}

void AtomicFile::sync() {
    flush();
    if (!temporary_.empty() && ::fsync(descriptor_) != 0) {
        fail("sync", path_, errno);
    }
}

void AtomicFile::commit() {
    sync();
    if (temporary_.empty()) {
        ::close(std::exchange(descriptor_, -1));
        return;
    }
    if (::rename(temporary_.c_str(), path_.c_str()) != 0) {
        fail("replace", path_, errno);
    }
    ::close(std::exchange(descriptor_, -1));
    sync_folder(path_);
}

}  // namespace stackae::core
