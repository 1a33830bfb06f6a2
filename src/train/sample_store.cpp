#include "train/sample_store.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

#include "stackae/error.hpp"

#include "nn/parallel.hpp"

namespace stackae::training {
namespace {

/// Maps a new file of that size, removed at once from its folder.
float* map_temporary(std::int64_t bytes, const std::string& folder) {
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
    ::close(file);
    return static_cast<float*>(address);
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
    data_ = map_temporary(mapped_bytes_, folder);
}

SampleStore::SampleStore(SampleStore&& other) noexcept
    : rows_(std::exchange(other.rows_, 0)),
      columns_(other.columns_),
      mapped_bytes_(std::exchange(other.mapped_bytes_, 0)),
      memory_(std::move(other.memory_)),
      data_(std::exchange(other.data_, nullptr)) {}

SampleStore& SampleStore::operator=(SampleStore&& other) noexcept {
    std::swap(rows_, other.rows_);
    std::swap(columns_, other.columns_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    std::swap(memory_, other.memory_);
    std::swap(data_, other.data_);
    return *this;
}

SampleStore::~SampleStore() {
    if (mapped_bytes_ > 0) {
        ::munmap(data_, static_cast<std::size_t>(mapped_bytes_));
    }
}

std::int64_t SampleStore::bytes() const {
    return rows_ * columns_ * static_cast<std::int64_t>(sizeof(float));
}

void SampleStore::gather(std::span<const std::int64_t> indices, float* dst) const {
    nn::parallel_ranges(
        static_cast<std::int64_t>(indices.size()), 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                std::copy_n(row(indices[static_cast<std::size_t>(i)]), columns_, dst + i * columns_);
            }
        });
}

std::vector<double> SampleStore::mean(std::span<const std::int64_t> indices) const {
    std::vector<double> mean(static_cast<std::size_t>(columns_));
    for (const std::int64_t index : indices) {
        const float* values = row(index);
        for (std::size_t j = 0; j < mean.size(); ++j) {
            mean[j] += static_cast<double>(values[j]);
        }
    }
    for (double& value : mean) {
        value /= static_cast<double>(std::max<std::size_t>(1, indices.size()));
    }
    return mean;
}

}  // namespace stackae::training
