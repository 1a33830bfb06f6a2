#include <algorithm>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <map>
#include <optional>
#include <utility>

#include "stackae/error.hpp"

#include "data/arrays.hpp"
#include "data/zip.hpp"

namespace stackae::data {
namespace {

/// An array of an archive, of which the header alone was read.
struct Member {
    std::string name;  ///< without .npy
    ZipArchive::Entry entry;
    ArrayHeader header;
};

bool is_label_name(std::string_view name) {
    return name.starts_with('y') || name.starts_with('Y') || name.find("label") != name.npos ||
           name.find("target") != name.npos;
}

/// Whether an array could be pictures or rows of numbers.
bool holds_pictures(const Member& member) {
    const auto& extents = member.header.extents;
    const bool column = extents.size() == 2 && extents[1] == 1;
    if (!member.header.type.is_number() || (column && is_label_name(member.name))) {
        return false;
    }
    try {
        (void)array_shape(extents, member.name);
        return true;
    } catch (const Error&) {
        return false;
    }
}

/// An archive that is open.
class Npz {
public:
    Npz(const std::string& path, const PictureLimits& limits) : path_(path), limits_(limits), zip_(path) {
        for (const ZipArchive::Entry& entry : zip_.entries()) {
            if (!entry.name.ends_with(".npy")) {
                continue;
            }
            const std::string name = entry.name.substr(0, entry.name.size() - 4);
            names_.push_back(name);
            try {
                const std::unique_ptr<ByteStream> stream = zip_.open(entry);
                StreamHead head(*stream);
                members_.push_back({name, entry, parse_npy(head, path_of(name))});
            } catch (const InvalidArgument& error) {
                refused_.emplace(name, error.what());  // matters only where it is asked for
            }
        }
    }

    /// The array of that name or, where there is no name, the only one of pictures. Throws InvalidArgument.
    [[nodiscard]] const Member& choose(const std::optional<std::string>& name) {
        if (name) {
            const Member* found = find(*name);
            if (const auto why = refused_.find(*name); found == nullptr && why != refused_.end()) {
                throw InvalidArgument(why->second);
            }
            if (found == nullptr) {
                throw InvalidArgument(fmt::format("{}: no array {} found, one of {} expected", path_, *name,
                                                  fmt::join(names_, ", ")));
            }
            return *found;
        }
        std::vector<std::string> found;
        for (const Member& member : members_) {
            if (holds_pictures(member)) {
                found.push_back(member.name);
            }
        }
        if (found.size() == 1) {
            return *find(found.front());
        }
        if (found.empty()) {
            throw InvalidArgument(
                fmt::format("{}: no array of pictures or rows found (arrays: {})", path_,
                            names_.empty() ? "none" : fmt::format("{}", fmt::join(names_, ", "))));
        }
        throw InvalidArgument(
            fmt::format("{}: {} arrays of pictures found ({}), 1 expected; name one, as in {}", path_,
                        found.size(), fmt::join(found, ", "), path_of(found.front())));
    }

    [[nodiscard]] Array read(const Member& member) {
        const auto parse = [&](StreamHead& head) { return parse_npy(head, path_of(member.name)); };
        const std::unique_ptr<ByteStream> stream = zip_.open(member.entry);
        return array_in_stream(*stream, path_of(member.name), parse, limits_);
    }

    /// Labels for the pictures of an array: whole numbers or text, one a picture, by the names that such
    /// arrays have; where there are none, a note for each that has such a name.
    [[nodiscard]] ArrayLabels labels(const Member& pictures) {
        std::vector<std::string> notes;
        for (const std::string& name : label_names(pictures.name)) {
            std::string why;
            if (const Member* found = find(name)) {
                std::vector<std::string> labels;
                why = why_no_labels(*found, pictures);
                if (why.empty()) {
                    labels = labels_of(read(*found));
                    why = found->header.type.kind == 'f' ? why_no_classes(labels) : "";
                }
                if (why.empty()) {
                    return {std::move(labels), {}};
                }
            } else if (const auto refused = refused_.find(name); refused != refused_.end()) {
                why = refused->second;
            } else {
                continue;
            }
            notes.push_back(fmt::format("no labels from {}: {}", path_of(name), why));
        }
        return {{}, std::move(notes)};
    }

private:
    [[nodiscard]] std::string path_of(const std::string& name) const { return path_ + "#" + name; }

    /// Empty where an array has a value for each of the pictures.
    [[nodiscard]] std::string why_no_labels(const Member& member, const Member& pictures) const {
        const auto& extents = member.header.extents;
        const std::uint64_t expected = pictures.header.extents.front();
        const bool column = extents.size() == 1 || (extents.size() == 2 && extents[1] == 1);
        if (!column || extents.front() != expected) {
            return fmt::format("array of shape {} found, {} values expected, one a picture",
                               fmt::join(extents, " × "), expected);
        }
        if (member.entry.size > static_cast<std::uint64_t>(limits_.memory)) {
            return fmt::format("{} bytes found, at most {} expected", member.entry.size, limits_.memory);
        }
        return {};
    }
    /// Empty where all are whole numbers.
    [[nodiscard]] static std::string why_no_classes(const std::vector<std::string>& numbers) {
        const auto bad = std::find_if(numbers.begin(), numbers.end(), [](const std::string& number) {
            return number.find_first_not_of("-0123456789") != std::string::npos;
        });
        return bad == numbers.end() ? "" : fmt::format("{} found, whole numbers or text expected", *bad);
    }

    [[nodiscard]] const Member* find(const std::string& name) const {
        const auto found = std::find_if(members_.begin(), members_.end(),
                                        [&](const Member& member) { return member.name == name; });
        return found == members_.end() ? nullptr : &*found;
    }

    /// x_train → y_train, train_images → train_labels, and the names that say no more than what they are.
    static std::vector<std::string> label_names(const std::string& pictures) {
        std::vector<std::string> names;
        if (pictures.starts_with('x') || pictures.starts_with('X')) {
            names.push_back("y" + pictures.substr(1));
        }
        for (const auto& [from, to] :
             {std::pair("images", "labels"), std::pair("data", "labels"), std::pair("data", "target")}) {
            const std::size_t at = pictures.rfind(from);
            if (at != std::string::npos) {
                names.push_back(std::string(pictures).replace(at, std::string_view(from).size(), to));
            }
        }
        for (const char* name : {"y", "Y", "labels", "label", "targets", "target"}) {
            if (std::find(names.begin(), names.end(), name) == names.end()) {
                names.emplace_back(name);
            }
        }
        return names;
    }

    std::string path_;
    PictureLimits limits_;
    ZipArchive zip_;
    std::vector<std::string> names_;
    std::vector<Member> members_;
    std::map<std::string, std::string> refused_;  ///< arrays of values that cannot be read, and why
};

}  // namespace

SourcePointer open_npz(const std::string& path, const std::optional<std::string>& name,
                       const PictureLimits& limits) {
    Npz archive(path, limits);
    const Member& pictures = archive.choose(name);
    const std::string full = name ? path + "#" + *name : path;
    (void)array_shape(pictures.header.extents, full);  // before a value is read
    ArrayLabels labels = archive.labels(pictures);
    return array_source(full, path, archive.read(pictures), std::move(labels), limits);
}

}  // namespace stackae::data
