#include "base/commit_record.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <fmt/format.h>
#include <iterator>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "base/atomic_file.hpp"

namespace stackae::base {
namespace {

constexpr std::string_view magic = "stackae commit 1";
constexpr std::string_view hex_digits = "0123456789abcdef";
constexpr std::string_view digits = "0123456789";
constexpr std::size_t id_size = 16;
constexpr off_t max_record = off_t{1} << 20;

std::string checksum_of(std::string_view text) {
    Hash hash;
    hash.add(text);
    return hash.hex();
}

bool is_plain(std::string_view name) {
    return !name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos;
}

/// Takes `begin` away from the front; false, and nothing changes, where it is not there.
bool skip(std::string_view& text, std::string_view begin) {
    const bool found = text.starts_with(begin);
    text.remove_prefix(found ? begin.size() : 0);
    return found;
}

bool consists_of(std::string_view text, std::string_view characters, std::size_t least, std::size_t most) {
    return text.size() >= least && text.size() <= most &&
           text.find_first_not_of(characters) == std::string_view::npos;
}

/// Whether a set of this id has such temporaries: a record may not make us remove anything else.
bool is_temporary(std::string_view name, const std::string& id) {
    if (skip(name, named_temporary)) {
        return consists_of(name, hex_digits, 8, 8);
    }
    if (!skip(name, ".stackae-commit-") || !skip(name, id) || !skip(name, "-")) {
        return false;
    }
    const std::size_t user = name.find('-');  // in a sticky folder
    return consists_of(name.substr(0, user), digits, 1, 9) &&
           (user == std::string_view::npos || consists_of(name.substr(user + 1), digits, 1, 10));
}

/// Nothing for a text that is not whole, or that names anything but our temporaries and names beside them, or
/// nothing in its own folder.
std::optional<CommitRecord> parse_record(std::string_view text, const std::string& own_folder) {
    const std::size_t last = text.rfind('\0');
    if (last == std::string_view::npos || checksum_of(text.substr(0, last + 1)) != text.substr(last + 1)) {
        return std::nullopt;
    }
    std::vector<std::string> fields;
    for (std::size_t begin = 0; begin <= last;) {
        const std::size_t end = text.find('\0', begin);
        fields.emplace_back(text.substr(begin, end - begin));
        begin = end + 1;
    }
    constexpr std::size_t first = 2;
    constexpr std::size_t each = 6;
    if (fields.size() <= first || (fields.size() - first) % each != 0 || fields[0] != magic) {
        return std::nullopt;
    }
    CommitRecord record{fields[1], {}};
    if (!consists_of(record.id, hex_digits, id_size, id_size)) {
        return std::nullopt;
    }
    for (std::size_t i = first; i < fields.size(); i += each) {
        CommitRecord::Member member{fields[i].empty() ? own_folder : fields[i],
                                    fields[i + 1],
                                    fields[i + 2],
                                    0,
                                    fields[i + 4],
                                    fields[i + 5]};
        if (!member.folder.starts_with('/') || !is_plain(member.name) ||
            !is_temporary(member.temporary, record.id) || !consists_of(fields[i + 3], digits, 1, 19)) {
            return std::nullopt;
        }
        member.size = std::stoull(fields[i + 3]);
        record.members.push_back(std::move(member));
    }
    if (record.members_of(own_folder).empty()) {
        return std::nullopt;
    }
    return record;
}

}  // namespace

std::vector<CommitRecord::Member> CommitRecord::members_of(const std::string& folder) const {
    std::vector<Member> found;
    std::copy_if(members.begin(), members.end(), std::back_inserter(found),
                 [&](const Member& member) { return member.folder == folder; });
    return found;
}

std::vector<std::string> CommitRecord::folders() const {
    std::vector<std::string> folders;
    for (const Member& member : members) {
        folders.push_back(member.folder);
    }
    std::sort(folders.begin(), folders.end());
    folders.erase(std::unique(folders.begin(), folders.end()), folders.end());
    return folders;
}

/// Fields that end with a zero byte, since names may hold any other.
std::string CommitRecord::text(const std::string& own_folder) const {
    std::string fields;
    const auto add = [&](std::string_view field) {
        fields += field;
        fields += '\0';
    };
    add(magic);
    add(id);
    for (const Member& member : members) {
        add(member.folder == own_folder ? "" : member.folder);
        add(member.temporary);
        add(member.name);
        add(fmt::format("{}", member.size));
        add(member.checksum);
        add(member.replaces);
    }
    return fields + checksum_of(fields);
}

std::string record_path(const std::string& folder) {
    return hidden_path(folder, "commit");
}

FoundRecord read_record(const std::string& folder) {
    const std::string path = record_path(folder);
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT || errno == ENOTDIR || errno == EACCES) {
            return {};  // whoever may not look into a folder cannot write there either
        }
        fail("open", path, errno);
    }
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
    if (file.get() < 0 && errno == ENOENT) {
        return {};  // its run was done in between
    }
    if (file.get() < 0 && errno != ELOOP) {
        fail("open", path, errno);
    }
    FoundRecord found{.there = true, .record = std::nullopt};
    if (file.get() >= 0 && ::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode) &&
        status.st_size <= max_record) {
        std::string text(static_cast<std::size_t>(status.st_size), '\0');
        const std::size_t got = read_at(file.get(), 0, std::as_writable_bytes(std::span(text)));
        if (got < text.size() && errno != 0) {
            fail("read", path, errno);
        }
        found.record = parse_record(std::string_view(text).substr(0, got), folder);
    }
    return found;
}

std::string file_content(const std::string& path) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) {
        return "";
    }
    if (!S_ISREG(status.st_mode) || ::access(path.c_str(), R_OK) != 0) {
        return fmt::format("{} written {}.{:09}", status.st_size, status.st_mtim.tv_sec,
                           status.st_mtim.tv_nsec);
    }
    InputFile file(path);
    return fmt::format("{} {}", status.st_size, file_checksum(file));
}

bool remove_temporary(const std::string& path) {
    struct stat status {};
    return ::unlink(path.c_str()) == 0 || ::lstat(path.c_str(), &status) != 0;
}

void remove_records(const std::vector<std::string>& folders) {
    sync_folders(folders);  // the names first, so that no crash loses them without the record
    for (const std::string& folder : folders) {
        ::unlink(record_path(folder).c_str());
    }
}

}  // namespace stackae::base
