#include "base/file_io.hpp"

#include <filesystem>
#include <sys/stat.h>
#include <thread>
#include <unistd.h>

#include "stackae/error.hpp"

#include "support/catch.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::base {
namespace {

using namespace test;
namespace fs = std::filesystem;

std::string text_of(std::span<const std::byte> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

TEST_CASE("A file is read and mapped whole, whatever its size") {
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
            CHECK_THROWS_AS(read_file(folder / "a", size - 1), IoError);
            CHECK_THROWS_WITH(read_file(folder / "a", size - 1),
                              contains("a: file of " + std::to_string(size) + " bytes found, at most " +
                                       std::to_string(size - 1) + " expected"));
        }
    }
}

TEST_CASE("What cannot be read is named with the system's reason") {
    const TemporaryFolder folder;
    CHECK_THROWS_AS(read_file(folder / "gone"), IoError);
    CHECK_THROWS_WITH(read_file(folder / "gone"),
                      contains((folder / "gone") + ": cannot open: No such file or directory"));
    CHECK_THROWS_WITH(read_file(folder.path()), contains("Is a directory"));
    CHECK(read_file("/dev/null").empty());
}

TEST_CASE("A file that becomes shorter while it is read is an error that names it") {
    const TemporaryFolder folder;
    const std::string path = folder / "a";
    write_text(path, std::string(100'000, 'x'));
    InputFile file(path);
    CHECK(file.size() == 100'000);
    std::vector<std::byte> half(50'000);
    file.read(half);
    fs::resize_file(path, 60'000);
    CHECK_THROWS_WITH(file.read(half),
                      contains(path + ": its end found at byte 60000, 40000 bytes more expected"));
    CHECK_THROWS_AS(file.read_at(30'000, half), IoError);
    file.read_at(10'000, half);
    CHECK(text_of(half) == std::string(50'000, 'x'));
    CHECK_THROWS_WITH(InputFile(folder.path()), contains("Is a directory"));
    CHECK_FALSE(InputFile("/dev/zero").size().has_value());
}

TEST_CASE("A pipe, which has no size, is read to its end") {
    const TemporaryFolder folder;
    const std::string path = folder / "pipe";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    const std::string content(100'000, 'z');
    std::thread writer([&] { write_text(path, content); });
    const std::vector<std::byte> found = read_file(path);
    writer.join();
    CHECK(text_of(found) == content);
}

TEST_CASE("A pipe where a regular file is expected is refused at once, not waited for") {
    const TemporaryFolder folder;
    const std::string path = folder / "pipe";
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK_THROWS_WITH(InputFile(path, Readable::regular_files),
                      contains("pipe: a pipe found, a regular file expected"));
    CHECK_THROWS_WITH(InputFile("/dev/zero", Readable::regular_files),
                      contains("/dev/zero: a device found, a regular file expected"));
    CHECK_THROWS_AS(read_file("/dev/zero", 100), IoError);
    CHECK_THROWS_WITH(read_file("/dev/zero", 100), contains("at most 100 expected"));
}

}  // namespace stackae::base
