#include "stackae/output_files.hpp"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <filesystem>
#include <fmt/format.h>
#include <random>
#include <span>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include "stackae/error.hpp"

#include "base/atomic_file.hpp"
#include "base/commit_record.hpp"
#include "base/file_lock.hpp"

namespace stackae {
namespace base {
namespace {

namespace fs = std::filesystem;

constexpr mode_t record_rights = 0666;
constexpr int max_attempts = 10000;  ///< other runs may be done again and again in between

using Member = CommitRecord::Member;

}  // namespace

/// The replacement of several files, step by step. All are synced; then a record goes into each folder
/// (hidden, synced; it lists the temporary and the final name, size and checksum of each file), the
/// temporaries get their names, and old and new are exchanged. From the last temporary's name on,
/// recover_outputs() completes what was begun; before, it takes it back. The record is locked, so that of two
/// runs that replace the same files one waits for the other.
class Replacement {
public:
    Replacement(std::vector<AtomicFile*> files, const Waiting& waiting)
        : files_(std::move(files)), waiting_(waiting) {}
    Replacement(const Replacement&) = delete;
    Replacement& operator=(const Replacement&) = delete;
    /// Removes the temporaries, which are the old files or such as are not wanted, and then the records; but
    /// what is half replaced, or cannot be removed, is left for the next run. The last one goes first, which
    /// recover_outputs() tells from files that got their names.
    ~Replacement() {
        bool removed = !half_replaced_;
        for (auto it = files_.rbegin(); it != files_.rend(); ++it) {
            std::string& temporary = (*it)->temporary_;
            if (!half_replaced_ && !temporary.empty()) {
                removed = remove_temporary(temporary) && removed;
            }
            temporary.clear();
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
                if (!remove_temporary(name)) {  // no other set has it
                    fail("remove", name, errno);
                }
            }
        }
        sync_folders(folders_);
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
        sync_folders(folders_);  // before the old files go
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
                fail("replace", file.path_, errno);
            }
        }
        if (::rename(temporary, path) != 0) {
            fail("replace", file.path_, errno);
        }
        return exists ? Step::replaced : Step::created;
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

    /// All but what is replaced: until it has the records, other runs replace the same files.
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
        for (int attempt = 0; attempt < max_attempts; ++attempt) {
            Descriptor file(
                ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, record_rights));
            if (file.get() < 0 && errno != EEXIST) {
                fail("write", path, errno);
            }
            // Before it is locked, another run may take it for one that was left, and remove it.
            if (file.get() >= 0 && try_lock(file.get()) != LockState::busy && still_named(file.get(), path)) {
                locks_.push_back(std::move(file));
                placed_.push_back(folder);
                return;
            }
            recover_outputs(folder, waiting_);
        }
        throw IoError(fmt::format("{}: made again by other runs {} times", path, max_attempts));
    }

    void write_records() {
        for (Member& member : record_.members) {
            member.replaces = file_content(member.path());
        }
        for (std::size_t i = 0; i < folders_.size(); ++i) {
            const std::string path = record_path(folders_[i]);
            const std::string text = record_.text(folders_[i]);
            write_all(locks_[i].get(), std::as_bytes(std::span(text)), path);
            sync_content(locks_[i].get(), path);
            sync_folders({folders_[i]});
        }
    }

    std::vector<AtomicFile*> files_;
    const Waiting& waiting_;
    CommitRecord record_;
    std::vector<std::string> folders_;
    std::vector<std::string> placed_;  ///< folders that have the record
    std::vector<Descriptor> locks_;    ///< of the records
    std::vector<Step> steps_;          ///< of the first files
    bool half_replaced_ = false;
};

}  // namespace base

void OutputFile::write(std::string_view text) {
    file_->write(text);
}

void OutputFile::commit() {
    file_->commit();
}

OutputFiles::OutputFiles(std::function<void(double seconds)> waiting) : waiting_(std::move(waiting)) {}
OutputFiles::OutputFiles(OutputFiles&&) noexcept = default;
OutputFiles& OutputFiles::operator=(OutputFiles&&) noexcept = default;
OutputFiles::~OutputFiles() = default;

OutputFile OutputFiles::add(const std::string& path) {
    return OutputFile(*files_.emplace_back(std::make_unique<base::AtomicFile>(path, waiting_)));
}

void OutputFiles::commit() {
    std::vector<base::AtomicFile*> replaced;
    for (const auto& file : files_) {
        file->sync();
        if (!file->done_ && !file->straight_) {
            replaced.push_back(file.get());
        }
    }
    if (replaced.size() > 1) {
        base::Replacement(std::move(replaced), waiting_).run();
    }
    for (const auto& file : files_) {
        file->commit();
    }
}

}  // namespace stackae
