#include "train/sample_store.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/mman.h>
#include <tuple>
#include <unistd.h>
#include <utility>

#include "stackae/error.hpp"

#include "nn/parallel.hpp"

namespace stackae::training {
namespace {

/// A new file of that size, removed at once from its folder, and where it is mapped.
std::pair<int, float*> map_temporary(std::int64_t bytes, const std::string& folder) {
    // /tmp may itself be memory.
    const std::filesystem::path place = folder.empty() ? "/var/tmp" : folder;
    std::string path = (place / "stackae-XXXXXX").string();
    const int file = ::mkostemp(path.data(), O_CLOEXEC);
    const auto fail = [&](const char* what) {
        const int error = errno;
        if (file >= 0) {
            ::close(file);
        }
        throw IoError(fmt::format("{}: cannot {} a temporary file of {} bytes: {}", place.string(), what,
                                  bytes, std::strerror(error)));
    };
    if (file < 0) {
        fail("make");
    }
    ::unlink(path.c_str());
    // Allocated, not merely sized: a full disk is found here and not as a signal in the middle of training.
    if (const int error = ::posix_fallocate(file, 0, bytes); error != 0) {
        errno = error;
        fail("fill");
    }
    void* address =
        ::mmap(nullptr, static_cast<std::size_t>(bytes), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (address == MAP_FAILED) {
        fail("map");
    }
    return {file, static_cast<float*>(address)};
}

/// Reads or writes so many bytes at a place of a file, by pread or pwrite; false, and errno says why, when it
/// cannot.
template <class Call, class Byte>
bool transfer(Call call, int file, std::int64_t place, std::int64_t count, Byte* bytes) {
    std::int64_t done = 0;
    while (done < count) {
        const ssize_t now = call(file, bytes + done, static_cast<std::size_t>(count - done), place + done);
        if (now < 0 && errno == EINTR) {
            continue;
        }
        if (now <= 0) {
            errno = now == 0 ? ENODATA : errno;
            return false;
        }
        done += now;
    }
    return true;
}

}  // namespace

SampleStore::SampleStore(std::int64_t rows, std::int64_t columns, bool in_memory, const std::string& folder)
    : rows_(rows), columns_(columns) {
    if (in_memory || rows * columns == 0) {
        memory_ = Tensor({rows, columns});
        data_ = memory_.data();
        return;
    }
    mapped_bytes_ = rows * columns * static_cast<std::int64_t>(sizeof(float));
    std::tie(file_, data_) = map_temporary(mapped_bytes_, folder);
}

SampleStore::SampleStore(SampleStore&& other) noexcept
    : rows_(std::exchange(other.rows_, 0)),
      columns_(other.columns_),
      file_(std::exchange(other.file_, -1)),
      mapped_bytes_(std::exchange(other.mapped_bytes_, 0)),
      memory_(std::move(other.memory_)),
      data_(std::exchange(other.data_, nullptr)) {}

SampleStore& SampleStore::operator=(SampleStore&& other) noexcept {
    std::swap(rows_, other.rows_);
    std::swap(columns_, other.columns_);
    std::swap(file_, other.file_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    return *this;
}

SampleStore::~SampleStore() {
    if (mapped_bytes_ > 0) {
        ::munmap(data_, static_cast<std::size_t>(mapped_bytes_));
        ::close(file_);
    }
}

std::int64_t SampleStore::bytes() const {
    return rows_ * columns_ * static_cast<std::int64_t>(sizeof(float));
}

void SampleStore::put(std::int64_t first, std::span<const float> values) {
    if (file_ < 0) {
        std::copy(values.begin(), values.end(), row(first));
        return;
    }
    constexpr auto size = static_cast<std::int64_t>(sizeof(float));
    if (!transfer(::pwrite, file_, first * columns_ * size, std::ssize(values) * size,
                  reinterpret_cast<const char*>(values.data()))) {
        throw IoError(fmt::format("temporary file of samples: cannot write: {}", std::strerror(errno)));
    }
}

void SampleStore::gather(std::span<const std::int64_t> indices, float* dst) const {
    const std::int64_t row_bytes = columns_ * static_cast<std::int64_t>(sizeof(float));
    std::atomic<int> failed = 0;  // errno
    nn::parallel_ranges(static_cast<std::int64_t>(indices.size()), 16,
                        [&](std::int64_t begin, std::int64_t end) {
                            for (std::int64_t i = begin; i < end && failed == 0; ++i) {
                                const std::int64_t index = indices[static_cast<std::size_t>(i)];
                                if (file_ < 0) {
                                    std::copy_n(row(index), columns_, dst + i * columns_);
                                } else if (!transfer(::pread, file_, index * row_bytes, row_bytes,
                                                     reinterpret_cast<char*>(dst + i * columns_))) {
                                    failed = errno;
                                }
                            }
                        });
    if (failed != 0) {
        throw IoError(fmt::format("temporary file of samples: cannot read: {}", std::strerror(failed)));
    }
}

std::vector<double> SampleStore::mean(std::span<const std::int64_t> indices) const {
    constexpr std::size_t block = 256;
    std::vector<double> mean(static_cast<std::size_t>(columns_));
    Tensor rows({std::min<std::int64_t>(block, std::ssize(indices)), columns_});
    for (std::size_t first = 0; first < indices.size(); first += block) {
        const auto some = indices.subspan(first, std::min(block, indices.size() - first));
        gather(some, rows.data());
        for (std::int64_t i = 0; i < std::ssize(some); ++i) {
            std::transform(mean.begin(), mean.end(), rows.row(i).begin(), mean.begin(), std::plus<>{});
        }
    }
    for (double& value : mean) {
        value /= static_cast<double>(std::max<std::size_t>(1, indices.size()));
    }
    return mean;
}

}  // namespace stackae::training
