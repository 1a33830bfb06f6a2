#include "stackae/recipe.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fmt/format.h>
#include <new>

#include "stackae/error.hpp"

#include "base/enum_names.hpp"
#include "base/parallel.hpp"
#include "base/threads.hpp"
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

constexpr std::int64_t most_looks = 2000;
constexpr int most_chosen_side = 64;
/// A value that deviates less, beside its size (root mean square), is one that never changes but for
/// rounding.
constexpr double least_deviation = 1e-6;

/// What one picture says about the recipe.
struct Look {
    bool seen = false;
    bool gray = true;
    int height = 0;
    int width = 0;
    std::string reason;  ///< why it was not seen
};

Look look_at(const Pictures::Source& source, std::int64_t i, data::ValueRange range) {
    Recipe thumbnail;  // large JPEGs are reduced for it, which shows their colour as well
    thumbnail.channels = 3;
    thumbnail.height = most_chosen_side;
    thumbnail.width = most_chosen_side;
    Look look;
    try {
        const Recipe* const wanted = source.row_length() > 0 ? nullptr : &thumbnail;
        data::with_picture(source, i, wanted, [&](const data::Picture& picture) {
            data::check_range(picture, range);
            look.height = picture.size().height;
            look.width = picture.size().width;
            look.gray = data::is_gray(picture);
            look.seen = true;
        });
    } catch (const data::BadPicture& bad) {
        look.reason = bad.what();
    } catch (const std::bad_alloc&) {
        look.reason = "out of memory";
    } catch (const cv::Exception& error) {
        look.reason = error.err;
    }
    return look;
}

/// Looks at pictures spread evenly; stops at the first that can be read when `one_will_do`. Throws
/// InvalidArgument when none can.
std::vector<Look> look_around(const Pictures& pictures, int threads, bool one_will_do,
                              data::ValueRange range) {
    const std::int64_t size = pictures.size();
    const std::int64_t count = std::min(size, most_looks);
    std::vector<Look> looks(static_cast<std::size_t>(count));
    std::atomic<bool> enough{false};
    base::parallel_for(count, threads, [&] {
        return [&](std::int64_t i) {
            if (!enough) {
                Look& look = looks[static_cast<std::size_t>(i)];
                look = look_at(pictures.source(), i * size / count, range);
                enough = one_will_do && look.seen;
            }
        };
    });
    const std::string reason = looks.empty() ? "no picture" : looks.front().reason;
    std::erase_if(looks, [](const Look& look) { return !look.seen; });
    if (looks.empty()) {
        throw InvalidArgument(fmt::format("{}: none of {} pictures can be read; the first, {}: {}",
                                          pictures.path(), count,
                                          size > 0 ? pictures.entry(0).path : std::string("none"), reason));
    }
    return looks;
}

int median(std::vector<Look>& looks, int Look::*side) {
    const auto middle = looks.begin() + static_cast<std::ptrdiff_t>(looks.size() / 2);
    std::nth_element(looks.begin(), middle, looks.end(),
                     [side](const Look& a, const Look& b) { return a.*side < b.*side; });
    return (*middle).*side;
}

int to_side(double length) {
    return static_cast<int>(std::clamp(std::round(length), 1.0, static_cast<double>(Recipe::max_side)));
}

/// Rows are never resized: the side that is left open makes up their length.
void choose_row_size(int length, const RecipeOptions& options, Recipe& recipe) {
    if (!options.height) {
        recipe.height = options.width ? std::max(1, length / recipe.channels / recipe.width) : 1;
    }
    if (!options.width) {
        recipe.width = std::max(1, length / recipe.channels / recipe.height);
    }
}

void choose_size(std::vector<Look>& looks, const RecipeOptions& options, Recipe& recipe) {
    const int median_height = median(looks, &Look::height);
    const int median_width = median(looks, &Look::width);
    const double height = median_height;
    const double width = median_width;
    if (options.height && !options.width) {
        recipe.width = to_side(width * recipe.height / height);
    } else if (options.width && !options.height) {
        recipe.height = to_side(height * recipe.width / width);
    } else if (!options.height) {
        const double scale = std::min(1.0, most_chosen_side / std::max(height, width));
        recipe.height = to_side(height * scale);
        recipe.width = to_side(width * scale);
    }
    if (recipe.height == 1 && recipe.width > 1 && median_height > 1) {  // a recipe of rows
        if (options.height) {
            throw InvalidArgument(
                fmt::format("recipe: height: 1 found, 2 or more expected for pictures of {} × {} pixels",
                            median_width, median_height));
        }
        recipe.height = 2;
    }
}

/// Mean and deviation of every value over all pictures (Welford 1962), in doubles.
void fit_standardisation(const Pictures& pictures, int threads, Recipe& recipe) {
    const auto size = static_cast<std::size_t>(recipe.size());
    std::vector<double> mean(size, 0.0);
    std::vector<double> squares(size, 0.0);
    double count = 0.0;
    recipe.mean.assign(size, 0.0F);  // x ← (x − 0) / 1: as they are, of any range
    recipe.deviation.assign(size, 1.0F);
    PictureReader reader(pictures, recipe, {.threads = threads});
    for (PictureBatch batch; reader.next(batch);) {
        for (std::int64_t row = 0; row < batch.pictures.rows(); ++row) {
            count += 1.0;
            const std::span<const float> values = std::as_const(batch.pictures).row(row);
            for (std::size_t i = 0; i < size; ++i) {
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
    for (std::size_t i = 0; i < size; ++i) {
        const double deviation = std::sqrt(squares[i] / count);
        const double magnitude = std::hypot(mean[i], deviation);
        const bool constant =
            deviation <= least_deviation * magnitude || static_cast<float>(deviation) == 0.0F;
        recipe.mean[i] = static_cast<float>(mean[i]);
        recipe.deviation[i] = constant ? 0.0F : static_cast<float>(deviation);
    }
}

[[noreturn]] void refuse(const char* field, double found, const char* expected) {
    throw InvalidArgument(fmt::format("recipe: {}: {} found, {} expected", field, found, expected));
}

}  // namespace

void validate(const Recipe& recipe) {
    if (recipe.channels != 1 && recipe.channels != 3) {
        refuse("channels", recipe.channels, "1 (gray) or 3 (RGB)");
    }
    if (recipe.height < 1 || recipe.height > Recipe::max_side) {
        refuse("height", recipe.height, "1 to 4096");
    }
    if (recipe.width < 1 || recipe.width > (recipe.height == 1 ? Recipe::max_row : Recipe::max_side)) {
        refuse("width", recipe.width, recipe.height == 1 ? "1 to 16777216" : "1 to 4096");
    }
    if (recipe.resize != ResizeMode::squash && recipe.resize != ResizeMode::border &&
        recipe.resize != ResizeMode::center) {
        refuse("resize", static_cast<double>(recipe.resize), "squash, border or center");
    }
    if (!(recipe.background >= 0.0F && recipe.background <= 1.0F)) {
        refuse("background", recipe.background, "a gray level in [0, 1]");
    }
    if (!(recipe.contrast_epsilon > 0.0F && std::isfinite(recipe.contrast_epsilon))) {
        refuse("contrast_epsilon", recipe.contrast_epsilon, "a number above 0");
    }
    const std::size_t size = recipe.mean.empty() ? 0 : static_cast<std::size_t>(recipe.size());
    if (recipe.mean.size() != size || recipe.deviation.size() != size) {
        throw InvalidArgument(fmt::format("recipe: {} means and {} deviations found, {} or none expected",
                                          recipe.mean.size(), recipe.deviation.size(), recipe.size()));
    }
    for (std::size_t i = 0; i < size; ++i) {
        if (!std::isfinite(recipe.mean[i])) {
            refuse("mean", recipe.mean[i], "a finite number");
        }
        if (!(recipe.deviation[i] >= 0.0F && std::isfinite(recipe.deviation[i]))) {
            refuse("deviation", recipe.deviation[i], "0 or more");
        }
    }
}

Recipe choose_recipe(const Pictures& pictures, const RecipeOptions& options, int threads) {
    threads = base::resolve_threads(threads);
    Recipe recipe;
    recipe.channels = options.channels.value_or(1);
    recipe.height = options.height.value_or(1);
    recipe.width = options.width.value_or(1);
    recipe.resize = options.resize;
    recipe.background = options.background;
    recipe.contrast = options.contrast;
    validate(recipe);  // what was asked for, before anything is read
    const bool all_given = options.channels && options.height && options.width;
    const std::int64_t row_length = pictures.source().row_length();
    const bool shapeless = row_length > 0 && !options.height && !options.width;
    const bool standardize = options.standardize.value_or(shapeless);
    std::vector<Look> looks = look_around(pictures, threads, all_given,
                                          standardize ? data::ValueRange::finite : data::ValueRange::unit);
    if (row_length > 0) {
        choose_row_size(static_cast<int>(row_length), options, recipe);
        data::check_rows(pictures.source(), recipe);
    } else {
        choose_size(looks, options, recipe);
    }
    if (!options.channels) {
        const bool gray = std::all_of(looks.begin(), looks.end(), [](const Look& look) { return look.gray; });
        recipe.channels = gray ? 1 : 3;
    }
    validate(recipe);
    if (standardize) {
        fit_standardisation(pictures, threads, recipe);
    }
    return recipe;
}

}  // namespace stackae
