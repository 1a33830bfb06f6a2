#include "base/temporary_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <unistd.h>

#include "stackae/error.hpp"

namespace stackae::base {
namespace {

/// Reads or writes all bytes at a place of a file, by pread or pwrite; false, and errno says why, when it
/// cannot.
template <class Call, class Byte>
bool transfer(Call call, int file, std::uint64_t offset, std::span<Byte> bytes) {
    while (!bytes.empty()) {
        const ssize_t now = call(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (now < 0 && errno == EINTR) {
            continue;
        }
        if (now <= 0) {
            errno = now == 0 ? ENODATA : errno;
            return false;
        }
        offset += static_cast<std::uint64_t>(now);
        bytes = bytes.subspan(static_cast<std::size_t>(now));
    }
    return true;
}

}  // namespace

TemporaryFile::TemporaryFile(const std::string& folder) : folder_(folder.empty() ? "/var/tmp" : folder) {
    std::string path = (std::filesystem::path(folder_) / "stackae-XXXXXX").string();
    file_ = Descriptor(::mkostemp(path.data(), O_CLOEXEC));
    if (file_.get() < 0) {
        throw IoError(fmt::format("{}: cannot make a temporary file: {}", folder_, std::strerror(errno)));
    }
    ::unlink(path.c_str());
}

void TemporaryFile::grow(std::uint64_t bytes) {
    if (bytes <= size_) {
        return;
    }
    const int error =
        ::posix_fallocate(file_.get(), static_cast<off_t>(size_), static_cast<off_t>(bytes - size_));
    if (error != 0) {
        throw IoError(fmt::format("{}: cannot fill a temporary file of {} bytes: {}", folder_, bytes,
                                  std::strerror(error)));
    }
    size_ = bytes;
}

void TemporaryFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (!transfer(::pwrite, file_.get(), offset, bytes)) {
        throw IoError(fmt::format("{}: cannot write a temporary file: {}", folder_, std::strerror(errno)));
    }
}

void TemporaryFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
    if (!transfer(::pread, file_.get(), offset, bytes)) {
        throw IoError(fmt::format("{}: cannot read a temporary file: {}", folder_, std::strerror(errno)));
    }
}

}  // namespace stackae::base
