#pragma once

#include <cstdint>
#include <opencv2/core.hpp>
#include <string>

#include "stackae/error.hpp"
#include "stackae/image_dataset.hpp"

namespace stackae::data {

/// A decoded picture: upright, not yet preprocessed.
struct Picture {
    /// h × w; 1 to 4 channels (2 and 4: alpha last), or any number where they are measured; 8U, 16U or 32F
    cv::Mat pixels;
    double white = 255.0;        ///< the value that stands for 1
    bool premultiplied = false;  ///< the colours were multiplied by alpha already
    cv::Size full_size{};        ///< of a picture that was reduced while decoding; else empty
    std::string remark{};        ///< what should be said of it although it is used; one line
    bool measured = false;       ///< channels are measurements of their own, neither colours nor alpha
    int colours = 0;  ///< where they are measured, how many of the first may be taken for gray or R, G, B

    /// Upright width and height of the whole picture.
    [[nodiscard]] cv::Size size() const { return full_size.empty() ? pixels.size() : full_size; }
};

/// Where one of a file's pages lies.
struct Page {
    std::uint64_t directory = 0;  ///< offset of what describes it; 0: none was chosen
    std::uint64_t further = 0;    ///< bytes that its data lie behind those which the directory names

    friend bool operator==(const Page&, const Page&) = default;
};

/// Calls body with a value of the type that the values of such pixels have: CV_8U, CV_16U, else CV_32F.
template <class Body>
decltype(auto) with_depth(int depth, const Body& body) {
    return depth == CV_8U ? body(std::uint8_t{}) : depth == CV_16U ? body(std::uint16_t{}) : body(float{});
}

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
