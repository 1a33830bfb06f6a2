#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stackae::base {

/// What stands in the hidden file by which a set of files is replaced together, or completed later.
struct CommitRecord {
    struct Member {
        std::string folder;     ///< absolute
        std::string temporary;  ///< a name in it
        std::string name;       ///< the final one
        std::uint64_t size = 0;
        std::string checksum;  ///< file_checksum()
        std::string replaces;  ///< file_content() of what has the final name

        [[nodiscard]] std::string temporary_path() const { return folder + "/" + temporary; }
        [[nodiscard]] std::string path() const { return folder + "/" + name; }
        bool operator==(const Member&) const = default;
    };

    std::string id;  ///< the same in all folders of a set
    std::vector<Member> members;

    /// Of the members, each once, in one order for all runs, so that none waits for another in a circle.
    [[nodiscard]] std::vector<std::string> folders() const;
    /// Those that have this folder.
    [[nodiscard]] std::vector<Member> members_of(const std::string& folder) const;
    /// As it is written into one of the folders.
    [[nodiscard]] std::string text(const std::string& own_folder) const;
};

/// Where a folder's record is.
[[nodiscard]] std::string record_path(const std::string& folder);

struct FoundRecord {
    bool there = false;
    std::optional<CommitRecord>
        record;  ///< where it is whole, with a member here, and no temporaries but ours
};

/// A folder's record. Throws IoError.
[[nodiscard]] FoundRecord read_record(const std::string& folder);

/// Size and checksum, by which a file is known again whatever becomes of its time stamp; of what cannot be
/// read, when it was written instead; empty where there is nothing. Throws IoError.
[[nodiscard]] std::string file_content(const std::string& path);

/// False, with errno, where it is still there: then nothing but the record tells of it.
[[nodiscard]] bool remove_temporary(const std::string& path);
/// Of these folders, when nothing is left to be done.
void remove_records(const std::vector<std::string>& folders);

}  // namespace stackae::base
