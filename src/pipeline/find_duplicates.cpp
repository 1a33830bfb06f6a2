#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <tuple>
#include <utility>

#include "stackae/duplicates.hpp"
#include "stackae/error.hpp"
#include "stackae/resources.hpp"
#include "stackae/text.hpp"

#include "base/enum_names.hpp"
#include "base/file_io.hpp"
#include "base/hash.hpp"
#include "base/memory.hpp"
#include "base/parallel.hpp"
#include "base/random.hpp"
#include "base/rows.hpp"
#include "data/image/altered_copy.hpp"
#include "pipeline/disjoint_sets.hpp"
#include "search/match_threshold.hpp"
#include "search/picture_matches.hpp"

namespace stackae {

template <>
constexpr auto base::enum_names<CopyKind> =
    base::names_of<CopyKind>("kind of copy", {{CopyKind::kept, "kept"},
                                              {CopyKind::exact, "exact"},
                                              {CopyKind::same, "same"},
                                              {CopyKind::near, "near"},
                                              {CopyKind::transformed, "transformed"}});
template const char* name(CopyKind);
template CopyKind parse(std::string_view);

template <>
constexpr auto base::enum_names<KeepRule> = base::names_of<KeepRule>("what to keep",
                                                                     {{KeepRule::largest, "largest"},
                                                                      {KeepRule::oldest, "oldest"},
                                                                      {KeepRule::first, "first"}});
template const char* name(KeepRule);
template KeepRule parse(std::string_view);

namespace {

using base::at;
using search::PictureMatch;
using search::Thumbnails;

constexpr std::int64_t max_planted_pictures = 150;
constexpr std::int64_t max_compared = 10'000;  ///< pictures that planted copies are compared with
constexpr int planted_side = 256;
constexpr std::int64_t planted_nearest =
    12;                                   ///< as a picture has several copies among those that are planted
constexpr std::int64_t max_pairs = 8;     ///< of a picture with others, the likeliest, that are looked at
constexpr double usual_similarity = 0.8;  ///< where there are too few pictures to calibrate
constexpr double least_similarity = 0.7;  ///< less is more alike than different at best
constexpr double may_miss = 0.005;        ///< share of planted copies that a stricter threshold may miss more
constexpr double alike = 0.98;            ///< similarity from which on pixels may be the same

/// A picture that was read.
struct Read {
    ImageEntry entry;
    bool reference = false;
    std::string bytes = {};  ///< checksum of its file, where another file is as long
};

/// Similarities of planted copies, of one kind of matches, and the threshold that comes of them.
struct Similarities {
    explicit Similarities(std::size_t copies) : own(copies, -1.0), best(copies, -1.0) {}

    void of_others(std::int64_t copy, double similarity) {
        best[at(copy)] = std::max(best[at(copy)], similarity);
    }
    /// others: pictures that each copy was compared with beside its own original.
    void settle(std::int64_t others, const DuplicateOptions& options);

    std::vector<double> own;   ///< with the original, -1: none
    std::vector<double> best;  ///< with any other picture
    double least = usual_similarity;
    double false_pairs = std::numeric_limits<double>::quiet_NaN();
};

void Similarities::settle(std::int64_t others, const DuplicateOptions& options) {
    const auto false_matches = search::FalseMatches::fit(best, others);
    if (options.threshold) {
        least = 1.0 - *options.threshold;
    } else if (false_matches) {
        least = std::max(least_similarity, false_matches->similarity_at(options.false_pairs / 2.0));
        // How much stricter it may be for next to nothing.
        std::vector<double> found;
        std::copy_if(own.begin(), own.end(), std::back_inserter(found),
                     [&](double value) { return value >= least; });
        const auto missed = static_cast<std::size_t>(may_miss * static_cast<double>(found.size()));
        if (!found.empty()) {
            const auto strictest = found.begin() + static_cast<std::ptrdiff_t>(missed);
            std::nth_element(found.begin(), strictest, found.end());
            least = (least + *strictest) / 2.0;
        }
    }
    if (false_matches) {
        false_pairs = false_matches->share_from(least);
    }
}

class Search {
public:
    Search(const DuplicateOptions& options, bool has_reference)
        : options_(options), has_reference_(has_reference), threads_(resolve_threads(options.threads)) {}

    void read(const Inputs& inputs, bool reference, Manifest& manifest);
    DuplicateReport run();

private:
    void check_memory(std::int64_t pictures) const;
    void hash_files();
    void calibrate(DuplicateReport& report);
    /// Copies of some pictures, and which each is of.
    struct Planted {
        Thumbnails copies;
        std::vector<std::int64_t> originals;
        std::vector<data::Alteration> alterations;
    };
    [[nodiscard]] Planted plant(const std::vector<std::int64_t>& rows) const;
    /// Files of the same bytes, and pictures that are the same in small.
    void join_equal();
    /// Pictures that lie on each other and are at least so similar.
    void join_matches();
    [[nodiscard]] std::vector<std::vector<Duplicate>> groups();
    [[nodiscard]] std::vector<Duplicate> group(const std::vector<std::int64_t>& rows);
    /// What a picture is to the one that is kept.
    void relate(Duplicate& member, std::int64_t row, std::int64_t kept,
                const std::vector<std::int64_t>& rows);
    /// Similarity of two pictures that were found to be copies, else -1; and whether nothing was moved.
    [[nodiscard]] std::pair<double, bool> match_of(std::int64_t one, std::int64_t other) const;
    [[nodiscard]] const data::PictureContent& content(std::int64_t row);
    [[nodiscard]] std::int64_t kept_of(const std::vector<std::int64_t>& rows);
    [[nodiscard]] search::MatchOptions matching(const char* part) const;
    void progress(std::string_view part, std::int64_t done, std::int64_t of) const {
        if (options_.on_progress) {
            options_.on_progress(part, done, of);
        }
    }

    const DuplicateOptions& options_;
    bool has_reference_;
    int threads_;
    double near_ = 1.0;            ///< similarity from which on pictures are copies as they are
    double transformed_ = 1.0;     ///< and where one was turned, cut or moved
    std::set<std::string> files_;  ///< of pictures that were read
    std::vector<Read> read_;
    Thumbnails thumbnails_;
    std::map<std::pair<std::int64_t, std::int64_t>, PictureMatch> matches_;  ///< that are copies
    pipeline::DisjointSets sets_;
    std::vector<std::int64_t>
        first_alike_;                   ///< of each picture, the first that join_equal() found equal to it
    std::vector<std::int64_t> unique_;  ///< pictures that are that themselves
    std::map<std::int64_t, data::PictureContent> contents_;
};

/// Gray and small: what thumbnails are made from, and copies that are planted.
Preprocessing gray(std::int64_t side) {
    Preprocessing preprocessing;
    preprocessing.height = preprocessing.width = static_cast<int>(side);
    preprocessing.resize = ResizeMode::squash;
    preprocessing.background = 1.0F;
    return preprocessing;
}

std::int64_t file_size(const std::string& path) {
    std::error_code failed;
    const auto status = std::filesystem::status(path, failed);
    if (failed || !std::filesystem::is_regular_file(status)) {
        return -1;  // a row of an array, a page
    }
    const auto size = std::filesystem::file_size(path, failed);
    return failed ? -1 : static_cast<std::int64_t>(size);
}

/// The file that a path leads to; of what is no file's path itself, `scan.tif#2`, the same text.
std::string resolved(const std::string& path) {
    std::error_code failed;
    const std::filesystem::path file = std::filesystem::canonical(path, failed);
    return failed ? path : file.string();
}

std::string file_hash(const std::string& path) {
    base::Hash hash;
    hash.add(std::span<const std::byte>(base::read_file(path)));
    return hash.hex();
}

void Search::check_memory(std::int64_t pictures) const {
    // Thumbnails, and two descriptors as an index with its coarse copy.
    const std::int64_t needed = pictures * (Thumbnails::size + 3 * search::descriptor_size * 6);
    const std::int64_t allowed = resolve_memory(options_.memory);
    if (needed > allowed) {
        throw InvalidArgument(fmt::format("duplicates: memory: {} needed to compare {} pictures, {} allowed",
                                          format_bytes(needed), pictures, format_bytes(allowed)));
    }
}

void Search::read(const Inputs& inputs, bool reference, Manifest& manifest) {
    check_memory(std::ssize(read_) + inputs.size());
    const Preprocessing preprocessing = gray(Thumbnails::side);
    InputReader reader(inputs, preprocessing,
                       {.threads = options_.threads, .memory = base::reading_memory(options_.memory)},
                       manifest);
    InputBatch batch;
    while (reader.next(batch)) {
        // One that is there twice, as in a folder and a folder in it, is no copy of itself.
        std::vector<std::int64_t> fresh;
        for (std::size_t i = 0; i < batch.entries.size(); ++i) {
            if (files_.insert(resolved(batch.entries[i].path)).second) {
                fresh.push_back(static_cast<std::int64_t>(i));
                read_.push_back({std::move(batch.entries[i]), reference});
            }
        }
        thumbnails_.append(base::gather_rows(batch.pictures, fresh));
    }
}

/// Files of one length alone can have the same bytes.
void Search::hash_files() {
    std::map<std::int64_t, std::vector<std::int64_t>> by_size;
    for (std::size_t i = 0; i < read_.size(); ++i) {
        if (const std::int64_t size = file_size(read_[i].entry.path); size >= 0) {
            by_size[size].push_back(static_cast<std::int64_t>(i));
        }
    }
    std::vector<std::int64_t> rows;
    for (const auto& [size, long_as] : by_size) {
        if (long_as.size() > 1) {
            rows.insert(rows.end(), long_as.begin(), long_as.end());
        }
    }
    constexpr std::int64_t at_once = 256;
    for (std::int64_t first = 0; first < std::ssize(rows); first += at_once) {
        const std::int64_t count = std::min(at_once, std::ssize(rows) - first);
        base::parallel_for(count, threads_, [&] {
            return [&](std::int64_t i) {
                Read& picture = read_[at(rows[at(first + i)])];
                try {
                    picture.bytes = file_hash(picture.entry.path);
                } catch (const IoError&) {
                    picture.bytes.clear();  // it was there a moment ago: it is compared by what was read
                }
            };
        });
        progress("files", first + count, std::ssize(rows));
    }
}

search::MatchOptions Search::matching(const char* part) const {
    search::MatchOptions options;
    options.views = search::picture_views(options_.mirror, options_.rotate90);
    options.threads = threads_;
    options.on_progress = [this, part](std::int64_t done, std::int64_t of) { progress(part, done, of); };
    return options;
}

Search::Planted Search::plant(const std::vector<std::int64_t>& rows) const {
    using data::Alteration;
    std::vector<Alteration> alterations{Alteration::jpeg,   Alteration::half,     Alteration::crop,
                                        Alteration::blur,   Alteration::brighter, Alteration::darker,
                                        Alteration::border, Alteration::text,     Alteration::turn};
    if (options_.mirror) {
        alterations.push_back(Alteration::mirror);
    }
    if (options_.rotate90) {
        alterations.push_back(Alteration::rotate90);
    }
    std::vector<ImageEntry> entries;
    for (const std::int64_t row : rows) {
        entries.push_back(read_[at(row)].entry);
    }
    const ImageDataset pictures = ImageDataset::from_entries("duplicates", std::move(entries));
    const Preprocessing preprocessing = gray(planted_side);
    PictureReader reader(pictures, preprocessing, {.batch_size = 16, .threads = options_.threads});
    PictureBatch batch;
    Planted planted;
    while (reader.next(batch)) {
        const std::int64_t count = std::ssize(batch.indices) * std::ssize(alterations);
        Tensor copies({count, Thumbnails::size});
        base::parallel_for(count, threads_, [&] {
            return [&](std::int64_t i) {
                const std::int64_t of = i / std::ssize(alterations);
                const Alteration alteration = alterations[at(i % std::ssize(alterations))];
                const base::Random random(options_.seed, base::RandomStream::planted,
                                          static_cast<std::uint32_t>(batch.indices[at(of)]),
                                          static_cast<std::uint32_t>(alteration));
                const std::vector<float> copy =
                    data::altered_copy(batch.pictures.row(of), planted_side, alteration, random,
                                       static_cast<int>(Thumbnails::side));
                std::copy(copy.begin(), copy.end(), copies.row(i).begin());
            };
        });
        planted.copies.append(copies);
        for (std::int64_t i = 0; i < count; ++i) {
            planted.originals.push_back(rows[at(batch.indices[at(i / std::ssize(alterations))])]);
            planted.alterations.push_back(alterations[at(i % std::ssize(alterations))]);
        }
    }
    return planted;
}

void Search::calibrate(DuplicateReport& report) {
    const auto count = std::ssize(read_);
    const std::vector<std::int64_t> compared = base::spread_rows(count, max_compared);
    std::vector<std::int64_t> originals = base::spread_rows(compared, max_planted_pictures);
    const Planted planted = plant(originals);
    Thumbnails others;
    for (const std::int64_t row : compared) {
        others.append(thumbnails_.row(row));
    }
    search::MatchOptions options = matching("planted copies");
    const double least_cosine = std::exchange(options.least_cosine, 0.0);
    options.nearest = planted_nearest;
    options.most = 2;
    const std::vector<PictureMatch> matches = search::match_between(planted.copies, others, options);
    const std::size_t copies = planted.originals.size();
    Similarities near(copies);
    Similarities transformed(copies);
    for (const PictureMatch& match : matches) {
        const std::int64_t other = compared[at(match.other)];
        if (other != planted.originals[at(match.one)]) {
            near.of_others(match.one, match.near);
            transformed.of_others(match.one, match.transformed);
        } else if (match.cosine >= least_cosine) {
            near.own[at(match.one)] = match.near;
            transformed.own[at(match.one)] = match.transformed;
        }
    }
    near.settle(std::ssize(compared) - 1, options_);
    transformed.settle(std::ssize(compared) - 1, options_);
    near_ = near.least;
    transformed_ = transformed.least;
    report.near_threshold = 1.0 - near_;
    report.transformed_threshold = 1.0 - transformed_;
    report.false_pairs = near.false_pairs + transformed.false_pairs;
    std::map<data::Alteration, PlantedCopies> rates;
    for (std::size_t i = 0; i < copies; ++i) {
        PlantedCopies& rate = rates[planted.alterations[i]];
        rate.kind = data::alteration_name(planted.alterations[i]);
        ++rate.planted;
        rate.found += near.own[i] >= near_ || transformed.own[i] >= transformed_ ? 1 : 0;
    }
    for (auto& [alteration, rate] : rates) {
        report.planted.push_back(std::move(rate));
    }
}

void Search::join_equal() {
    std::map<std::string, std::int64_t> by_look;
    std::map<std::string, std::int64_t> by_content;
    for (std::int64_t i = 0; i < std::ssize(read_); ++i) {
        const Thumbnails::Row look = thumbnails_.row(i);
        std::string key(reinterpret_cast<const char*>(look.data()), look.size());
        if (search::is_flat(look)) {  // of one colour: alike only where all of it is
            key = content(i).pixels;
        }
        base::Hash hash;
        hash.add(key);
        std::int64_t first = by_look.try_emplace(hash.hex(), i).first->second;
        if (const std::string& bytes = read_[at(i)].bytes; !bytes.empty()) {
            first = by_content.try_emplace(bytes, first).first->second;
        }
        sets_.join(first, i);
        first_alike_.push_back(first);
        if (first == i) {
            unique_.push_back(i);
        }
    }
}

void Search::join_matches() {
    Thumbnails pictures;
    for (const std::int64_t row : unique_) {
        pictures.append(thumbnails_.row(row));
    }
    search::MatchOptions options = matching("pictures");
    options.most = max_pairs;
    for (PictureMatch match : search::match_within(pictures, options)) {
        match.one = unique_[at(match.one)];
        match.other = unique_[at(match.other)];
        if (match.near >= near_ || match.transformed >= transformed_) {
            matches_.insert({{match.one, match.other}, match});
            sets_.join(match.one, match.other);
        }
    }
}

const data::PictureContent& Search::content(std::int64_t row) {
    const auto [found, fresh] = contents_.try_emplace(row);
    if (fresh) {
        try {
            const ImageDataset one = ImageDataset::from_entries("duplicates", {read_[at(row)].entry});
            found->second = data::picture_content(one, 0);
        } catch (const Error&) {  // gone since
        }
    }
    return found->second;
}

std::int64_t Search::kept_of(const std::vector<std::int64_t>& rows) {
    const auto better = [&](std::int64_t a, std::int64_t b) {
        const Read& one = read_[at(a)];
        const Read& other = read_[at(b)];
        if (one.reference != other.reference) {
            return one.reference;
        }
        if (options_.keep == KeepRule::largest) {
            const auto size = [&](std::int64_t row) {
                const data::PictureContent& picture = content(row);
                return std::pair(std::int64_t{picture.width} * picture.height,
                                 file_size(read_[at(row)].entry.path));
            };
            if (const auto first = size(a), second = size(b); first != second) {
                return first > second;
            }
        } else if (options_.keep == KeepRule::oldest) {
            std::error_code failed;
            const auto first = std::filesystem::last_write_time(one.entry.path, failed);
            const auto second = std::filesystem::last_write_time(other.entry.path, failed);
            if (!failed && first != second) {
                return first < second;
            }
        }
        return a < b;
    };
    return *std::min_element(rows.begin(), rows.end(), better);
}

void Search::relate(Duplicate& member, std::int64_t row, std::int64_t kept,
                    const std::vector<std::int64_t>& rows) {
    if (const std::string& bytes = read_[at(row)].bytes; !bytes.empty() && bytes == read_[at(kept)].bytes) {
        member.kind = CopyKind::exact;
        return;
    }
    const auto [similarity, in_place] = match_of(row, kept);
    if (similarity >= alike && !content(row).pixels.empty() && content(row).pixels == content(kept).pixels) {
        member.kind = CopyKind::same;
        return;
    }
    member.kind = in_place ? CopyKind::near : CopyKind::transformed;
    double nearest = similarity;
    if (similarity < 0.0) {  // a copy of a copy
        for (const std::int64_t other : rows) {
            if (first_alike_[at(other)] != first_alike_[at(row)]) {
                nearest = std::max(nearest, match_of(row, other).first);
            }
        }
    }
    member.distance = std::max(0.0, 1.0 - nearest);
}

std::pair<double, bool> Search::match_of(std::int64_t one, std::int64_t other) const {
    const auto pair = std::minmax(first_alike_[at(one)], first_alike_[at(other)]);
    if (pair.first == pair.second) {
        return {1.0, true};
    }
    const auto found = matches_.find(pair);
    if (found == matches_.end()) {
        return {-1.0, false};
    }
    const PictureMatch& match = found->second;
    return match.near >= near_ ? std::pair(match.near, true) : std::pair(match.transformed, false);
}

std::vector<Duplicate> Search::group(const std::vector<std::int64_t>& rows) {
    const std::int64_t kept = kept_of(rows);
    std::vector<Duplicate> members;
    for (const std::int64_t row : rows) {
        Duplicate member{read_[at(row)].entry, row == kept || (has_reference_ && read_[at(row)].reference),
                         read_[at(row)].reference, CopyKind::kept, 0.0};
        if (row != kept) {
            relate(member, row, kept, rows);
        }
        members.push_back(std::move(member));
    }
    std::stable_sort(members.begin(), members.end(), [](const Duplicate& a, const Duplicate& b) {
        return std::tuple(a.kind != CopyKind::kept, a.distance) <
               std::tuple(b.kind != CopyKind::kept, b.distance);
    });
    return members;
}

std::vector<std::vector<Duplicate>> Search::groups() {
    std::vector<std::vector<Duplicate>> all;
    const auto sets = sets_.sets();
    std::int64_t done = 0;
    for (const std::vector<std::int64_t>& rows : sets) {
        const bool wanted =
            !has_reference_ || (std::any_of(rows.begin(), rows.end(),
                                            [&](std::int64_t row) { return read_[at(row)].reference; }) &&
                                !std::all_of(rows.begin(), rows.end(),
                                             [&](std::int64_t row) { return read_[at(row)].reference; }));
        if (wanted) {
            all.push_back(group(rows));
        }
        progress("groups", ++done, std::ssize(sets));
    }
    return all;
}

DuplicateReport Search::run() {
    DuplicateReport report;
    report.pictures = std::ssize(read_);
    progress("files", 0, report.pictures);
    sets_ = pipeline::DisjointSets(report.pictures);
    hash_files();
    join_equal();
    calibrate(report);
    join_matches();
    report.groups = groups();
    return report;
}

}  // namespace

DuplicateReport find_duplicates(const Inputs& inputs, const Inputs* reference,
                                const DuplicateOptions& options, Manifest& manifest) {
    if (!(options.false_pairs > 0.0 && options.false_pairs < 1.0)) {
        throw InvalidArgument(fmt::format("duplicates: false_pairs: {} found, above 0 and below 1 expected",
                                          options.false_pairs));
    }
    if (options.threshold && !(*options.threshold >= 0.0 && *options.threshold <= 1.0)) {
        throw InvalidArgument(
            fmt::format("duplicates: threshold: {} found, 0 to 1 expected", *options.threshold));
    }
    Search search(options, reference != nullptr);
    search.read(inputs, false, manifest);
    if (reference != nullptr) {
        search.read(*reference, true, manifest);
    }
    return search.run();
}

JsonObject to_json(const DuplicateReport& report) {
    std::vector<JsonObject> groups;
    for (const std::vector<Duplicate>& group : report.groups) {
        std::vector<JsonObject> members;
        for (const Duplicate& member : group) {
            JsonObject object;
            object.set("path", member.entry.path)
                .set("keep", member.keep)
                .set("kind", name(member.kind))
                .set("distance", member.distance);
            members.push_back(object.set("reference", member.reference));
        }
        groups.push_back(JsonObject().set("pictures", members));
    }
    std::vector<JsonObject> planted;
    for (const PlantedCopies& copies : report.planted) {
        planted.push_back(
            JsonObject().set("kind", copies.kind).set("planted", copies.planted).set("found", copies.found));
    }
    return JsonObject()
        .set("groups", groups)
        .set("planted", planted)
        .set("pictures", report.pictures)
        .set("near_threshold", report.near_threshold)
        .set("transformed_threshold", report.transformed_threshold)
        .set("false_pairs", report.false_pairs);
}

}  // namespace stackae
