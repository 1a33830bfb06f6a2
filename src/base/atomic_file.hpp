#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "stackae/output_files.hpp"

#include "base/file_io.hpp"
#include "base/file_lock.hpp"
#include "base/hash.hpp"

namespace stackae::base {

/// Replaces a file only as a whole. The content gathers in a file without a name (O_TMPFILE) in the target's
/// folder; commit() syncs it, links it under a short hidden name and renames that over the target, so that
/// whatever ends the process before leaves nothing behind, but for a moment between link and rename: what is
/// left then is cleared by the next AtomicFile in that folder. Where the file system has no files without
/// names, the temporary has one from the start, and a lock that tells the next run whether its maker lives.
/// Through a link, the file that it names is replaced. A replaced file's rights are kept. A path that is no
/// regular file (/dev/null, a pipe) is written straight.
class AtomicFile {
public:
    /// Bytes at the beginning that patch() reaches.
    static constexpr std::size_t head_size = 4096;

    /// Recovers the folder first. Throws IoError when it does not exist or cannot be written, and what
    /// `waiting` throws, which is called here and in commit() while other runs replace files in the folder,
    /// and here while nobody reads from a named pipe.
    explicit AtomicFile(const std::string& path, Waiting waiting = {});
    AtomicFile(const AtomicFile&) = delete;
    AtomicFile& operator=(const AtomicFile&) = delete;
    ~AtomicFile();

    /// Where it will be: what a link leads to.
    [[nodiscard]] const std::string& path() const { return path_; }
    /// Buffered. Throws IoError (disk full) with the path.
    void write(std::span<const std::byte> bytes);
    void write(std::string_view text);
    /// Overwrites bytes written before, from `offset`, among the first head_size; what is written next still
    /// goes to the end. Throws IoError where the path is a pipe, InvalidArgument beyond what may be patched.
    void patch(std::uint64_t offset, std::span<const std::byte> bytes);
    /// Brings everything to the disk, without a name yet. Throws IoError.
    void sync();
    /// Gives it its name. Throws IoError; then the old file is as it was.
    void commit();

private:
    friend class stackae::OutputFiles;
    friend class Replacement;

    void flush();
    /// Gives a nameless file this name in its folder; false where something has the name already.
    [[nodiscard]] bool link(const std::string& name);
    void claim_name();
    void rename();
    /// That of file_checksum(); nothing may be written after it.
    [[nodiscard]] std::string checksum();

    Waiting waiting_;
    std::string path_;       ///< where a link leads
    std::string folder_;     ///< of path_
    std::string temporary_;  ///< empty while it has no name
    bool straight_ = false;
    bool done_ = false;
    Descriptor file_;
    std::vector<std::byte> buffer_;
    std::vector<std::byte> head_;  ///< the first bytes, since a patch changes them
    Hash tail_;                    ///< of all others
    std::uint64_t size_ = 0;
};

/// Throws IoError with the path.
void sync_content(int file, const std::string& path);

/// 16 digits of XXH3 over a file's bytes, those from AtomicFile::head_size on before the first ones. Throws
/// IoError.
[[nodiscard]] std::string file_checksum(InputFile& file);

/// How the temporaries begin where files cannot be nameless; 8 hexadecimal digits follow.
inline constexpr std::string_view named_temporary = ".stackae-tmp-";

/// A hidden name in a folder for a file of this purpose. Where the folder is sticky as /tmp is, every user
/// has another one.
[[nodiscard]] std::string hidden_path(const std::string& folder, std::string_view purpose);

/// Syncs folders' names as far as the file system does.
void sync_folders(const std::vector<std::string>& folders);

}  // namespace stackae::base
