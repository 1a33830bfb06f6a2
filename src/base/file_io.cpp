#include "base/file_io.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "stackae/error.hpp"

namespace stackae::base {
namespace {

[[noreturn]] void fail_read(const std::string& path, std::uint64_t offset, int error) {
    fail(fmt::format("read at byte {}", offset), path, error);
}

[[noreturn]] void fail_short(const std::string& path, std::uint64_t offset, std::size_t missing) {
    throw IoError(fmt::format(
        "{}: its end found at byte {}, {} bytes more expected: it became shorter while it was read", path,
        offset, missing));
}

/// Calls some(rest, done), a call of the system, until all bytes are through. Returns how many are, as
/// read_at() does.
template <class Byte, class Some>
std::size_t transfer(std::span<Byte> bytes, const Some& some) {
    std::size_t done = 0;
    while (done < bytes.size()) {
        errno = 0;
        const ssize_t now = some(bytes.subspan(done), done);
        if (now <= 0 && errno != EINTR) {
            break;
        }
        done += static_cast<std::size_t>(std::max<ssize_t>(now, 0));
    }
    return done;
}

/// Opens a file for reading; folders are refused here, since open() takes them. Does not wait for the writer
/// of a pipe: reading does.
Descriptor open_to_read(const std::string& path, struct stat& status, Readable readable) {
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    if (file.get() < 0 || ::fstat(file.get(), &status) != 0) {
        fail("open", path, errno);
    }
    if (S_ISDIR(status.st_mode)) {
        fail("read", path, EISDIR);
    }
    if (readable == Readable::regular_files && !S_ISREG(status.st_mode)) {
        throw IoError(fmt::format("{}: {} found, a regular file expected", path,
                                  S_ISFIFO(status.st_mode) ? "a pipe" : "a device"));
    }
    return file;
}

}  // namespace

void fail(std::string_view operation, const std::string& path, int error) {
    throw IoError(fmt::format("{}: cannot {}: {}", path, operation, std::strerror(error)));
}

std::size_t read_at(int file, std::uint64_t offset, std::span<std::byte> bytes) {
    return transfer(bytes, [&](auto rest, std::size_t done) {
        return ::pread(file, rest.data(), rest.size(), static_cast<off_t>(offset + done));
    });
}

std::size_t write_at(int file, std::uint64_t offset, std::span<const std::byte> bytes) {
    return transfer(bytes, [&](auto rest, std::size_t done) {
        return ::pwrite(file, rest.data(), rest.size(), static_cast<off_t>(offset + done));
    });
}

void write_all(int file, std::span<const std::byte> bytes, const std::string& path) {
    const auto write = [&](auto rest, std::size_t /*done*/) {
        return ::write(file, rest.data(), rest.size());
    };
    if (transfer(bytes, write) < bytes.size()) {
        fail("write", path, errno != 0 ? errno : ENOSPC);
    }
}

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

InputFile::InputFile(const std::string& path, Readable readable) : path_(path) {
    struct stat status {};
    file_ = open_to_read(path, status, readable);
    if (S_ISREG(status.st_mode)) {
        size_ = static_cast<std::uint64_t>(status.st_size);
    }
}

std::size_t InputFile::read_some(std::span<std::byte> bytes) {
    for (;;) {
        if (!size_) {  // a pipe whose writer is not there yet would look as if it were at its end
            pollfd waiting{file_.get(), POLLIN, 0};
            if (::poll(&waiting, 1, -1) < 0) {
                continue;
            }
        }
        const ssize_t got = ::read(file_.get(), bytes.data(), bytes.size());
        if (got >= 0) {
            offset_ += static_cast<std::uint64_t>(got);
            return static_cast<std::size_t>(got);
        }
        if (errno != EINTR && errno != EAGAIN) {
            fail_read(path_, offset_, errno);
        }
    }
}

void InputFile::read(std::span<std::byte> bytes) {
    while (!bytes.empty()) {
        const std::size_t got = read_some(bytes);
        if (got == 0) {
            fail_short(path_, offset_, bytes.size());
        }
        bytes = bytes.subspan(got);
    }
}

void InputFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
    const std::size_t done = base::read_at(file_.get(), offset, bytes);
    if (done < bytes.size() && errno != 0) {
        fail_read(path_, offset + done, errno);
    }
    if (done < bytes.size()) {
        fail_short(path_, offset + done, bytes.size() - done);
    }
}

std::vector<std::byte> read_file(const std::string& path, std::uint64_t most) {
    InputFile file(path);
    const auto check_size = [&](std::uint64_t size, const char* more) {
        if (size > most) {
            throw IoError(
                fmt::format("{}: file of {}{} bytes found, at most {} expected", path, more, size, most));
        }
    };
    const std::uint64_t stated = file.size().value_or(0);
    check_size(stated, "");
    constexpr std::size_t least = 4096;
    std::vector<std::byte> content(static_cast<std::size_t>(stated) + 1);  // one more, to see the end
    for (std::size_t done = 0;;) {
        if (done == content.size()) {
            content.resize(std::max(least, 2 * done));
        }
        const std::size_t got = file.read_some(std::span(content).subspan(done));
        if (got == 0) {
            content.resize(done);
            return content;
        }
        done += got;
        check_size(done, "at least ");
    }
}

}  // namespace stackae::base
