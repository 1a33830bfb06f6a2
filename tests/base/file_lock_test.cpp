#include "base/file_lock.hpp"

#include <filesystem>
#include <stdexcept>
#include <string>
#include <sys/stat.h>

#include "base/atomic_file.hpp"
#include "support/catch.hpp"
#include "support/processes.hpp"
#include "support/temporary_folder.hpp"

namespace stackae::base {
namespace {

using namespace test;

void replace(const std::string& path, const std::string& text) {
    AtomicFile file(path);
    file.write(text);
    file.commit();
}

}  // namespace

TEST_CASE("Of processes that read, change and replace one file under its lock, no change is lost") {
    const TemporaryFolder folder;
    const std::string path = folder / "count";
    constexpr int processes = 6;
    constexpr int changes = 25;
    replace(path, "0");
    CHECK(exit_codes(processes, [&](int /*index*/) {
              for (int i = 0; i < changes; ++i) {
                  const FileLock lock(path);
                  replace(path, std::to_string(std::stoi(read_text(path)) + 1));
              }
          }) == std::vector<int>(processes, 0));
    CHECK(read_text(path) == std::to_string(processes * changes));
    CHECK(folder.entries() == 1);
}

TEST_CASE("Whoever waits for a lock can give up") {
    const TemporaryFolder folder;
    write_text(folder / "a", "text");
    const FileLock lock(folder / "a");
    CHECK(lock.held());
    CHECK_FALSE(lock.unsupported());
    int asked = 0;
    const auto give_up = [&](double seconds) {
        CHECK(seconds >= 0.0);
        if (++asked == 3) {
            throw std::runtime_error("given up");
        }
    };
    CHECK_THROWS_WITH(FileLock(folder / "a", give_up), contains("given up"));
    CHECK(asked == 3);
}

TEST_CASE("Nothing is locked where there is no regular file") {
    const TemporaryFolder folder;
    REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
    for (const std::string& path :
         {folder / "gone", folder / "pipe", folder.path(), std::string("/dev/null")}) {
        const FileLock lock(path);
        CHECK_FALSE(lock.held());
        CHECK_FALSE(lock.unsupported());
    }
}

}  // namespace stackae::base
