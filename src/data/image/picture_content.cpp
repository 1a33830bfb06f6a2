#include "data/image/picture_content.hpp"

#include <span>

#include "base/hash.hpp"
#include "data/source.hpp"

namespace stackae::data {

PictureContent picture_content(const ImageDataset& pictures, std::int64_t i) {
    PictureContent content;
    with_picture(pictures.source(), i, nullptr, [&](const Picture& picture) {
        content.width = picture.size().width;
        content.height = picture.size().height;
        base::Hash hash;
        hash.add(std::int64_t{picture.pixels.type()});
        hash.add(std::int64_t{content.width});
        for (int y = 0; y < picture.pixels.rows; ++y) {
            hash.add(std::as_bytes(
                std::span(picture.pixels.ptr<std::uint8_t>(y),
                          static_cast<std::size_t>(picture.pixels.cols) * picture.pixels.elemSize())));
        }
        content.pixels = hash.value();
    });
    return content;
}

}  // namespace stackae::data
