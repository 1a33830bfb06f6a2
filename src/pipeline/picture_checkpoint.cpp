#include "pipeline/picture_checkpoint.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <sys/stat.h>
#include <utility>

#include "stackae/error.hpp"

#include "base/hash.hpp"
#include "base/safetensors.hpp"

namespace stackae::pipeline {
namespace {

constexpr std::size_t texts_of_a_note = 3;

FileStamp stamp_of(const std::string& file) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) {
        return {};
    }
    constexpr std::uint64_t second = 1'000'000'000;  // which wraps around, but is as good for comparing
    return {status.st_size,
            static_cast<std::int64_t>(static_cast<std::uint64_t>(status.st_mtim.tv_sec) * second +
                                      static_cast<std::uint64_t>(status.st_mtim.tv_nsec))};
}

/// Of each picture's file.
std::vector<FileStamp> stamps_of(const Inputs& inputs) {
    std::vector<FileStamp> stamps;
    stamps.reserve(static_cast<std::size_t>(inputs.size()));
    std::string last;
    for (const Inputs::Source& source : inputs.sources()) {
        const std::int64_t count = source.pictures ? source.pictures->size() : 1;
        for (std::int64_t i = 0; i < count; ++i) {
            std::string file = source.pictures ? source.pictures->file(i) : source.path;
            stamps.push_back(!stamps.empty() && file == last ? stamps.back() : stamp_of(file));
            last = std::move(file);
        }
    }
    return stamps;
}

std::vector<InputNote> notes_of(const base::Safetensors& file, const std::string& path, std::int64_t first,
                                std::int64_t end) {
    const std::int64_t count = segment_number(path, "notes", file.text("notes"), 0, end - first);
    const std::vector<std::string> texts =
        file.texts("notes", texts_of_a_note * static_cast<std::size_t>(count));
    std::vector<InputNote> notes;
    std::int64_t next = first;
    for (std::size_t i = 0; i < texts.size(); i += texts_of_a_note) {
        notes.push_back({segment_number(path, "notes", texts[i], next, end - 1), texts[i + 1], texts[i + 2]});
        next = notes.back().index + 1;
    }
    return notes;
}

/// columns: −1: as many as there are.
PictureSegment read_segment(const SegmentFolder::Kind& kind, base::Safetensors& file, std::int64_t first,
                            std::int64_t columns) {
    const std::string& path = file.path;
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    PictureSegment segment;
    segment.first = segment_number(path, "first", file.text("first"), first, first);
    segment.end = segment_number(path, "end", file.text("end"), first + 1, most);
    segment.batch_size = segment_number(path, "batch_size", file.text("batch_size"), 1, most);
    segment.ids = file.texts("pictures", static_cast<std::size_t>(segment.end - first));
    segment.notes = notes_of(file, path, segment.first, segment.end);
    segment.values = file.take(kind.name, {-1, columns});
    const std::int64_t skipped = std::count_if(segment.notes.begin(), segment.notes.end(), is_skipped);
    if (segment.values.rows() != segment.end - segment.first - skipped) {
        throw CorruptFile(fmt::format("{}: {} rows of {} found, {} expected", path, segment.values.rows(),
                                      kind.name, segment.end - segment.first - skipped));
    }
    return segment;
}

}  // namespace

bool is_skipped(const InputNote& note) {
    return note.status != name(PictureStatus::ok);
}

PictureCheckpoint::PictureCheckpoint(const PipelineOptions& options, std::int64_t memory,
                                     const Inputs& inputs, Work work, InputObserver& observer)
    : folder_(options.checkpoint, work.kind, options.checkpoint_every),
      memory_(memory),
      inputs_(inputs),
      work_(std::move(work)),
      observer_(observer),
      stamps_(stamps_of(inputs)) {}

std::string PictureCheckpoint::id(std::int64_t picture) const {
    const ImageEntry entry = inputs_.entry(picture);
    const FileStamp& stamp = stamps_.at(static_cast<std::size_t>(picture));
    base::Hash hash;
    hash.add(std::string_view(entry.path));
    hash.add(std::string_view(entry.label.value_or("")));
    hash.add(stamp.size);
    hash.add(stamp.time);
    return hash.hex();
}

const SegmentFolder::Run& PictureCheckpoint::run() {
    if (run_.empty()) {
        run_ = work_.run();
    }
    return run_;
}

Resumed PictureCheckpoint::replay(Manifest& manifest, const CodeSink& sink) {
    Resumed resumed;
    while (auto segment = read(resumed.first)) {
        if (observer_.stop()) {
            resumed.stopped = true;
            return resumed;
        }
        InputBatch batch;
        auto note = segment->notes.begin();
        for (std::int64_t i = segment->first; i < segment->end; ++i) {
            ImageEntry entry = inputs_.entry(i);
            const bool noted = note != segment->notes.end() && note->index == i;
            if (noted && is_skipped(*note)) {
                manifest.skipped(entry, note->status, note->text);
            } else {
                entry.label = work_.label ? work_.label : entry.label;
                manifest.used(entry, noted ? std::string_view(note->text) : std::string_view());
                batch.entries.push_back(std::move(entry));
            }
            note += noted ? 1 : 0;
        }
        batch.end = segment->end;
        batch.notes = std::move(segment->notes);
        if (!batch.entries.empty()) {
            sink(batch, segment->values);
        }
        resumed.first = segment->end;
        resumed.batch_size = segment->batch_size;
    }
    if (resumed.first > 0) {
        observer_.on_resumed(resumed.first, inputs_.size());
    }
    return resumed;
}

std::optional<PictureSegment> PictureCheckpoint::read(std::int64_t first) {
    std::optional<base::Safetensors> file = folder_.read(first, run());
    if (!file) {
        return std::nullopt;
    }
    PictureSegment segment = read_segment(work_.kind, *file, first, work_.columns);
    if (!is_of_these_pictures(segment)) {
        return std::nullopt;
    }
    segment.batch_size = std::min(segment.batch_size, inputs_.size());
    return segment;
}

bool PictureCheckpoint::is_of_these_pictures(const PictureSegment& segment) const {
    const std::int64_t pictures = inputs_.size();
    auto note = segment.notes.begin();
    for (std::int64_t i = segment.first; i < std::min(segment.end, pictures); ++i) {
        while (note != segment.notes.end() && note->index < i) {
            ++note;
        }
        if (segment.ids[static_cast<std::size_t>(i - segment.first)] == id(i)) {
            continue;
        }
        const ImageEntry entry = inputs_.entry(i);
        if (note != segment.notes.end() && note->index == i && is_skipped(*note)) {
            observer_.on_remark(entry,
                                "was skipped and has changed since then: read anew from about here on");
            return false;
        }
        folder_.refuse("pictures", entry.path, "another name, label, size or time");
    }
    if (segment.end > pictures) {
        folder_.refuse("pictures", std::to_string(pictures), fmt::format("{} or more", segment.end));
    }
    return true;
}

void PictureCheckpoint::begin(std::int64_t first, std::int64_t batch_size) {
    first_ = end_ = first;
    batch_size_ = batch_size;
}

void PictureCheckpoint::add(const InputBatch& batch, Tensor values) {
    if (folder_.has_failed()) {
        return;
    }
    values_bytes_ += values.size() * static_cast<std::int64_t>(sizeof(float));
    if (!values.empty()) {
        values_.push_back(std::move(values));
    }
    notes_.insert(notes_.end(), batch.notes.begin(), batch.notes.end());
    end_ = batch.end;
    if (folder_.is_due() || values_bytes_ > memory_) {
        write();
    }
}

void PictureCheckpoint::stop(bool always) {
    if (!folder_.has_failed() && end_ > first_ && (always || first_ > 0 || folder_.is_worth_keeping())) {
        write();
    }
}

void PictureCheckpoint::write() {
    if (const auto why = write_segment()) {
        observer_.on_checkpoint_failed(*why);
    }
    first_ = end_;
    values_.clear();
    values_bytes_ = 0;
    notes_.clear();
}

std::optional<std::string> PictureCheckpoint::write_segment() {
    std::vector<std::string> notes;
    for (const InputNote& note : notes_) {
        notes.insert(notes.end(), {std::to_string(note.index), note.status, note.text});
    }
    std::int64_t rows = 0;
    for (const Tensor& some : values_) {
        rows += some.rows();
    }
    Tensor values({rows, work_.columns});
    float* next = values.data();
    for (const Tensor& some : values_) {
        next = std::copy(some.values().begin(), some.values().end(), next);
    }
    std::vector<std::string> ids;
    for (std::int64_t i = first_; i < end_; ++i) {
        ids.push_back(id(i));
    }
    const std::string packed_ids = base::pack_texts(ids);
    const std::string packed_notes = base::pack_texts(notes);
    return folder_.write(first_, end_, run(),
                         {{"batch_size", std::to_string(batch_size_)},
                          {"notes", std::to_string(notes.size() / texts_of_a_note)}},
                         {{work_.kind.name, &values}, {"pictures", &packed_ids}, {"notes", &packed_notes}});
}

bool run_kept(std::optional<PictureCheckpoint>& checkpoint, const PipelineOptions& options,
              const std::function<bool()>& work) {
    try {
        const bool all = work();
        if (checkpoint && (!all || options.keep_all)) {
            checkpoint->stop(!all && options.resume);
        }
        return all;
    } catch (...) {
        if (checkpoint) {
            checkpoint->stop(options.resume);
        }
        throw;
    }
}

KeptRows read_kept_rows(const std::string& folder, const SegmentFolder::Kind& kind, const std::string& by) {
    KeptRows kept;
    std::error_code ignored;
    std::string path = segment_file(folder, kind, 0);
    do {
        base::Safetensors file = base::read_safetensors(path);
        file.check_kind(kind.name, kind.version);
        kept.by = file.text(by);
        const PictureSegment segment = read_segment(kind, file, kept.pictures, -1);
        kept.pictures = segment.end;
        kept.rows += segment.values.rows();
        kept.columns = segment.values.columns();
        path = segment_file(folder, kind, kept.pictures);
    } while (std::filesystem::exists(path, ignored));
    return kept;
}

}  // namespace stackae::pipeline
