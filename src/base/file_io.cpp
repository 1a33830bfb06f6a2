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

[[noreturn]] void fail(const char* operation, const std::string& path, int error) {
    throw IoError(fmt::format("{}: cannot {}: {}", path, operation, std::strerror(error)));
}

[[noreturn]] void fail_read(const std::string& path, std::uint64_t offset, int error) {
    throw IoError(fmt::format("{}: cannot read at byte {}: {}", path, offset, std::strerror(error)));
}

[[noreturn]] void fail_short(const std::string& path, std::uint64_t offset, std::size_t missing) {
    throw IoError(fmt::format(
        "{}: its end found at byte {}, {} bytes more expected: it became shorter while it was read", path,
        offset, missing));
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
    while (!bytes.empty()) {
        const ssize_t got = ::pread(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (got < 0 && errno != EINTR) {
            fail_read(path_, offset, errno);
        }
        if (got == 0) {
            fail_short(path_, offset, bytes.size());
        }
        if (got > 0) {
            offset += static_cast<std::uint64_t>(got);
            bytes = bytes.subspan(static_cast<std::size_t>(got));
        }
    }
}

std::vector<std::byte> read_file(const std::string& path, std::uint64_t most, Readable readable) {
    InputFile file(path, readable);
    const auto check_size = [&](std::uint64_t size, const char* more) {
        if (size > most) {
            throw FileTooLarge(
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
