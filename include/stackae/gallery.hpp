#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "stackae/image_dataset.hpp"
#include "stackae/json.hpp"
#include "stackae/model.hpp"
#include "stackae/neighbours.hpp"
#include "stackae/output_files.hpp"
#include "stackae/tensor.hpp"

namespace stackae {

namespace base {
class FileLock;
}

/// Labelled codes to recognise by. A value.
struct Gallery {
    std::string model_identity;  ///< Model::identity() of the model that made the codes
    std::string model_path;      ///< where that model was, as it was named; a hint only
    std::size_t depth = 0;       ///< layers of the model that made the codes, 1 or more
    bool l2_normalize = false;
    Metric metric = Metric::l2;
    Tensor codes;                    ///< n × d
    std::vector<std::string> names;  ///< size n; "unknown" is no name: it is an answer of Recognition
    std::vector<std::string> paths;  ///< size n; as they were named, none empty
    /// A picture is known where its distance ≤ threshold. Absent when it could not be calibrated: every
    /// picture gets a name. `reject_all`: not one picture does.
    std::optional<double> threshold;
    static constexpr double reject_all = -1.0;
    double false_accept_rate = 0.01;  ///< the rate `threshold` was calibrated for
    /// False where the distances that the threshold was calibrated on are all equal: none of them shows what
    /// share of impostors would be named.
    bool rate_known = true;

    [[nodiscard]] std::int64_t size() const { return static_cast<std::int64_t>(names.size()); }
};

/// Writes a safetensors file, whole or not at all. Throws IoError, or InvalidArgument when the gallery's
/// parts don't agree.
void save(const Gallery& gallery, const std::string& path);
/// The same into a file that the caller replaces together with others.
void save(const Gallery& gallery, const OutputFile& file);
/// Throws IoError, or CorruptFile naming the file and what is wrong with it.
[[nodiscard]] Gallery load_gallery(const std::string& path);
/// Whichever of the two the file says it is; read once, so that it may be a pipe. Throws as
/// load_model() and load_gallery().
[[nodiscard]] std::variant<Model, Gallery> load_model_or_gallery(const std::string& path);

/// Pictures of each name, in byte order of the names.
[[nodiscard]] std::map<std::string, std::int64_t> count_names(const Gallery& gallery);
/// What is in it, without codes and paths.
[[nodiscard]] JsonObject to_json(const Gallery& gallery);

/// The pictures that a gallery's codes were made of, by the paths in it, each labelled with its name: to make
/// the codes anew. Relative paths are seen from the current folder. path: of the gallery's file.
[[nodiscard]] ImageDataset gallery_pictures(const Gallery& gallery, const std::string& path,
                                            const PictureLimits& limits = {});

/// Held from before a gallery is read until after it was replaced, this keeps the changes of several
/// processes (and of `stackae enroll`, which does the same) from getting lost:
///
///     const GalleryLock lock("people.gallery");  // waits for another that changes it
///     Gallery gallery = load_gallery("people.gallery");
///     append(gallery, more);
///     save(gallery, "people.gallery");
///
/// An exclusive flock(2) of the file: it covers one save(), and reading alone needs none. A path without a
/// file, or with a device, is not locked.
class GalleryLock {
public:
    /// waiting: called again and again while another has the lock, with the seconds waited so far; what it
    /// throws ends the waiting. Throws IoError when the file cannot be opened.
    explicit GalleryLock(const std::string& path, const std::function<void(double seconds)>& waiting = {});
    GalleryLock(GalleryLock&&) noexcept;
    GalleryLock& operator=(GalleryLock&&) noexcept;
    ~GalleryLock();

    /// False where the file system cannot lock the file: then nobody is kept out.
    [[nodiscard]] bool supported() const;

private:
    std::unique_ptr<base::FileLock> lock_;
};

/// Throws InvalidArgument, naming both identities, when the gallery was made with another model.
void check_model(const Gallery& gallery, const Model& model);

/// Adds the entries of `more`; an entry whose path is there already (in whatever
/// spelling, seen from the current folder) is replaced. The threshold stays as it is
/// until the next calibrate(). Throws InvalidArgument when model, depth, normalisation or metric differ.
void append(Gallery& gallery, const Gallery& more);
/// Paths for so many entries that have none, "row 17" and so on, such as no entry of the gallery has.
[[nodiscard]] std::vector<std::string> row_paths(const Gallery& gallery, std::int64_t count);
/// Removes every entry of that name; returns how many there were. The threshold stays.
std::int64_t remove(Gallery& gallery, const std::string& name);

/// Sets the threshold so that at most `false_accept_rate` of those measured would be named: an estimate for
/// others, and where fewer than 1 / false_accept_rate are measured, a coarse one. Leave-one-out by name: each
/// entry is looked up among the entries of all other names, as an impostor would be; the threshold is that
/// quantile of those nearest distances (the largest distance that at most that share lie at or
/// below, or under the smallest, or `reject_all` where that is 0). Of more than 20,000 entries, 20,000
/// spread evenly are looked up. With fewer than two names there are no impostors: threshold becomes absent.
/// rate_known is set as well. 0 < false_accept_rate < 1. Throws InvalidArgument.
void calibrate(Gallery& gallery, double false_accept_rate, int threads = 0);
/// How many are looked up.
[[nodiscard]] std::int64_t calibration_size(const Gallery& gallery);
/// Whether they are fewer than 1 / false_accept_rate, too few to promise that rate.
[[nodiscard]] bool is_rate_coarse(const Gallery& gallery);

struct RecognizeOptions {
    Vote vote = Vote::weighted;
    std::optional<std::int64_t> k{};    ///< neighbours that vote, see voters()
    std::int64_t top = 1;               ///< names to return
    std::optional<Metric> metric{};     ///< absent: the gallery's; another metric is calibrated anew
    std::optional<double> threshold{};  ///< 0 or more, may be infinite; absent: the gallery's
    int threads = 0;
};

struct Candidate {
    std::string name;
    double distance = 0.0;  ///< to the nearest entry of that name
    std::string path;       ///< of that entry
};

struct Recognition {
    std::string name;       ///< the winner of the vote, or "unknown" when its distance is above the threshold
    double distance = 0.0;  ///< to the winner's nearest entry
    bool known = false;
    /// The winner, then the nearest of other names, up to RecognizeOptions::top, whatever the threshold.
    std::vector<Candidate> top;
};

/// `name`, `distance`, `known`, and the candidates in `nearest`.
[[nodiscard]] JsonObject to_json(const Recognition& recognition);

/// Names codes by a gallery. Keeps its own copy of what it needs. Use one per thread.
class Recognizer {
public:
    /// Throws InvalidArgument when the gallery is empty or an option is out of range.
    explicit Recognizer(const Gallery& gallery, const RecognizeOptions& options = {});
    Recognizer(Recognizer&&) noexcept;
    Recognizer& operator=(Recognizer&&) noexcept;
    ~Recognizer();

    /// codes: n × d of the gallery's model and depth.
    [[nodiscard]] std::vector<Recognition> recognize(const Tensor& codes);
    /// In force; absent: every picture gets a name.
    [[nodiscard]] std::optional<double> threshold() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace stackae
