#include "pipeline/segment_folder.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <utility>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/output_files.hpp"

#include "base/atomic_file.hpp"
#include "base/file_lock.hpp"

namespace stackae::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t digits = 12;  ///< before the ending
/// Less work is not worth a checkpoint that somebody has to look after.
constexpr double seconds_worth_keeping = 10.0;

/// Whether a segment of the things from `first` on, or of later ones, would have this name.
bool is_segment(std::string_view name, const SegmentFolder::Kind& kind, std::int64_t first) {
    std::int64_t number = -1;
    const char* const end = name.data() + std::min(name.size(), digits);
    return name.size() > digits && name.substr(digits) == kind.ending &&
           std::from_chars(name.data(), end, number).ptr == end && number >= first;
}

/// Those of the things from `first` on, and what a run left that was killed while it wrote. From the last to
/// the first: what is left of a removal that is cut short can be gone on with. Throws IoError.
void remove_segments(const std::string& folder, const SegmentFolder::Kind& kind, std::int64_t first) {
    std::error_code error;
    std::vector<fs::path> segments;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().string();
        if (is_segment(name, kind, first) || name.starts_with(base::named_temporary)) {
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

}  // namespace

std::string segment_file(const std::string& folder, const SegmentFolder::Kind& kind, std::int64_t first) {
    return fmt::format("{}/{:0{}}{}", folder, first, digits, kind.ending);
}

bool has_segments(const std::string& folder, const SegmentFolder::Kind& kind) {
    std::error_code ignored;
    return fs::exists(segment_file(folder, kind, 0), ignored);
}

std::int64_t segment_number(const std::string& path, const char* what, const std::string& text,
                            std::int64_t least, std::int64_t most) {
    std::int64_t value = -1;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size() || value < least || value > most) {
        throw CorruptFile(
            fmt::format("{}: {}: \"{}\" found, {} to {} expected", path, what, text, least, most));
    }
    return value;
}

void SegmentFolder::refuse(std::string_view what, std::string_view found, std::string_view kept) const {
    throw InvalidArgument(
        fmt::format("{}: the checkpoint is of another run: {}: {} found, {} in the checkpoint; remove the "
                    "folder to begin anew",
                    folder_, what, found, kept));
}

std::optional<base::Safetensors> SegmentFolder::read(std::int64_t first, const Run& run) {
    std::error_code ignored;
    if (fs::is_directory(folder_, ignored)) {
        lock();
    }
    const std::string path = segment_file(folder_, kind_, first);
    if (!fs::exists(path, ignored)) {
        return std::nullopt;
    }
    base::Safetensors file = base::read_safetensors(path);
    file.check_kind(kind_.name, kind_.version);
    for (const auto& [field, is] : run) {
        const std::string& was = file.text(field);
        if (was != is) {
            refuse(field, is, was);
        }
    }
    return file;
}

std::optional<std::string> SegmentFolder::write(std::int64_t first, std::int64_t end, const Run& run,
                                                std::map<std::string, std::string> metadata,
                                                const base::TensorReferences& tensors) {
    metadata.insert(run.begin(), run.end());
    metadata["first"] = std::to_string(first);
    metadata["end"] = std::to_string(end);
    std::optional<std::string> why;
    timer_.time([&] {
        try {
            fs::create_directories(folder_);
            lock();
            if (!begun_) {
                remove_segments(folder_, kind_, first);
                begun_ = true;
            }
            write_file(first, metadata, tensors);
        } catch (const Error& error) {
            why = error.what();
        } catch (const fs::filesystem_error& error) {
            why = fmt::format("{}: cannot be made: {}", folder_, error.code().message());
        }
    });
    failed_ = why.has_value();
    return why;
}

void SegmentFolder::lock() {
    if (lock_.get() < 0) {
        lock_ = lock_folder(folder_);
    }
    for (const Kind& other : segment_kinds) {
        if (other.ending != kind_.ending && has_segments(folder_, other)) {
            throw InvalidArgument(
                fmt::format("{}: {} of a run that was stopped found, {} expected; remove the folder to begin "
                            "anew",
                            folder_, other.name, kind_.name));
        }
    }
}

void SegmentFolder::write_file(std::int64_t first, const std::map<std::string, std::string>& metadata,
                               const base::TensorReferences& tensors) {
    base::Safetensors file;
    file.set_kind(kind_.name, kind_.version);
    file.metadata.insert(metadata.begin(), metadata.end());
    base::write_safetensors(file.metadata, tensors, segment_file(folder_, kind_, first));
}

bool SegmentFolder::is_worth_keeping() const {
    return !failed_ && timer_.since() > seconds_worth_keeping;
}

bool remove_segment_folder(const std::string& folder, const SegmentFolder::Kind& kind) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        return true;
    }
    const std::optional<base::Descriptor> lock = try_lock_folder(folder);
    if (!lock) {
        return false;
    }
    recover_outputs(folder);
    remove_segments(folder, kind, 0);
    if (fs::remove(folder, error) || !error) {
        return true;
    }
    if (error == std::errc::directory_not_empty || error == std::errc::file_exists) {
        return false;
    }
    throw IoError(fmt::format("{}: cannot be removed: {}", folder, error.message()));
}

}  // namespace stackae::pipeline
