#include "stackae/patch_memory.hpp"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

#include "stackae/error.hpp"

namespace stackae {
namespace {

/// Of the 5 % by which a promise may fail, a fifth is for chance among the pictures; the rest is for that the
/// rule was chosen by the same pictures' scores.
constexpr double allowed_error = 0.05 / 5.0;

/// The probability of i among n where a share p is expected.
double binomial(double n, double i, double p) {
    return std::exp(std::lgamma(n + 1.0) - std::lgamma(i + 1.0) - std::lgamma(n - i + 1.0) + i * std::log(p) +
                    (n - i) * std::log1p(-p));
}

/// The share p of which as few as `above` among n are seen with a probability of allowed_error: Σ over
/// i ≤ above of C(n, i) p^i (1 − p)^(n − i), by bisection.
double upper_share(std::ptrdiff_t n, std::ptrdiff_t above) {
    double low = 0.0;
    double high = 1.0;
    for (int step = 0; step < 60; ++step) {
        const double middle = 0.5 * (low + high);
        double as_few = 0.0;
        for (std::ptrdiff_t i = 0; i <= above; ++i) {
            as_few += binomial(static_cast<double>(n), static_cast<double>(i), middle);
        }
        (as_few > allowed_error ? low : high) = middle;
    }
    return high;
}

}  // namespace

Tensor PatchMemory::region_map() const {
    Tensor map({height, width});
    std::copy_n(region.data(), region.size(), map.data());
    return map;
}

AnomalyThreshold anomaly_threshold(const PatchMemory& memory, double false_alarm) {
    if (!(false_alarm > 0.0 && false_alarm < 1.0)) {
        throw InvalidArgument(
            fmt::format("false_alarm: {} found, a share above 0 and below 1 expected", false_alarm));
    }
    if (memory.good_scores.empty()) {
        throw InvalidArgument("anomaly_threshold: a memory without scores of good pictures");
    }
    const auto n = std::ssize(memory.good_scores);
    // As many above as are seen with a probability of allowed_error at most where the share is `false_alarm`.
    std::ptrdiff_t above = 0;
    double as_few = binomial(static_cast<double>(n), 0.0, false_alarm);
    while (above + 1 < n) {
        as_few += binomial(static_cast<double>(n), static_cast<double>(above + 1), false_alarm);
        if (as_few > allowed_error) {
            break;
        }
        ++above;
    }
    return {memory.good_scores[static_cast<std::size_t>(n - 1 - above)], upper_share(n, above), n};
}

JsonObject to_json(const PatchMemory& memory) {
    JsonObject object;
    object.set("pictures", memory.pictures)
        .set("picture_height", memory.preprocessing.height)
        .set("picture_width", memory.preprocessing.width)
        .set("grid_height", memory.height)
        .set("grid_width", memory.width)
        .set("stride", memory.stride)
        .set("codes", memory.codes.rows())
        .set("code_size", memory.dimension())
        .set("rule", to_text(memory.rule))
        .set("tile", memory.rule.tile * memory.stride)
        .set("model_identity", memory.model.identity());
    std::vector<JsonObject> oddest;
    for (const GoodPicture& picture : memory.oddest_good) {
        oddest.push_back(JsonObject().set("path", picture.path).set("score", picture.score));
    }
    object.set("oddest_good", oddest);
    std::vector<JsonObject> planted;
    for (const PlantedDefects& defects : memory.planted) {
        planted.push_back(JsonObject()
                              .set("kind", defects.kind)
                              .set("planted", defects.planted)
                              .set("auroc", defects.auroc));
    }
    return object.set("planted", planted);
}

}  // namespace stackae
