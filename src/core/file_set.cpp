#include "core/file_set.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <optional>
#include <random>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "stackae/error.hpp"

#include "core/commit_record.hpp"
#include "core/file_lock.hpp"

namespace stackae::core {
namespace {

namespace fs = std::filesystem;

constexpr mode_t record_rights = 0666;

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

bool holds(const std::string& path, const Member& member) {
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode) ||
        static_cast<std::uint64_t>(status.st_size) != member.size) {
        return false;
    }
    InputFile file(path);
    return file_checksum(file) == member.checksum;
}

/// False where it is still there: then nothing but the record tells of it.
bool remove_temporary(const std::string& path) {
    struct stat status {};
    return ::unlink(path.c_str()) == 0 || ::lstat(path.c_str(), &status) != 0;
}

/// With the records locked: completes the set where all of it is there, else takes it back. A file that
/// somebody has written since is newer than what waits for its place, and stays. `whole` is false where not
/// every folder has the record: its run was killed before it replaced anything, or when it was done.
std::vector<std::string> settle(const CommitRecord& record, bool whole) {
    std::vector<const Member*> waiting;
    for (const Member& member : record.members) {
        if (!whole) {
            break;
        }
        if (holds(member.temporary_path(), member)) {
            waiting.push_back(&member);
            whole = file_stamp(member.path()) == member.replaces;
        } else {
            whole = holds(member.path(), member);
        }
    }
    std::vector<std::string> completed;
    for (const Member* member : waiting) {
        whole = whole && ::rename(member->temporary_path().c_str(), member->path().c_str()) == 0;
        if (whole) {
            completed.push_back(member->path());
        }
    }
    for (const Member& member : record.members) {
        if (!remove_temporary(member.temporary_path())) {  // gone, or taken back
            throw IoError(
                fmt::format("{}: cannot remove: {}", member.temporary_path(), std::strerror(errno)));
        }
    }
    return completed;
}

void remove_records(const std::vector<std::string>& folders) {
    for (const std::string& folder : folders) {
        sync_folder(folder);  // the names first, so that no crash loses them without the record
    }
    for (const std::string& folder : folders) {
        ::unlink(record_path(folder).c_str());
    }
}

/// One try; false where the record changed while it was waited for.
bool try_to_recover(const std::string& folder, std::vector<std::string>& completed) {
    const std::string path = record_path(folder);
    const FoundRecord seen = read_record(folder);
    check_owner(path, folder);
    if (!seen.record) {
        // Its maker is still writing it, or was killed before anything else was done.
        const auto unfinished = [&] { return !read_record(folder).record; };
        if (const auto locked = take_over(path, unfinished); locked && unfinished()) {
            if (::unlink(path.c_str()) != 0) {
                throw IoError(fmt::format("{}: cannot remove: {}", path, std::strerror(errno)));
            }
        }
        return false;
    }
    std::vector<Descriptor> locks;
    std::vector<std::string> folders;
    const std::vector<std::string> all = seen.record->folders();
    for (const std::string& each : all) {
        const auto same = [&] {  // else another run has placed its own, for which this one may not wait
            const FoundRecord found = read_record(each);
            return found.record && found.record->id == seen.record->id;
        };
        auto lock = take_over(record_path(each), same);
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
    completed = settle(*seen.record, folders == all);
    remove_records(folders);
    return true;
}

}  // namespace

std::vector<std::string> recover(const std::string& folder) {
    std::error_code error;
    const std::string whole = fs::canonical(folder, error).string();
    std::vector<std::string> completed;
    if (error) {
        return completed;
    }
    struct stat status {};
    const std::string single = hidden_path(whole, "new");
    if (::lstat(single.c_str(), &status) == 0) {
        if (const auto left = take_over(single)) {
            ::unlink(single.c_str());
        }
    }
    while (read_record(whole).there && !try_to_recover(whole, completed)) {
    }
    return completed;
}

/// The replacement of several files, step by step.
class Replacement {
public:
    explicit Replacement(std::vector<AtomicFile*> files) : files_(std::move(files)) {}
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    /// Removes the temporaries, which are the old files or such as are not wanted, and then the records; but
    /// what is half replaced, or cannot be removed, is left for the next run.
    ~Replacement() {
        bool removed = !half_replaced_;
        for (AtomicFile* file : files_) {
            if (!half_replaced_ && !file->temporary_.empty()) {
                removed = remove_temporary(file->temporary_) && removed;
            }
            file->temporary_.clear();
        }
        if (removed) {
            remove_records(placed_);
        }
    }

    void run() {
        make_record();
        for (const std::string& folder : folders_) {
            claim_record(folder);
        }
        write_records();
        for (std::size_t i = 0; i < files_.size(); ++i) {
            const std::string name = record_.members[i].temporary_path();
            while (files_[i]->temporary_.empty() && !files_[i]->link(name)) {
                ::unlink(name.c_str());  // no other set has it
            }
        }
        for (const std::string& folder : folders_) {
            sync_folder(folder);
        }
        try {
            for (std::size_t i = 0; i < files_.size(); ++i) {
                steps_.push_back(replace(*files_[i]));
            }
        } catch (const IoError& error) {
            half_replaced_ = !take_back();
            if (half_replaced_) {
                throw IoError(fmt::format("{}; the next command in that folder completes what was begun",
                                          error.what()));
            }
            throw;
        }
        for (const std::string& folder : folders_) {
            sync_folder(folder);  // before the old files go
        }
        for (AtomicFile* file : files_) {
            file->done_ = true;
            file->file_ = Descriptor();
        }
    }

private:
    /// What was done to a file: it and the old one changed names, it is where nothing was, or it replaced the
    /// old one on a file system that cannot exchange names.
    enum class Step { exchanged, created, replaced };

    static Step replace(const AtomicFile& file) {
        const char* const temporary = file.temporary_.c_str();
        const char* const path = file.path_.c_str();
        struct stat status {};
        const bool exists = ::lstat(path, &status) == 0;
        const bool folder = exists && S_ISDIR(status.st_mode);
        if (exists && !folder) {
            if (::renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_EXCHANGE) == 0) {
                return Step::exchanged;
            }
            if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP && errno != ENOENT) {
                fail_to_replace(file.path_);
            }
        }
        if (::rename(temporary, path) != 0) {
            fail_to_replace(file.path_);
        }
        return exists ? Step::replaced : Step::created;
    }

    [[noreturn]] static void fail_to_replace(const std::string& path) {
        throw IoError(fmt::format("{}: cannot replace: {}", path, std::strerror(errno)));
    }

    /// Gives the old files their names back; false where that cannot be.
    [[nodiscard]] bool take_back() {
        for (; !steps_.empty(); steps_.pop_back()) {
            const AtomicFile& file = *files_[steps_.size() - 1];
            const unsigned flags = steps_.back() == Step::exchanged ? RENAME_EXCHANGE : 0U;
            if (steps_.back() == Step::replaced ||
                ::renameat2(AT_FDCWD, file.path_.c_str(), AT_FDCWD, file.temporary_.c_str(), flags) != 0) {
                return false;
            }
        }
        return true;
    }

    /// All but file_stamp(): until it has the records, other runs replace the same files.
    void make_record() {
        std::random_device random;
        record_.id = fmt::format("{:08x}{:08x}", random(), random());
        for (std::size_t i = 0; i < files_.size(); ++i) {
            AtomicFile& file = *files_[i];
            const fs::path temporary =
                file.temporary_.empty()
                    ? fs::path(hidden_path(file.folder_, fmt::format("commit-{}-{}", record_.id, i)))
                    : fs::path(file.temporary_);
            record_.members.push_back({fs::canonical(file.folder_).string(), temporary.filename().string(),
                                       fs::path(file.path_).filename().string(), file.size_, file.checksum(),
                                       std::string()});
        }
        folders_ = record_.folders();
    }

    /// Makes a folder's record, empty for now, and locks it. The name is that of all sets in the folder: who
    /// finds it taken waits, or recovers what was left.
    void claim_record(const std::string& folder) {
        const std::string path = record_path(folder);
        for (;;) {
            Descriptor file(
                ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, record_rights));
            if (file.get() < 0 && errno != EEXIST) {
                throw IoError(fmt::format("{}: cannot write: {}", path, std::strerror(errno)));
            }
            // Before it is locked, another run may take it for one that was left, and remove it.
            if (file.get() >= 0 && try_lock(file.get()) != LockState::busy && still_named(file.get(), path)) {
                locks_.push_back(std::move(file));
                placed_.push_back(folder);
                return;
            }
            recover(folder);
        }
    }

    void write_records() {
        for (Member& member : record_.members) {
            member.replaces = file_stamp(member.path());
        }
        for (std::size_t i = 0; i < folders_.size(); ++i) {
            write_record(locks_[i].get(), record_path(folders_[i]), record_.text(folders_[i]));
            sync_folder(folders_[i]);
        }
    }

    static void write_record(int descriptor, const std::string& path, std::string_view text) {
        const ssize_t written = ::write(descriptor, text.data(), text.size());
        if (written != static_cast<ssize_t>(text.size()) || ::fsync(descriptor) != 0) {
            throw IoError(fmt::format("{}: cannot write: {}", path,
                                      std::strerror(written >= 0 && errno == 0 ? ENOSPC : errno)));
        }
    }

    std::vector<AtomicFile*> files_;
    CommitRecord record_;
    std::vector<std::string> folders_;
    std::vector<std::string> placed_;  ///< folders that have the record
    std::vector<Descriptor> locks_;    ///< of the records
    std::vector<Step> steps_;          ///< of the first files
    bool half_replaced_ = false;
};

AtomicFile& FileSet::add(const std::string& path) {
    return *files_.emplace_back(std::make_unique<AtomicFile>(path));
}

void FileSet::commit() {
    std::vector<AtomicFile*> replaced;
    for (const auto& file : files_) {
        file->sync();
        if (!file->done_ && !file->straight_) {
            replaced.push_back(file.get());
        }
    }
    if (replaced.size() > 1) {
        Replacement(std::move(replaced)).run();
    }
    for (const auto& file : files_) {
        file->commit();
    }
}

}  // namespace stackae::core
