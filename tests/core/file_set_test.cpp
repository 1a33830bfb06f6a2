#include "core/file_set.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "stackae/error.hpp"

#include "core/commit_record.hpp"
#include "core/file_lock.hpp"
#include "support/catch.hpp"
#include "support/file_faults.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::core {
namespace {

using namespace test;
namespace fs = std::filesystem;

/// Replaces files of these paths, each by `text` and its number.
void replace(const std::vector<std::string>& paths, const std::string& text) {
    FileSet files;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        AtomicFile& file = files.add(paths[i]);
        file.write(text + std::to_string(i) + std::string(5000, '.'));
        file.patch(0, std::as_bytes(std::span(text.data(), 1)));
    }
    files.commit();
}

/// What replace() wrote into all of these, or "mixed".
std::string common_text(const std::vector<std::string>& paths) {
    std::string common;
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const std::string found = read_text(paths[i]);
        const std::size_t number = found.find('.');
        const std::string text = found.substr(0, number - 1);
        if (found != text + std::to_string(i) + std::string(5000, '.') || (i > 0 && text != common)) {
            return "mixed";
        }
        common = text;
    }
    return common;
}

/// A folder with a folder in it, and the paths of three files that belong together.
struct Trio {
    TemporaryFolder folder;
    std::vector<std::string> paths{folder / "table", folder / "table.names", folder / "other/manifest"};

    Trio() { fs::create_directory(folder / "other"); }
    /// As a clock that went wrong leaves them.
    void date_in_the_future() const {
        for (const std::string& path : paths) {
            fs::last_write_time(path, fs::file_time_type::clock::now() + std::chrono::hours(1000));
        }
    }
    [[nodiscard]] std::ptrdiff_t entries() const {
        return std::distance(fs::recursive_directory_iterator(folder.path()), {});
    }
};

/// Kills a run that replaces "old" files by "new" ones at this call.
void kill_at(const Trio& trio, bool nameless, long call) {
    replace(trio.paths, "old");
    const int code = exit_codes(1, [&](int /*index*/) {
        const FileFaults faults({.nameless = nameless, .call = call});
        replace(trio.paths, "new");
    })[0];
    if (code != -SIGKILL) {
        throw std::runtime_error("not killed");
    }
}

/// The calls at which a killed run leaves a mix.
std::vector<long> half_replaced(const Trio& trio, bool nameless) {
    std::vector<long> found;
    for (long call = 0; found.size() < 2; ++call) {
        kill_at(trio, nameless, call);
        if (common_text(trio.paths) == "mixed") {
            found.push_back(call);
        }
    }
    return found;
}

}  // namespace

TEST_CASE("files of a set keep their old content until all is there, and nothing else stays") {
    const Trio trio;
    replace(trio.paths, "old");
    FileSet files;
    for (const std::string& path : trio.paths) {
        files.add(path).write("new");
    }
    CHECK(common_text(trio.paths) == "old");
    files.commit();
    for (const std::string& path : trio.paths) {
        CHECK(read_text(path) == "new");
    }
    CHECK(trio.entries() == 4);
}

TEST_CASE("a set that is not committed leaves nothing, and a file of it can be committed alone") {
    const Trio trio;
    replace(trio.paths, "old");
    {
        FileSet files;
        files.add(trio.paths[0]).write("new");
        AtomicFile& alone = files.add(trio.paths[2]);
        alone.write("new");
        alone.commit();
    }
    CHECK(read_text(trio.paths[2]) == "new");
    CHECK(common_text({trio.paths[0], trio.paths[1]}) == "old");
    CHECK(trio.entries() == 4);
}

TEST_CASE("killed at any call, a set is all old or all new for the next run, which leaves nothing else") {
    for (const bool nameless : {true, false}) {
        for (const std::size_t count : {1U, 2U, 3U}) {
            const Trio trio;
            const std::vector<std::string> paths(trio.paths.begin(),
                                                 trio.paths.begin() + static_cast<std::ptrdiff_t>(count));
            long old_ones = 0;
            long new_ones = 0;
            for (long call = 0;; ++call) {
                bool reached = false;
                for (const bool after : {false, true}) {
                    replace(paths, "old");
                    const int code = exit_codes(1, [&](int /*index*/) {
                        const FileFaults faults({.nameless = nameless, .call = call, .after = after});
                        replace(paths, "new");
                    })[0];
                    reached = code == -SIGKILL;
                    REQUIRE((reached || code == 0));
                    for (std::size_t i = 0; i < count; ++i) {  // each by itself is whole at once
                        const std::string found = read_text(paths[i]);
                        CHECK((found.starts_with("old") || found.starts_with("new")));
                        CHECK(found.size() == 5004);
                    }
                    recover(trio.folder.path());
                    const std::string found = common_text(paths);
                    CHECK((found == "old" || found == "new"));
                    ++(found == "old" ? old_ones : new_ones);
                    {
                        const FileFaults faults({.nameless = nameless});
                        replace(paths, "next");
                    }
                    CHECK(common_text(paths) == "next");
                    CHECK(trio.entries() == static_cast<std::ptrdiff_t>(count) + 1);
                }
                if (!reached) {
                    break;
                }
            }
            CHECK(old_ones > 5);
            CHECK(new_ones > 1);
        }
    }
}

TEST_CASE("a run that begins in any folder of a set completes what was begun") {
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
            recover(folder);
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

TEST_CASE("recover() tells which files got their content, and a file written since is left alone") {
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
            CHECK(recover(trio.folder.path()).empty());
            CHECK(read_text(paths[1]) == "by hand");
        } else {
            CHECK(recover(trio.folder.path()) == std::vector{fs::canonical(paths[1]).string()});
            CHECK(common_text(paths) == "new");
        }
        CHECK(trio.entries() == 3);
    }
}

TEST_CASE("of runs that replace the same files at once one whole set stays, never a mix") {
    const Trio trio;
    const std::vector<std::string> other_order{trio.paths[2], trio.paths[1], trio.paths[0]};
    for (const bool nameless : {true, false}) {
        CHECK(exit_codes(4, [&](int index) {
                  const FileFaults faults({.nameless = nameless});
                  for (int i = 0; i < 10; ++i) {
                      replace(trio.paths, std::string(1, static_cast<char>('A' + index)));
                  }
              }) == std::vector<int>(4, 0));
        CHECK(common_text(trio.paths) != "mixed");
        CHECK(trio.entries() == 4);
    }
    // Neither do two that hold the folders in another order wait for each other for ever.
    CHECK(exit_codes(2, [&](int index) {
              for (int i = 0; i < 10; ++i) {
                  replace(index == 0 ? trio.paths : other_order, "x");
              }
          }) == std::vector<int>(2, 0));
}

TEST_CASE("runs that are killed beside others spoil no set and let nobody fail") {
    const Trio trio;
    const std::vector<std::string> one_folder{trio.paths[0], trio.paths[1]};
    replace(trio.paths, "x");
    for (const bool nameless : {true, false}) {
        const auto code = [&](const std::vector<std::string>& paths, const std::string& text, long call) {
            return exit_codes(1, [&](int /*index*/) {
                const FileFaults faults({.nameless = nameless, .call = call});
                replace(paths, text);
            })[0];
        };
        CHECK(exit_codes(6, [&](int index) {
                  const std::string text(1, static_cast<char>('A' + index));
                  for (long call = 0; call < 50; ++call) {
                      const int found = index < 3 ? code(trio.paths, text, call)
                                                  : code(index < 5 ? trio.paths : one_folder, text,
                                                         FileFaultOptions::never);
                      if (found != 0 && (index >= 3 || found != -SIGKILL)) {
                          throw std::runtime_error("exit code " + std::to_string(found));
                      }
                  }
              }) == std::vector<int>(6, 0));
        recover(trio.folder.path());
        CHECK(common_text(one_folder) != "mixed");
        {
            const FileFaults faults({.nameless = nameless});
            replace(trio.paths, "next");
        }
        CHECK(common_text(trio.paths) == "next");
        CHECK(trio.entries() == 4);
    }
}

TEST_CASE("a set that waited for another run, and was killed then, is completed over what that one wrote") {
    const Trio trio;
    const std::vector<std::string> paths(trio.paths.begin(), trio.paths.begin() + 2);
    const std::string record = trio.folder / ".stackae-commit";
    const auto wait_for = [](const std::string& path) {
        while (!fs::exists(path)) {
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
        }
    };
    const auto is_new = [&](std::size_t i) { return read_text(paths[i]).starts_with("new"); };
    long call = 0;
    do {  // until it is killed between the two renames
        replace(paths, "old");
        const std::vector<int> codes = exit_codes(2, [&](int index) {
            if (index == 0) {
                wait_for(trio.folder / "written");
                write_text(record, "");
                const Descriptor held(::open(record.c_str(), O_RDWR));
                if (try_lock(held.get()) != LockState::locked) {
                    throw std::runtime_error("cannot lock");
                }
                write_text(trio.folder / "held", "");
                std::this_thread::sleep_for(std::chrono::milliseconds(20));  // the other one waits by then
                write_text(paths[0], "of the first");
                write_text(paths[1], "of the first");
                fs::remove(record);
                return;
            }
            FileSet files;
            files.add(paths[0]).write("new0" + std::string(5000, '.'));
            files.add(paths[1]).write("new1" + std::string(5000, '.'));
            write_text(trio.folder / "written", "");
            wait_for(trio.folder / "held");
            const FileFaults faults({.call = call});
            files.commit();
        });
        REQUIRE(codes == std::vector<int>{0, -SIGKILL});
        fs::remove(trio.folder / "written");
        fs::remove(trio.folder / "held");
        ++call;
    } while (is_new(0) == is_new(1));
    recover(trio.folder.path());
    CHECK(common_text(paths) == "new");
}

TEST_CASE("a run that was killed before every folder had its record is taken back") {
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
    CHECK(recover(trio.folder.path()).empty());
    CHECK(recover(trio.folder / "other").empty());
    CHECK(common_text(trio.paths) == "old");
}

TEST_CASE("a disk that fails at any call leaves a set old, or new where all was there") {
    const Trio trio;
    for (const bool nameless : {true, false}) {
        for (long call = 0;; ++call) {
            replace(trio.paths, "old");
            bool reached = false;
            try {
                const FileFaults faults({.nameless = nameless, .call = call, .error = ENOSPC});
                replace(trio.paths, "new");
                reached = faults.reached();
            } catch (const IoError& failure) {
                reached = true;
                CHECK_THAT(failure.what(), contains(std::strerror(ENOSPC)));
                if (nameless) {  // names were exchanged, and given back
                    CHECK(common_text(trio.paths) == "old");
                    CHECK(trio.entries() == 4);
                } else if (common_text(trio.paths) == "mixed") {
                    CHECK_THAT(failure.what(), contains("completes what was begun"));
                }
            }
            recover(trio.folder.path());
            CHECK(common_text(trio.paths) != "mixed");
            if (!reached) {
                break;
            }
        }
        replace(trio.paths, "next");
        CHECK(trio.entries() == 4);
    }
}

TEST_CASE("a set whose last file cannot be replaced leaves the others old, or not there") {
    const Trio trio;
    for (const bool exist : {false, true}) {
        if (exist) {
            replace({trio.paths[0], trio.paths[1]}, "old");
        }
        FileSet files;
        for (const std::string& path : trio.paths) {
            files.add(path).write("new");
        }
        fs::create_directory(trio.paths[2]);  // in the meantime
        CHECK_THROWS_WITH(files.commit(), contains("manifest: cannot replace: Is a directory"));
        CHECK(trio.entries() == (exist ? 4 : 2));
        CHECK((!exist || common_text({trio.paths[0], trio.paths[1]}) == "old"));
        fs::remove(trio.paths[2]);
    }
}

TEST_CASE("a record that is cut short or names what it may not is removed, and moves nothing") {
    const TemporaryFolder folder;
    write_text(folder / "victim", "old");
    for (const std::string& text : {std::string(), std::string("stackae commit 1"), std::string(3, '\0'),
                                    std::string(2'000'000, 'x')}) {
        write_text(folder / ".stackae-commit", text);
        CHECK(recover(folder.path()).empty());
        CHECK(folder.entries() == 1);
    }
    CHECK(read_text(folder / "victim") == "old");
    CHECK(recover(folder / "gone").empty());
}

TEST_CASE("a whole record that names no file of its own folder, or no temporary of its set, is removed") {
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
        CHECK(recover(here).empty());
        CHECK(!fs::exists(record_path(here)));
        for (const CommitRecord::Member& member : record.members) {
            CHECK((member.folder != here || read_text(member.temporary_path()) == "of somebody"));
        }
    }
}

TEST_CASE("a record touches no folder whose own record does not name the same files") {
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
        CHECK(recover(here).empty());
        CHECK(!fs::exists(mine.temporary_path()));
        CHECK(!fs::exists(record_path(here)));
        CHECK(read_text(theirs.temporary_path()) == "y");
        CHECK(read_text(more.temporary_path()) == "z");
    }
}

TEST_CASE("a recovery that fails or is killed at any call leaves all that the next one needs") {
    for (const int error : {EIO, 0}) {
        for (const bool nameless : {true, false}) {
            const Trio trio;
            for (long call = 0, failed = 1; failed > 0; ++call) {
                failed = 0;
                for (const long killed_at : half_replaced(trio, nameless)) {
                    kill_at(trio, nameless, killed_at);
                    const auto recover_faultily = [&](int /*index*/) {
                        const FileFaults faults({.nameless = nameless, .call = call, .error = error});
                        recover(trio.folder.path());
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
                    recover(trio.folder.path());
                    recover(trio.folder / "other");
                    CHECK(common_text(trio.paths) == "new");
                    CHECK(trio.entries() == 4);
                }
            }
            REQUIRE(!half_replaced(trio, nameless).empty());
        }
    }
}

TEST_CASE("a name that cannot be given in a recovery is said, and nothing is removed") {
    const Trio trio;
    kill_at(trio, true, half_replaced(trio, true).front());
    const std::ptrdiff_t before = trio.entries();
    {
        const FileFaults faults({.call = 0, .error = EIO});
        CHECK_THROWS_WITH(
            recover(trio.folder.path()),
            contains("cannot replace: Input/output error; what a killed run left for it waits"));
    }
    CHECK(trio.entries() == before);
    CHECK(recover(trio.folder.path()).size() == 2);
    CHECK(common_text(trio.paths) == "new");
}

TEST_CASE("a new time stamp alone keeps no half replaced set from being completed") {
    for (const bool nameless : {true, false}) {
        const Trio trio;
        for (std::size_t touched = 0; touched < 3; ++touched) {
            kill_at(trio, nameless, half_replaced(trio, nameless).front());
            fs::last_write_time(trio.paths[touched],
                                fs::file_time_type::clock::now() + std::chrono::hours(1));
            recover(trio.folder.path());
            CHECK(common_text(trio.paths) == "new");
            CHECK(trio.entries() == 4);
        }
    }
}

TEST_CASE("a file of a half replaced set that was written since stays, and the others are of one set") {
    const Trio trio;
    for (std::size_t written = 0; written < 3; ++written) {
        for (const long call : half_replaced(trio, true)) {
            for (long second = 0; second < 12; ++second) {  // the recovery is killed, too
                kill_at(trio, true, call);
                write_text(trio.paths[written], "by hand");
                exit_codes(1, [&](int /*index*/) {
                    const FileFaults faults({.call = second});
                    recover(trio.folder.path());
                });
                recover(trio.folder.path());
                recover(trio.folder / "other");
                CHECK(read_text(trio.paths[written]) == "by hand");
                const std::size_t a = written == 0 ? 1 : 0;
                const std::size_t b = written == 2 ? 1 : 2;
                CHECK(read_text(trio.paths[a]).substr(0, 3) == read_text(trio.paths[b]).substr(0, 3));
                CHECK(trio.entries() == 4);
            }
        }
    }
}

TEST_CASE("where the old content is lost, a file that was written since is named, and nothing is removed") {
    const Trio trio;
    kill_at(trio, false, half_replaced(trio, false).front());
    const std::ptrdiff_t before = trio.entries();
    write_text(trio.paths[2], "by hand");
    for (int i = 0; i < 2; ++i) {
        CHECK_THROWS_WITH(recover(trio.folder.path()), contains("manifest: written since a killed run"));
        CHECK(trio.entries() == before);
    }
    CHECK(read_text(trio.paths[2]) == "by hand");
    fs::rename(trio.paths[2], trio.folder / "moved");
    recover(trio.folder.path());
    CHECK(common_text(trio.paths) == "new");
    CHECK(read_text(trio.folder / "moved") == "by hand");
}

TEST_CASE("a hidden name that is a folder ends a command with an error") {
    const Trio trio;
    for (const char* const name : {".stackae-commit", ".stackae-new"}) {
        FileSet files;
        files.add(trio.paths[0]).write("new");
        files.add(trio.paths[1]).write("new");
        fs::create_directory(trio.folder / name);
        if (name == std::string(".stackae-commit")) {
            CHECK_THROWS_WITH(files.commit(), contains("Is a directory"));
        }
        CHECK_THROWS_AS(recover(trio.folder.path()), IoError);
        fs::remove(trio.folder / name);
    }
}

TEST_CASE("a temporary's name that is taken and cannot be freed ends the commit, and the old files stay") {
    const Trio trio;
    replace(trio.paths, "old");
    {
        const FileFaults faults({.taken = true});
        CHECK_THROWS_WITH(replace(trio.paths, "new"), contains("-0: cannot remove: Is a directory"));
    }
    CHECK(common_text(trio.paths) == "old");
    CHECK(!fs::exists(record_path(trio.folder.path())));
    CHECK(!fs::exists(record_path(trio.folder / "other")));
}

TEST_CASE("waiting for another run's set ends when the user asks") {
    const Trio trio;
    const std::string record = trio.folder / ".stackae-commit";
    FileSet files([](double /*seconds*/) { throw std::runtime_error("given up"); });
    for (const std::string& path : trio.paths) {
        files.add(path).write("new");
    }
    write_text(record, "");
    const Descriptor held(::open(record.c_str(), O_RDWR));
    REQUIRE(try_lock(held.get()) == LockState::locked);
    CHECK_THROWS_WITH(files.commit(), contains("given up"));
    CHECK(trio.entries() == 2);
}

TEST_CASE("a record that is written in pieces is whole") {
    const Trio trio;
    replace(trio.paths, "old");
    const FileFaults faults({.most_written = 7});
    replace(trio.paths, "new");
    CHECK(common_text(trio.paths) == "new");
}

}  // namespace stackae::core
