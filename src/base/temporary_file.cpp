#include "base/temporary_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

namespace stackae::base {

TemporaryFile::TemporaryFile(const std::string& folder,
                             const std::function<void(const std::string& path)>& named)
    : folder_(folder.empty() ? "/var/tmp" : folder) {
    std::string path = (std::filesystem::path(folder_) / "stackae-XXXXXX").string();
    file_ = Descriptor(::mkostemp(path.data(), O_CLOEXEC));
    if (file_.get() < 0) {
        fail("make a temporary file", folder_, errno);
    }
    try {
        if (named) {
            named(path);
        }
    } catch (...) {
        ::unlink(path.c_str());
        throw;
    }
    ::unlink(path.c_str());
}

std::uint64_t TemporaryFile::size_on_disk() const {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) {
        fail("look at a temporary file", folder_, errno);
    }
    return static_cast<std::uint64_t>(status.st_size);
}

void TemporaryFile::grow(std::uint64_t bytes) {
    if (bytes <= size_) {
        return;
    }
    const int error =
        ::posix_fallocate(file_.get(), static_cast<off_t>(size_), static_cast<off_t>(bytes - size_));
    if (error != 0) {
        fail(fmt::format("fill a temporary file of {} bytes", bytes), folder_, error);
    }
    size_ = bytes;
}

void TemporaryFile::write_at(std::uint64_t offset, std::span<const std::byte> bytes) {
    if (base::write_at(file_.get(), offset, bytes) < bytes.size()) {
        fail("write a temporary file", folder_, errno != 0 ? errno : ENODATA);
    }
}

void TemporaryFile::read_at(std::uint64_t offset, std::span<std::byte> bytes) const {
    if (base::read_at(file_.get(), offset, bytes) < bytes.size()) {
        fail("read a temporary file", folder_, errno != 0 ? errno : ENODATA);
    }
}

}  // namespace stackae::base
