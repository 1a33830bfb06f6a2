#include "pipeline/encode_checkpoint.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>
#include <limits>
#include <sys/stat.h>
#include <utility>

#include "stackae/error.hpp"

#include "base/hash.hpp"
#include "base/safetensors.hpp"

namespace stackae {
namespace pipeline {
namespace {

namespace fs = std::filesystem;

constexpr const char* kind = "codes";
constexpr int version = 1;
constexpr const char* ending = ".codes";
/// Less work is not worth a checkpoint that somebody has to look after.
constexpr double seconds_worth_keeping = 10.0;
constexpr std::size_t texts_of_a_note = 3;
/// What the codes depend on, in the order in which it is compared.
constexpr const char* const run_fields[] = {"model", "layer", "normalize", "label", "pictures"};

std::string segment_file(const std::string& folder, std::int64_t first) {
    return fmt::format("{}/{:012}{}", folder, first, ending);
}

/// Names, labels, sizes and times of all files.
std::string identity(const Inputs& inputs) {
    base::Hash hash;
    std::string last;
    for (const Inputs::Source& source : inputs.sources()) {
        hash.add(source.path);
        for (std::int64_t i = 0; source.pictures && i < source.pictures->size(); ++i) {
            const ImageEntry entry = source.pictures->entry(i);
            hash.add(std::string_view(entry.path));
            hash.add(std::string_view(entry.label.value_or("")));
            std::string file = source.pictures->file(i);
            struct stat status {};
            if (file != last && ::stat(file.c_str(), &status) == 0) {
                hash.add(std::int64_t{status.st_size});
                hash.add(std::int64_t{status.st_mtim.tv_sec});
                hash.add(std::int64_t{status.st_mtim.tv_nsec});
            }
            last = std::move(file);
        }
    }
    return hash.hex();
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
                         std::int64_t pictures, std::int64_t columns) {
    CodeSegment segment;
    segment.first = number(path, "first", file.text("first"), first, first);
    segment.end = number(path, "end", file.text("end"), first + 1, pictures);
    segment.batch_size = number(path, "batch_size", file.text("batch_size"), 1, pictures);
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
    : folder_(std::move(folder)), memory_(memory), request_(request), observer_(observer), timer_(every) {}

const std::map<std::string, std::string>& EncodeCheckpoint::run() {
    if (run_.empty()) {
        const EncodeOptions& encode = request_.encode;
        run_ = {{"model", request_.model.identity()},
                {"layer", std::to_string(request_.model.depth_of(encode.output))},
                {"normalize", encode.l2_normalize ? "l2" : "none"},
                {"label", request_.label        ? "'" + *request_.label + "'"
                          : request_.need_label ? "needed"
                                                : "as it is"},
                {"pictures", identity(request_.inputs)}};
    }
    return run_;
}

std::optional<CodeSegment> EncodeCheckpoint::read(std::int64_t first) {
    const std::string path = segment_file(folder_, first);
    std::error_code ignored;
    if (!fs::exists(path, ignored)) {
        return std::nullopt;
    }
    base::Safetensors file = base::read_safetensors(path);
    file.check_kind(kind, version);
    for (const char* field : run_fields) {
        const std::string& was = file.text(field);
        const std::string& is = run().at(field);
        if (was != is) {
            const bool pictures = field == std::string_view("pictures");
            throw InvalidArgument(fmt::format(
                "{}: the checkpoint is of another run: {}: {} found, {} in the checkpoint", folder_, field,
                pictures ? "others by name, label, size or time" : is, pictures ? "those" : was));
        }
    }
    return read_segment(path, file, first, request_.inputs.size(),
                        request_.model.code_size(request_.encode.output));
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
    const auto put = [&] {
        std::int64_t rows = 0;
        std::vector<std::string> texts;
        for (const EncodedBatch& batch : waiting_) {
            rows += batch.codes.rows();
            for (const InputNote& note : batch.batch.notes) {
                texts.insert(texts.end(), {std::to_string(note.index), note.status, note.text});
            }
        }
        Tensor codes({rows, waiting_.front().codes.columns()});
        float* next = codes.data();
        for (const EncodedBatch& batch : waiting_) {
            next = std::copy(batch.codes.values().begin(), batch.codes.values().end(), next);
        }
        base::Safetensors file;
        file.set_kind(kind, version);
        file.metadata.insert(run().begin(), run().end());
        file.metadata["first"] = std::to_string(first_);
        file.metadata["end"] = std::to_string(waiting_.back().batch.end);
        file.metadata["batch_size"] = std::to_string(batch_size_);
        file.metadata["notes"] = std::to_string(texts.size() / texts_of_a_note);
        const std::string notes = base::pack_texts(texts);
        fs::create_directories(folder_);
        base::write_safetensors(file.metadata, {{"codes", &codes}, {"notes", &notes}},
                                segment_file(folder_, first_));
    };
    timer_.time([&] {
        try {
            if (first_ == 0) {
                remove_checkpoint(folder_);  // of a run that nobody wants to go on with
            }
            put();
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

}  // namespace pipeline

bool has_checkpoint(const std::string& folder) {
    std::error_code ignored;
    return std::filesystem::exists(pipeline::segment_file(folder, 0), ignored);
}

EncodingProgress load_encoding_progress(const std::string& folder) {
    EncodingProgress progress;
    do {
        const std::string path = pipeline::segment_file(folder, progress.pictures);
        base::Safetensors file = base::read_safetensors(path);
        file.check_kind(pipeline::kind, pipeline::version);
        progress.model = file.text("model");
        const pipeline::CodeSegment segment = pipeline::read_segment(
            path, file, progress.pictures, std::numeric_limits<std::int64_t>::max(), -1);
        progress.pictures = segment.end;
        progress.rows += segment.codes.rows();
        progress.columns = segment.codes.columns();
    } while (std::filesystem::exists(pipeline::segment_file(folder, progress.pictures)));
    return progress;
}

void remove_checkpoint(const std::string& folder) {
    namespace fs = std::filesystem;
    std::error_code error;
    std::vector<fs::path> segments;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        if (entry->path().extension() == pipeline::ending) {
            segments.push_back(entry->path());
        }
    }
    // From the last to the first: what is left of a removal that is cut short can be gone on with.
    std::sort(segments.rbegin(), segments.rend());
    const bool there = fs::is_directory(folder, error);
    for (const fs::path& segment : segments) {
        fs::remove(segment, error);
    }
    if (there && !fs::remove(folder, error)) {
        throw IoError(fmt::format("{}: cannot be removed: {}", folder, error.message()));
    }
}

}  // namespace stackae
