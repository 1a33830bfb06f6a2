#include "train/sample_store.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <fmt/format.h>
#include <sys/mman.h>

#include "stackae/error.hpp"

#include "base/parallel.hpp"

namespace stackae::training {

SampleStore::SampleStore(std::int64_t rows, std::int64_t columns, bool in_memory, const std::string& folder)
    : rows_(rows), columns_(columns) {
    if (in_memory || rows * columns == 0) {
        memory_ = Tensor({rows, columns});
        data_ = memory_.data();
        return;
    }
    file_.emplace(folder);
    const auto size = static_cast<std::size_t>(bytes());
    file_->grow(size);
    void* address = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED, file_->descriptor(), 0);
    if (address == MAP_FAILED) {
        throw IoError(fmt::format("cannot map a temporary file of {} bytes: {}", size, std::strerror(errno)));
    }
    mapped_ = {static_cast<float*>(address), Unmap{size}};
    data_ = mapped_.get();
}

void SampleStore::Unmap::operator()(float* values) const {
    ::munmap(values, bytes);
}

std::int64_t SampleStore::bytes() const {
    return rows_ * columns_ * static_cast<std::int64_t>(sizeof(float));
}

void SampleStore::put(std::int64_t first, std::span<const float> values) {
    if (!file_) {
        std::copy(values.begin(), values.end(), row(first));
        return;
    }
    file_->write_at(static_cast<std::uint64_t>(first * columns_) * sizeof(float), std::as_bytes(values));
}

void SampleStore::gather(std::span<const std::int64_t> indices, float* dst) const {
    std::atomic<bool> failed = false;
    std::exception_ptr failure;  // the first: none may leave a thread of OpenMP's
    base::parallel_ranges(
        static_cast<std::int64_t>(indices.size()), 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end && !failed; ++i) {
                const std::int64_t index = indices[static_cast<std::size_t>(i)];
                const std::span<float> to(dst + i * columns_, static_cast<std::size_t>(columns_));
                if (!file_) {
                    std::copy_n(row(index), columns_, to.begin());
                    continue;
                }
                try {
                    file_->read_at(static_cast<std::uint64_t>(index) * to.size_bytes(),
                                   std::as_writable_bytes(to));
                } catch (const IoError&) {
                    if (!failed.exchange(true)) {
                        failure = std::current_exception();
                    }
                }
            }
        });
    if (failure) {
        std::rethrow_exception(failure);
    }
}

}  // namespace stackae::training
