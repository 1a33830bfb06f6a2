#include "pipeline/encode_checkpoint.hpp"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <sys/stat.h>
#include <utility>

#include "stackae/error.hpp"

#include "base/hash.hpp"
#include "base/safetensors.hpp"

namespace stackae {
namespace pipeline {
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
CodeSegment read_segment(const std::string& path, base::Safetensors& file, std::int64_t first,
                         std::int64_t columns) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    CodeSegment segment;
    segment.first = segment_number(path, "first", file.text("first"), first, first);
    segment.end = segment_number(path, "end", file.text("end"), first + 1, most);
    segment.batch_size = segment_number(path, "batch_size", file.text("batch_size"), 1, most);
    segment.ids = file.texts("pictures", static_cast<std::size_t>(segment.end - first));
    segment.notes = notes_of(file, path, segment.first, segment.end);
    segment.codes = file.take("codes", {-1, columns});
    const std::int64_t skipped = std::count_if(segment.notes.begin(), segment.notes.end(), is_skipped);
    if (segment.codes.rows() != segment.end - segment.first - skipped) {
        throw CorruptFile(fmt::format("{}: {} rows of codes found, {} expected", path, segment.codes.rows(),
                                      segment.end - segment.first - skipped));
    }
    return segment;
}

}  // namespace

bool is_skipped(const InputNote& note) {
    return note.status != name(PictureStatus::ok);
}

EncodeCheckpoint::EncodeCheckpoint(std::string folder, double every, std::int64_t memory,
                                   const EncodeRequest& request, InputObserver& observer)
    : folder_(std::move(folder), codes_kind, every),
      memory_(memory),
      request_(request),
      observer_(observer),
      stamps_(stamps_of(request.inputs)) {}

std::string EncodeCheckpoint::id(std::int64_t picture) const {
    const ImageEntry entry = request_.inputs.entry(picture);
    const FileStamp& stamp = stamps_.at(static_cast<std::size_t>(picture));
    base::Hash hash;
    hash.add(std::string_view(entry.path));
    hash.add(std::string_view(entry.label.value_or("")));
    hash.add(stamp.size);
    hash.add(stamp.time);
    return hash.hex();
}

const SegmentFolder::Run& EncodeCheckpoint::run() {
    if (run_.empty()) {
        const EncodeOptions& encode = request_.encode;
        run_ = {{"model", request_.model.identity()},
                {"layer", std::to_string(request_.model.depth_of(encode.output))},
                {"normalize", encode.l2_normalize ? "l2" : "none"},
                {"label", request_.label        ? "'" + *request_.label + "'"
                          : request_.need_label ? "needed"
                                                : "as it is"}};
    }
    return run_;
}

std::optional<CodeSegment> EncodeCheckpoint::read(std::int64_t first) {
    std::optional<base::Safetensors> file = folder_.read(first, run());
    if (!file) {
        return std::nullopt;
    }
    CodeSegment segment =
        read_segment(file->path, *file, first, request_.model.code_size(request_.encode.output));
    if (!is_of_these_pictures(segment)) {
        return std::nullopt;
    }
    segment.batch_size = std::min(segment.batch_size, request_.inputs.size());
    return segment;
}

bool EncodeCheckpoint::is_of_these_pictures(const CodeSegment& segment) const {
    const std::int64_t pictures = request_.inputs.size();
    auto note = segment.notes.begin();
    for (std::int64_t i = segment.first; i < std::min(segment.end, pictures); ++i) {
        while (note != segment.notes.end() && note->index < i) {
            ++note;
        }
        if (segment.ids[static_cast<std::size_t>(i - segment.first)] == id(i)) {
            continue;
        }
        const ImageEntry entry = request_.inputs.entry(i);
        if (note != segment.notes.end() && note->index == i && is_skipped(*note)) {
            observer_.on_remark(entry,
                                "was skipped and has changed since then: encoded anew from about here on");
            return false;
        }
        folder_.refuse("pictures", entry.path, "another name, label, size or time");
    }
    if (segment.end > pictures) {
        folder_.refuse("pictures", std::to_string(pictures), fmt::format("{} or more", segment.end));
    }
    return true;
}

void EncodeCheckpoint::begin(std::int64_t first, std::int64_t batch_size) {
    first_ = first;
    batch_size_ = batch_size;
}

void EncodeCheckpoint::add(EncodedBatch batch) {
    if (folder_.has_failed()) {
        return;
    }
    batch.batch.pictures = {};
    waiting_bytes_ += batch.codes.size() * static_cast<std::int64_t>(sizeof(float));
    waiting_.push_back(std::move(batch));
    if (folder_.is_due() || waiting_bytes_ > memory_) {
        write();
    }
}

void EncodeCheckpoint::stop(bool always) {
    if (!folder_.has_failed() && !waiting_.empty() && (always || first_ > 0 || folder_.is_worth_keeping())) {
        write();
    }
}

void EncodeCheckpoint::write() {
    if (const auto why = write_segment()) {
        observer_.on_checkpoint_failed(*why);
    }
    first_ = waiting_.back().batch.end;
    waiting_.clear();
    waiting_bytes_ = 0;
}

std::optional<std::string> EncodeCheckpoint::write_segment() {
    const std::int64_t end = waiting_.back().batch.end;
    std::int64_t rows = 0;
    std::vector<std::string> notes;
    for (const EncodedBatch& batch : waiting_) {
        rows += batch.codes.rows();
        for (const InputNote& note : batch.batch.notes) {
            notes.insert(notes.end(), {std::to_string(note.index), note.status, note.text});
        }
    }
    Tensor codes({rows, waiting_.front().codes.columns()});
    float* next = codes.data();
    for (const EncodedBatch& batch : waiting_) {
        next = std::copy(batch.codes.values().begin(), batch.codes.values().end(), next);
    }
    std::vector<std::string> ids;
    for (std::int64_t i = first_; i < end; ++i) {
        ids.push_back(id(i));
    }
    const std::string packed_ids = base::pack_texts(ids);
    const std::string packed_notes = base::pack_texts(notes);
    return folder_.write(first_, end, run(),
                         {{"batch_size", std::to_string(batch_size_)},
                          {"notes", std::to_string(notes.size() / texts_of_a_note)}},
                         {{"codes", &codes}, {"pictures", &packed_ids}, {"notes", &packed_notes}});
}

}  // namespace pipeline

bool has_encoding_checkpoint(const std::string& folder) {
    return pipeline::has_segments(folder, pipeline::codes_kind);
}

bool remove_encoding_checkpoint(const std::string& folder) {
    return pipeline::remove_segment_folder(folder, pipeline::codes_kind);
}

EncodingProgress load_encoding_progress(const std::string& folder) {
    const pipeline::SegmentFolder::Kind& kind = pipeline::codes_kind;
    EncodingProgress progress;
    std::error_code ignored;
    std::string path = pipeline::segment_file(folder, kind, 0);
    progress.begun = std::filesystem::last_write_time(path, ignored);
    do {
        base::Safetensors file = base::read_safetensors(path);
        file.check_kind(kind.name, kind.version);
        progress.model = file.text("model");
        const pipeline::CodeSegment segment = pipeline::read_segment(path, file, progress.pictures, -1);
        progress.pictures = segment.end;
        progress.rows += segment.codes.rows();
        progress.columns = segment.codes.columns();
        path = pipeline::segment_file(folder, kind, progress.pictures);
    } while (std::filesystem::exists(path, ignored));
    return progress;
}

}  // namespace stackae
