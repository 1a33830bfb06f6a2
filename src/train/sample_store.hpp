#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "stackae/tensor.hpp"

#include "base/row_source.hpp"
#include "base/temporary_file.hpp"

namespace stackae::training {

/// n rows of d floats: in memory, or in a temporary file that is gone when the store is. A file is mapped
/// where row() asks for it, and counts as memory from then on; put and gather map nothing.
class SampleStore : public base::RowSource {
public:
    /// in_memory false: a file in `folder` (empty: /var/tmp). Throws IoError.
    SampleStore(std::int64_t rows, std::int64_t columns, bool in_memory, const std::string& folder = {});

    [[nodiscard]] std::int64_t rows() const { return rows_; }
    [[nodiscard]] std::int64_t columns() const override { return columns_; }
    [[nodiscard]] std::int64_t bytes() const;
    [[nodiscard]] bool in_memory() const { return !memory_.empty(); }
    [[nodiscard]] float* row(std::int64_t i) { return data_ + i * columns_; }
    [[nodiscard]] const float* row(std::int64_t i) const { return data_ + i * columns_; }

    /// Keeps the first `rows` rows.
    void truncate(std::int64_t rows) { rows_ = rows; }
    /// Copies rows there from `first` on; values: a multiple of columns(). Throws IoError.
    void put(std::int64_t first, std::span<const float> values);
    /// Copies the rows named into dst, size indices.size() × columns(), on OpenMP's threads; maps none.
    /// Throws IoError.
    void gather(std::span<const std::int64_t> indices, float* dst) const override;

private:
    struct Unmap {
        std::size_t bytes;
        void operator()(float* values) const;
    };

    std::int64_t rows_;
    std::int64_t columns_;
    std::optional<base::TemporaryFile> file_;
    std::unique_ptr<float, Unmap> mapped_;
    Tensor memory_;
    float* data_ = nullptr;
};

}  // namespace stackae::training
