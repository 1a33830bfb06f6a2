#include "stackae/output_files.hpp"

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

#include "base/commit_record.hpp"
#include "base/file_lock.hpp"
#include "file_trio.hpp"
#include "support/catch.hpp"
#include "support/file_faults.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::base {

using namespace test_files;

TEST_CASE("Files of a set keep their old content until all is there, and nothing else stays") {
    const Trio trio;
    replace(trio.paths, "old");
    OutputFiles files;
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

TEST_CASE("A set that is not committed leaves nothing, and a file of it can be committed alone") {
    const Trio trio;
    replace(trio.paths, "old");
    {
        OutputFiles files;
        files.add(trio.paths[0]).write("new");
        OutputFile alone = files.add(trio.paths[2]);
        alone.write("new");
        alone.commit();
    }
    CHECK(read_text(trio.paths[2]) == "new");
    CHECK(common_text({trio.paths[0], trio.paths[1]}) == "old");
    CHECK(trio.entries() == 4);
}

TEST_CASE("Killed at any call, a set is all old or all new for the next run, which leaves nothing else") {
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
                    recover_outputs(trio.folder.path());
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

TEST_CASE("Of runs that replace the same files at once one whole set stays, never a mix") {
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

TEST_CASE("Runs that are killed beside others spoil no set and let nobody fail") {
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
        recover_outputs(trio.folder.path());
        CHECK(common_text(one_folder) != "mixed");
        {
            const FileFaults faults({.nameless = nameless});
            replace(trio.paths, "next");
        }
        CHECK(common_text(trio.paths) == "next");
        CHECK(trio.entries() == 4);
    }
}

TEST_CASE("A set that waited for another run, and was killed then, is completed over what that one wrote") {
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
            OutputFiles files;
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
    recover_outputs(trio.folder.path());
    CHECK(common_text(paths) == "new");
}

TEST_CASE("A disk that fails at any call leaves a set old, or new where all was there") {
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
            recover_outputs(trio.folder.path());
            CHECK(common_text(trio.paths) != "mixed");
            if (!reached) {
                break;
            }
        }
        replace(trio.paths, "next");
        CHECK(trio.entries() == 4);
    }
}

TEST_CASE("A set whose last file cannot be replaced leaves the others old, or not there") {
    const Trio trio;
    for (const bool exist : {false, true}) {
        if (exist) {
            replace({trio.paths[0], trio.paths[1]}, "old");
        }
        OutputFiles files;
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

TEST_CASE("A hidden name that is a folder ends a command with an error") {
    const Trio trio;
    for (const char* const name : {".stackae-commit", ".stackae-new"}) {
        OutputFiles files;
        files.add(trio.paths[0]).write("new");
        files.add(trio.paths[1]).write("new");
        fs::create_directory(trio.folder / name);
        if (name == std::string(".stackae-commit")) {
            CHECK_THROWS_WITH(files.commit(), contains("Is a directory"));
        }
        CHECK_THROWS_AS(recover_outputs(trio.folder.path()), IoError);
        fs::remove(trio.folder / name);
    }
}

TEST_CASE("A temporary's name that is taken and cannot be freed ends the commit, and the old files stay") {
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

TEST_CASE("Waiting for another run's set ends when the user asks") {
    const Trio trio;
    const std::string record = trio.folder / ".stackae-commit";
    OutputFiles files([](double /*seconds*/) { throw std::runtime_error("given up"); });
    for (const std::string& path : trio.paths) {
        files.add(path).write("new");
    }
    write_text(record, "");
    const Descriptor held(::open(record.c_str(), O_RDWR));
    REQUIRE(try_lock(held.get()) == LockState::locked);
    CHECK_THROWS_WITH(files.commit(), contains("given up"));
    CHECK(trio.entries() == 2);
}

TEST_CASE("A record that is written in pieces is whole") {
    const Trio trio;
    replace(trio.paths, "old");
    const FileFaults faults({.max_written = 7});
    replace(trio.paths, "new");
    CHECK(common_text(trio.paths) == "new");
}

}  // namespace stackae::base
