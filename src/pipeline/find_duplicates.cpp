#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "stackae/duplicates.hpp"
#include "stackae/error.hpp"
#include "stackae/resources.hpp"
#include "stackae/text.hpp"

#include "base/hash.hpp"
#include "base/memory.hpp"
#include "base/parallel.hpp"
#include "base/rows.hpp"
#include "data/image/picture_content.hpp"
#include "pipeline/duplicate_cache.hpp"
#include "pipeline/duplicate_groups.hpp"
#include "pipeline/duplicate_threshold.hpp"
#include "pipeline/picture_file.hpp"
#include "search/picture_matches.hpp"

namespace stackae {
namespace {

using base::at;
using pipeline::CopyGroup;
using pipeline::CopyLinks;
using search::PictureMatch;
using search::Thumbnails;

constexpr std::int64_t max_pairs = 4;  ///< of a picture with others, the likeliest, that are looked at
constexpr std::int64_t bytes_a_picture = 6 << 10;  ///< thumbnail, descriptors, candidates, names
constexpr std::size_t max_further = 1'000'000;     ///< pairs of copies of one picture that are looked at
constexpr std::int64_t at_once = 256;              ///< pictures, between two looks at whether to go on

/// A picture that was read.
struct Read {
    std::int64_t index = 0;  ///< see Duplicate
    bool reference = false;
    std::optional<std::uint64_t> bytes = {};  ///< a checksum of its file, where another is as long
    /// What it is once decoded; looked at where it matters, and empty where it cannot be read any more.
    std::optional<data::PictureContent> content = {};
};

class Search {
public:
    /// The inputs must outlive it. reference: may be null.
    Search(const DuplicateOptions& options, const Inputs& inputs, const Inputs* reference);

    /// notes: what was said, appended. False where the manifest's observer said stop.
    bool read(Manifest& manifest, std::vector<InputNote>& notes);
    DuplicateReport run();
    /// A file could not be read again, so that copies may be missing.
    [[nodiscard]] bool is_incomplete() const { return incomplete_; }

private:
    void check_memory(std::int64_t pictures) const;
    /// before: pictures of earlier inputs. same: see pipeline::same_pictures().
    void read(const Inputs& inputs, std::int64_t before, const std::vector<std::int64_t>& same,
              Manifest& manifest, std::vector<InputNote>& notes);
    [[nodiscard]] ImageEntry entry(const Read& picture) const {
        return pipeline::entry_of(inputs_, reference_, picture.index);
    }
    void hash_files();
    /// Puts pictures of the same bytes or pixels together.
    void sort_equal();
    void look_at(const std::vector<std::int64_t>& rows, const char* part);
    /// Of equal pictures with others, by their numbers in equal_.
    [[nodiscard]] CopyLinks links(const Thumbnails& pictures,
                                  const pipeline::CopyThresholds& thresholds) const;
    [[nodiscard]] std::vector<CopyGroup> groups(const CopyLinks& links);
    [[nodiscard]] std::vector<Duplicate> members(const CopyGroup& group, const CopyLinks& links) const;
    /// Of two pictures the one of the lower rank is rather kept.
    using Rank = std::tuple<bool, std::int64_t, std::int64_t, std::int64_t>;
    [[nodiscard]] Rank rank_of(std::int64_t row) const;
    [[nodiscard]] bool has_reference(std::int64_t equal) const {
        return read_[at(equal_[at(equal)].front())].reference;
    }
    [[nodiscard]] search::MatchOptions matching(const char* part) const;
    void progress(std::string_view part, std::int64_t done, std::int64_t of) const {
        if (options_.on_progress) {
            options_.on_progress(part, done, of);
        }
    }

    const DuplicateOptions& options_;
    const Inputs& inputs_;
    const Inputs* reference_;
    int threads_;
    std::atomic<bool> incomplete_ = false;
    std::vector<std::int64_t> rows_;  ///< of read_, of each picture, -1: none
    std::vector<Read> read_;
    Thumbnails thumbnails_;  ///< of read_
    /// Rows of the same bytes or pixels, each row once; in the end the one that is rather kept first.
    std::vector<std::vector<std::int64_t>> equal_;
};

void Search::check_memory(std::int64_t pictures) const {
    const std::int64_t needed = pictures * bytes_a_picture;
    const std::int64_t allowed = resolve_memory(options_.memory);
    if (needed > allowed) {
        throw InvalidArgument(fmt::format("duplicates: memory: {} needed to compare {}, {} allowed",
                                          format_bytes(needed), format_count(pictures, "picture"),
                                          format_bytes(allowed)));
    }
}

Search::Search(const DuplicateOptions& options, const Inputs& inputs, const Inputs* reference)
    : options_(options), inputs_(inputs), reference_(reference), threads_(resolve_threads(options.threads)) {}

bool Search::read(Manifest& manifest, std::vector<InputNote>& notes) {
    const std::int64_t earlier = manifest.rows() + manifest.skipped();
    const std::int64_t count = inputs_.size() + (reference_ != nullptr ? reference_->size() : 0);
    check_memory(count);
    rows_.assign(at(count), -1);
    // Nothing small is kept of a picture while it is read: from among large blocks that come and go, it would
    // leave holes that are never filled again.
    thumbnails_.reserve(count);
    read_.reserve(at(count));
    // One that is there twice, as in a folder and a folder in it, is no copy of itself.
    const std::vector<std::int64_t> same = pipeline::same_pictures(
        count, [&](std::int64_t i) { return pipeline::entry_of(inputs_, reference_, i).path; });
    read(inputs_, 0, same, manifest, notes);
    if (reference_ != nullptr) {
        read(*reference_, inputs_.size(), same, manifest, notes);
    }
    return manifest.rows() + manifest.skipped() == earlier + count && !manifest.observer().stop();
}

void Search::read(const Inputs& inputs, std::int64_t before, const std::vector<std::int64_t>& same,
                  Manifest& manifest, std::vector<InputNote>& notes) {
    const bool reference = &inputs == reference_;
    const Preprocessing preprocessing = pipeline::gray_square(static_cast<int>(Thumbnails::side));
    InputReader reader(inputs, preprocessing,
                       {.threads = options_.threads, .memory = base::reading_memory(options_.memory)},
                       manifest);
    InputBatch batch;
    std::int64_t index = before;  // of the next picture
    for (bool more = true; more;) {
        more = reader.next(batch);
        std::set<std::int64_t> skipped;
        for (InputNote& note : batch.notes) {
            note.index += before;
            if (note.status != name(PictureStatus::ok)) {
                skipped.insert(note.index);
            }
            notes.push_back(std::move(note));
        }
        std::vector<std::int64_t> fresh;
        for (std::size_t i = 0; i < batch.entries.size(); ++i, ++index) {
            while (skipped.contains(index)) {
                ++index;
            }
            std::int64_t& row = rows_[at(same[at(index)])];
            if (row < 0) {
                row = std::ssize(read_);
                fresh.push_back(static_cast<std::int64_t>(i));
                read_.push_back({index, reference});
            } else {
                read_[at(row)].reference |= reference;
            }
        }
        index = before + batch.end;
        thumbnails_.append(base::gather_rows(batch.pictures, fresh));
    }
}

/// Files of one length alone can have the same bytes.
void Search::hash_files() {
    std::map<std::int64_t, std::vector<std::int64_t>> by_size;
    for (std::size_t i = 0; i < read_.size(); ++i) {
        if (const std::int64_t size = pipeline::file_size(entry(read_[i]).path); size >= 0) {
            by_size[size].push_back(static_cast<std::int64_t>(i));
        }
    }
    std::vector<std::int64_t> rows;
    for (const auto& [size, long_as] : by_size) {
        if (long_as.size() > 1) {
            rows.insert(rows.end(), long_as.begin(), long_as.end());
        }
    }
    for (std::int64_t first = 0; first < std::ssize(rows); first += at_once) {
        const std::int64_t count = std::min(at_once, std::ssize(rows) - first);
        base::parallel_for(count, threads_, [&] {
            return [&](std::int64_t i) {
                Read& picture = read_[at(rows[at(first + i)])];
                try {
                    picture.bytes = pipeline::file_hash(entry(picture).path);
                } catch (const IoError&) {
                    incomplete_ = true;
                    picture.bytes.reset();  // it was there a moment ago: it is compared by what was read
                }
            };
        });
        progress("files", first + count, std::ssize(rows));
    }
}

void Search::look_at(const std::vector<std::int64_t>& rows, const char* part) {
    for (std::int64_t first = 0; first < std::ssize(rows); first += at_once) {
        progress(part, first, std::ssize(rows));
        const std::int64_t count = std::min(at_once, std::ssize(rows) - first);
        base::parallel_for(count, threads_, [&] {
            return [&](std::int64_t i) {
                Read& picture = read_[at(rows[at(first + i)])];
                if (!picture.content) {
                    picture.content.emplace();
                    try {
                        const ImageDataset one =
                            ImageDataset::from_entries("duplicates", {entry(picture)}, options_.limits);
                        picture.content = data::picture_content(one, 0);
                    } catch (const Error&) {
                        incomplete_ = true;
                        picture.content.emplace();  // gone since, or it came through a pipe
                    }
                }
            };
        });
    }
}

void Search::sort_equal() {
    std::map<std::uint64_t, std::int64_t> by_bytes;  ///< number in equal_
    std::map<std::uint64_t, std::vector<std::int64_t>> by_look;
    for (std::int64_t row = 0; row < std::ssize(read_); ++row) {
        if (const std::optional<std::uint64_t> bytes = read_[at(row)].bytes) {
            const auto [known, added] = by_bytes.try_emplace(*bytes, std::ssize(equal_));
            if (!added) {
                equal_[at(known->second)].push_back(row);
                continue;
            }
        }
        const Thumbnails::Row look = thumbnails_.row(row);
        base::Hash hash;
        hash.add(std::as_bytes(look));
        by_look[hash.value()].push_back(std::ssize(equal_));
        equal_.push_back({row});
    }
    // Those that are the same in small may be the same.
    std::vector<std::int64_t> rows;
    for (const auto& [look, alike] : by_look) {
        for (const std::int64_t number : alike) {
            if (alike.size() > 1) {
                rows.push_back(equal_[at(number)].front());
            }
        }
    }
    look_at(rows, "pictures that look the same");
    for (const auto& [look, alike] : by_look) {
        std::map<std::uint64_t, std::int64_t> by_pixels;
        for (const std::int64_t number : alike) {
            const auto& content = read_[at(equal_[at(number)].front())].content;
            if (!content || !content->pixels) {
                continue;
            }
            const auto [known, added] = by_pixels.try_emplace(*content->pixels, number);
            if (!added) {
                auto& into = equal_[at(known->second)];
                into.insert(into.end(), equal_[at(number)].begin(), equal_[at(number)].end());
                equal_[at(number)].clear();
            }
        }
    }
    std::erase_if(equal_, [](const std::vector<std::int64_t>& rows_of) { return rows_of.empty(); });
}

search::MatchOptions Search::matching(const char* part) const {
    search::MatchOptions options;
    options.views = search::picture_views(options_.mirror, options_.rotate90);
    options.most = max_pairs;
    options.threads = threads_;
    options.on_progress = [this, part](std::int64_t done, std::int64_t of) { progress(part, done, of); };
    return options;
}

CopyLinks Search::links(const Thumbnails& pictures, const pipeline::CopyThresholds& thresholds) const {
    CopyLinks all;
    for (std::int64_t i = 0; i < std::ssize(equal_); ++i) {
        if (equal_[at(i)].size() > 1) {
            all[i];
        }
    }
    const auto add = [&](const std::vector<PictureMatch>& matches) {
        for (const PictureMatch& match : matches) {
            const bool near = thresholds.is_near(match);
            const double distance = std::max(0.0, 1.0 - (near ? match.near : match.transformed));
            const search::Affine map = near ? search::Affine{} : match.map;
            all[match.one][match.other] = {near, distance, map.overlap(), map};
            all[match.other][match.one] = {near, distance, map.inverse().overlap(), map.inverse()};
        }
    };
    const auto looking_for_copies = [&](const char* part) {
        search::MatchOptions options = matching(part);
        options.least_cosine = thresholds.cosine;
        options.tell = [&](const PictureMatch& match) { return thresholds.are_copies(match); };
        return options;
    };
    add(search::match_within(pictures, looking_for_copies("pictures")));
    // Copies of one picture may be copies of each other by ways that no view shows: mirrored and cropped,
    // say.
    std::map<std::pair<std::int64_t, std::int64_t>, PictureMatch> further;
    for (const auto& [middle, copies] : all) {
        for (auto one = copies.begin(); one != copies.end(); ++one) {
            for (auto other = std::next(one); other != copies.end() && further.size() < max_further;
                 ++other) {
                if (!all.at(one->first).contains(other->first)) {
                    PictureMatch& match = further[{one->first, other->first}];
                    match.one = one->first;
                    match.other = other->first;
                    match.map = all.at(one->first).at(middle).map.after(other->second.map);
                }
            }
        }
    }
    std::vector<PictureMatch> pairs;
    for (const auto& [pair, match] : further) {
        pairs.push_back(match);
    }
    add(search::match_pairs(pictures, pairs, looking_for_copies("copies of copies")));
    return all;
}

Search::Rank Search::rank_of(std::int64_t row) const {
    const Read& picture = read_[at(row)];
    std::int64_t first = 0;
    std::int64_t second = 0;
    if (options_.keep == KeepRule::largest) {
        first = picture.content ? -std::int64_t{picture.content->width} * picture.content->height : 0;
        second = -pipeline::file_size(entry(picture).path);
    } else if (options_.keep == KeepRule::oldest) {
        std::error_code failed;
        const auto time =
            std::filesystem::last_write_time(pipeline::file_and_place(entry(picture).path).first, failed);
        first = failed ? std::numeric_limits<std::int64_t>::max()
                       : static_cast<std::int64_t>(time.time_since_epoch().count());
    }
    return {!picture.reference, first, second, row};
}

std::vector<CopyGroup> Search::groups(const CopyLinks& links) {
    std::vector<std::int64_t> rows;
    for (const auto& [number, copies] : links) {
        rows.insert(rows.end(), equal_[at(number)].begin(), equal_[at(number)].end());
    }
    if (options_.keep == KeepRule::largest) {
        look_at(rows, "sizes of copies");
    }
    std::map<std::int64_t, Rank> ranks;
    for (const std::int64_t row : rows) {
        ranks.emplace(row, rank_of(row));
    }
    const auto by_rank = [&](std::int64_t a, std::int64_t b) { return ranks.at(a) < ranks.at(b); };
    for (const auto& [number, copies] : links) {
        std::sort(equal_[at(number)].begin(), equal_[at(number)].end(), by_rank);
    }
    const auto rather = [&](std::int64_t a, std::int64_t b) {
        return by_rank(equal_[at(a)].front(), equal_[at(b)].front());
    };
    if (reference_ == nullptr) {
        return pipeline::group_copies(links, rather);
    }
    return pipeline::group_by_reference(links, [&](std::int64_t number) { return has_reference(number); });
}

std::vector<Duplicate> Search::members(const CopyGroup& group, const CopyLinks& links) const {
    const std::vector<std::int64_t>& same = equal_[at(group.kept)];
    const Read& kept = read_[at(same.front())];
    std::vector<Duplicate> all{{entry(kept), kept.index, true, kept.reference, CopyKind::kept, 0.0}};
    const auto add = [&](const Read& picture, CopyKind kind, double distance) {
        if (reference_ == nullptr || !picture.reference) {
            all.push_back({entry(picture), picture.index, false, false, kind, distance});
        }
    };
    for (std::size_t i = 1; i < same.size(); ++i) {
        const Read& picture = read_[at(same[i])];
        const bool exact = picture.bytes && picture.bytes == kept.bytes;
        add(picture, exact ? CopyKind::exact : CopyKind::same, 0.0);
    }
    for (const std::int64_t copy : group.copies) {
        const pipeline::CopyLink& link = links.at(group.kept).at(copy);
        for (const std::int64_t row : equal_[at(copy)]) {
            add(read_[at(row)], link.in_place ? CopyKind::near : CopyKind::transformed, link.distance);
        }
    }
    std::stable_sort(all.begin() + 1, all.end(),
                     [](const Duplicate& a, const Duplicate& b) { return a.distance < b.distance; });
    return all;
}

DuplicateReport Search::run() {
    DuplicateReport report;
    report.pictures = std::ssize(read_);
    hash_files();
    sort_equal();
    // In the order of read_, and one of each in that of equal_, which begins with the first of them.
    std::vector<ImageEntry> entries;
    std::vector<std::int64_t> firsts;
    for (const std::vector<std::int64_t>& rows : equal_) {
        firsts.push_back(rows.front());
        entries.push_back(entry(read_[at(rows.front())]));
    }
    const Thumbnails pictures = std::move(thumbnails_).keep(firsts);
    base::trim_memory();
    const auto found = pipeline::copy_thresholds(pictures, entries, matching("planted copies"), options_);
    report.near_threshold = 1.0 - found.near;
    report.transformed_threshold = 1.0 - found.transformed;
    report.false_pairs = found.false_pairs;
    report.planted = found.planted;
    base::trim_memory();
    const CopyLinks all = links(pictures, found);
    for (const CopyGroup& group : groups(all)) {
        if (std::vector<Duplicate> pictures_of = members(group, all); pictures_of.size() > 1) {
            report.groups.push_back(std::move(pictures_of));
        }
    }
    return report;
}

}  // namespace

DuplicateReport find_duplicates(const Inputs& inputs, const Inputs* reference,
                                const DuplicateOptions& options, Manifest& manifest) {
    pipeline::check(options);
    const pipeline::DuplicateCache cache(options.cache, inputs, reference, options);
    if (auto found = cache.load(inputs, reference)) {
        pipeline::enter_again(*found, inputs, reference, manifest);
        found->report.cached = true;
        return found->report;
    }
    Search search(options, inputs, reference);
    pipeline::FoundDuplicates found;
    if (!search.read(manifest, found.notes)) {
        return {};
    }
    found.report = search.run();
    if (!search.is_incomplete()) {
        found.report.cache_error = cache.save(found);
    }
    return found.report;
}

}  // namespace stackae
