#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "stackae/error.hpp"
#include "stackae/output_files.hpp"

#include "base/atomic_file.hpp"
#include "base/commit_record.hpp"
#include "base/file_lock.hpp"

namespace stackae {
namespace {

using namespace base;
namespace fs = std::filesystem;

constexpr int max_attempts = 10000;  ///< other runs may be done again and again in between

using Member = CommitRecord::Member;

/// In a sticky folder others may put files beside ours, but not replace ours: so neither may their records.
void check_owner(const std::string& path, const std::string& folder) {
    struct stat file {};
    struct stat parent {};
    if (::stat(folder.c_str(), &parent) == 0 && (parent.st_mode & S_ISVTX) != 0 &&
        ::lstat(path.c_str(), &file) == 0 && file.st_uid != ::geteuid()) {
        throw IoError(fmt::format("{}: is another user's; remove it first", path));
    }
}

bool exists(const std::string& path) {
    struct stat status {};
    return ::lstat(path.c_str(), &status) == 0;
}

bool holds(const std::string& path, const Member& member) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
        static_cast<std::uint64_t>(status.st_size) != member.size) {
        return false;
    }
    InputFile file(path);  // what cannot be read may be it: nothing is done then
    return file_checksum(file) == member.checksum;
}

/// How far a killed run came with a file.
enum class State {
    done,     ///< the new content has the final name
    waiting,  ///< it has the temporary one, and replaces nothing but the old content
    blocked,  ///< it has the temporary one, and somebody has written the file since
    gone,     ///< it is nowhere: replaced and written since, or never named
};

State state_of(const Member& member) {
    if (holds(member.path(), member)) {
        return State::done;
    }
    if (!holds(member.temporary_path(), member)) {
        return State::gone;
    }
    const std::string found = file_content(member.path());
    return found.empty() || found == member.replaces ? State::waiting : State::blocked;
}

bool is_old(const Member& member) {
    return !member.replaces.empty() && file_content(member.path()) == member.replaces;
}

/// Whether it is of a run that lives, and so not of the one that left the record.
bool is_in_use(const Member& member) {
    if (!member.temporary.starts_with(named_temporary)) {
        return false;
    }
    const Descriptor file(
        ::open(member.temporary_path().c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
    return file.get() >= 0 && try_lock(file.get()) == LockState::busy;
}

[[noreturn]] void fail_to_rename(const Member& member) {
    throw IoError(
        fmt::format("{}: cannot replace: {}; what a killed run left for it waits, and the next "
                    "command in that folder tries again",
                    member.path(), std::strerror(errno)));
}

/// A set whose records are all locked.
class LeftSet {
public:
    explicit LeftSet(const std::vector<Member>& members) : members_(members) {
        for (const Member& member : members) {
            states_.push_back(state_of(member));
        }
    }

    /// Files get their names, and temporary ones, in their order: one that has lost both to somebody else had
    /// been replaced when none before it waits.
    [[nodiscard]] bool can_be_completed() const {
        bool waiting = false;
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (states_[i] == State::blocked ||
                (states_[i] == State::gone && (waiting || is_old(members_[i])))) {
                return false;
            }
            waiting = waiting || states_[i] == State::waiting;
        }
        return true;
    }

    [[nodiscard]] bool can_be_taken_back() const {
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (states_[i] == State::done && !has_old(members_[i])) {
                return false;
            }
        }
        return true;
    }

    /// Throws before anything is renamed where somebody's file would be lost.
    [[nodiscard]] std::vector<std::string> complete() const {
        check_blocked();
        std::vector<std::string> completed;
        for (std::size_t i = 0; i < members_.size(); ++i) {
            const Member& member = members_[i];
            if (states_[i] == State::waiting) {
                if (::rename(member.temporary_path().c_str(), member.path().c_str()) != 0) {
                    fail_to_rename(member);
                }
                completed.push_back(member.path());
            }
        }
        return completed;
    }

    /// Gives the old files their names back.
    void take_back() const {
        for (std::size_t i = members_.size(); i-- > 0;) {
            const Member& member = members_[i];
            if (states_[i] != State::done || is_old(member)) {
                continue;
            }
            const std::string path = member.path();
            const std::string temporary = member.temporary_path();
            if (member.replaces.empty() ? ::rename(path.c_str(), temporary.c_str()) != 0
                                        : ::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, temporary.c_str(),
                                                      RENAME_EXCHANGE) != 0) {
                fail_to_rename(member);
            }
        }
    }

    /// The last one first and those that are blocked after all others, so that a run that is killed
    /// meanwhile leaves what is taken back again.
    void remove_temporaries() const {
        for (const bool blocked : {false, true}) {
            for (std::size_t i = members_.size(); i-- > 0;) {
                if ((states_[i] == State::blocked) == blocked) {
                    remove(members_[i]);
                }
            }
        }
    }

    static void remove(const Member& member) {
        if (!is_in_use(member) && !remove_temporary(member.temporary_path())) {
            fail("remove", member.temporary_path(), errno);
        }
    }

private:
    static bool has_old(const Member& member) {
        return is_old(member) ||
               (member.replaces.empty() ? !exists(member.temporary_path())
                                        : file_content(member.temporary_path()) == member.replaces);
    }

    void check_blocked() const {
        std::string others;
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (states_[i] == State::done) {
                others += (others.empty() ? "" : " and ") + members_[i].path();
            }
        }
        for (std::size_t i = 0; i < members_.size(); ++i) {
            if (states_[i] == State::blocked) {
                throw IoError(fmt::format(
                    "{}: written since a killed run began to replace it together with {}, whose old content "
                    "is lost; move it away, and the next command in that folder completes what was begun",
                    members_[i].path(), others));
            }
        }
    }

    const std::vector<Member>& members_;
    std::vector<State> states_;
};

/// With these folders' records locked, which are all of the set or not: then its run was killed before it
/// replaced anything, or when it was done.
std::vector<std::string> settle(const CommitRecord& record, const std::vector<std::string>& folders) {
    std::vector<std::string> completed;
    if (folders != record.folders()) {
        for (const std::string& folder : folders) {
            for (const Member& member : record.members_of(folder)) {
                LeftSet::remove(member);
            }
        }
        return completed;
    }
    const LeftSet set(record.members);
    if (set.can_be_completed() || !set.can_be_taken_back()) {
        completed = set.complete();
    } else {
        set.take_back();
    }
    sync_folders(folders);
    set.remove_temporaries();
    return completed;
}

/// One try; false where the record changed while it was waited for.
bool try_to_recover(const std::string& folder, const Waiting& waiting, std::vector<std::string>& completed) {
    const std::string path = record_path(folder);
    const FoundRecord seen = read_record(folder);
    check_owner(path, folder);
    if (!seen.record) {
        // Its maker is still writing it, or was killed before anything else was done.
        const auto unfinished = [&] { return !read_record(folder).record; };
        if (const auto locked = take_over(path, unfinished, waiting); locked && unfinished()) {
            if (::unlink(path.c_str()) != 0) {
                fail("remove", path, errno);
            }
        }
        return false;
    }
    std::vector<Descriptor> locks;
    std::vector<std::string> folders;
    for (const std::string& each : seen.record->folders()) {
        // Else another run has placed its own, for which this one may not wait; and only what a folder's own
        // record names may be touched there.
        const auto same = [&] {
            const FoundRecord found = read_record(each);
            return found.record && found.record->id == seen.record->id &&
                   found.record->members_of(each) == seen.record->members_of(each);
        };
        auto lock = take_over(record_path(each), same, waiting);
        if (lock && same()) {
            locks.push_back(std::move(*lock));
            folders.push_back(each);
        }
    }
    if (std::find(folders.begin(), folders.end(), folder) == folders.end()) {
        return false;
    }
    for (const std::string& each : folders) {
        if (::access(each.c_str(), W_OK) != 0) {
            throw IoError(
                fmt::format("{}: a killed run's outputs wait here, and the folder cannot be written: {}",
                            each, std::strerror(errno)));
        }
    }
    completed = settle(*seen.record, folders);
    remove_records(folders);
    return true;
}

}  // namespace

std::vector<std::string> recover_outputs(const std::string& folder, const Waiting& waiting) {
    std::error_code error;
    const std::string whole = fs::canonical(folder, error).string();
    std::vector<std::string> completed;
    if (error) {
        return completed;
    }
    const std::string single = hidden_path(whole, "new");
    if (exists(single)) {
        if (const auto left = take_over(single, {}, waiting)) {
            ::unlink(single.c_str());
        }
    }
    const auto start = std::chrono::steady_clock::now();
    for (int attempt = 0; read_record(whole).there; ++attempt) {
        if (attempt == max_attempts) {
            throw IoError(
                fmt::format("{}: made again by other runs {} times", record_path(whole), max_attempts));
        }
        if (attempt > 0 && waiting) {
            waiting(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
        }
        if (try_to_recover(whole, waiting, completed)) {
            break;
        }
    }
    return completed;
}

}  // namespace stackae
