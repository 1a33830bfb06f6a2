#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/preprocessing.hpp"

#include "data/image/picture.hpp"

namespace stackae::data {

/// Throws InvalidArgument, naming the field, when what a preprocessing says of its channels is out of range
/// or contradicts itself.
void validate_channels(const Preprocessing& preprocessing);

/// Ranges as they were asked for, one for all channels or one each. Throws InvalidArgument where there are
/// others.
[[nodiscard]] std::vector<ChannelRange> given_ranges(const std::vector<ChannelRange>& ranges, int channels);

/// The range of each channel over at most 2,000 pictures, spread evenly: from the least thousandth of its
/// values to the greatest; from the least to the greatest where these are the same. A channel that never
/// changes becomes 0. Throws InvalidArgument when not one picture can be read.
[[nodiscard]] std::vector<ChannelRange> fit_ranges(const ImageDataset& pictures,
                                                   const Preprocessing& preprocessing, int threads);

/// A picture that is a channel, or several, of another.
struct ChannelPart {
    std::string name;               ///< as messages call it: "page 2", "channel _ch1"
    std::function<Picture()> load;  ///< throws BadPicture
    bool one_channel = false;       ///< several are refused
};

/// One picture of the channels of all parts, in their order, as they are stored: floats where the parts are
/// of different types. A part in colour whose red, green and blue are equal is one channel. Throws BadPicture
/// where one cannot be had, has alpha or another size than the first, or where there are too many channels;
/// the part is named.
[[nodiscard]] Picture joined_channels(const std::vector<ChannelPart>& parts);

}  // namespace stackae::data
