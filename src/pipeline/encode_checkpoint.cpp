#include "pipeline/encode_checkpoint.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <string_view>
#include <sys/stat.h>
#include <utility>

#include "stackae/error.hpp"

#include "base/atomic_file.hpp"
#include "base/file_lock.hpp"
#include "base/hash.hpp"
#include "base/safetensors.hpp"

namespace stackae {
namespace pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kind = "codes";
constexpr int version = 1;
constexpr std::string_view ending = ".codes";
constexpr std::size_t digits = 12;  ///< before the ending
/// Less work is not worth a checkpoint that somebody has to look after.
constexpr double seconds_worth_keeping = 10.0;
constexpr std::size_t texts_of_a_note = 3;
/// What the codes depend on, in the order in which it is compared.
constexpr const char* const run_fields[] = {"model", "layer", "normalize", "label"};

std::string segment_file(const std::string& folder, std::int64_t first) {
    return fmt::format("{}/{:0{}}{}", folder, first, digits, ending);
}

/// Whether a segment of the pictures from `first` on, or of later ones, would have this name.
bool is_segment(std::string_view name, std::int64_t first) {
    std::int64_t number = -1;
    const char* const end = name.data() + std::min(name.size(), digits);
    return name.size() == digits + ending.size() && name.ends_with(ending) &&
           std::from_chars(name.data(), end, number).ptr == end && number >= first;
}

/// Those of the pictures from `first` on, and what a run left that was killed while it wrote. From the last
/// to the first: what is left of a removal that is cut short can be gone on with. Throws IoError.
void remove_segments(const std::string& folder, std::int64_t first) {
    std::error_code error;
    std::vector<fs::path> segments;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (is_segment(name, first) || name.starts_with(base::named_temporary)) {
            segments.push_back(entry->path());
        }
    }
    std::sort(segments.rbegin(), segments.rend());
    for (const fs::path& segment : segments) {
        if (!fs::remove(segment, error) && error) {
            throw IoError(fmt::format("{}: cannot be removed: {}", segment.string(), error.message()));
        }
    }
}

/// Nothing where another run has the folder; without a lock where its file system has none. Throws IoError.
std::optional<base::Descriptor> try_lock_folder(const std::string& folder) {
    base::Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (descriptor.get() < 0) {
        base::fail("open", folder, errno);
    }
    if (base::try_lock(descriptor.get()) == base::LockState::busy) {
        return std::nullopt;
    }
    return descriptor;
}

base::Descriptor lock_folder(const std::string& folder) {
    std::optional<base::Descriptor> lock = try_lock_folder(folder);
    if (!lock) {
        throw IoError(fmt::format("{}: another run that is under way has it", folder));
    }
    return std::move(*lock);
}

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

InvalidArgument of_another_run(const std::string& folder, std::string_view what, std::string_view found,
                               std::string_view kept) {
    return InvalidArgument(
        fmt::format("{}: the checkpoint is of another run: {}: {} found, {} in the checkpoint; remove the "
                    "folder to begin anew",
                    folder, what, found, kept));
}

std::int64_t number(const std::string& path, const char* what, const std::string& text, std::int64_t least,
                    std::int64_t most) {
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
        throw CorruptFile(
            fmt::format("{}: {}: \"{}\" found, {} to {} expected", path, what, text, least, most));
    }
    return value;
}

std::vector<InputNote> notes_of(const base::Safetensors& file, const std::string& path, std::int64_t first,
                                std::int64_t end) {
    const std::int64_t count = number(path, "notes", file.text("notes"), 0, end - first);
    const std::vector<std::string> texts =
        file.texts("notes", texts_of_a_note * static_cast<std::size_t>(count));
    std::vector<InputNote> notes;
    std::int64_t next = first;
    for (std::size_t i = 0; i < texts.size(); i += texts_of_a_note) {
        notes.push_back({number(path, "notes", texts[i], next, end - 1), texts[i + 1], texts[i + 2]});
        next = notes.back().index + 1;
    }
    return notes;
}

/// columns: −1: as many as there are.
CodeSegment read_segment(const std::string& path, base::Safetensors& file, std::int64_t first,
                         std::int64_t columns) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    CodeSegment segment;
    segment.first = number(path, "first", file.text("first"), first, first);
    segment.end = number(path, "end", file.text("end"), first + 1, most);
    segment.batch_size = number(path, "batch_size", file.text("batch_size"), 1, most);
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
    : folder_(std::move(folder)),
      memory_(memory),
      request_(request),
      observer_(observer),
      timer_(every),
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

const std::map<std::string, std::string>& EncodeCheckpoint::run() {
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
    std::error_code ignored;
    if (lock_.get() < 0 && fs::is_directory(folder_, ignored)) {
        lock_ = lock_folder(folder_);
    }
    const std::string path = segment_file(folder_, first);
    if (!fs::exists(path, ignored)) {
        return std::nullopt;
    }
    base::Safetensors file = base::read_safetensors(path);
    file.check_kind(kind, version);
    for (const char* field : run_fields) {
        const std::string& was = file.text(field);
        const std::string& is = run().at(field);
        if (was != is) {
            throw of_another_run(folder_, field, is, was);
        }
    }
    CodeSegment segment = read_segment(path, file, first, request_.model.code_size(request_.encode.output));
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
        throw of_another_run(folder_, "pictures", entry.path, "another name, label, size or time");
    }
    if (segment.end > pictures) {
        throw of_another_run(folder_, "pictures", std::to_string(pictures),
                             fmt::format("{} or more", segment.end));
    }
    return true;
}

void EncodeCheckpoint::begin(std::int64_t first, std::int64_t batch_size) {
    first_ = first;
    batch_size_ = batch_size;
}

void EncodeCheckpoint::add(EncodedBatch batch) {
    if (failed_) {
        return;
    }
    batch.batch.pictures = {};
    waiting_bytes_ += batch.codes.size() * static_cast<std::int64_t>(sizeof(float));
    waiting_.push_back(std::move(batch));
    if (timer_.is_due() || waiting_bytes_ > memory_) {
        write();
    }
}

void EncodeCheckpoint::stop(bool always) {
    if (!failed_ && !waiting_.empty() && (always || first_ > 0 || timer_.since() > seconds_worth_keeping)) {
        write();
    }
}

void EncodeCheckpoint::write() {
    timer_.time([&] {
        try {
            fs::create_directories(folder_);
            if (lock_.get() < 0) {
                lock_ = lock_folder(folder_);
            }
            if (!begun_) {
                remove_segments(folder_, first_);  // that nobody goes on with
                begun_ = true;
            }
            write_segment();
        } catch (const Error& error) {
            failed_ = true;
            observer_.on_checkpoint_failed(error.what());
        } catch (const fs::filesystem_error& error) {
            failed_ = true;
            observer_.on_checkpoint_failed(
                fmt::format("{}: cannot be made: {}", folder_, error.code().message()));
        }
    });
    first_ = waiting_.back().batch.end;
    waiting_.clear();
    waiting_bytes_ = 0;
}

void EncodeCheckpoint::write_segment() {
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
    base::Safetensors file;
    file.set_kind(kind, version);
    file.metadata.insert(run().begin(), run().end());
    file.metadata["first"] = std::to_string(first_);
    file.metadata["end"] = std::to_string(end);
    file.metadata["batch_size"] = std::to_string(batch_size_);
    file.metadata["notes"] = std::to_string(notes.size() / texts_of_a_note);
    const std::string packed_ids = base::pack_texts(ids);
    const std::string packed_notes = base::pack_texts(notes);
    base::write_safetensors(file.metadata,
                            {{"codes", &codes}, {"pictures", &packed_ids}, {"notes", &packed_notes}},
                            segment_file(folder_, first_));
}

}  // namespace pipeline

bool has_encoding_checkpoint(const std::string& folder) {
    std::error_code ignored;
    return std::filesystem::exists(pipeline::segment_file(folder, 0), ignored);
}

EncodingProgress load_encoding_progress(const std::string& folder) {
    EncodingProgress progress;
    std::error_code ignored;
    std::string path = pipeline::segment_file(folder, 0);
    progress.begun = std::filesystem::last_write_time(path, ignored);
    do {
        base::Safetensors file = base::read_safetensors(path);
        file.check_kind(pipeline::kind, pipeline::version);
        progress.model = file.text("model");
        const pipeline::CodeSegment segment = pipeline::read_segment(path, file, progress.pictures, -1);
        progress.pictures = segment.end;
        progress.rows += segment.codes.rows();
        progress.columns = segment.codes.columns();
        path = pipeline::segment_file(folder, progress.pictures);
    } while (std::filesystem::exists(path, ignored));
    return progress;
}

bool remove_encoding_checkpoint(const std::string& folder) {
    namespace fs = std::filesystem;
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        return true;
    }
    const std::optional<base::Descriptor> lock = pipeline::try_lock_folder(folder);
    if (!lock) {
        return false;
    }
    recover_outputs(folder);
    pipeline::remove_segments(folder, 0);
    if (fs::remove(folder, error) || !error) {
        return true;
    }
    if (error == std::errc::directory_not_empty || error == std::errc::file_exists) {
        return false;
    }
    throw IoError(fmt::format("{}: cannot be removed: {}", folder, error.message()));
}

}  // namespace stackae
