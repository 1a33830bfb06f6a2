#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace stackae::core {

/// What stands in the hidden file by which a set of files is replaced together, or completed later.
struct CommitRecord {
    struct Member {
        std::string folder;     ///< absolute
        std::string temporary;  ///< a name in it
        std::string name;       ///< the final one
        std::uint64_t size = 0;
        std::string checksum;  ///< file_checksum()
        std::string replaces;  ///< file_stamp() of what has the final name

        [[nodiscard]] std::string temporary_path() const { return folder + "/" + temporary; }
        [[nodiscard]] std::string path() const { return folder + "/" + name; }
    };

    std::string id;  ///< the same in all folders of a set
    std::vector<Member> members;

    /// Of the members, each once, in one order for all runs, so that none waits for another in a circle.
    [[nodiscard]] std::vector<std::string> folders() const;
    /// As it is written into one of the folders.
    [[nodiscard]] std::string text(const std::string& own_folder) const;
};

/// Where a folder's record is.
[[nodiscard]] std::string record_path(const std::string& folder);

struct FoundRecord {
    bool there = false;
    std::optional<CommitRecord> record;  ///< where it is whole, and names nothing but our temporaries
};

/// A folder's record. Throws IoError.
[[nodiscard]] FoundRecord read_record(const std::string& folder);

/// Tells whether a file was written since: when it was last; empty where there is none.
[[nodiscard]] std::string file_stamp(const std::string& path);

}  // namespace stackae::core
