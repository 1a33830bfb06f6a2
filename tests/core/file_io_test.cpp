#include "core/file_io.hpp"

#include <filesystem>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::core {
namespace {

using namespace test;
namespace fs = std::filesystem;

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

mode_t mode_of(const std::string& path) {
    struct stat status {};
    REQUIRE(::stat(path.c_str(), &status) == 0);
    return status.st_mode & 07777U;
}

}  // namespace

TEST_CASE("a file is read and mapped whole, whatever its size") {
    const TemporaryFolder folder;
    for (const std::size_t size : {0U, 1U, 4096U, 5000U, 3000000U}) {
        std::string content(size, 'x');
        for (std::size_t i = 0; i < size; i += 7) {
            content[i] = static_cast<char>(i);
        }
        write_text(folder / "a", content);
        CHECK(text_of(read_file(folder / "a")) == content);
        CHECK(text_of(read_file(folder / "a", size)) == content);
        if (size > 0) {
            CHECK_THROWS_AS(read_file(folder / "a", size - 1), FileTooLarge);
        }
        MappedFile mapped(folder / "a");
        CHECK(text_of(mapped.bytes()) == content);
        MappedFile moved(std::move(mapped));
        CHECK(text_of(moved.bytes()) == content);
        CHECK(moved.path() == folder / "a");
        moved.release();
        CHECK(text_of(moved.bytes()) == content);
    }
}

TEST_CASE("what cannot be read is named with the system's reason") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(read_file(folder / "gone"), IoError);
    CHECK_THROWS_WITH(read_file(folder / "gone"),
                      contains((folder / "gone") + ": cannot open: No such file or directory"));
    CHECK_THROWS_WITH(read_file(folder.path()), contains("Is a directory"));
    CHECK_THROWS_WITH(MappedFile(folder.path()), contains("Is a directory"));
    CHECK_THROWS_AS(MappedFile(folder / "gone"), IoError);
    CHECK_THROWS_WITH(MappedFile("/dev/null"), contains("no regular file"));
    CHECK(read_file("/dev/null").empty());
}

TEST_CASE("a file that becomes shorter while it is read is an error that names it") {
    const TemporaryFolder folder;
    const std::string path = folder / "a";
    write_text(path, std::string(100'000, 'x'));
    InputFile file(path);
    CHECK(file.size() == 100'000);
    std::vector<std::byte> half(50'000);
    file.read(half);
    fs::resize_file(path, 60'000);
    CHECK_THROWS_WITH(file.read(half), contains(path + ": its end found, 40000 bytes more expected"));
    CHECK_THROWS_AS(file.read_at(30'000, half), IoError);
    file.read_at(10'000, half);
    CHECK(text_of(half) == std::string(50'000, 'x'));
    CHECK_THROWS_WITH(InputFile(folder.path()), contains("Is a directory"));
    CHECK_FALSE(InputFile("/dev/zero").size().has_value());
}

TEST_CASE("a pipe, which has no size, is read to its end") {
    const TemporaryFolder folder;
    const std::string path = folder / "pipe";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const std::string content(100'000, 'z');
    std::thread writer([&] { write_text(path, content); });
    const std::vector<std::byte> found = read_file(path);
    writer.join();
    CHECK(text_of(found) == content);
}

TEST_CASE("a file appears only when it is whole") {
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

TEST_CASE("a patch replaces bytes in the middle, and writing goes on at the end") {
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

TEST_CASE("a synced file still appears only with its commit") {
    const TemporaryFolder folder;
    {
        AtomicFile file(folder / "a");
        file.write("text");
        file.sync();
        CHECK_FALSE(fs::exists(folder / "a"));
        CHECK(folder.entries() == 1);  // all of it under another name
    }
    CHECK(folder.entries() == 0);
    AtomicFile file(folder / "a");
    file.write("text");
    file.sync();
    file.write(" and more");
    file.commit();
    CHECK(read_text(folder / "a") == "text and more");
}

TEST_CASE("a replaced file keeps its rights, a new one gets the usual") {
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

TEST_CASE("through a link, the file it names is replaced or made") {
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

TEST_CASE("what cannot be written is named before anything is lost") {
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

}  // namespace stackae::core
