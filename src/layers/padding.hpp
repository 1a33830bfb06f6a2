#pragma once

#include <algorithm>
#include <cstdint>

#include "stackae/shape.hpp"
#include "stackae/tensor.hpp"

namespace stackae::layers {

/// Puts zeros around a map.
class Padding {
public:
    Padding(const Shape& shape, std::int64_t pad)
        : shape_(shape),
          pad_(pad),
          padded_({pad == 0 ? 0 : (shape.height + 2 * pad) * (shape.width + 2 * pad) * shape.channels}) {}

    /// The map with its padding; itself where there is none.
    const float* add(const float* map) {
        if (pad_ == 0) {
            return map;
        }
        each_line([&](std::int64_t from, std::int64_t to, std::int64_t size) {
            std::copy_n(map + from, size, padded_.data() + to);
        });
        return padded_.data();
    }
    /// Where a map with its padding goes that take_off() is to bring into `map`.
    float* room(float* map) { return pad_ == 0 ? map : padded_.data(); }
    void take_off(float* map) {
        if (pad_ > 0) {
            each_line([&](std::int64_t to, std::int64_t from, std::int64_t size) {
                std::copy_n(padded_.data() + from, size, map + to);
            });
        }
    }

private:
    template <class Body>
    void each_line(const Body& body) {
        const std::int64_t line = shape_.width * shape_.channels;
        const std::int64_t pitch = line + 2 * pad_ * shape_.channels;
        for (std::int64_t y = 0; y < shape_.height; ++y) {
            body(y * line, (y + pad_) * pitch + pad_ * shape_.channels, line);
        }
    }

    Shape shape_;
    std::int64_t pad_;
    Tensor padded_;
};

}  // namespace stackae::layers
