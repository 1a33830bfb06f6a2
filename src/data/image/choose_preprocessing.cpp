#include <algorithm>
#include <atomic>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <new>
#include <optional>

#include "stackae/error.hpp"
#include "stackae/preprocessing.hpp"

#include "base/enum_names.hpp"
#include "base/parallel.hpp"
#include "base/threads.hpp"
#include "data/image/channels.hpp"
#include "data/image/picture_sizes.hpp"
#include "data/image/preprocess.hpp"
#include "data/read.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<ResizeMode> = base::names_of<ResizeMode>("resize mode",
                                                                         {{ResizeMode::squash, "squash"},
                                                                          {ResizeMode::border, "border"},
                                                                          {ResizeMode::center, "center"}});
template const char* name(ResizeMode);
template ResizeMode parse(std::string_view);

namespace {

constexpr std::int64_t max_sampled = 2000;
/// Of the pictures that are looked at, about: where they are large, fewer say enough, and decoding takes
/// long.
constexpr std::int64_t max_sampled_pixels = std::int64_t{1} << 26;
constexpr std::int64_t looked_at_once = 8;  ///< before their pixels are counted
constexpr int thumbnail_side = 64;
/// A value that deviates less, beside its size (root mean square), is one that never changes but for
/// rounding.
constexpr double min_deviation = 1e-6;

/// What one picture says about how all are to be preprocessed.
struct ImageStats {
    bool seen = false;
    bool gray = true;
    bool measured = false;  ///< its channels are
    int channels = 0;
    int height = 0;
    int width = 0;
    std::string reason;  ///< why it was not seen
};

/// What pictures must be to be looked at.
struct SampleRules {
    data::ValueRange of_colours = data::ValueRange::unit;
    data::ValueRange of_measured = data::ValueRange::finite;
    std::optional<Preprocessing> channels{};  ///< what was asked for, where they are to be measured
};

ImageStats stats_of(const ImageDataset::Source& source, std::int64_t i, const SampleRules& rules) {
    Preprocessing thumbnail;  // large JPEGs are reduced for it, which shows their colour as well
    thumbnail.channels = 3;
    thumbnail.height = thumbnail_side;
    thumbnail.width = thumbnail_side;
    ImageStats stats;
    try {
        const Preprocessing* const wanted = source.row_length() > 0 ? nullptr : &thumbnail;
        data::with_picture(source, i, wanted, [&](const data::Picture& loaded) {
            const bool rows = source.row_length() > 0;  // which have no channels yet
            const data::Picture picture =
                rules.channels && !rows ? data::with_channels_of(*rules.channels, loaded) : loaded;
            data::check_range(picture, picture.measured ? rules.of_measured : rules.of_colours);
            stats.measured = picture.measured;
            stats.channels = picture.pixels.channels();
            stats.height = picture.size().height;
            stats.width = picture.size().width;
            stats.gray = data::is_gray(picture);
            stats.seen = true;
        });
    } catch (const data::BadPicture& bad) {
        stats.reason = bad.what();
    } catch (const std::bad_alloc&) {
        stats.reason = "out of memory";
    } catch (const cv::Exception& error) {
        stats.reason = error.err;
    }
    return stats;
}

/// The numbers below a count, the first, so many as there may be, spread evenly over all (van der Corput
/// 1935).
std::vector<std::int64_t> spread_evenly(std::int64_t count) {
    std::vector<std::int64_t> order;
    std::int64_t bits = 0;
    while (std::int64_t{1} << bits < count) {
        ++bits;
    }
    for (std::int64_t i = 0; i < std::int64_t{1} << bits; ++i) {
        std::int64_t reversed = 0;
        for (std::int64_t bit = 0; bit < bits; ++bit) {
            reversed |= (i >> bit & 1) << (bits - 1 - bit);
        }
        if (reversed < count) {
            order.push_back(reversed);
        }
    }
    return order;
}

/// Looks at pictures spread evenly; stops at the first that can be read when `one_will_do`. Throws
/// InvalidArgument when none can.
std::vector<ImageStats> sample_stats(const ImageDataset& pictures, int threads, bool one_will_do,
                                     const SampleRules& rules) {
    const std::int64_t size = pictures.size();
    const std::int64_t count = std::min(size, max_sampled);
    std::vector<ImageStats> sampled(static_cast<std::size_t>(count));
    std::atomic<bool> enough{false};
    const std::vector<std::int64_t> order = spread_evenly(count);
    std::int64_t pixels = 0;
    for (std::int64_t first = 0; first < count && !enough && pixels < max_sampled_pixels;
         first += looked_at_once) {
        const std::int64_t now = std::min(looked_at_once, count - first);
        base::parallel_for(now, threads, [&] {
            return [&](std::int64_t i) {
                if (!enough) {
                    ImageStats& stats = sampled[static_cast<std::size_t>(first + i)];
                    stats = stats_of(pictures.source(),
                                     order[static_cast<std::size_t>(first + i)] * size / count, rules);
                    enough = one_will_do && stats.seen;
                }
            };
        });
        for (std::int64_t i = first; i < first + now; ++i) {
            const ImageStats& stats = sampled[static_cast<std::size_t>(i)];
            pixels += std::int64_t{stats.height} * stats.width;
        }
    }
    const std::string reason = sampled.empty() ? "no picture" : sampled.front().reason;
    std::erase_if(sampled, [](const ImageStats& stats) { return !stats.seen; });
    if (sampled.empty()) {
        throw InvalidArgument(fmt::format("{}: none of {} pictures can be read; the first, {}: {}",
                                          pictures.path(), count,
                                          size > 0 ? pictures.entry(0).path : std::string("none"), reason));
    }
    return sampled;
}

int median(std::vector<ImageStats>& sampled, int ImageStats::*side) {
    const auto middle = sampled.begin() + static_cast<std::ptrdiff_t>(sampled.size() / 2);
    std::nth_element(sampled.begin(), middle, sampled.end(),
                     [side](const ImageStats& a, const ImageStats& b) { return a.*side < b.*side; });
    return (*middle).*side;
}

int to_side(double length) {
    return static_cast<int>(
        std::clamp(std::round(length), 1.0, static_cast<double>(Preprocessing::max_side)));
}

/// Rows are never resized: the side that is left open makes up their length.
void choose_row_size(int length, const PreprocessingOptions& options, Preprocessing& preprocessing) {
    if (!options.height) {
        preprocessing.height =
            options.width ? std::max(1, length / preprocessing.channels / preprocessing.width) : 1;
    }
    if (!options.width) {
        preprocessing.width = std::max(1, length / preprocessing.channels / preprocessing.height);
    }
}

void choose_size(std::vector<ImageStats>& sampled, const PreprocessingOptions& options,
                 Preprocessing& preprocessing) {
    const int median_height = median(sampled, &ImageStats::height);
    const int median_width = median(sampled, &ImageStats::width);
    const double height = median_height;
    const double width = median_width;
    if (options.height && !options.width) {
        preprocessing.width = to_side(width * preprocessing.height / height);
    } else if (options.width && !options.height) {
        preprocessing.height = to_side(height * preprocessing.width / width);
    } else if (!options.height) {
        const double scale = std::min(1.0, options.max_side / std::max(height, width));
        preprocessing.height = to_side(height * scale);
        preprocessing.width = to_side(width * scale);
    }
    if (preprocessing.height == 1 && preprocessing.width > 1 && median_height > 1) {  // as for rows
        if (options.height) {
            throw InvalidArgument(fmt::format(
                "preprocessing: height: 1 found, 2 or more expected for pictures of {} × {} pixels",
                median_width, median_height));
        }
        preprocessing.height = 2;
    }
}

data::PictureSizes sizes_of(const std::vector<ImageStats>& sampled) {
    data::PictureSizes sizes{sampled.front().height, sampled.front().height, sampled.front().width,
                             sampled.front().width};
    for (const ImageStats& stats : sampled) {
        sizes.least_height = std::min(sizes.least_height, stats.height);
        sizes.greatest_height = std::max(sizes.greatest_height, stats.height);
        sizes.least_width = std::min(sizes.least_width, stats.width);
        sizes.greatest_width = std::max(sizes.greatest_width, stats.width);
        sizes.some_gray = sizes.some_gray || stats.gray;
        sizes.some_coloured = sizes.some_coloured || !stats.gray;
    }
    return sizes;
}

bool are_colours(int channels) {
    return channels == 1 || channels == 3;
}

/// How many measured channels most of the pictures that have such have; 0 where most pictures are of colours,
/// unless channels lie apart and pictures of colours are strays.
int channels_of_most(const std::vector<ImageStats>& sampled, bool apart) {
    std::map<int, std::int64_t> pictures;
    std::int64_t measured = 0;
    for (const ImageStats& stats : sampled) {
        if (stats.measured) {
            ++measured;
            ++pictures[stats.channels];
        }
    }
    if (measured == 0 || (!apart && 2 * measured <= std::ssize(sampled))) {
        return 0;
    }
    return std::max_element(pictures.begin(), pictures.end(),
                            [](const auto& a, const auto& b) { return a.second < b.second; })
        ->first;
}

void choose_channels(const ImageDataset& pictures, const std::vector<ImageStats>& sampled,
                     const PreprocessingOptions& options, Preprocessing& preprocessing) {
    preprocessing.channel_files = pictures.source().channel_files();
    const int most = channels_of_most(sampled, preprocessing.channel_files.are_apart());
    if (!options.channels) {
        const bool gray =
            std::all_of(sampled.begin(), sampled.end(), [](const ImageStats& stats) { return stats.gray; });
        preprocessing.channels = most > 0 ? most : gray ? 1 : 3;
    }
    preprocessing.measured = !are_colours(preprocessing.channels) || most == preprocessing.channels ||
                             preprocessing.channel_files.are_apart();
    if (!preprocessing.measured && most > 0 &&
        std::none_of(sampled.begin(), sampled.end(),
                     [](const ImageStats& stats) { return !stats.measured; })) {
        throw InvalidArgument(
            fmt::format("{}: pictures of {} channels that are no colours found, {} expected", pictures.path(),
                        most, channels_text(preprocessing)));
    }
}

/// Means, and squares of what lies off them, of values to those of their channels.
void pool_channels(std::size_t channels, double count, std::vector<double>& mean,
                   std::vector<double>& squares) {
    const auto places = static_cast<double>(mean.size() / channels);
    for (std::size_t c = 0; c < channels; ++c) {
        double middle = 0.0;
        for (std::size_t i = c; i < mean.size(); i += channels) {
            middle += mean[i] / places;
        }
        double off = 0.0;
        for (std::size_t i = c; i < mean.size(); i += channels) {
            off += (squares[i] + count * (mean[i] - middle) * (mean[i] - middle)) / places;
        }
        for (std::size_t i = c; i < mean.size(); i += channels) {
            mean[i] = middle;
            squares[i] = off;
        }
    }
}

/// One deviation for all values but those that never change.
void share_deviation(std::vector<float>& deviations) {
    double squares = 0.0;
    double count = 0.0;
    for (const float deviation : deviations) {
        squares += double{deviation} * double{deviation};
        count += deviation > 0.0F ? 1.0 : 0.0;
    }
    for (float& deviation : deviations) {
        deviation = deviation > 0.0F ? static_cast<float>(std::sqrt(squares / count)) : 0.0F;
    }
}

/// Mean and deviation of every value over all pictures (Welford 1962), in doubles; of measured channels the
/// same for all of a channel's values, wherever in the picture they are. may_share: values that all lie in
/// [0, 1] are taken to be of one unit, which one deviation leaves as it is.
void fit_standardisation(const ImageDataset& pictures, int threads, bool may_share,
                         Preprocessing& preprocessing) {
    const auto size = static_cast<std::size_t>(preprocessing.size());
    std::vector<double> mean(size, 0.0);
    std::vector<double> squares(size, 0.0);
    double count = 0.0;
    preprocessing.mean.assign(size, 0.0F);  // x ← (x − 0) / 1: as they are, of any range
    preprocessing.deviation.assign(size, 1.0F);
    PictureReader reader(pictures, preprocessing, {.threads = threads});
    for (PictureBatch batch; reader.next(batch);) {
        for (std::int64_t row = 0; row < batch.pictures.rows(); ++row) {
            count += 1.0;
            const std::span<const float> values = std::as_const(batch.pictures).row(row);
            for (std::size_t i = 0; i < size; ++i) {
                may_share = may_share && values[i] >= 0.0F && values[i] <= 1.0F;
                const double off = values[i] - mean[i];
                mean[i] += off / count;
                squares[i] += off * (values[i] - mean[i]);
            }
        }
    }
    if (count == 0.0) {
        throw InvalidArgument(
            fmt::format("{}: standardisation: not one picture can be read", pictures.path()));
    }
    if (preprocessing.measured && preprocessing.height > 1) {
        pool_channels(static_cast<std::size_t>(preprocessing.channels), count, mean, squares);
    }
    for (std::size_t i = 0; i < size; ++i) {
        const double deviation = std::sqrt(squares[i] / count);
        const double magnitude = std::hypot(mean[i], deviation);
        const bool constant = deviation <= min_deviation * magnitude || static_cast<float>(deviation) == 0.0F;
        preprocessing.mean[i] = static_cast<float>(mean[i]);
        preprocessing.deviation[i] = constant ? 0.0F : static_cast<float>(deviation);
    }
    if (may_share) {
        share_deviation(preprocessing.deviation);
    }
}

[[noreturn]] void refuse(const char* field, double found, const char* expected) {
    throw InvalidArgument(fmt::format("preprocessing: {}: {} found, {} expected", field, found, expected));
}

}  // namespace

void validate(const Preprocessing& preprocessing) {
    data::validate_channels(preprocessing);
    if (preprocessing.height < 1 || preprocessing.height > Preprocessing::max_side) {
        refuse("height", preprocessing.height, "1 to 4096");
    }
    if (preprocessing.width < 1 ||
        preprocessing.width >
            (preprocessing.height == 1 ? Preprocessing::max_row : Preprocessing::max_side)) {
        refuse("width", preprocessing.width, preprocessing.height == 1 ? "1 to 16777216" : "1 to 4096");
    }
    if (preprocessing.resize != ResizeMode::squash && preprocessing.resize != ResizeMode::border &&
        preprocessing.resize != ResizeMode::center) {
        refuse("resize", static_cast<double>(preprocessing.resize), "squash, border or center");
    }
    if (!(preprocessing.background >= 0.0F && preprocessing.background <= 1.0F)) {
        refuse("background", preprocessing.background, "a gray level in [0, 1]");
    }
    if (!(preprocessing.contrast_epsilon > 0.0F && std::isfinite(preprocessing.contrast_epsilon))) {
        refuse("contrast_epsilon", preprocessing.contrast_epsilon, "a number above 0");
    }
    const std::size_t size = preprocessing.mean.empty() ? 0 : static_cast<std::size_t>(preprocessing.size());
    if (preprocessing.mean.size() != size || preprocessing.deviation.size() != size) {
        throw InvalidArgument(
            fmt::format("preprocessing: {} means and {} deviations found, {} or none expected",
                        preprocessing.mean.size(), preprocessing.deviation.size(), preprocessing.size()));
    }
    for (std::size_t i = 0; i < size; ++i) {
        if (!std::isfinite(preprocessing.mean[i])) {
            refuse("mean", preprocessing.mean[i], "a finite number");
        }
        if (!(preprocessing.deviation[i] >= 0.0F && std::isfinite(preprocessing.deviation[i]))) {
            refuse("deviation", preprocessing.deviation[i], "0 or more");
        }
    }
}

Preprocessing choose_preprocessing(const ImageDataset& pictures, const PreprocessingOptions& options,
                                   int threads) {
    data::PictureSizes nobody_asked;
    return data::choose_preprocessing(pictures, options, threads, nobody_asked);
}

Preprocessing data::choose_preprocessing(const ImageDataset& pictures, const PreprocessingOptions& options,
                                         int threads, PictureSizes& seen) {
    threads = base::resolve_threads(threads);
    Preprocessing preprocessing;
    preprocessing.channels = options.channels.value_or(1);
    preprocessing.height = options.height.value_or(1);
    preprocessing.width = options.width.value_or(1);
    preprocessing.resize = options.resize;
    preprocessing.background = options.background;
    preprocessing.contrast = options.contrast;
    preprocessing.measured = !are_colours(preprocessing.channels);
    validate(preprocessing);  // what was asked for, before anything is read
    const bool all_given = options.channels && options.height && options.width;
    const std::int64_t row_length = pictures.source().row_length();
    const bool shapeless = row_length > 0 && !options.height && !options.width;
    const bool standardize = options.standardize.value_or(shapeless);
    const bool any_colours = standardize || !options.ranges.empty() || options.fit_ranges.value_or(false);
    const bool any_measured = standardize || !options.ranges.empty() || options.fit_ranges.value_or(true);
    SampleRules rules{any_colours ? data::ValueRange::finite : data::ValueRange::unit,
                      any_measured ? data::ValueRange::finite : data::ValueRange::unit};
    if (preprocessing.measured) {
        rules.channels = preprocessing;
    }
    std::vector<ImageStats> sampled = sample_stats(pictures, threads, all_given, rules);
    choose_channels(pictures, sampled, options, preprocessing);
    if (row_length > 0) {
        choose_row_size(static_cast<int>(row_length), options, preprocessing);
        data::check_rows(pictures.source(), preprocessing);
    } else {
        choose_size(sampled, options, preprocessing);
        seen = sizes_of(sampled);
    }
    validate(preprocessing);
    if (!options.ranges.empty()) {
        preprocessing.ranges = data::given_ranges(options.ranges, preprocessing.channels);
    } else if (options.fit_ranges.value_or(preprocessing.measured)) {
        preprocessing.ranges = data::fit_ranges(pictures, preprocessing, threads);
    }
    validate(preprocessing);
    if (standardize) {
        fit_standardisation(pictures, threads, shapeless && !options.standardize, preprocessing);
    }
    return preprocessing;
}

}  // namespace stackae
