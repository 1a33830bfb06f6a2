#include "pipeline/recommend_checkpoint.hpp"

#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <utility>

#include "stackae/error.hpp"

namespace stackae {
namespace pipeline {
namespace {

/// Bytes that may wait to be written.
constexpr std::size_t most_waiting = std::size_t{16} << 20U;
constexpr const char* tensor = "recommendations";

template <class Number>
void put(std::string& bytes, Number number) {
    static_assert(sizeof(Number) == 4);
    char raw[sizeof(Number)];
    std::memcpy(raw, &number, sizeof(Number));
    bytes.append(raw, sizeof(Number));
}

void put(std::string& bytes, const ScoredItem& item) {
    put(bytes, item.item);
    put(bytes, item.score);
}

/// In numbers of 32 bits: whether they are the popular ones, how many, then of each the item, its score, and
/// how many weighed, each of which likewise.
void put(std::string& bytes, const Recommendations& found) {
    put(bytes, std::int32_t{found.popular ? 1 : 0});
    put(bytes, static_cast<std::int32_t>(found.items.size()));
    for (const Recommendation& each : found.items) {
        put(bytes, each.found);
        put(bytes, static_cast<std::int32_t>(each.because.size()));
        for (const ScoredItem& item : each.because) {
            put(bytes, item);
        }
    }
}

/// Takes the same apart.
class Unpacker {
public:
    Unpacker(const base::Safetensors& file, std::int64_t items)
        : path_(file.path), bytes_(file.bytes(tensor)), items_(items) {}

    [[nodiscard]] bool ended() const { return at_ == bytes_.size(); }
    Recommendations next() {
        Recommendations found;
        found.popular = whole(1) == 1;
        found.items.resize(static_cast<std::size_t>(whole(items_)));
        for (Recommendation& each : found.items) {
            each.found = item();
            each.because.resize(static_cast<std::size_t>(whole(items_)));
            for (ScoredItem& known : each.because) {
                known = item();
            }
        }
        return found;
    }

private:
    template <class Number>
    Number take() {
        if (bytes_.size() - at_ < sizeof(Number)) {
            throw CorruptFile(fmt::format("{}: tensor \"{}\": {} bytes found, more expected", path_, tensor,
                                          bytes_.size()));
        }
        Number number{};
        std::memcpy(&number, bytes_.data() + at_, sizeof(Number));
        at_ += sizeof(Number);
        return number;
    }
    /// From 0 to most.
    std::int32_t whole(std::int64_t most) {
        const auto number = take<std::int32_t>();
        // Nothing is made room for that the bytes that are left could not fill.
        const auto left = static_cast<std::int64_t>(bytes_.size() - at_);
        if (number < 0 || number > most || (most > 1 && number > left)) {
            throw CorruptFile(
                fmt::format("{}: tensor \"{}\": {} found, 0 to {} expected", path_, tensor, number, most));
        }
        return number;
    }
    ScoredItem item() {
        const auto number = take<std::int32_t>();
        if (number < 0 || number >= items_) {
            throw CorruptFile(fmt::format("{}: tensor \"{}\": item {} found, less than {} expected", path_,
                                          tensor, number, items_));
        }
        return {number, take<float>()};
    }

    const std::string& path_;
    const std::string& bytes_;
    std::int64_t items_;
    std::size_t at_ = 0;
};

}  // namespace

RecommendSegment read_recommend_segment(const base::Safetensors& file, std::int64_t first,
                                        std::int64_t items) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    RecommendSegment segment;
    segment.first = segment_number(file.path, "first", file.text("first"), first, first);
    segment.end = segment_number(file.path, "end", file.text("end"), first + 1, most);
    Unpacker unpacker(file, items);
    while (!unpacker.ended()) {
        segment.found.push_back(unpacker.next());
    }
    if (std::ssize(segment.found) != segment.end - first) {
        throw CorruptFile(fmt::format("{}: {} users found, {} expected", file.path, segment.found.size(),
                                      segment.end - first));
    }
    return segment;
}

RecommendCheckpoint::RecommendCheckpoint(const RecommendAllOptions& options, SegmentFolder::Run run,
                                         std::int64_t items, RecommendObserver& observer)
    : folder_(options.checkpoint, recommendations_kind, options.checkpoint_every),
      run_(std::move(run)),
      items_(items),
      observer_(observer) {}

std::optional<RecommendSegment> RecommendCheckpoint::read(std::int64_t first) {
    const std::optional<base::Safetensors> file = folder_.read(first, run_);
    return file ? std::optional(read_recommend_segment(*file, first, items_)) : std::nullopt;
}

void RecommendCheckpoint::add(const std::vector<Recommendations>& found) {
    if (folder_.has_failed()) {
        return;
    }
    for (const Recommendations& each : found) {
        put(waiting_, each);
    }
    end_ += std::ssize(found);
    if (folder_.is_due() || waiting_.size() > most_waiting) {
        write();
    }
}

void RecommendCheckpoint::stop(bool always) {
    if (!folder_.has_failed() && first_ < end_ && (always || first_ > 0 || folder_.is_worth_keeping())) {
        write();
    }
}

void RecommendCheckpoint::write() {
    if (const auto why = folder_.write(first_, end_, run_, {}, {{tensor, &waiting_}})) {
        observer_.on_checkpoint_failed(*why);
    }
    waiting_ = std::string();
    first_ = end_;
}

}  // namespace pipeline

bool has_recommend_checkpoint(const std::string& folder) {
    return pipeline::has_segments(folder, pipeline::recommendations_kind);
}

bool remove_recommend_checkpoint(const std::string& folder) {
    return pipeline::remove_segment_folder(folder, pipeline::recommendations_kind);
}

RecommendProgress load_recommend_progress(const std::string& folder) {
    const pipeline::SegmentFolder::Kind& kind = pipeline::recommendations_kind;
    RecommendProgress progress;
    std::error_code ignored;
    std::string path = pipeline::segment_file(folder, kind, 0);
    do {
        const base::Safetensors file = base::read_safetensors(path);
        file.check_kind(kind.name, kind.version);
        progress.model = file.text("model");
        progress.users =
            pipeline::read_recommend_segment(file, progress.users, std::numeric_limits<std::int32_t>::max())
                .end;
        path = pipeline::segment_file(folder, kind, progress.users);
    } while (std::filesystem::exists(path, ignored));
    return progress;
}

}  // namespace stackae
