#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace stackae {

/// A dense array of floats in row-major order, aligned to 64 bytes where it owns them. A batch is n × d: one
/// picture or code a row. Copies are deep; a moved-from tensor is empty.
class Tensor {
public:
    Tensor() = default;

    /// All zeros. Throws InvalidArgument when an extent is negative or the product overflows.
    explicit Tensor(std::vector<std::int64_t> shape);

    /// Values that lie elsewhere and have to outlive it, row-major, of any alignment: nothing is copied, and
    /// what is written into it is written there. Throws as Tensor(shape).
    [[nodiscard]] static Tensor view(std::vector<std::int64_t> shape, float* values);

    Tensor(const Tensor& other);
    Tensor& operator=(const Tensor& other);
    Tensor(Tensor&& other) noexcept;
    Tensor& operator=(Tensor&& other) noexcept;
    ~Tensor() = default;

    [[nodiscard]] const std::vector<std::int64_t>& shape() const { return shape_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    /// Number of values.
    [[nodiscard]] std::int64_t size() const { return size_; }
    /// The first extent; 0 for an empty shape.
    [[nodiscard]] std::int64_t rows() const { return shape_.empty() ? 0 : shape_.front(); }
    /// The product of all extents but the first.
    [[nodiscard]] std::int64_t columns() const;

    [[nodiscard]] float* data() { return data_.get(); }
    [[nodiscard]] const float* data() const { return data_.get(); }
    [[nodiscard]] std::span<float> values() { return {data(), static_cast<std::size_t>(size_)}; }
    [[nodiscard]] std::span<const float> values() const { return {data(), static_cast<std::size_t>(size_)}; }
    /// Row i, size columns(). i is not checked.
    [[nodiscard]] std::span<float> row(std::int64_t i) {
        return values().subspan(static_cast<std::size_t>(i * columns()), static_cast<std::size_t>(columns()));
    }
    [[nodiscard]] std::span<const float> row(std::int64_t i) const {
        return values().subspan(static_cast<std::size_t>(i * columns()), static_cast<std::size_t>(columns()));
    }

private:
    struct AlignedDelete {
        void operator()(float* values) const noexcept;
        bool borrowed;  ///< false where nothing is said
    };

    std::vector<std::int64_t> shape_;
    std::int64_t size_ = 0;
    std::unique_ptr<float[], AlignedDelete> data_;
};

}  // namespace stackae
