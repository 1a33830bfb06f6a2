#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "stackae/error.hpp"
#include "stackae/output_files.hpp"

#include "base/commit_record.hpp"
#include "base/file_lock.hpp"
#include "file_trio.hpp"
#include "support/catch.hpp"
#include "support/file_faults.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::base {

using namespace test_files;

TEST_CASE("A run that begins in any folder of a set completes what was begun") {
    const Trio trio;
    for (const std::string& folder : {trio.folder.path(), trio.folder / "other"}) {
        for (long call = 0;; ++call) {
            replace(trio.paths, "old");
            trio.date_in_the_future();
            const bool killed = exit_codes(1, [&](int /*index*/) {
                                    const FileFaults faults({.call = call});
                                    replace(trio.paths, "new");
                                })[0] != 0;
            const bool begun = !killed || read_text(trio.paths[0]).starts_with("new");
            recover_outputs(folder);
            const std::string found = common_text(trio.paths);
            CHECK((found == "new" || (found == "old" && !begun)));
            if (!killed) {
                break;
            }
        }
        replace(trio.paths, "next");
        CHECK(trio.entries() == 4);
    }
}

TEST_CASE("recover_outputs() tells which files got their content, and a file written since is left alone") {
    for (const bool written_since : {false, true}) {
        const Trio trio;
        const std::vector<std::string> paths(trio.paths.begin(), trio.paths.begin() + 2);
        const auto is_new = [&](std::size_t i) { return read_text(paths[i]).starts_with("new"); };
        long call = 0;
        do {  // until a run is killed between the two renames
            replace(paths, "old");
            REQUIRE(exit_codes(1, [&](int /*index*/) {
                        const FileFaults faults({.call = call});
                        replace(paths, "new");
                    })[0] == -SIGKILL);
            ++call;
        } while (!is_new(0) || is_new(1));
        if (written_since) {
            write_text(paths[1], "by hand");
            fs::last_write_time(paths[1], fs::file_time_type::clock::now() + std::chrono::seconds(5));
            CHECK(recover_outputs(trio.folder.path()).empty());
            CHECK(read_text(paths[1]) == "by hand");
        } else {
            CHECK(recover_outputs(trio.folder.path()) == std::vector{fs::canonical(paths[1]).string()});
            CHECK(common_text(paths) == "new");
        }
        CHECK(trio.entries() == 3);
    }
}

TEST_CASE("A run that was killed before every folder had its record is taken back") {
    const Trio trio;
    replace(trio.paths, "old");
    long call = 0;
    const auto has_record = [](const std::string& folder) {
        std::error_code missing;
        const std::uintmax_t size = fs::file_size(folder + "/.stackae-commit", missing);
        return !missing && size > 0;
    };
    do {
        REQUIRE(exit_codes(1, [&](int /*index*/) {
                    const FileFaults faults({.nameless = false, .call = call});
                    replace(trio.paths, "new");
                })[0] == -SIGKILL);
        ++call;
    } while (has_record(trio.folder.path()) == has_record(trio.folder / "other"));
    CHECK(recover_outputs(trio.folder.path()).empty());
    CHECK(recover_outputs(trio.folder / "other").empty());
    CHECK(common_text(trio.paths) == "old");
}

TEST_CASE("A record that is cut short or names what it may not is removed, and moves nothing") {
    const TemporaryFolder folder;
    write_text(folder / "victim", "old");
    for (const std::string& text : {std::string(), std::string("stackae commit 1"), std::string(3, '\0'),
                                    std::string(2'000'000, 'x')}) {
        write_text(folder / ".stackae-commit", text);
        CHECK(recover_outputs(folder.path()).empty());
        CHECK(folder.entries() == 1);
    }
    CHECK(read_text(folder / "victim") == "old");
    CHECK(recover_outputs(folder / "gone").empty());
}

TEST_CASE("A whole record that names no file of its own folder, or no temporary of its set, is removed") {
    const Trio trio;
    const std::string id = "0123456789abcdef";
    const std::string here = fs::canonical(trio.folder.path()).string();
    const std::vector<CommitRecord> records{
        {id, {{"/nonexistent-folder", ".stackae-commit-" + id + "-0", "a", 10, std::string(16, '0'), ""}}},
        {id, {}},
        {"x", {{here, ".stackae-commit-x-0", "a", 10, std::string(16, '0'), ""}}},
        {id, {{here, "notes", "a", 10, std::string(16, '0'), ""}}},
        {id, {{here, ".stackae-notes", "a", 10, std::string(16, '0'), ""}}},
        {id, {{here, ".stackae-commit-fedcba9876543210-0", "a", 10, std::string(16, '0'), ""}}},
        {id, {{here, ".stackae-tmp-notes", "a", 10, std::string(16, '0'), ""}}},
    };
    for (const CommitRecord& record : records) {
        for (const CommitRecord::Member& member : record.members) {
            if (member.folder == here) {
                write_text(member.temporary_path(), "of somebody");
            }
        }
        write_text(record_path(here), record.text(here));
        CHECK(recover_outputs(here).empty());
        CHECK(!fs::exists(record_path(here)));
        for (const CommitRecord::Member& member : record.members) {
            CHECK((member.folder != here || read_text(member.temporary_path()) == "of somebody"));
        }
    }
}

TEST_CASE("A record touches no folder whose own record does not name the same files") {
    const Trio trio;
    const std::string here = fs::canonical(trio.folder.path()).string();
    const std::string other = fs::canonical(trio.folder / "other").string();
    const std::string id = "0123456789abcdef";
    const CommitRecord::Member mine{here, ".stackae-commit-" + id + "-0", "a", 1, std::string(16, '0'), ""};
    const CommitRecord::Member theirs{other, ".stackae-commit-" + id + "-1", "b",
                                      1,     std::string(16, '0'),           ""};
    const CommitRecord::Member more{other, ".stackae-tmp-01234567", "c", 1, std::string(16, '0'), ""};
    for (const bool recorded_there : {false, true}) {
        write_text(mine.temporary_path(), "x");
        write_text(theirs.temporary_path(), "y");
        write_text(more.temporary_path(), "z");
        write_text(record_path(here), CommitRecord{id, {mine, theirs, more}}.text(here));
        if (recorded_there) {
            write_text(record_path(other), CommitRecord{id, {mine, theirs}}.text(other));
        }
        CHECK(recover_outputs(here).empty());
        CHECK(!fs::exists(mine.temporary_path()));
        CHECK(!fs::exists(record_path(here)));
        CHECK(read_text(theirs.temporary_path()) == "y");
        CHECK(read_text(more.temporary_path()) == "z");
    }
}

TEST_CASE("A record takes no temporary from a run that lives") {
    const Trio trio;
    const std::string here = fs::canonical(trio.folder.path()).string();
    const CommitRecord::Member member{here, ".stackae-tmp-01234567", "a", 1, std::string(16, '0'), ""};
    write_text(member.temporary_path(), "x");
    for (const bool lives : {true, false}) {
        const Descriptor file(::open(member.temporary_path().c_str(), O_RDWR));
        REQUIRE((!lives || try_lock(file.get()) == LockState::locked));
        write_text(record_path(here), CommitRecord{"0123456789abcdef", {member}}.text(here));
        CHECK(recover_outputs(here).empty());
        CHECK(fs::exists(member.temporary_path()) == lives);
        CHECK(!fs::exists(record_path(here)));
    }
}

TEST_CASE("A recovery that fails or is killed at any call leaves all that the next one needs") {
    for (const int error : {EIO, 0}) {
        for (const bool nameless : {true, false}) {
            const Trio trio;
            for (long call = 0, failed = 1; failed > 0; ++call) {
                failed = 0;
                for (const long killed_at : half_replaced(trio, nameless)) {
                    kill_at(trio, nameless, killed_at);
                    const auto recover_faultily = [&](int /*index*/) {
                        const FileFaults faults({.nameless = nameless, .call = call, .error = error});
                        recover_outputs(trio.folder.path());
                    };
                    if (error == 0) {
                        failed += exit_codes(1, recover_faultily)[0] != 0 ? 1 : 0;
                    } else {
                        try {
                            recover_faultily(0);
                        } catch (const IoError&) {
                            ++failed;
                        }
                    }
                    recover_outputs(trio.folder.path());
                    recover_outputs(trio.folder / "other");
                    CHECK(common_text(trio.paths) == "new");
                    CHECK(trio.entries() == 4);
                }
            }
            REQUIRE(!half_replaced(trio, nameless).empty());
        }
    }
}

TEST_CASE("A name that cannot be given in a recovery is said, and nothing is removed") {
    const Trio trio;
    kill_at(trio, true, half_replaced(trio, true).front());
    const std::ptrdiff_t before = trio.entries();
    {
        const FileFaults faults({.call = 0, .error = EIO});
        CHECK_THROWS_WITH(
            recover_outputs(trio.folder.path()),
            contains("cannot replace: Input/output error; what a killed run left for it waits"));
    }
    CHECK(trio.entries() == before);
    CHECK(recover_outputs(trio.folder.path()).size() == 2);
    CHECK(common_text(trio.paths) == "new");
}

TEST_CASE("A new time stamp alone keeps no half replaced set from being completed") {
    for (const bool nameless : {true, false}) {
        const Trio trio;
        for (std::size_t touched = 0; touched < 3; ++touched) {
            kill_at(trio, nameless, half_replaced(trio, nameless).front());
            fs::last_write_time(trio.paths[touched],
                                fs::file_time_type::clock::now() + std::chrono::hours(1));
            recover_outputs(trio.folder.path());
            CHECK(common_text(trio.paths) == "new");
            CHECK(trio.entries() == 4);
        }
    }
}

TEST_CASE("A file of a half replaced set that was written since stays, and the others are of one set") {
    const Trio trio;
    for (std::size_t written = 0; written < 3; ++written) {
        for (const long call : half_replaced(trio, true)) {
            for (long second = 0; second < 12; ++second) {  // the recovery is killed, too
                kill_at(trio, true, call);
                write_text(trio.paths[written], "by hand");
                exit_codes(1, [&](int /*index*/) {
                    const FileFaults faults({.call = second});
                    recover_outputs(trio.folder.path());
                });
                recover_outputs(trio.folder.path());
                recover_outputs(trio.folder / "other");
                CHECK(read_text(trio.paths[written]) == "by hand");
                const std::size_t a = written == 0 ? 1 : 0;
                const std::size_t b = written == 2 ? 1 : 2;
                CHECK(read_text(trio.paths[a]).substr(0, 3) == read_text(trio.paths[b]).substr(0, 3));
                CHECK(trio.entries() == 4);
            }
        }
    }
}

TEST_CASE("Where the old content is lost, a file that was written since is named, and nothing is removed") {
    const Trio trio;
    kill_at(trio, false, half_replaced(trio, false).front());
    const std::ptrdiff_t before = trio.entries();
    write_text(trio.paths[2], "by hand");
    for (int i = 0; i < 2; ++i) {
        CHECK_THROWS_WITH(recover_outputs(trio.folder.path()),
                          contains("manifest: written since a killed run"));
        CHECK(trio.entries() == before);
    }
    CHECK(read_text(trio.paths[2]) == "by hand");
    fs::rename(trio.paths[2], trio.folder / "moved");
    recover_outputs(trio.folder.path());
    CHECK(common_text(trio.paths) == "new");
    CHECK(read_text(trio.folder / "moved") == "by hand");
}

}  // namespace stackae::base
