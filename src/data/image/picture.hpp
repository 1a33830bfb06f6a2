#pragma once

#include <opencv2/core.hpp>
#include <string>

#include "stackae/error.hpp"
#include "stackae/pictures.hpp"

namespace stackae::data {

/// A decoded picture: upright, not yet brought to a recipe.
struct Picture {
    cv::Mat pixels;              ///< h × w; 1 to 4 channels (2 and 4: alpha last); 8U, 16U or 32F
    double white = 255.0;        ///< the value that stands for 1
    bool premultiplied = false;  ///< the colours were multiplied by alpha already
    cv::Size full_size{};        ///< of a picture that was reduced while decoding; else empty
    std::string remark{};        ///< what should be said of it although it is used; one line

    /// Upright width and height of the whole picture.
    [[nodiscard]] cv::Size size() const { return full_size.empty() ? pixels.size() : full_size; }
};

/// Why one picture cannot be had. It is caught where pictures are read and ends up as a SkippedPicture.
/// The text is one line, without the path.
class BadPicture : public Error {
public:
    BadPicture(PictureStatus status, const std::string& reason) : Error(reason), status_(status) {}
    [[nodiscard]] PictureStatus status() const { return status_; }

private:
    PictureStatus status_;
};

[[noreturn]] inline void corrupt(const std::string& reason) {
    throw BadPicture(PictureStatus::corrupt, reason);
}

[[noreturn]] inline void unsupported(const std::string& reason) {
    throw BadPicture(PictureStatus::unsupported, reason);
}

}  // namespace stackae::data
