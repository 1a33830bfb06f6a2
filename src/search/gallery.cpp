#include "stackae/gallery.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/text.hpp"

#include "base/rows.hpp"
#include "search/gallery_check.hpp"
#include "search/label_encoder.hpp"

namespace stackae {
namespace {

constexpr std::int64_t max_impostors = 20'000;

void copy_row(const Tensor& from, std::int64_t i, Tensor& to, std::int64_t j) {
    std::copy(from.row(i).begin(), from.row(i).end(), to.row(j).begin());
}

const char* yes_or_no(bool value) {
    return value ? "yes" : "no";
}

template <class Value>
void check_same(const char* what, const Value& there, const Value& more) {
    if (there != more) {
        throw InvalidArgument(
            fmt::format("append to gallery: {}: {} found, {} expected as in the gallery", what, more, there));
    }
}

/// Evenly spread rows, or none at all for "every row".
std::vector<std::int64_t> impostors(std::int64_t size) {
    return size > max_impostors ? base::spread_rows(size, max_impostors) : std::vector<std::int64_t>();
}

/// The largest distance that at most `share` of them lie at or below, or just under the smallest.
double quantile(std::vector<float> distances, double share) {
    std::sort(distances.begin(), distances.end());
    // 0.29 · 100 is a little below 29 in binary.
    const double impostors_named = share * static_cast<double>(distances.size()) * (1.0 + 1e-12);
    const auto most = std::min(static_cast<std::size_t>(impostors_named), distances.size() - 1);
    // Distances equal to the first that is too many are too many as well.
    const auto end = std::lower_bound(distances.begin(), distances.end(), distances[most]);
    if (end != distances.begin()) {
        return double{*std::prev(end)};
    }
    const double nearest{distances.front()};
    return nearest > 0.0 ? std::nextafter(nearest, 0.0) : Gallery::reject_all;
}

/// What two spellings of one path have in common, seen from the current folder. Folders are looked up once.
class PathKey {
public:
    std::string operator()(const std::string& path) {
        namespace fs = std::filesystem;
        const fs::path whole = fs::absolute(path).lexically_normal();
        const auto [place, is_new] = folders_.emplace(whole.parent_path().string(), std::string());
        if (is_new) {
            std::error_code error;
            place->second = fs::weakly_canonical(place->first, error).string();
            place->second = error ? place->first : place->second;
        }
        return place->second + '/' + whole.filename().string();
    }

private:
    std::unordered_map<std::string, std::string> folders_;
};

}  // namespace

namespace search {

std::string fault(const Gallery& gallery) {
    const std::int64_t n = gallery.size();
    if (gallery.depth < 1) {
        return fmt::format("depth: {} layers found, 1 or more expected", gallery.depth);
    }
    if (static_cast<std::int64_t>(gallery.paths.size()) != n) {
        return fmt::format("{} names and {} paths found, as many of each expected", n, gallery.paths.size());
    }
    for (std::int64_t i = 0; i < n; ++i) {
        const std::string& name = gallery.names[static_cast<std::size_t>(i)];
        const std::string& path = gallery.paths[static_cast<std::size_t>(i)];
        if (path.empty() || path.find('\0') != std::string::npos) {
            return fmt::format("path {}: {} found, the path of a picture expected", i,
                               path.empty() ? "nothing" : "a zero byte");
        }
        if (name.find('\0') != std::string::npos) {
            return fmt::format("name {}: a zero byte found, a name expected", i);
        }
    }
    if (gallery.codes.rows() != n || (n > 0 && gallery.codes.columns() < 1)) {
        return fmt::format("{} codes of {} values found for {} names", gallery.codes.rows(),
                           gallery.codes.columns(), n);
    }
    for (std::int64_t i = 0; i < n; ++i) {
        if (!base::all_finite(gallery.codes.row(i))) {
            return fmt::format("code {} has a value that is not a finite number", i);
        }
    }
    if (gallery.threshold && !(*gallery.threshold >= 0.0 || *gallery.threshold == Gallery::reject_all)) {
        return fmt::format("threshold: {} found, 0 or more expected", *gallery.threshold);
    }
    if (!(gallery.false_accept_rate > 0.0 && gallery.false_accept_rate < 1.0)) {
        return fmt::format("false_accept_rate: {} found, a share between 0 and 1 expected",
                           gallery.false_accept_rate);
    }
    return {};
}

void check(const Gallery& gallery, const std::string& operation) {
    if (const std::string wrong = fault(gallery); !wrong.empty()) {
        throw InvalidArgument(fmt::format("{}: {}", operation, wrong));
    }
}

}  // namespace search

void check_model(const Gallery& gallery, const Model& model) {
    const std::string identity = model.identity();
    if (gallery.model_identity != identity) {
        throw InvalidArgument(
            fmt::format("the gallery was made with model {} ({}), the model given is {}: features of "
                        "different models cannot be compared",
                        gallery.model_identity,
                        gallery.model_path.empty() ? "path not recorded" : gallery.model_path, identity));
    }
    const std::int64_t expected = model.code_size(std::to_string(gallery.depth));
    if (gallery.size() > 0 && gallery.codes.columns() != expected) {
        throw InvalidArgument(
            fmt::format("the gallery's codes have {} values, those of {} layers of its model {}",
                        gallery.codes.columns(), gallery.depth, expected));
    }
}

ImageDataset gallery_pictures(const Gallery& gallery, const std::string& path, const PictureLimits& limits) {
    std::vector<ImageEntry> entries;
    entries.reserve(gallery.paths.size());
    for (std::size_t i = 0; i < gallery.paths.size(); ++i) {
        std::error_code ignored;
        const std::string& stored = gallery.paths[i];
        const bool as_it_is = stored.find("\\x") == stored.npos || std::filesystem::exists(stored, ignored);
        entries.push_back({as_it_is ? stored : from_utf8(stored), gallery.names[i]});
    }
    return ImageDataset::from_entries(path, std::move(entries), limits);
}

void append(Gallery& gallery, const Gallery& more) {
    check_same("model", gallery.model_identity, more.model_identity);
    check_same("depth", gallery.depth, more.depth);
    check_same<std::string>("l2 normalisation", yes_or_no(gallery.l2_normalize),
                            yes_or_no(more.l2_normalize));
    check_same<std::string>("metric", name(gallery.metric), name(more.metric));
    search::check(gallery, "append to gallery");
    search::check(more, "append to gallery");
    if (gallery.size() > 0 && more.size() > 0) {
        check_same("values a code", gallery.codes.columns(), more.codes.columns());
    }

    std::unordered_map<std::string, std::int64_t> row_of;
    PathKey key;
    for (std::int64_t i = 0; i < gallery.size(); ++i) {
        row_of.emplace(key(gallery.paths[static_cast<std::size_t>(i)]), i);
    }
    std::vector<std::int64_t> target;  // of each entry of `more`
    auto rows = gallery.size();
    for (const std::string& path : more.paths) {
        const auto [place, is_new] = row_of.emplace(key(path), rows);
        rows += is_new ? 1 : 0;
        target.push_back(place->second);
    }
    Tensor codes({rows, more.size() > 0 ? more.codes.columns() : gallery.codes.columns()});
    std::copy_n(gallery.codes.data(), gallery.codes.size(), codes.data());
    gallery.names.resize(static_cast<std::size_t>(rows));
    gallery.paths.resize(static_cast<std::size_t>(rows));
    for (std::size_t i = 0; i < target.size(); ++i) {
        const auto to = static_cast<std::size_t>(target[i]);
        gallery.names[to] = more.names[i];
        gallery.paths[to] = more.paths[i];
        copy_row(more.codes, static_cast<std::int64_t>(i), codes, target[i]);
    }
    gallery.codes = std::move(codes);
}

std::vector<std::string> row_paths(const Gallery& gallery, std::int64_t count) {
    constexpr std::string_view prefix = "row ";
    constexpr std::int64_t most = std::int64_t{1} << 53U;  // no counting comes as far
    std::int64_t next = 0;
    for (const std::string_view path : gallery.paths) {
        std::int64_t number = -1;
        if (path.starts_with(prefix)) {
            const char* const end = path.data() + path.size();
            const auto [stop, error] = std::from_chars(path.data() + prefix.size(), end, number);
            number = stop == end && error == std::errc() && number < most ? number : -1;
        }
        next = std::max(next, number + 1);
    }
    std::vector<std::string> paths;
    for (std::int64_t i = 0; i < count; ++i) {
        paths.push_back(fmt::format("{}{}", prefix, next + i));
    }
    return paths;
}

std::int64_t remove(Gallery& gallery, const std::string& name) {
    search::check(gallery, "remove from gallery");
    const std::int64_t removed = std::count(gallery.names.begin(), gallery.names.end(), name);
    Gallery kept = gallery;
    kept.codes = Tensor({gallery.size() - removed, gallery.codes.columns()});
    kept.names.clear();
    kept.paths.clear();
    for (std::size_t i = 0; i < gallery.names.size(); ++i) {
        if (gallery.names[i] != name) {
            copy_row(gallery.codes, static_cast<std::int64_t>(i), kept.codes, kept.size());
            kept.names.push_back(gallery.names[i]);
            kept.paths.push_back(gallery.paths[i]);
        }
    }
    gallery = std::move(kept);
    return removed;
}

std::int64_t calibration_size(const Gallery& gallery) {
    return std::min(gallery.size(), max_impostors);
}

bool is_rate_coarse(const Gallery& gallery) {
    return gallery.false_accept_rate * static_cast<double>(calibration_size(gallery)) < 1.0;
}

void calibrate(Gallery& gallery, double false_accept_rate, int threads) {
    if (!(false_accept_rate > 0.0 && false_accept_rate < 1.0)) {
        throw InvalidArgument(
            fmt::format("false_accept_rate: {} found, a share between 0 and 1 expected", false_accept_rate));
    }
    search::check(gallery, "calibrate gallery");
    gallery.false_accept_rate = false_accept_rate;
    gallery.threshold.reset();
    gallery.rate_known = true;
    const search::LabelEncoder names(gallery.names);
    if (names.count() < 2) {
        return;
    }
    NeighbourIndex index(gallery.codes, gallery.metric, threads);
    const Neighbours nearest = index.search_self(1, names.numbers(), impostors(gallery.size()));
    gallery.threshold = quantile(nearest.distances, false_accept_rate);
    const auto [least, most] = std::minmax_element(nearest.distances.begin(), nearest.distances.end());
    gallery.rate_known = *least < *most;
}

}  // namespace stackae
