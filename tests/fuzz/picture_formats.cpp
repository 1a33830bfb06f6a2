#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <sstream>

#include "data/image/decoder.hpp"
#include "data/image/preprocess.hpp"
#include "data/make.hpp"
#include "fuzz/picture_seeds.hpp"
#include "fuzz/targets.hpp"

namespace stackae::fuzz {
namespace {

/// Decodes at full size and, as folders are read, for small preprocessing, which then follows.
void run_format(const data::Decoder& decoder, Input input) {
    PictureLimits limits;
    limits.max_pixels = 1 << 18;
    for (const int channels : {1, 3}) {
        const Preprocessing preprocessing =
            test::preprocessing_of(channels, 5, 4, channels == 1 ? ResizeMode::center : ResizeMode::border);
        try {
            const data::Picture picture = decoder.decode(
                input, {.limits = limits, .preprocessing = channels == 1 ? &preprocessing : nullptr});
            std::vector<float> values(static_cast<std::size_t>(preprocessing.size()));
            data::preprocess(preprocessing, picture, values);
            if (!std::all_of(values.begin(), values.end(),
                             [](float value) { return std::isfinite(value); })) {
                std::abort();
            }
        } catch (const data::BadPicture&) {
        } catch (const cv::Exception&) {  // as the reader of a folder takes it
        }
    }
}

/// Small files, and what the tests' own writers make by the format's endings.
std::vector<std::string> seeds_of(const data::Decoder& decoder) {
    std::vector<std::string> seeds = small_pictures(decoder.name);
    for (const unsigned bits : {8U, 16U, 32U}) {
        for (const unsigned channels : {1U, 3U, 4U}) {
            if (decoder.name == "TIFF") {
                const std::string data(std::size_t{bits} / 8 * channels * 6, '\x40');
                seeds.push_back(test::tiff(3, 2, data,
                                           {.bits = bits,
                                            .channels = channels,
                                            .photometric = channels == 1 ? 1U : 2U,
                                            .format = bits == 32 ? 3U : 1U}));
            }
        }
    }
    std::istringstream endings{std::string(decoder.endings)};
    for (std::string ending; endings >> ending;) {
        for (const cv::Mat& pixels : {test::gray_ramp(9, 7), test::colour_scene(8, 11)}) {
            try {
                seeds.push_back(test::encode("." + ending, pixels));
            } catch (const std::exception&) {  // no format that they write
            }
        }
    }
    return seeds;
}

}  // namespace

std::vector<Target> picture_formats() {
    std::vector<Target> targets;
    for (const data::Decoder& decoder : data::decoders()) {
        std::string name(decoder.name);
        std::replace(name.begin(), name.end(), ' ', '-');
        targets.push_back({name, [&decoder](Input input) { run_format(decoder, input); },
                           [&decoder] { return seeds_of(decoder); }});
    }
    return targets;
}

}  // namespace stackae::fuzz
