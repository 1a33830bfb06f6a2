#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "stackae/tensor.hpp"

#include "search/affine.hpp"

namespace stackae::search {

/// Pictures in small, for comparing: gray, 64 × 64 whatever their shape, in bytes, without frames: rows and
/// columns of one colour are cut off, up to a quarter from each side.
class Thumbnails {
public:
    static constexpr std::int64_t side = 64;
    static constexpr std::int64_t size = side * side;
    using Row = std::span<const std::uint8_t, size>;

    [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(bytes_.size()) / size; }
    [[nodiscard]] Row row(std::int64_t i) const { return Row(bytes_.data() + i * size, size); }
    /// Values in [0, 1], side × side each.
    void append(const Tensor& pictures);
    void append(Row row) { bytes_.insert(bytes_.end(), row.begin(), row.end()); }
    /// For so many in all.
    void reserve(std::int64_t count) { bytes_.reserve(static_cast<std::size_t>(count * size)); }
    /// These alone, which are named in ascending order.
    [[nodiscard]] Thumbnails keep(const std::vector<std::int64_t>& rows) &&;

private:
    std::vector<std::uint8_t> bytes_;
};

/// The part of a picture that its descriptor is of, from the middle: of all of it, or of a square inside of
/// it that borders and the corners of a turned picture do not reach.
enum class Window { whole, middle, core };
[[nodiscard]] Affine window(Window window);

/// How a copy may show a picture: what stands in its window, as a map from points of the window to points of
/// the picture.
struct View {
    Window window = Window::whole;
    Affine map;
    bool plain = false;  ///< the whole picture as it is
};

/// As it is, cropped, turned a little within its frame or with it; mirrored and turned by right angles where
/// asked for. The first one is plain.
[[nodiscard]] std::vector<View> picture_views(bool mirror, bool rotate90);

/// Numbers of a descriptor.
inline constexpr std::int64_t descriptor_size = 63;

/// Perceptual hashes before they become bits (Zauner 2010): the 8 × 8 lowest coefficients of the cosine
/// transform of what a view shows, but for the mean, as sign(c) √|c|, of length 1. All 0 of a picture of one
/// colour. rows: of the thumbnails, from first on. Returns count × descriptor_size.
[[nodiscard]] Tensor describe(const Thumbnails& thumbnails, std::int64_t first, std::int64_t count,
                              const Affine& map);

}  // namespace stackae::search
