#include "base/atomic_file.hpp"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/file_faults.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::base {
namespace {

using namespace test;
namespace fs = std::filesystem;

mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

}  // namespace

TEST_CASE("A file appears only when it is whole") {
    const TemporaryFolder folder;
    write_text(folder / "a", "old");
    {
        AtomicFile file(folder / "a");
        file.write("new and never finished");
        CHECK(read_text(folder / "a") == "old");
    }
    CHECK(read_text(folder / "a") == "old");
    CHECK(folder.entries() == 1);
    const std::string large(5'000'000, 'y');
    AtomicFile file(folder / "a");
    file.write("new ");
    file.write(large);
    file.write(" end");
    CHECK(read_text(folder / "a") == "old");
    file.commit();
    CHECK(read_text(folder / "a") == "new " + large + " end");
    CHECK(folder.entries() == 1);
}

TEST_CASE("A patch replaces bytes in the middle, and writing goes on at the end") {
    const TemporaryFolder folder;
    const std::string path = folder / "patched";
    AtomicFile file(path);
    file.write("0123456789");
    const std::string bytes = "ab";
    file.patch(3, std::as_bytes(std::span(bytes)));
    file.write("!");
    CHECK_FALSE(fs::exists(path));
    file.commit();
    CHECK(read_text(path) == "012ab56789!");
}

TEST_CASE("A synced file still appears only with its commit") {
    const TemporaryFolder folder;
    {
        AtomicFile file(folder / "a");
        file.write("text");
        file.sync();
        CHECK_FALSE(fs::exists(folder / "a"));
        CHECK(folder.entries() <= 1);  // a hidden name, where the file system has no files without
    }
    CHECK(folder.entries() == 0);
    AtomicFile file(folder / "a");
    file.write("text");
    file.sync();
    file.write(" and more");
    file.commit();
    CHECK(read_text(folder / "a") == "text and more");
}

TEST_CASE("A replaced file keeps its rights, a new one gets the usual") {
    const TemporaryFolder folder;
    write_text(folder / "a", "old");
    fs::permissions(folder / "a", fs::perms::owner_read | fs::perms::owner_write | fs::perms::group_read);
    for (const char* name : {"a", "b"}) {
        AtomicFile file(folder / name);
        file.write("new");
        file.commit();
    }
    write_text(folder / "c", "made by the standard library");
    CHECK(mode_of(folder / "a") == 0640);
    CHECK(mode_of(folder / "b") == mode_of(folder / "c"));
}

TEST_CASE("Through a link, the file it names is replaced or made") {
    const TemporaryFolder folder;
    fs::create_directory(folder / "sub");
    write_text(folder / "sub/real", "old");
    fs::create_symlink("sub/real", folder / "link");
    fs::create_symlink("link", folder / "link2");
    fs::create_symlink("sub/new", folder / "link3");
    for (const char* name : {"link2", "link3"}) {
        AtomicFile file(folder / name);
        file.write("new");
        file.commit();
        CHECK(fs::is_symlink(folder / name));
    }
    CHECK(read_text(folder / "sub/real") == "new");
    CHECK(read_text(folder / "sub/new") == "new");
    fs::create_symlink("round", folder / "round");
    CHECK_THROWS_AS(AtomicFile(folder / "round"), IoError);
}

TEST_CASE("What cannot be written is named before anything is lost") {
    const TemporaryFolder folder;
    CHECK_THROWS_WITH(AtomicFile(folder / "gone/a"), contains("gone/a: cannot write: No such file"));
    CHECK_THROWS_WITH(AtomicFile(folder.path()), contains("Is a directory"));
    AtomicFile nowhere("/dev/null");
    nowhere.write("text");
    nowhere.commit();
    AtomicFile full("/dev/full");
    full.write("text");
    CHECK_THROWS_WITH(full.commit(), contains("/dev/full: cannot write: No space left"));
}

TEST_CASE("A name as long as the file system takes is replaced") {
    const TemporaryFolder folder;
    const std::string path = folder / std::string(255, 'n');
    for (const bool nameless : {true, false}) {
        const FileFaults faults({.nameless = nameless});
        AtomicFile file(path);
        file.write("text");
        file.commit();
        CHECK(read_text(path) == "text");
        fs::remove(path);
        CHECK(folder.entries() == 0);
    }
}

TEST_CASE("A disk that fails at any call leaves the old file, says which, and keeps nothing else") {
    const TemporaryFolder folder;
    const std::string path = folder / "a";
    for (const bool nameless : {true, false}) {
        for (const int error : {ENOSPC, EDQUOT, EIO}) {
            long call = 0;
            for (bool failed = true; failed; ++call) {
                write_text(path, "old");
                try {
                    const FileFaults faults({.nameless = nameless, .call = call, .error = error});
                    AtomicFile file(path);
                    file.write(std::string(3'000'000, 'x'));
                    file.patch(0, std::as_bytes(std::span("y", 1)));
                    file.commit();
                    failed = faults.reached();  // syncing the folder and clearing up are tried only
                } catch (const IoError& failure) {
                    CHECK_THAT(failure.what(), contains(path + ": cannot "));
                    CHECK_THAT(failure.what(), contains(std::strerror(error)));
                    CHECK(read_text(path) == "old");
                }
                CHECK(folder.entries() == 1);
            }
            CHECK(call > 5);
        }
    }
}

TEST_CASE("What a killed run left under the shared name is removed, and one that lives is waited for") {
    const TemporaryFolder folder;
    write_text(folder / ".stackae-new", "of a run that was killed");
    AtomicFile file(folder / "a");
    CHECK_FALSE(fs::exists(folder / ".stackae-new"));
    write_text(folder / ".stackae-new", "of another");
    file.write("text");
    file.commit();
    CHECK(read_text(folder / "a") == "text");
    CHECK(folder.entries() == 1);
}

TEST_CASE("A folder that is gone at the end, or cannot be written, is an error that names the file") {
    const TemporaryFolder folder;
    fs::create_directory(folder / "sub");
    AtomicFile file(folder / "sub/a");
    file.write("text");
    fs::remove(folder / "sub");
    CHECK_THROWS_WITH(file.commit(), contains("sub/a: cannot replace: No such file or directory"));
    if (::geteuid() != 0) {
        fs::create_directory(folder / "shut");
        fs::permissions(folder / "shut", fs::perms::owner_read | fs::perms::owner_exec);
        CHECK_THROWS_WITH(AtomicFile(folder / "shut/a"), contains("shut/a: cannot write: Permission denied"));
    }
}

}  // namespace stackae::base
