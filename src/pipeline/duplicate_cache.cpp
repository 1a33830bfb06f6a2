#include "pipeline/duplicate_cache.hpp"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <fmt/format.h>
#include <limits>
#include <sstream>

#include "stackae/error.hpp"
#include "stackae/resources.hpp"

#include "base/hash.hpp"
#include "base/safetensors.hpp"
#include "pipeline/picture_file.hpp"

namespace stackae::pipeline {
namespace {

constexpr const char* kind = "duplicates";
constexpr int version = 1;
constexpr int method = 1;  ///< to be raised with every change of what is found

/// False where a picture comes from no file that could change.
bool add_files(const Inputs& inputs, base::Hash& hash) {
    std::string before;
    for (std::int64_t i = 0; i < inputs.size(); ++i) {
        const std::string path = inputs.entry(i).path;
        hash.add(std::string_view(path));
        const std::string file = file_and_place(path).first;
        if (file == before) {
            continue;  // a page of the same
        }
        std::error_code failed;
        const auto status = std::filesystem::status(file, failed);
        if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
            return false;
        }
        const auto size = failed ? 0 : std::filesystem::file_size(file, failed);
        const auto time = std::filesystem::last_write_time(file, failed);
        if (failed) {
            return false;
        }
        hash.add(static_cast<std::int64_t>(size));
        hash.add(static_cast<std::int64_t>(time.time_since_epoch().count()));
        hash.add(std::string_view(resolved(file)));
        before = file;
    }
    return true;
}

void add_options(const DuplicateOptions& options, base::Hash& hash) {
    const PictureLimits& limits = options.limits;
    hash.add(std::string_view(fmt::format(
        "{} {} {} {} {} {} {} {} {} {} {} {}", method, stackae::version(), options.mirror, options.rotate90,
        options.false_pairs, options.threshold.value_or(-1.0), name(options.keep), options.planted_pictures,
        options.seed, limits.max_pixels, limits.max_bytes, static_cast<int>(limits.pages))));
    for (const std::string& suffix : limits.channel_suffixes) {
        hash.add(std::string_view(suffix));
    }
}

/// pictures, thresholds, false pairs, and a line a kind of planted copies.
std::string description_of(const DuplicateReport& report) {
    std::string text = fmt::format("{} {} {} {}\n", report.pictures, report.near_threshold,
                                   report.transformed_threshold, report.false_pairs);
    for (const PlantedCopies& copies : report.planted) {
        text += fmt::format("{} {} {}\n", copies.kind, copies.planted, copies.found);
    }
    return text;
}

void read_description(const std::string& text, const std::string& where, DuplicateReport& report) {
    std::istringstream lines(text);
    std::string false_pairs;
    lines >> report.pictures >> report.near_threshold >> report.transformed_threshold >> false_pairs;
    if (!lines) {
        throw CorruptFile(fmt::format("{}: report: four numbers expected", where));
    }
    report.false_pairs =
        false_pairs == "nan" ? std::numeric_limits<double>::quiet_NaN() : std::stod(false_pairs);
    for (PlantedCopies copies; lines >> copies.kind >> copies.planted >> copies.found;) {
        report.planted.push_back(copies);
    }
}

/// A line a picture: group, index, kind, distance, keep, reference.
std::string members_of(const DuplicateReport& report) {
    std::string text;
    for (std::size_t group = 0; group < report.groups.size(); ++group) {
        for (const Duplicate& member : report.groups[group]) {
            text += fmt::format("{} {} {} {} {} {}\n", group, member.index, name(member.kind),
                                member.distance, member.keep ? 1 : 0, member.reference ? 1 : 0);
        }
    }
    return text;
}

void read_members(const std::string& text, const std::string& where, const Inputs& inputs,
                  const Inputs* reference, DuplicateReport& report) {
    std::istringstream lines(text);
    std::size_t group = 0;
    std::string kind_name;
    Duplicate member;
    while (lines >> group >> member.index >> kind_name >> member.distance >> member.keep >>
           member.reference) {
        if (group > report.groups.size()) {
            break;
        }
        if (group == report.groups.size()) {
            report.groups.emplace_back();
        }
        member.kind = parse<CopyKind>(kind_name);
        member.entry = entry_of(inputs, reference, member.index);
        report.groups[group].push_back(member);
    }
    if (!lines.eof()) {
        throw CorruptFile(fmt::format("{}: members: lines of six numbers and words expected", where));
    }
}

}  // namespace

ImageEntry entry_of(const Inputs& inputs, const Inputs* reference, std::int64_t index) {
    return index < inputs.size() || reference == nullptr ? inputs.entry(index)
                                                         : reference->entry(index - inputs.size());
}

void enter_again(const FoundDuplicates& found, const Inputs& inputs, const Inputs* reference,
                 Manifest& manifest) {
    auto note = found.notes.begin();
    const std::int64_t count = inputs.size() + (reference != nullptr ? reference->size() : 0);
    for (std::int64_t i = 0; i < count; ++i) {
        const ImageEntry entry = entry_of(inputs, reference, i);
        if (note == found.notes.end() || note->index != i) {
            manifest.used(entry);
        } else if (note->status == name(PictureStatus::ok)) {
            manifest.used(entry, note++->text);
        } else {
            manifest.skipped(entry, note->status, note->text);
            ++note;
        }
    }
}

DuplicateCache::DuplicateCache(const std::string& path, const Inputs& inputs, const Inputs* reference,
                               const DuplicateOptions& options) {
    if (path.empty()) {
        return;
    }
    base::Hash hash;
    add_options(options, hash);
    hash.add(inputs.size());
    if (add_files(inputs, hash) && (reference == nullptr || add_files(*reference, hash))) {
        path_ = path;
        fingerprint_ = hash.hex();
    }
}

std::optional<FoundDuplicates> DuplicateCache::load(const Inputs& inputs, const Inputs* reference) const {
    if (path_.empty() || !std::filesystem::exists(path_)) {
        return std::nullopt;
    }
    try {
        const base::Safetensors file = base::read_safetensors(path_);
        file.check_kind(kind, version);
        if (file.text("fingerprint") != fingerprint_) {
            return std::nullopt;
        }
        FoundDuplicates found;
        read_description(file.bytes("report"), path_, found.report);
        read_members(file.bytes("members"), path_, inputs, reference, found.report);
        const std::vector<std::string> notes = file.texts("notes", std::stoul(file.text("notes")));
        for (std::size_t i = 0; i + 2 < notes.size(); i += 3) {
            found.notes.push_back({std::stoll(notes[i]), notes[i + 1], notes[i + 2]});
        }
        return found;
    } catch (const std::exception&) {
        return std::nullopt;  // what was found is found again
    }
}

std::string DuplicateCache::save(const FoundDuplicates& found) const {
    const bool may_pass = std::any_of(found.notes.begin(), found.notes.end(), [](const InputNote& note) {
        return note.status == name(PictureStatus::unreadable) ||
               note.status == name(PictureStatus::missing) ||
               note.status == name(PictureStatus::out_of_memory);
    });
    if (path_.empty() || may_pass) {
        return {};
    }
    std::vector<std::string> notes;
    for (const InputNote& note : found.notes) {
        notes.insert(notes.end(), {std::to_string(note.index), note.status, note.text});
    }
    base::Safetensors content;
    content.set_kind(kind, version);
    content.metadata["fingerprint"] = fingerprint_;
    content.metadata["notes"] = std::to_string(notes.size());
    content.blocks = {{"report", description_of(found.report)},
                      {"members", members_of(found.report)},
                      {"notes", base::pack_texts(notes)}};
    try {
        base::write_safetensors(content, path_);
    } catch (const Error& error) {
        return error.what();
    }
    return {};
}

}  // namespace stackae::pipeline
