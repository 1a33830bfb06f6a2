#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/enum_names.hpp"
#include "stackae/inputs.hpp"
#include "stackae/json.hpp"

namespace stackae {

/// How a picture of a group is like the one that is kept. Has names.
enum class CopyKind {
    kept,         ///< it is that one
    exact,        ///< its file has the same bytes
    same,         ///< the same pixels
    near,         ///< lies on it as it is, but for a frame, or a shift of a few hundredths of its side
    transformed,  ///< cropped, turned or mirrored
};

/// Which picture of a group is kept. Has names.
enum class KeepRule {
    largest,  ///< most pixels, then most bytes
    oldest,   ///< by the time of its file
    first,    ///< in the order of the inputs
};

struct DuplicateOptions {
    bool mirror = true;    ///< mirror images count as copies
    bool rotate90 = true;  ///< and turns by right angles
    /// Share of all pairs of different pictures that may be taken for copies, above 0.
    double false_pairs = 1e-6;
    /// Distance up to which pictures are copies, whatever kind of, in [0, 1]; absent: by false_pairs.
    std::optional<double> threshold = {};
    KeepRule keep = KeepRule::largest;
    PictureLimits limits = {};            ///< of pictures that are read once more
    std::int64_t planted_pictures = 150;  ///< of which copies are planted, at most; 1 or more
    std::uint64_t seed = 0;               ///< of the copies that are planted
    /// A file that keeps what is found: as long as no picture's file has changed in name, size or time, none
    /// has come or gone, and the options are the same, nothing is compared again. Empty: none.
    std::string cache = {};
    int threads = 0;          ///< see resolve_threads()
    std::int64_t memory = 0;  ///< bytes in all, see resolve_memory()
    /// Told how far each part of the work has come; may throw to end it.
    std::function<void(std::string_view part, std::int64_t done, std::int64_t of)> on_progress = {};
};

struct Duplicate {
    ImageEntry entry;
    std::int64_t index = 0;  ///< among all pictures of the inputs, and then those of the reference
    bool keep = false;
    bool reference = false;  ///< it is one of the reference's pictures
    CopyKind kind = CopyKind::kept;
    /// To the one that is kept: 1 - correlation of the details once one lies on the other, 0 where bytes or
    /// pixels are the same.
    double distance = 0.0;
};

/// What became of copies of one kind that were planted among the pictures to try the threshold.
struct PlantedCopies {
    std::string kind;
    std::int64_t planted = 0;
    std::int64_t found = 0;
};

struct DuplicateReport {
    std::vector<std::vector<Duplicate>> groups;  ///< of two and more; the kept one first, then by distance
    std::int64_t pictures = 0;                   ///< that were compared, those of the reference included
    double near_threshold = 0.0;                 ///< distance up to which pictures are copies as they are
    double transformed_threshold = 0.0;  ///< and where one was turned, cut or moved to lie on the other
    /// Share of pairs of different pictures that are expected within the thresholds. NaN where there were too
    /// few pictures to tell.
    double false_pairs = 0.0;
    std::vector<PlantedCopies> planted;  ///< empty where nothing was planted
    std::string cache_error = {};  ///< why the cache could not be written; empty: it was, if there was one
    bool cached = false;           ///< nothing had changed since the cache was written
};

/// Finds pictures that are copies of one another: files of the same bytes, then pictures that lie on each
/// other once one is cropped, turned, mirrored or moved; frames of one colour are cut off beforehand.
/// Candidates are pictures of which a view has nearly the other's perceptual hash (cosine transform of 64 x
/// 64 gray pixels; nearest neighbours, exact); each is laid onto the other, and their details are correlated.
/// Two are copies where 1 - correlation is within the threshold. Every picture of a group is a copy of the
/// one that is kept, which shows four fifths of it or more; of a picture and a part of it the whole is kept,
/// whatever the rule.
///
/// The thresholds, one for pictures as they are and one for pictures that had to be turned, cut or moved,
/// which fit by chance more often, come from copies of some of the pictures, made worse, cut and turned, and
/// planted among the others: by the largest correlation of each with any picture but its own original (a
/// Gumbel distribution fitted to the lower half of them, so that up to half may have copies already; where
/// copies stand apart from what is merely alike, they are left out beforehand) each is so large that the
/// share of false pairs is as asked for, and then less by half of what costs next to no planted copy.
///
/// Among more than 20,000 pictures candidates come from an inverted file, which misses a few.
///
/// reference: where given, only copies of its pictures are told, which are kept. A file that is there twice
/// is one picture. Where the manifest's observer says stop, nothing is looked for. Every picture is entered
/// into the manifest, which is left for the caller to finish(). Throws InvalidArgument where the pictures
/// take more than the memory allowed, what the observers throw, and an option's error.
[[nodiscard]] DuplicateReport find_duplicates(const Inputs& inputs, const Inputs* reference,
                                              const DuplicateOptions& options, Manifest& manifest);

/// Makes a folder of links to look at, or fills an empty one: a folder a group, `1`, `2`, … (`01` where there
/// are ten), in it a link to the file of each picture, the kept one first: `0-kept-a.jpg`, `1-near-b.jpg`.
/// Throws InvalidArgument where something is in the folder already, IoError when it cannot be written. What
/// was made is taken away again then.
void link_groups(const DuplicateReport& report, const std::string& folder);
/// Throws InvalidArgument where link_groups() would.
void check_links_folder(const std::string& folder);

/// groups, planted, near_threshold, transformed_threshold, false_pairs, pictures.
[[nodiscard]] JsonObject to_json(const DuplicateReport& report);

}  // namespace stackae
