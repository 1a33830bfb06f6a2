#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/shape.hpp"

namespace stackae {

/// How a picture of another shape is brought to the preprocessing's height and width. Has names.
enum class ResizeMode {
    squash,  ///< both sides scaled on their own; proportions change
    border,  ///< scaled to fit inside, centred, the rest filled with the background
    center,  ///< scaled to cover, the middle cut out
};

/// The values of a channel, in the numbers that files hold, that become 0 and 1.
struct ChannelRange {
    float low = 0.0F;
    float high = 1.0F;  ///< above low

    friend bool operator==(const ChannelRange&, const ChannelRange&) = default;
};

/// Where the channels of a picture lie when they are not in one picture.
struct ChannelFiles {
    /// The pages of a file (TIFF) are the channels of one picture.
    bool pages = false;
    /// Files are the channels of the picture that their names have in common: what those names end with,
    /// before the files' own ending, in the channels' order; none: a file holds all channels.
    std::vector<std::string> suffixes = {};

    /// Whether channels are in pages or files of their own.
    [[nodiscard]] bool are_apart() const { return pages || !suffixes.empty(); }

    friend bool operator==(const ChannelFiles&, const ChannelFiles&) = default;
};

/// Everything that happens to a picture between its file and the first layer. It is stored whole in
/// the model, and one function applies it in training, extraction and recognition alike.
///
/// The result is a vector of height × width × channels floats, row-major, channels (R, G, B) last.
/// Steps, in this order: orientation by EXIF, alpha blended over the background, gray or colour,
/// resizing (area averaging downwards, bilinear upwards), scaling to [0, 1] by the type of the values or by
/// each channel's range, then per-picture contrast normalisation and per-pixel standardisation where the
/// preprocessing has them.
struct Preprocessing {
    /// 1: gray (ITU-R BT.601 luma), 3: RGB; these and 2 to max_channels where they are `measured`.
    int channels = 1;
    /// Channels are measurements of their own (spectral bands, stains, depths), neither colours nor alpha:
    /// pictures must have as many, and none is made of others. Always, where there are neither 1 nor 3.
    bool measured = false;
    /// Where they lie. Told to whoever opens further pictures, see PictureLimits.
    ChannelFiles channel_files;
    /// Of each channel, or none: x ← (x − low) / (high − low), held within [0, 1] unless pictures are
    /// standardised, in place of the scaling by the values' type.
    std::vector<ChannelRange> ranges;
    int height = 28;  ///< pixels, 1 to max_side
    int width = 28;   ///< pixels, 1 to max_side; to max_row where the height is 1
    ResizeMode resize = ResizeMode::border;
    float background = 0.0F;  ///< gray level in [0, 1] behind transparency and in borders

    /// x ← (x − mean(x)) / sqrt(var(x) + contrast_epsilon), over all values of one picture.
    bool contrast = false;
    float contrast_epsilon = 10.0F / (255.0F * 255.0F);

    /// x ← (x − mean) / deviation, value by value; both of size() floats, or both empty for none.
    /// A value that never changed where they were measured has deviation 0, and becomes 0 whatever it is.
    std::vector<float> mean;
    std::vector<float> deviation;
    /// Value i of a picture as the layers see it, where there are means and deviations.
    [[nodiscard]] double standardised(double x, std::size_t i) const {
        return deviation[i] == 0.0F ? 0.0 : (x - double{mean[i]}) / double{deviation[i]};
    }
    /// The value that standardised() made this of; the mean where the deviation is 0.
    [[nodiscard]] double restored(double x, std::size_t i) const {
        return x * double{deviation[i]} + double{mean[i]};
    }

    static constexpr int max_channels = 256;
    static constexpr int max_side = 4096;
    static constexpr int max_row = max_side * max_side;  ///< values of a row without height and width

    [[nodiscard]] Shape shape() const { return {height, width, channels}; }
    /// Length of one picture's vector.
    [[nodiscard]] std::int64_t size() const { return std::int64_t{channels} * height * width; }
    /// True when every value of every picture lies in [0, 1], as cross-entropy needs.
    [[nodiscard]] bool unit_range() const { return !contrast && mean.empty(); }
    /// True when the values of a file may be any finite numbers.
    [[nodiscard]] bool takes_any_number() const { return !mean.empty() || !ranges.empty(); }

    friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};

/// "gray", "rgb", or "5 channels".
[[nodiscard]] std::string channels_text(const Preprocessing& preprocessing);

/// Throws InvalidArgument, naming the field, when a field is out of its range.
void validate(const Preprocessing& preprocessing);

}  // namespace stackae
